//! The table of the search index.

pub mod search_document;
