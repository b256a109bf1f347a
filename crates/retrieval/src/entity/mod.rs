//! The table of the index.

pub mod search_document;
