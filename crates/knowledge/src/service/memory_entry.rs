//! Memory entries: written by users, or imported from files of a repository.

use std::collections::{BTreeMap, HashMap};

use nyxcore_projects::ProjectId;
use nyxcore_retrieval::{KnowledgeKind, documents_publish, documents_withdraw};
use nyxcore_tenancy::{Action, ReadWrite, Repository, Result, Scoped, TypedId, UserId, text};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, Condition};

use crate::entity::Texts;
use crate::entity::memory_entry::{ActiveModel, Column, Entity};
use crate::model::{MemoryEntry, MemoryEntryId, MemorySource};
use crate::registration::MEMORY_ENTRY;
use crate::repository::MemoryEntries;
use crate::{check, document};

/// Tags of a memory entry. A rule of this project.
const TAGS_MAX: usize = 20;

/// What a new memory entry is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMemoryEntry {
    /// The project it is about; without one it is about the whole tenant's work.
    pub project_id: Option<ProjectId>,
    /// One line of 1 to 200 characters.
    pub title: String,
    /// Markdown of 1 to 200,000 characters.
    pub content: String,
    /// At most 20, each of 1 to 50 characters.
    pub tags: Vec<String>,
    /// The creating user.
    pub created_by: Option<UserId>,
}

/// Writes a memory entry.
///
/// # Errors
/// [`Invalid`](nyxcore_tenancy::Error::Invalid) for a text out of bounds;
/// [`NotFound`](nyxcore_tenancy::Error::NotFound) for a project that the tenant does not have.
pub async fn memory_entry_create(
    scoped: &Scoped<ReadWrite>,
    new: NewMemoryEntry,
) -> Result<MemoryEntry> {
    let id = MemoryEntryId(scoped.env().id());
    scoped.permit(Action::Create, MEMORY_ENTRY, id.uuid())?;
    check::projects(scoped, new.project_id.as_slice()).await?;
    let now = scoped.env().now();
    let row = ActiveModel {
        id: Set(id),
        project_id: Set(new.project_id),
        title: Set(text::name("the title", &new.title)?),
        content: Set(text::body_filled("the content", &new.content)?),
        tags: Set(Texts(check::tags(&new.tags, 0, TAGS_MAX)?)),
        source: Set(MemorySource::Manual),
        source_ref: Set(None),
        created_by: Set(new.created_by),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let entry = MemoryEntries::insert(scoped, row).await?;
    documents_publish(scoped, document::memory_entry(&entry)).await?;
    Ok(entry)
}

/// A memory entry from a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedMemoryEntry {
    /// What it is called there, such as its path. An entry of the project with the same name is updated in place.
    pub source_ref: String,
    /// As in [`NewMemoryEntry`].
    pub title: String,
    /// As in [`NewMemoryEntry`].
    pub content: String,
    /// As in [`NewMemoryEntry`].
    pub tags: Vec<String>,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemoryImport {
    /// New entries.
    pub added: u64,
    /// Entries that now say something else.
    pub updated: u64,
    /// Entries that are as they were.
    pub unchanged: u64,
    /// Entries that break a rule. They are left out; the others are imported all the same.
    pub refused: Vec<RefusedMemoryEntry>,
}

/// An entry that was not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedMemoryEntry {
    /// Which.
    pub source_ref: String,
    /// Why, in a sentence for a person.
    pub reason: String,
}

/// Takes entries from a project's repositories, in a handful of statements. What did not change is not written. Of two
/// entries with one `source_ref`, the later counts.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound) for a project that the tenant does not have.
pub async fn memory_entries_import(
    scoped: &Scoped<ReadWrite>,
    project: ProjectId,
    entries: Vec<ImportedMemoryEntry>,
) -> Result<MemoryImport> {
    scoped.permit(Action::Import, MEMORY_ENTRY, None)?;
    check::projects(scoped, &[project]).await?;
    let mut import = MemoryImport::default();
    let mut wanted = BTreeMap::new();
    for entry in entries {
        let source_ref = entry.source_ref.clone();
        match checked(entry) {
            Ok(entry) => drop(wanted.insert(source_ref, entry)),
            Err(error) => import.refused.push(RefusedMemoryEntry {
                source_ref,
                reason: error.to_string(),
            }),
        }
    }
    let mut former = former(scoped, project, wanted.keys()).await?;
    let now = scoped.env().now();
    let mut rows = Vec::new();
    let mut documents = Vec::new();
    for (source_ref, wanted) in wanted {
        let former = former.remove(&source_ref);
        match &former {
            Some(f)
                if f.title == wanted.title
                    && f.content == wanted.content
                    && f.tags == wanted.tags =>
            {
                import.unchanged += 1;
                continue;
            }
            Some(_) => import.updated += 1,
            None => import.added += 1,
        }
        let entry = MemoryEntry {
            id: former
                .as_ref()
                .map_or_else(|| MemoryEntryId(scoped.env().id()), |former| former.id),
            project_id: Some(project),
            title: wanted.title,
            content: wanted.content,
            tags: wanted.tags,
            source: MemorySource::Github,
            source_ref: Some(source_ref),
            created_by: former.as_ref().and_then(|former| former.created_by),
            created_at: former.as_ref().map_or(now, |former| former.created_at),
            updated_at: now,
        };
        documents.extend(document::memory_entry(&entry));
        rows.push(row_of(entry));
    }
    let changed = [
        Column::Title,
        Column::Content,
        Column::Tags,
        Column::Source,
        Column::UpdatedAt,
    ];
    scoped
        .upsert_all(rows, &[Column::ProjectId, Column::SourceRef], &changed)
        .await?;
    documents_publish(scoped, documents).await?;
    Ok(import)
}

/// Deletes the entries of a project with those names, and returns their number.
///
/// # Errors
/// The database fails.
pub async fn memory_entries_remove(
    scoped: &Scoped<ReadWrite>,
    project: ProjectId,
    source_refs: &[String],
) -> Result<u64> {
    scoped.permit(Action::Import, MEMORY_ENTRY, None)?;
    let gone = former(scoped, project, source_refs).await?;
    let ids: Vec<MemoryEntryId> = gone.into_values().map(|entry| entry.id).collect();
    entries_delete(scoped, &ids).await
}

/// Deletes entries with those ids, and takes them out of the index.
pub(super) async fn entries_delete(
    scoped: &Scoped<ReadWrite>,
    ids: &[MemoryEntryId],
) -> Result<u64> {
    let removed = scoped
        .delete_in::<Entity, _>(Column::Id, ids.iter().copied(), Condition::all())
        .await?;
    let subjects: Vec<String> = ids.iter().map(ToString::to_string).collect();
    documents_withdraw(scoped, KnowledgeKind::MemoryEntry, &subjects).await?;
    Ok(removed)
}

fn checked(entry: ImportedMemoryEntry) -> Result<ImportedMemoryEntry> {
    text::SOURCE_REF.check("the name at the source", &entry.source_ref)?;
    Ok(ImportedMemoryEntry {
        title: text::name("the title", &entry.title)?,
        content: text::body_filled("the content", &entry.content)?,
        tags: check::tags(&entry.tags, 0, TAGS_MAX)?,
        source_ref: entry.source_ref,
    })
}

async fn former(
    scoped: &Scoped<ReadWrite>,
    project: ProjectId,
    source_refs: impl IntoIterator<Item = &String>,
) -> Result<HashMap<String, MemoryEntry>> {
    let rows = scoped
        .find_in::<Entity, _>(Column::SourceRef, source_refs)
        .filter(Column::ProjectId.eq(project))
        .all()
        .await?;
    let named = rows
        .into_iter()
        .filter_map(|row| Some((row.source_ref.clone()?, row.into())));
    Ok(named.collect())
}

fn row_of(entry: MemoryEntry) -> ActiveModel {
    ActiveModel {
        id: Set(entry.id),
        project_id: Set(entry.project_id),
        title: Set(entry.title),
        content: Set(entry.content),
        tags: Set(Texts(entry.tags)),
        source: Set(entry.source),
        source_ref: Set(entry.source_ref),
        created_by: Set(entry.created_by),
        created_at: Set(entry.created_at),
        updated_at: Set(entry.updated_at),
        ..Default::default()
    }
}
