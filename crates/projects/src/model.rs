//! The domain model: projects, their sources and files, notes with action points, and posts.

use chrono::{DateTime, Utc};
use nyxcore_retrieval::Citation;
use nyxcore_tenancy::{UserId, typed_id};
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

typed_id!(
    /// A project.
    ProjectId,
    "project"
);
typed_id!(
    /// A repository, or a part of one, whose files belong to a project.
    SourceId,
    "source"
);
typed_id!(
    /// A file of a source. It keeps its id while it keeps its path, and where it moves with the same or nearly the same
    /// content.
    SourceFileId,
    "file"
);
typed_id!(
    /// A note.
    NoteId,
    "note"
);
typed_id!(
    /// A former version of a note.
    NoteVersionId,
    "noteversion"
);
typed_id!(
    /// An action point of a note.
    ActionPointId,
    "actionpoint"
);

typed_id!(
    /// A post.
    BlogPostId,
    "post"
);

/// A project of a team: its sources, the knowledge about them, and notes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the other fields say it")]
pub struct Project {
    pub id: ProjectId,
    /// Unique within the tenant.
    pub slug: String,
    pub name: String,
    pub description: Option<String>,
    /// Who created it. Written once; no permission depends on it.
    pub created_by: Option<UserId>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A Git repository with a branch and a folder to scan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the other fields say it")]
pub struct Source {
    pub id: SourceId,
    pub project_id: ProjectId,
    pub url: String,
    /// `None` is the repository's own default branch.
    pub branch: Option<String>,
    /// The folder within the repository, without a slash at either end; `""` is the root.
    pub scan_path: String,
    /// The commit of the files. `None` before the first sync, and after a change of the source's settings: the next
    /// sync then compares everything.
    pub head_commit: Option<String>,
    /// When a sync last succeeded.
    pub last_synced_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Source {
    /// The scan path as people see it: the root is `/`.
    #[must_use]
    pub fn display_path(&self) -> &str {
        if self.scan_path.is_empty() {
            "/"
        } else {
            &self.scan_path
        }
    }
}

/// A file of a source, as of the source's head commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its id.
    pub id: SourceFileId,
    /// The source it is in.
    pub source_id: SourceId,
    /// Its path from the repository's root, with `/` between the parts.
    pub path: String,
    /// The Git blob id of its content.
    pub blob: String,
    /// The language it is written in, where that is known.
    pub language: Option<String>,
    /// The size in bytes.
    pub size: i64,
    /// The number of commits in the examined history that changed it.
    pub commits: i64,
}

/// Something a person wrote about a project.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the other fields say it")]
pub struct Note {
    pub id: NoteId,
    pub project_id: ProjectId,
    pub title: String,
    /// Markdown.
    pub body: String,
    /// Who created it. Written once; no permission depends on it.
    pub created_by: Option<UserId>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A former version of a note, which was replaced by something else than a person's edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteVersion {
    /// Its id.
    pub id: NoteVersionId,
    /// The note.
    pub note_id: NoteId,
    /// The title that it had.
    pub title: String,
    /// The text that it had.
    pub body: String,
    /// What replaced it.
    pub reason: NoteVersionReason,
    /// The enrichment that was applied: the id of its run.
    pub enrichment_id: Option<Uuid>,
    /// When it was replaced.
    pub created_at: DateTime<Utc>,
}

/// The reason why a note's text was replaced.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "UPPERCASE")]
#[serde(rename_all = "UPPERCASE")]
pub enum NoteVersionReason {
    /// An enrichment was applied.
    Enriched,
    /// An earlier version was restored.
    Restored,
}

/// Something to do that follows from a note.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the other fields say it")]
pub struct ActionPoint {
    pub id: ActionPointId,
    pub note_id: NoteId,
    /// The enrichment that suggested it: the id of its run.
    pub enrichment_id: Option<Uuid>,
    pub text: String,
    pub status: ActionPointStatus,
    pub citations: Vec<Citation>,
    /// When a person accepted what an enrichment suggested.
    pub accepted_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl ActionPoint {
    /// Whether an enrichment suggested it and nobody decided about it yet.
    #[must_use]
    pub fn is_suggested(&self) -> bool {
        self.enrichment_id.is_some()
            && self.accepted_at.is_none()
            && self.status == ActionPointStatus::Open
    }
}

/// The state of an action point.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "UPPERCASE")]
#[serde(rename_all = "UPPERCASE")]
pub enum ActionPointStatus {
    /// Still to be done.
    Open,
    /// Done.
    Done,
    /// Not wanted.
    Dismissed,
}

/// Something that a project publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the other fields say it")]
pub struct BlogPost {
    pub id: BlogPostId,
    pub project_id: ProjectId,
    pub title: String,
    /// Markdown.
    pub body: String,
    pub status: BlogPostStatus,
    /// The file that it was imported from, as the source's id, a colon and the path.
    pub source_ref: Option<String>,
    /// Who created it. Written once; no permission depends on it.
    pub created_by: Option<UserId>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Since when it is published; `None` for a draft.
    pub published_at: Option<DateTime<Utc>>,
}

/// Whether a post is published.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "UPPERCASE")]
#[serde(rename_all = "UPPERCASE")]
pub enum BlogPostStatus {
    /// Being written.
    Draft,
    /// Published.
    Published,
}
