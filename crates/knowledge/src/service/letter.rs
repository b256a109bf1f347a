//! Synchronizes the letters of a source with their memory entries. An entry stores the id of its file, which survives
//! a move, and the Git blob id of its content, so unchanged letters are not read again.

use std::collections::{BTreeSet, HashMap};

use nyxcore_projects::{ProjectId, SourceFileId, SourceId, code_subject, files_named};
use nyxcore_tenancy::{Access, Action, ReadWrite, Result, Scoped};
use sea_orm::{ActiveValue::Set, ColumnTrait, ExprTrait};

use super::memory_entry::{MemoryImport, entries_delete, memory_entries_import};
use crate::entity::memory_entry::{ActiveModel, Column, Entity};
use crate::letter::{is_letter, letter_entry};
use crate::model::MemoryEntryId;
use crate::registration::MEMORY_ENTRY;

/// A part of every letter's path, by which the database finds candidates.
const FOLDER: &str = ".memory/letter_";

/// A letter that is new, or that was changed or moved since it was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingLetter {
    /// The file.
    pub file: SourceFileId,
    /// Its path from the repository's root.
    pub path: String,
    /// The Git blob id of its content.
    pub blob: String,
    /// The memory entry that it became earlier.
    pub entry: Option<MemoryEntryId>,
}

/// The pending changes that make the memory entries match a source's letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PendingLetters {
    /// Letters to import, in the order of their paths.
    pub taken: Vec<PendingLetter>,
    /// Entries whose letters are gone.
    pub gone: Vec<MemoryEntryId>,
}

/// An entry of a source: its file, its name and the Git blob id of its content.
type KnownEntry = (
    MemoryEntryId,
    Option<SourceFileId>,
    Option<String>,
    Option<String>,
);

/// Compares a source's letters with their entries, without reading any.
///
/// # Errors
/// The database fails.
pub async fn letters_pending<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
    source: SourceId,
) -> Result<PendingLetters> {
    let known: Vec<KnownEntry> = scoped
        .find::<Entity>()
        .filter(Column::ProjectId.eq(project))
        .filter(Column::SourceId.eq(source))
        .columns([
            Column::Id,
            Column::SourceFileId,
            Column::SourceRef,
            Column::SourceBlob,
        ])
        .await?;
    let (mut by_file, mut by_ref) = (HashMap::new(), HashMap::new());
    for (index, (_, file, source_ref, _)) in known.iter().enumerate() {
        file.map(|file| by_file.insert(file, index));
        source_ref.as_deref().map(|name| by_ref.insert(name, index));
    }
    let mut kept = BTreeSet::new();
    let mut pending = PendingLetters::default();
    let files = files_named(scoped, source, FOLDER).await?;
    for (path, file) in files.into_iter().filter(|(path, _)| is_letter(path)) {
        let name = code_subject(source, &path);
        // A file that was deleted and added again has another id and is the same letter.
        let by_file = by_file.get(&file.id);
        let entry = by_file.or_else(|| by_ref.get(name.as_str())).copied();
        let entry = entry.filter(|index| kept.insert(*index));
        let as_it_was = entry.is_some_and(|index| {
            let (_, _, source_ref, blob) = &known[index];
            source_ref.as_deref() == Some(&name) && blob.as_deref() == Some(&file.blob)
        });
        if !as_it_was {
            pending.taken.push(PendingLetter {
                file: file.id,
                path,
                blob: file.blob,
                entry: entry.map(|index| known[index].0),
            });
        }
    }
    pending.taken.sort_by(|a, b| a.path.cmp(&b.path));
    let gone = known.iter().enumerate();
    pending.gone = gone
        .filter(|(index, _)| !kept.contains(index))
        .map(|(_, (id, ..))| *id)
        .collect();
    Ok(pending)
}

/// Prepares the import: deletes the entries of deleted letters, and clears the names of moved ones, so that letters
/// may also swap places.
///
/// # Errors
/// The database fails.
pub async fn letters_clear(scoped: &Scoped<ReadWrite>, pending: &PendingLetters) -> Result<u64> {
    scoped.permit(Action::Import, MEMORY_ENTRY, None)?;
    let moved: Vec<MemoryEntryId> = pending
        .taken
        .iter()
        .filter_map(|letter| letter.entry)
        .collect();
    if !moved.is_empty() {
        let nameless = ActiveModel {
            source_ref: Set(None),
            ..Default::default()
        };
        scoped.update(Column::Id.is_in(moved), nameless).await?;
    }
    if pending.gone.is_empty() {
        return Ok(0);
    }
    entries_delete(scoped, &pending.gone).await
}

/// Imports letters with their texts. Existing entries are updated in place, also after a move. If a letter is
/// unreadable or invalid, its entry keeps its last text.
///
/// # Errors
/// As [`memory_entries_import`].
pub async fn letters_take(
    scoped: &Scoped<ReadWrite>,
    project: ProjectId,
    source: SourceId,
    letters: Vec<(PendingLetter, Option<String>)>,
) -> Result<MemoryImport> {
    scoped.permit(Action::Import, MEMORY_ENTRY, None)?;
    let mut entries = Vec::with_capacity(letters.len());
    let mut came_from = Vec::with_capacity(letters.len());
    for (letter, text) in letters {
        let name = code_subject(source, &letter.path);
        if let Some(entry) = letter.entry {
            let named = ActiveModel {
                source_ref: Set(Some(name.clone())),
                ..Default::default()
            };
            scoped.update(Column::Id.eq(entry), named).await?;
        }
        entries.extend(text.map(|text| letter_entry(&name, &text)));
        came_from.push((name, letter));
    }
    let import = memory_entries_import(scoped, project, entries).await?;
    for (name, letter) in came_from {
        let row = ActiveModel {
            source_id: Set(Some(source)),
            source_file_id: Set(Some(letter.file)),
            source_blob: Set(Some(letter.blob)),
            ..Default::default()
        };
        let which = Column::ProjectId
            .eq(project)
            .and(Column::SourceRef.eq(name));
        scoped.update(which, row).await?;
    }
    Ok(import)
}
