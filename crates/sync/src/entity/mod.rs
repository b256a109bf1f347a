//! The tables of this crate.

pub mod git_connection;
pub mod sync;
