//! The tables of the search index.

pub mod search_document;
pub mod search_passage;
pub mod search_vector;
pub mod search_vector_model;
