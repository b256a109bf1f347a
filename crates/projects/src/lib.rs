//! Projects, their sources, files and blobs, and the notes written about them.
//!
//! Everything is the tenant's: any member reaches what any other made, and `created_by` is only shown.
//!
//! ```
//! use nyxcore_projects::{NewProject, NewSource, Source, project_create, source_add};
//! use nyxcore_tenancy::{Result, Store, TenantId, UserId};
//!
//! /// A project and its first source: both are kept, or neither.
//! async fn import(store: &Store, tenant: TenantId, who: UserId) -> Result<Source> {
//!     let scoped = store.write(tenant).await?;
//!     let project = project_create(
//!         &scoped,
//!         NewProject { name: "Atlas".into(), created_by: Some(who), ..NewProject::default() },
//!     )
//!     .await?;
//!     let source = source_add(
//!         &scoped,
//!         NewSource {
//!             project_id: project.id,
//!             url: "https://example.org/atlas.git".into(),
//!             branch: None,
//!             scan_path: "/".into(),
//!         },
//!     )
//!     .await?;
//!     scoped.commit().await?;
//!     assert_eq!(source.display_path(), "/");
//!     Ok(source)
//! }
//! ```

mod check;
mod entity;
mod model;
mod repository;
mod service;

pub use check::{FILE_PATH_MAX, scan_path_normalize};
pub use model::{
    ActionPoint, ActionPointId, ActionPointStatus, Note, NoteId, Project, ProjectId, Source,
    SourceFile, SourceFileId, SourceId,
};
pub use repository::{
    ActionPoints, Notes, Projects, SourceFiles, Sources, action_points_of,
    action_points_of_enrichments, file_all, file_count, file_list, note_count, note_list,
    project_by_slug, project_count, project_list, sources_of,
};
pub use service::{
    ActionPointChanges, FileChanges, NewActionPoint, NewBlob, NewFile, NewNote, NewProject,
    NewSource, NoteChanges, ProjectChanges, SourceChanges, StoredFile, action_point_create_all,
    action_point_update, blob_content, blob_contents, blobs_collect, blobs_insert, blobs_missing,
    churn_add, churn_reset, code_subject, files_apply, files_by_path, note_create, note_delete,
    note_update, project_create, project_delete, project_update, source_add, source_remove,
    source_synced, source_update,
};
