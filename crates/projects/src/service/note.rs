//! Creates, changes and deletes notes.

use nyxcore_retrieval::{
    ChunkLimits, Document, KnowledgeKind, chunk_lines, documents_publish, documents_publish_new,
    documents_withdraw,
};
use nyxcore_tenancy::{Action, ReadWrite, Repository, Result, Scoped, TypedId, UserId, text};
use sea_orm::ActiveValue::Set;

use crate::entity::note;
use crate::model::{Note, NoteId, ProjectId};
use crate::registration::NOTE;
use crate::repository::Notes;

/// A new note.
#[derive(Debug, Clone)]
pub struct NewNote {
    /// The project it is about.
    pub project_id: ProjectId,
    /// 1 to 200 characters.
    pub title: String,
    /// Markdown, up to 200,000 characters; may be empty.
    pub body: String,
    /// The creating user.
    pub created_by: Option<UserId>,
}

/// The changes to a note; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "as in NewNote")]
pub struct NoteChanges {
    pub title: Option<String>,
    pub body: Option<String>,
}

/// Creates a note and publishes it to the search.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound) for the project, which ends a transaction of PostgreSQL;
/// [`Invalid`](nyxcore_tenancy::Error::Invalid) for an invalid text.
pub async fn note_create(scoped: &Scoped<ReadWrite>, new: NewNote) -> Result<Note> {
    let id = NoteId(scoped.env().id());
    scoped.permit(Action::Create, NOTE, id.uuid())?;
    let now = scoped.env().now();
    let row = note::ActiveModel {
        id: Set(id),
        project_id: Set(new.project_id),
        title: Set(text::name("the note's title", &new.title)?),
        body: Set(text::body("the note's body", &new.body)?),
        created_by: Set(new.created_by),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let note = Notes::insert(scoped, row).await;
    let note = note.map_err(|error| error.reference_as(ProjectId::PREFIX))?;
    documents_publish_new(scoped, documents(&note)).await?;
    Ok(note)
}

/// Changes a note and its search document.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound); [`Invalid`](nyxcore_tenancy::Error::Invalid) for an invalid text.
pub async fn note_update(
    scoped: &Scoped<ReadWrite>,
    id: NoteId,
    changes: NoteChanges,
) -> Result<Note> {
    scoped.permit(Action::Update, NOTE, id.uuid())?;
    let mut row = note::ActiveModel {
        updated_at: Set(scoped.env().now()),
        ..Default::default()
    };
    if let Some(title) = changes.title {
        row.title = Set(text::name("the note's title", &title)?);
    }
    if let Some(body) = changes.body {
        row.body = Set(text::body("the note's body", &body)?);
    }
    let note = Notes::update(scoped, id, row).await?;
    documents_publish(scoped, documents(&note)).await?;
    Ok(note)
}

/// Deletes a note with its action points and enrichments.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound).
pub async fn note_delete(scoped: &Scoped<ReadWrite>, id: NoteId) -> Result<()> {
    scoped.permit(Action::Delete, NOTE, id.uuid())?;
    Notes::delete(scoped, id).await?;
    documents_withdraw(scoped, KnowledgeKind::Note, &[id.to_string()]).await?;
    Ok(())
}

/// The search documents of a note. A long note is several documents, so that a hit shows the part that matches.
fn documents(note: &Note) -> Vec<Document> {
    let document = |body: &str| Document {
        kind: KnowledgeKind::Note,
        subject: note.id.to_string(),
        subject_id: Some(note.id.0),
        project_id: Some(note.project_id.0),
        title: note.title.clone(),
        body: body.to_owned(),
        path: None,
        source_id: None,
        start_line: None,
        end_line: None,
        stack: None,
        role: None,
    };
    let chunks = chunk_lines(&note.body, ChunkLimits::default());
    if chunks.is_empty() {
        // The note is found by its title.
        return vec![document("")];
    }
    chunks
        .into_iter()
        .map(|chunk| document(chunk.text))
        .collect()
}
