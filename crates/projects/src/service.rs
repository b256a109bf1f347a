//! The operations of the domain.
//!
//! Each uses the caller's transaction and does not commit it, so that the caller can combine operations.

mod action_point;
mod blob;
mod blog_post;
mod file;
mod history;
mod note;
mod note_version;
mod post_text;
mod project;
mod source;

pub use action_point::{
    ActionPointChanges, NewActionPoint, action_point_accept, action_point_create_all,
    action_point_update,
};
pub use blob::{
    NewBlob, blob_content, blob_contents, blobs_collect, blobs_insert, blobs_missing, blobs_refill,
    blobs_with_text,
};
pub use blog_post::{
    BlogPostChanges, BlogPostImport, NewBlogPost, blog_post_create, blog_post_delete,
    blog_post_import, blog_post_publish, blog_post_unpublish, blog_post_update,
};
pub use file::{
    FileChanges, NewFile, RenamedFile, StoredFile, churn_add, churn_reset, code_subject,
    code_subject_source, file_languages, files_apply, files_by_path, files_named,
};
pub use history::{
    HISTORY_COMMITS_MAX, HistoryRetention, SourceCommit, source_history, source_history_keep,
};
pub use note::{NewNote, NoteChanges, note_create, note_delete, note_update};
pub use note_version::{NOTE_VERSIONS_MAX, note_version_keep, note_version_restore};
pub use project::{NewProject, ProjectChanges, project_create, project_delete, project_update};
pub use source::{
    NewSource, SourceChanges, source_add, source_remove, source_synced, source_update,
};
