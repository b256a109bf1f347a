//! The tables of this crate. They are private; other crates use the types of [`crate::model`].

pub mod action_point;
pub mod blob;
pub mod blog_post;
pub mod note;
pub mod note_version;
pub mod project;
pub mod source;
pub mod source_file;
pub mod source_history;
