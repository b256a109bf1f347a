//! Memory entries: written by users, or imported from files of a repository or from elsewhere.
//!
//! Longer than 450 lines: writing, importing and superseding share the checks and the index.

use std::collections::{BTreeMap, HashMap};

use nyxcore_projects::ProjectId;
use nyxcore_retrieval::{KnowledgeKind, documents_withdraw};
use nyxcore_tenancy::{
    Access, Action, Error, Page, PageRequest, ReadWrite, Repository, Result, Scoped, TypedId,
    UserId, root_list, text,
};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr};
use sea_orm::{ColumnTrait, Condition};

use super::embedding::publish;
use crate::entity::Texts;
use crate::entity::memory_entry::{ActiveModel, Column, Entity};
use crate::model::{MemoryEntry, MemoryEntryId, MemorySource};
use crate::registration::MEMORY_ENTRY;
use crate::repository::MemoryEntries;
use crate::{check, document};

/// The most tags of a memory entry. A rule of this project.
const TAGS_MAX: usize = 20;
/// The longest chain of entries that supersede each other. A rule of this project.
const CHAIN_MAX: usize = 100;

/// A new memory entry.
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

/// Creates a memory entry.
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
        valid_from_commit: Set(None),
        recalls: Set(0),
        created_by: Set(new.created_by),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let entry = MemoryEntries::insert(scoped, row).await?;
    publish(scoped, document::memory_entry(&entry)).await?;
    Ok(entry)
}

/// The changes to a memory entry; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryEntryChanges {
    /// As in [`NewMemoryEntry`].
    pub title: Option<String>,
    /// As in [`NewMemoryEntry`].
    pub content: Option<String>,
    /// As in [`NewMemoryEntry`].
    pub tags: Option<Vec<String>>,
    /// The commit from which on it is true, 7 to 64 hexadecimal digits; an empty text removes it.
    pub valid_from_commit: Option<String>,
    /// Whether it is archived.
    pub archived: Option<bool>,
}

/// Changes a memory entry. An archived entry is kept, and searches do not find it.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound); [`Invalid`](nyxcore_tenancy::Error::Invalid) for a text out of
/// bounds, and for the text of an entry that follows a file of a repository.
pub async fn memory_entry_update(
    scoped: &Scoped<ReadWrite>,
    id: MemoryEntryId,
    changes: MemoryEntryChanges,
) -> Result<MemoryEntry> {
    scoped.permit(Action::Update, MEMORY_ENTRY, id.uuid())?;
    let former = MemoryEntries::require(scoped, id).await?;
    let is_rewritten = changes.title.is_some() || changes.content.is_some();
    if is_rewritten && former.source == MemorySource::Github {
        let reason = "this entry follows a file of a repository: change the file, or write an entry that supersedes it";
        return Err(Error::Invalid(reason.into()));
    }
    let now = scoped.env().now();
    let mut row = ActiveModel {
        updated_at: Set(now),
        ..Default::default()
    };
    if let Some(title) = changes.title {
        row.title = Set(text::name("the title", &title)?);
    }
    if let Some(content) = changes.content {
        row.content = Set(text::body_filled("the content", &content)?);
    }
    if let Some(tags) = changes.tags {
        row.tags = Set(Texts(check::tags(&tags, 0, TAGS_MAX)?));
    }
    if let Some(commit) = changes.valid_from_commit {
        row.valid_from_commit = Set(check::commit(&commit)?);
    }
    if let Some(archived) = changes.archived {
        row.archived_at = Set(archived.then(|| former.archived_at.unwrap_or(now)));
    }
    let entry = MemoryEntries::update(scoped, id, row).await?;
    entry_publish(scoped, &entry).await?;
    Ok(entry)
}

/// Lets an entry supersede another of the same project, which is kept and no longer found by searches. Where `by` is
/// `None`, the former entry is current again.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound) for either; [`Invalid`](nyxcore_tenancy::Error::Invalid) where they
/// are of two projects, or would supersede each other in a circle.
pub async fn memory_entry_supersede(
    scoped: &Scoped<ReadWrite>,
    former: MemoryEntryId,
    by: Option<MemoryEntryId>,
) -> Result<MemoryEntry> {
    scoped.permit(Action::Update, MEMORY_ENTRY, former.uuid())?;
    let entry = MemoryEntries::require(scoped, former).await?;
    let mut next = by;
    // The chain of entries that supersede each other is followed to its end.
    for _ in 0..CHAIN_MAX {
        let Some(id) = next else {
            break;
        };
        if id == former {
            let reason = "an entry cannot be superseded by itself, nor by one that it supersedes";
            return Err(Error::Invalid(reason.into()));
        }
        let other = MemoryEntries::require(scoped, id).await?;
        if other.project_id != entry.project_id {
            let reason = "an entry can only be superseded by one of the same project";
            return Err(Error::Invalid(reason.into()));
        }
        next = other.superseded_by;
    }
    if next.is_some() {
        return Err(Error::Invalid(
            "too many entries supersede each other".into(),
        ));
    }
    let row = ActiveModel {
        superseded_by_id: Set(by),
        updated_at: Set(scoped.env().now()),
        ..Default::default()
    };
    let entry = MemoryEntries::update(scoped, former, row).await?;
    entry_publish(scoped, &entry).await?;
    Ok(entry)
}

/// Counts that entries were cited; the audit of knowledge uses the counts. Unknown ones are no error.
///
/// # Errors
/// The database fails.
pub async fn memory_entries_recalled(
    scoped: &Scoped<ReadWrite>,
    ids: &[MemoryEntryId],
) -> Result<()> {
    let now = scoped.env().now();
    for entry in MemoryEntries::get_many(scoped, ids).await?.into_values() {
        let row = ActiveModel {
            recalls: Set(entry.recalls.saturating_add(1)),
            recalled_at: Set(Some(now)),
            ..Default::default()
        };
        MemoryEntries::update(scoped, entry.id, row).await?;
    }
    Ok(())
}

/// The filter of a list of memory entries. An entry must meet all conditions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryEntryFilter {
    /// Those of the project and of the whole tenant.
    pub project_id: Option<ProjectId>,
    /// Entries with this tag.
    pub tag: Option<String>,
    /// Entries of this origin.
    pub source: Option<MemorySource>,
    /// Only entries that searches find, or only those that they do not find.
    pub current: Option<bool>,
}

impl MemoryEntryFilter {
    fn condition(&self) -> Condition {
        let project = self.project_id.map(|project| {
            Condition::any()
                .add(Column::ProjectId.eq(project))
                .add(Column::ProjectId.is_null())
        });
        // The tags are a JSON list of texts, so the tag is searched for as JSON writes it.
        let tag = self.tag.as_ref().map(|tag| {
            let written = serde_json::json!(tag).to_string();
            Expr::col(Column::Tags)
                .cast_as("text")
                .like(LikeExpr::new(format!("%{}%", like_escaped(&written))).escape('!'))
        });
        let current = self.current.map(|current| {
            let holds = Condition::all()
                .add(Column::ArchivedAt.is_null())
                .add(Column::SupersededById.is_null());
            if current { holds } else { holds.not() }
        });
        Condition::all()
            .add_option(project)
            .add_option(tag)
            .add_option(self.source.map(|source| Column::Source.eq(source)))
            .add_option(current)
    }
}

/// A text escaped for a LIKE pattern, whose escape character is `!`.
fn like_escaped(text: &str) -> String {
    text.replace('!', "!!")
        .replace('%', "!%")
        .replace('_', "!_")
}

/// A page of the memory entries, newest first.
///
/// # Errors
/// The database fails.
pub async fn memory_entry_list<A: Access>(
    scoped: &Scoped<A>,
    filter: &MemoryEntryFilter,
    request: &PageRequest,
) -> Result<Page<MemoryEntry>> {
    MemoryEntries::list(scoped, filter.condition(), request).await
}

/// The number of memory entries.
///
/// # Errors
/// The database fails.
pub async fn memory_entry_count<A: Access>(
    scoped: &Scoped<A>,
    filter: &MemoryEntryFilter,
) -> Result<u64> {
    MemoryEntries::count(scoped, filter.condition()).await
}

root_list! { MemoryEntryFilter => MemoryEntry: memory_entry_list, memory_entry_count, |filter| filter }

/// Publishes a current entry, and removes any other from the index.
async fn entry_publish(scoped: &Scoped<ReadWrite>, entry: &MemoryEntry) -> Result<()> {
    if entry.is_current() {
        publish(scoped, document::memory_entry(entry)).await?;
    } else {
        let subjects = [entry.id.to_string()];
        documents_withdraw(scoped, KnowledgeKind::MemoryEntry, &subjects).await?;
    }
    Ok(())
}

/// A memory entry to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedMemoryEntry {
    /// Its name at its origin, such as its path. An entry of the project with the same name is updated in place.
    pub source_ref: String,
    /// As in [`NewMemoryEntry`].
    pub title: String,
    /// As in [`NewMemoryEntry`].
    pub content: String,
    /// As in [`NewMemoryEntry`].
    pub tags: Vec<String>,
}

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemoryImport {
    /// New entries.
    pub added: u64,
    /// Entries whose text changed.
    pub updated: u64,
    /// Entries that did not change.
    pub unchanged: u64,
    /// Entries that break a rule. They are left out; the others are imported nevertheless.
    pub refused: Vec<RefusedMemoryEntry>,
}

/// An entry that was not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedMemoryEntry {
    /// The name of the entry.
    pub source_ref: String,
    /// Why, in a sentence for a person.
    pub reason: String,
}

/// Imports entries from a project's repositories, in a few statements. Unchanged entries are not written. Of two
/// entries with one `source_ref`, the later one is taken.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound) for a project that the tenant does not have.
pub async fn memory_entries_import(
    scoped: &Scoped<ReadWrite>,
    project: ProjectId,
    entries: Vec<ImportedMemoryEntry>,
) -> Result<MemoryImport> {
    entries_import(scoped, project, MemorySource::Github, entries).await
}

/// Imports entries that a person has elsewhere into a project, as [`memory_entries_import`] does. Parse them with
/// [`crate::import_parse`]. An entry with the name of a repository's file is refused: it follows its file.
///
/// # Errors
/// As [`memory_entries_import`].
pub async fn memory_entries_import_bulk(
    scoped: &Scoped<ReadWrite>,
    project: ProjectId,
    entries: Vec<ImportedMemoryEntry>,
) -> Result<MemoryImport> {
    entries_import(scoped, project, MemorySource::Import, entries).await
}

async fn entries_import(
    scoped: &Scoped<ReadWrite>,
    project: ProjectId,
    source: MemorySource,
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
            Some(f) if f.source != source => {
                let reason = "an entry with this name has another origin".to_owned();
                import
                    .refused
                    .push(RefusedMemoryEntry { source_ref, reason });
                continue;
            }
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
            source,
            source_ref: Some(source_ref),
            archived_at: former.as_ref().and_then(|former| former.archived_at),
            superseded_by: former.as_ref().and_then(|former| former.superseded_by),
            valid_from_commit: former
                .as_ref()
                .and_then(|former| former.valid_from_commit.clone()),
            recalls: former.as_ref().map_or(0, |former| former.recalls),
            recalled_at: former.as_ref().and_then(|former| former.recalled_at),
            created_by: former.as_ref().and_then(|former| former.created_by),
            created_at: former.as_ref().map_or(now, |former| former.created_at),
            updated_at: now,
        };
        if entry.is_current() {
            documents.extend(document::memory_entry(&entry));
        }
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
    publish(scoped, documents).await?;
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

/// Deletes entries with those ids, and removes them from the index.
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
        archived_at: Set(entry.archived_at),
        superseded_by_id: Set(entry.superseded_by),
        valid_from_commit: Set(entry.valid_from_commit),
        recalls: Set(entry.recalls),
        recalled_at: Set(entry.recalled_at),
        created_by: Set(entry.created_by),
        created_at: Set(entry.created_at),
        updated_at: Set(entry.updated_at),
        ..Default::default()
    }
}
