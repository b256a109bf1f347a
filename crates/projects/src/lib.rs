//! Projects, sources, files and blobs, notes, and blog posts.
//!
//! Everything belongs to the tenant: any member can access what another member created. `created_by` is informational.
//!
//! ```
//! use nyxcore_projects::{NewNote, NewProject, NewSource, Sources, note_create, project_create, source_add};
//! use nyxcore_retrieval::{SearchRequest, search};
//! use nyxcore_tenancy::Repository;
//!
//! # nyxcore_tests::example!(|store, tenant| [nyxcore_projects::registration()];
//! // A project with its first source and a note: all are kept, or none.
//! let scoped = store.write(tenant.id).await?;
//! let project = project_create(&scoped, NewProject { name: "Atlas".into(), ..NewProject::default() }).await?;
//! assert_eq!(project.slug, "atlas");
//! let url = "https://example.org/atlas.git".into();
//! let source = NewSource { project_id: project.id, url, branch: None, scan_path: "/".into() };
//! let source = source_add(&scoped, source).await?;
//! let body = "Where are leases renewed?".into();
//! let note = NewNote { project_id: project.id, title: "Leases".into(), body, created_by: None };
//! let note = note_create(&scoped, note).await?;
//! scoped.commit().await?;
//!
//! // The search finds the note since the commit.
//! let scoped = store.read(tenant.id).await?;
//! assert_eq!(Sources::require(&scoped, source.id).await?.display_path(), "/");
//! assert_eq!(search(&scoped, &SearchRequest::new("leases")).await?[0].subject, note.id.to_string());
//! # );
//! ```

mod check;
mod entity;
mod model;
mod name;
mod registration;
mod repository;
mod service;

pub use check::FILE_PATH_MAX;
pub use model::{
    ActionPoint, ActionPointId, ActionPointStatus, BlogPost, BlogPostId, BlogPostStatus, Note,
    NoteId, NoteVersion, NoteVersionId, NoteVersionReason, Project, ProjectId, Source, SourceFile,
    SourceFileId, SourceId,
};
pub use name::{BranchName, NameError, ScanPath};
pub use registration::{BLOG_POST, NOTE, PROJECT, SOURCE, registration};
pub use repository::{
    ActionPoints, BlogPosts, NoteVersionList, NoteVersions, Notes, ProjectBlogPosts, ProjectList,
    ProjectNotes, Projects, SourceFileList, SourceFiles, Sources, action_points_of,
    action_points_of_enrichments, file_all, project_by_slug, project_count, project_list,
    sources_by_url, sources_of,
};
pub use service::{
    ActionPointChanges, BlogPostChanges, BlogPostImport, FileChanges, HISTORY_COMMITS_MAX,
    HistoryRetention, NOTE_VERSIONS_MAX, NewActionPoint, NewBlob, NewBlogPost, NewFile, NewNote,
    NewProject, NewSource, NoteChanges, ProjectChanges, RenamedFile, SourceChanges, SourceCommit,
    StoredFile, action_point_accept, action_point_create_all, action_point_update, blob_content,
    blob_contents, blobs_collect, blobs_insert, blobs_missing, blobs_refill, blobs_with_text,
    blog_post_create, blog_post_delete, blog_post_import, blog_post_publish, blog_post_unpublish,
    blog_post_update, churn_add, churn_reset, code_subject, code_subject_source, file_languages,
    files_apply, files_by_path, files_named, note_create, note_delete, note_update,
    note_version_keep, note_version_restore, project_create, project_delete, project_update,
    source_add, source_history, source_history_keep, source_remove, source_synced, source_update,
};
