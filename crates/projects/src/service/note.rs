//! Writing, changing and deleting notes.

use nyxcore_tenancy::{ReadWrite, Repository, Result, Scoped, UserId};
use sea_orm::ActiveValue::Set;

use crate::check;
use crate::entity::note;
use crate::model::{Note, NoteId, ProjectId};
use crate::repository::{Notes, Projects};

/// What a new note is to be.
#[derive(Debug, Clone)]
pub struct NewNote {
    /// The project it is about.
    pub project_id: ProjectId,
    /// 1 to 200 characters.
    pub title: String,
    /// Markdown, up to 200,000 characters; may be empty.
    pub body: String,
    /// Who writes it.
    pub created_by: Option<UserId>,
}

/// What of a note is to change: what is `None` stays.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "as in NewNote")]
pub struct NoteChanges {
    pub title: Option<String>,
    pub body: Option<String>,
}

/// Writes a note, which can be searched from then on.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound) for the project; [`Invalid`](nyxcore_tenancy::Error::Invalid) for what is out of bounds.
pub async fn note_create(scoped: &Scoped<ReadWrite>, new: NewNote) -> Result<Note> {
    let now = scoped.env().now();
    let row = note::ActiveModel {
        id: Set(NoteId(scoped.env().id())),
        project_id: Set(new.project_id),
        title: Set(check::name("the note's title", &new.title)?),
        body: Set(check::body("the note's body", &new.body, check::BODY_MAX)?),
        created_by: Set(new.created_by),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    Projects::require(scoped, new.project_id).await?;
    Notes::insert(scoped, row).await
}

/// Changes a note.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound); [`Invalid`](nyxcore_tenancy::Error::Invalid) for what is out of bounds.
pub async fn note_update(
    scoped: &Scoped<ReadWrite>,
    id: NoteId,
    changes: NoteChanges,
) -> Result<Note> {
    let mut row = note::ActiveModel {
        updated_at: Set(scoped.env().now()),
        ..Default::default()
    };
    if let Some(title) = changes.title {
        row.title = Set(check::name("the note's title", &title)?);
    }
    if let Some(body) = changes.body {
        row.body = Set(check::body("the note's body", &body, check::BODY_MAX)?);
    }
    Notes::update(scoped, id, row).await
}

/// Deletes a note with its action points and enrichments.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound).
pub async fn note_delete(scoped: &Scoped<ReadWrite>, id: NoteId) -> Result<()> {
    Notes::delete(scoped, id).await
}
