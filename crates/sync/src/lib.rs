//! Keeps a source in step with its git repository: mirror, diff, import.

pub mod git;
