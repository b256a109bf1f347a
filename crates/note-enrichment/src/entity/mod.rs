//! The tables of this crate.

pub mod note_enrichment;
