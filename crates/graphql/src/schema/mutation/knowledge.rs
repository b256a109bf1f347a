//! Mutations that change, archive, supersede, pair and import existing memory entries and insights.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use nyxcore_knowledge::{
    ConsolidationPatternChanges, ConsolidationPatternId, ImportedMemoryEntry, InsightChanges,
    InsightId, InsightSeverity, MemoryEntryChanges, MemoryEntryId, consolidation_pattern_update,
    import_parse, insight_pair, insight_update, memory_entries_import_bulk, memory_entry_supersede,
    memory_entry_update,
};
use nyxcore_projects::ProjectId;

use crate::context::operation;
use crate::error::ApiError;
use crate::schema::ids::{id_of, id_of_option};
use crate::schema::knowledge::{ConsolidationPatternNode, InsightNode, MemoryEntryNode};

/// The maximum number of files of one import. The size of a request bounds all of them together.
const FILES_MAX: usize = 100;

#[derive(Default)]
pub(crate) struct KnowledgeMutation;

#[Object]
impl KnowledgeMutation {
    /// Changes a memory entry. An archived entry is kept, and not found. An entry that follows a file of a repository
    /// keeps its text.
    async fn update_memory_entry(
        &self,
        context: &Context<'_>,
        input: UpdateMemoryEntryInput,
    ) -> Result<UpdateMemoryEntryPayload> {
        let id = id_of::<MemoryEntryId>(&input.memory_entry_id)?;
        let changes = MemoryEntryChanges {
            title: input.title,
            content: input.content,
            tags: input.tags,
            valid_from_commit: input.valid_from_commit,
            archived: input.archived,
        };
        let entry = operation(context)
            .change(async |scoped| memory_entry_update(scoped, id, changes).await)
            .await?;
        Ok(UpdateMemoryEntryPayload {
            memory_entry: MemoryEntryNode(entry),
        })
    }

    /// Says that a memory entry takes the place of another, which is kept and no longer found.
    async fn supersede_memory_entry(
        &self,
        context: &Context<'_>,
        input: SupersedeMemoryEntryInput,
    ) -> Result<SupersedeMemoryEntryPayload> {
        let id = id_of::<MemoryEntryId>(&input.memory_entry_id)?;
        let by = id_of_option::<MemoryEntryId>(input.superseded_by_id.as_ref())?;
        let entry = operation(context)
            .change(async |scoped| memory_entry_supersede(scoped, id, by).await)
            .await?;
        Ok(SupersedeMemoryEntryPayload {
            memory_entry: MemoryEntryNode(entry),
        })
    }

    /// Imports memory entries from Markdown and JSON into a project. Entries that the same files brought before are
    /// updated in place; entries that break a rule are refused one by one.
    async fn import_memory_entries(
        &self,
        context: &Context<'_>,
        input: ImportMemoryEntriesInput,
    ) -> Result<ImportMemoryEntriesPayload> {
        let project = id_of::<ProjectId>(&input.project_id)?;
        if input.files.len() > FILES_MAX {
            let reason = format!("at most {FILES_MAX} files are imported at once");
            return Err(ApiError::invalid(reason).into());
        }
        let mut entries: Vec<ImportedMemoryEntry> = Vec::new();
        for file in &input.files {
            entries.extend(import_parse(&file.name, &file.text)?);
        }
        let import = operation(context)
            .change(async |scoped| memory_entries_import_bulk(scoped, project, entries).await)
            .await?;
        let count = |n: u64| i32::try_from(n).unwrap_or(i32::MAX);
        let refused = import.refused.into_iter().map(|refused| RefusedEntryNode {
            source_ref: refused.source_ref,
            reason: refused.reason,
        });
        Ok(ImportMemoryEntriesPayload {
            added: count(import.added),
            updated: count(import.updated),
            unchanged: count(import.unchanged),
            refused: refused.collect(),
        })
    }

    /// Changes an insight. An archived insight is kept, but search does not find it.
    async fn update_insight(
        &self,
        context: &Context<'_>,
        input: UpdateInsightInput,
    ) -> Result<UpdateInsightPayload> {
        let id = id_of::<InsightId>(&input.insight_id)?;
        let severity = match &input.severity {
            None => None,
            Some(text) => Some(InsightSeverity::parse(text).ok_or_else(|| {
                let names: Vec<_> = InsightSeverity::all().iter().map(|s| s.as_str()).collect();
                ApiError::invalid(format!("`severity` must be one of {}", names.join(", ")))
            })?),
        };
        let changes = InsightChanges {
            severity,
            category: input.category,
            title: input.title,
            detail: input.detail,
            suggestion: input.suggestion,
            archived: input.archived,
        };
        let insight = operation(context)
            .change(async |scoped| insight_update(scoped, id, changes).await)
            .await?;
        Ok(UpdateInsightPayload {
            insight: InsightNode(insight),
        })
    }

    /// Archives a consolidation pattern, or brings it back. An archived pattern is kept, but search does not find it.
    async fn update_consolidation_pattern(
        &self,
        context: &Context<'_>,
        input: UpdateConsolidationPatternInput,
    ) -> Result<UpdateConsolidationPatternPayload> {
        let id = id_of::<ConsolidationPatternId>(&input.consolidation_pattern_id)?;
        let changes = ConsolidationPatternChanges {
            archived: input.archived,
        };
        let pattern = operation(context)
            .change(async |scoped| consolidation_pattern_update(scoped, id, changes).await)
            .await?;
        Ok(UpdateConsolidationPatternPayload {
            consolidation_pattern: ConsolidationPatternNode(pattern),
        })
    }

    /// Makes a pair of a pain point and its solution. Both must be of the same project and without a partner.
    async fn pair_insights(
        &self,
        context: &Context<'_>,
        input: PairInsightsInput,
    ) -> Result<PairInsightsPayload> {
        let id = id_of::<InsightId>(&input.insight_id)?;
        let partner = id_of::<InsightId>(&input.paired_with_id)?;
        let insight = operation(context)
            .change(async |scoped| insight_pair(scoped, id, partner).await)
            .await?;
        Ok(PairInsightsPayload {
            insight: InsightNode(insight),
        })
    }
}

/// The changes to a memory entry. Omitted fields are unchanged.
#[derive(InputObject)]
struct UpdateMemoryEntryInput {
    /// The id of the memory entry.
    memory_entry_id: ID,
    /// The title, 1 to 200 characters.
    title: Option<String>,
    /// The text, in Markdown.
    content: Option<String>,
    /// Tags to search by.
    tags: Option<Vec<String>>,
    /// The commit from which on the entry is true. An empty text removes it.
    valid_from_commit: Option<String>,
    /// Whether the entry is archived.
    archived: Option<bool>,
}

/// The changed memory entry.
#[derive(SimpleObject)]
struct UpdateMemoryEntryPayload {
    /// The entry.
    memory_entry: MemoryEntryNode,
}

/// The entry that is superseded, and by which.
#[derive(InputObject)]
struct SupersedeMemoryEntryInput {
    /// The id of the memory entry that is superseded.
    memory_entry_id: ID,
    /// The id of the entry that takes its place. If omitted, the former entry is current again.
    superseded_by_id: Option<ID>,
}

/// The superseded memory entry.
#[derive(SimpleObject)]
struct SupersedeMemoryEntryPayload {
    /// The entry.
    memory_entry: MemoryEntryNode,
}

/// The files to import.
#[derive(InputObject)]
struct ImportMemoryEntriesInput {
    /// The id of the project.
    project_id: ID,
    /// At most 100 files.
    files: Vec<ImportedFileInput>,
}

/// A file to import.
#[derive(InputObject)]
struct ImportedFileInput {
    /// The name. `.json`, `.jsonl` and `.ndjson` are read as JSON, anything else as Markdown.
    name: String,
    /// The text.
    text: String,
}

/// What the import did.
#[derive(SimpleObject)]
struct ImportMemoryEntriesPayload {
    /// The number of new entries.
    added: i32,
    /// The number of entries that now say something else.
    updated: i32,
    /// The number of entries that are as they were.
    unchanged: i32,
    /// The entries that break a rule.
    refused: Vec<RefusedEntryNode>,
}

/// An entry that was not imported.
#[derive(SimpleObject)]
#[graphql(name = "RefusedMemoryEntry")]
struct RefusedEntryNode {
    /// The name of the entry.
    source_ref: String,
    /// The reason.
    reason: String,
}

/// The changes to an insight. Omitted fields are unchanged.
#[derive(InputObject)]
struct UpdateInsightInput {
    /// The id of the insight.
    insight_id: ID,
    /// The severity: blocker, high, medium or low.
    severity: Option<String>,
    /// The category.
    category: Option<String>,
    /// The title, 1 to 200 characters.
    title: Option<String>,
    /// The full text.
    detail: Option<String>,
    /// A suggested action.
    suggestion: Option<String>,
    /// Whether the insight is archived.
    archived: Option<bool>,
}

/// The changed insight.
#[derive(SimpleObject)]
struct UpdateInsightPayload {
    /// The insight.
    insight: InsightNode,
}

/// The changes to a consolidation pattern. Omitted fields are unchanged.
#[derive(InputObject)]
struct UpdateConsolidationPatternInput {
    /// The id of the consolidation pattern.
    consolidation_pattern_id: ID,
    /// Whether the pattern is archived.
    archived: Option<bool>,
}

/// The changed consolidation pattern.
#[derive(SimpleObject)]
struct UpdateConsolidationPatternPayload {
    /// The pattern.
    consolidation_pattern: ConsolidationPatternNode,
}

/// The pair to make.
#[derive(InputObject)]
struct PairInsightsInput {
    /// The id of the pain point or the solution.
    insight_id: ID,
    /// The id of the other of the two.
    paired_with_id: ID,
}

/// One of the pair.
#[derive(SimpleObject)]
struct PairInsightsPayload {
    /// The insight.
    insight: InsightNode,
}
