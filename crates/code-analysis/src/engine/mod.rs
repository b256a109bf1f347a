//! The engine: pure functions from source to facts, and from facts to what is worth saying of a project.

pub(crate) mod attributes;
pub(crate) mod blob;
mod cache;
pub(crate) mod facts;
pub(crate) mod guard;
pub(crate) mod ignored;
pub(crate) mod language;
mod lines;
pub(crate) mod parse;
pub(crate) mod patterns;
pub(crate) mod project;
pub(crate) mod references;
pub(crate) mod render;
pub(crate) mod report_files;
pub(crate) mod rules;
pub(crate) mod sarif;
pub(crate) mod skip;
pub(crate) mod skipped;
pub(crate) mod source;
mod tokens;
pub(crate) mod tree;
mod tree_rules;
pub(crate) mod windows;
