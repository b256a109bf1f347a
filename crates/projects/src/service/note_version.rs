//! Stores former versions of notes when something else than a person's edit replaces a text, and restores them.

use nyxcore_tenancy::{Action, Error, ReadWrite, Repository, Result, Scoped, TypedId};
use sea_orm::{ActiveValue::Set, ColumnTrait};
use uuid::Uuid;

use super::note::{NoteChanges, note_update};
use crate::entity::note_version::{self, Column, Entity};
use crate::model::{Note, NoteVersionId, NoteVersionReason};
use crate::registration::NOTE;
use crate::repository::{NoteVersions, Notes};

/// The most versions of one note; older ones are deleted. A rule of this project: a note has up to 200,000 characters.
pub const NOTE_VERSIONS_MAX: usize = 20;

/// Stores the current text of a note as a version, before something replaces it. `enrichment` is the run of the
/// enrichment that replaces it.
///
/// # Errors
/// The database fails.
pub async fn note_version_keep(
    scoped: &Scoped<ReadWrite>,
    note: &Note,
    reason: NoteVersionReason,
    enrichment: Option<Uuid>,
) -> Result<NoteVersionId> {
    scoped.permit(Action::Update, NOTE, note.id.uuid())?;
    let id = NoteVersionId(scoped.env().id());
    let row = note_version::ActiveModel {
        id: Set(id),
        note_id: Set(note.id),
        title: Set(note.title.clone()),
        body: Set(note.body.clone()),
        reason: Set(reason),
        enrichment_id: Set(enrichment),
        created_at: Set(scoped.env().now()),
        ..Default::default()
    };
    NoteVersions::insert(scoped, row).await?;
    let of_note = Column::NoteId.eq(note.id);
    let ids: Vec<(NoteVersionId,)> = scoped
        .find::<Entity>()
        .filter(of_note.clone())
        .order_by_desc(Column::Id)
        .columns([Column::Id])
        .await?;
    let old: Vec<NoteVersionId> = ids
        .into_iter()
        .skip(NOTE_VERSIONS_MAX)
        .map(|(id,)| id)
        .collect();
    if !old.is_empty() {
        scoped
            .delete_in::<Entity, _>(Column::Id, old, of_note)
            .await?;
    }
    Ok(id)
}

/// Restores a version. The text before is stored as a version too; where the note already has the text of the version,
/// nothing changes.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn note_version_restore(scoped: &Scoped<ReadWrite>, id: NoteVersionId) -> Result<Note> {
    scoped.permit(Action::Update, NOTE, None)?;
    let version = NoteVersions::get(scoped, id)
        .await?
        .ok_or(Error::NotFound("note version"))?;
    scoped.audit_subject(version.note_id.uuid());
    // An update without changes locks the note's row.
    let note = note_update(scoped, version.note_id, NoteChanges::default()).await?;
    if note.title == version.title && note.body == version.body {
        return Notes::require(scoped, note.id).await;
    }
    note_version_keep(scoped, &note, NoteVersionReason::Restored, None).await?;
    let changes = NoteChanges {
        title: Some(version.title),
        body: Some(version.body),
    };
    note_update(scoped, note.id, changes).await
}
