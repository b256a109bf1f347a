//! Mutations of notes, enrichments, memory entries and insights.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use nyxcore_embeddings::embedding_start;
use nyxcore_knowledge::{
    InsightId, InsightSeverity, InsightType, NewInsight, NewMemoryEntry, insight_create,
    memory_entry_create,
};
use nyxcore_note_enrichment::{enrichment_apply, enrichment_dismiss};
use nyxcore_projects::{
    ActionPointChanges, ActionPointId, NewNote, Note, NoteChanges, NoteId, NoteVersionId,
    ProjectId, action_point_accept, action_point_update, note_create, note_delete, note_update,
    note_version_restore,
};
use nyxcore_runs::{RunId, Runs};
use nyxcore_tenancy::{ReadWrite, Repository, Scoped};

use crate::context::operation;
use crate::error::ApiError;
use crate::schema::enrichment::NoteEnrichmentNode;
use crate::schema::ids::{id_of, id_of_option};
use crate::schema::knowledge::{InsightNode, MemoryEntryNode};
use crate::schema::note::{ActionPointNode, ActionPointStatusName, NoteNode};

#[derive(Default)]
pub(crate) struct NoteMutation;

#[Object]
impl NoteMutation {
    /// Creates a note about a project.
    async fn create_note(
        &self,
        context: &Context<'_>,
        input: CreateNoteInput,
    ) -> Result<CreateNotePayload> {
        let op = operation(context);
        let new = NewNote {
            project_id: id_of::<ProjectId>(&input.project_id)?,
            title: input.title,
            body: input.body,
            created_by: Some(op.caller().user),
        };
        let note = op
            .change(async |scoped| embedded(scoped, note_create(scoped, new).await?).await)
            .await?;
        Ok(CreateNotePayload {
            note: NoteNode(note),
        })
    }

    /// Changes a note.
    async fn update_note(
        &self,
        context: &Context<'_>,
        input: UpdateNoteInput,
    ) -> Result<UpdateNotePayload> {
        let id = id_of::<NoteId>(&input.note_id)?;
        let changes = NoteChanges {
            title: input.title,
            body: input.body,
        };
        let note = operation(context)
            .change(async |scoped| embedded(scoped, note_update(scoped, id, changes).await?).await)
            .await?;
        Ok(UpdateNotePayload {
            note: NoteNode(note),
        })
    }

    /// Deletes a note with its action points and enrichments.
    async fn delete_note(
        &self,
        context: &Context<'_>,
        input: DeleteNoteInput,
    ) -> Result<DeleteNotePayload> {
        let id = id_of::<NoteId>(&input.note_id)?;
        operation(context)
            .change(async |scoped| note_delete(scoped, id).await)
            .await?;
        Ok(DeleteNotePayload {
            deleted_id: input.note_id,
        })
    }

    /// Restores an earlier version of a note. The current text is kept as a version.
    async fn restore_note_version(
        &self,
        context: &Context<'_>,
        input: RestoreNoteVersionInput,
    ) -> Result<RestoreNoteVersionPayload> {
        let id = id_of::<NoteVersionId>(&input.note_version_id)?;
        let note = operation(context)
            .change(async |scoped| embedded(scoped, note_version_restore(scoped, id).await?).await)
            .await?;
        Ok(RestoreNoteVersionPayload {
            note: NoteNode(note),
        })
    }

    /// Applies an enrichment to its note. The former text is kept as a version of the note. Has no effect if it is
    /// already applied.
    async fn apply_enrichment(
        &self,
        context: &Context<'_>,
        input: ApplyEnrichmentInput,
    ) -> Result<ApplyEnrichmentPayload> {
        let id = id_of::<RunId>(&input.enrichment_id)?;
        let note = operation(context)
            .change(async |scoped| embedded(scoped, enrichment_apply(scoped, id).await?).await)
            .await?;
        Ok(ApplyEnrichmentPayload {
            note: NoteNode(note),
        })
    }

    /// Dismisses an enrichment, together with its suggested action points that nobody accepted. The text stays
    /// readable.
    async fn dismiss_enrichment(
        &self,
        context: &Context<'_>,
        input: DismissEnrichmentInput,
    ) -> Result<DismissEnrichmentPayload> {
        let id = id_of::<RunId>(&input.enrichment_id)?;
        let change = async |scoped: &Scoped<ReadWrite>| {
            enrichment_dismiss(scoped, id).await?;
            Runs::require(scoped, id).await
        };
        let run = operation(context).change(change).await?;
        Ok(DismissEnrichmentPayload {
            enrichment: NoteEnrichmentNode(run),
        })
    }

    /// Changes an action point.
    async fn update_action_point(
        &self,
        context: &Context<'_>,
        input: UpdateActionPointInput,
    ) -> Result<UpdateActionPointPayload> {
        let id = id_of::<ActionPointId>(&input.action_point_id)?;
        let changes = ActionPointChanges {
            status: input.status.map(Into::into),
            text: input.text,
        };
        let point = operation(context)
            .change(async |scoped| action_point_update(scoped, id, changes).await)
            .await?;
        Ok(UpdateActionPointPayload {
            action_point: ActionPointNode(point),
        })
    }

    /// Accepts an action point that an enrichment suggested.
    async fn accept_action_point(
        &self,
        context: &Context<'_>,
        input: AcceptActionPointInput,
    ) -> Result<AcceptActionPointPayload> {
        let id = id_of::<ActionPointId>(&input.action_point_id)?;
        let point = operation(context)
            .change(async |scoped| action_point_accept(scoped, id).await)
            .await?;
        Ok(AcceptActionPointPayload {
            action_point: ActionPointNode(point),
        })
    }

    /// Creates a memory entry for a project or for the whole tenant.
    async fn create_memory_entry(
        &self,
        context: &Context<'_>,
        input: CreateMemoryEntryInput,
    ) -> Result<CreateMemoryEntryPayload> {
        let op = operation(context);
        let new = NewMemoryEntry {
            project_id: id_of_option::<ProjectId>(input.project_id.as_ref())?,
            title: input.title,
            content: input.content,
            tags: input.tags,
            created_by: Some(op.caller().user),
        };
        let entry = op
            .change(async |scoped| memory_entry_create(scoped, new).await)
            .await?;
        Ok(CreateMemoryEntryPayload {
            memory_entry: MemoryEntryNode(entry),
        })
    }

    /// Creates an insight for a project or for the whole tenant.
    async fn create_insight(
        &self,
        context: &Context<'_>,
        input: CreateInsightInput,
    ) -> Result<CreateInsightPayload> {
        let op = operation(context);
        let insight_type = InsightType::parse(&input.insight_type)
            .ok_or_else(|| one_of("type", InsightType::all().iter().map(|t| t.as_str())))?;
        let severity = match &input.severity {
            None => None,
            Some(text) => Some(InsightSeverity::parse(text).ok_or_else(|| {
                one_of(
                    "severity",
                    InsightSeverity::all().iter().map(|s| s.as_str()),
                )
            })?),
        };
        let new = NewInsight {
            project_id: id_of_option::<ProjectId>(input.project_id.as_ref())?,
            insight_type,
            severity,
            category: input.category,
            title: input.title,
            detail: input.detail,
            suggestion: input.suggestion,
            paired_with: id_of_option::<InsightId>(input.paired_with_id.as_ref())?,
            created_by: Some(op.caller().user),
        };
        let insight = op
            .change(async |scoped| insight_create(scoped, new).await)
            .await?;
        Ok(CreateInsightPayload {
            insight: InsightNode(insight),
        })
    }
}

fn one_of(field: &str, names: impl Iterator<Item = &'static str>) -> ApiError {
    let names: Vec<_> = names.collect();
    ApiError::invalid(format!("`{field}` must be one of {}", names.join(", ")))
}

/// Queues the run that embeds a changed note.
async fn embedded(scoped: &Scoped<ReadWrite>, note: Note) -> nyxcore_tenancy::Result<Note> {
    embedding_start(scoped).await?;
    Ok(note)
}

/// The note to create.
#[derive(InputObject)]
struct CreateNoteInput {
    /// The id of the project.
    project_id: ID,
    /// The title, 1 to 200 characters.
    title: String,
    /// The text, in Markdown.
    body: String,
}

/// The created note.
#[derive(SimpleObject)]
struct CreateNotePayload {
    /// The note.
    note: NoteNode,
}

/// The changes to a note. Omitted fields stay unchanged.
#[derive(InputObject)]
struct UpdateNoteInput {
    /// The id of the note.
    note_id: ID,
    /// The title, 1 to 200 characters.
    title: Option<String>,
    /// The text, in Markdown.
    body: Option<String>,
}

/// The changed note.
#[derive(SimpleObject)]
struct UpdateNotePayload {
    /// The note.
    note: NoteNode,
}

/// The note to delete.
#[derive(InputObject)]
struct DeleteNoteInput {
    /// The id of the note.
    note_id: ID,
}

/// The deleted note.
#[derive(SimpleObject)]
struct DeleteNotePayload {
    /// The id of the deleted note.
    deleted_id: ID,
}

/// The version to restore.
#[derive(InputObject)]
struct RestoreNoteVersionInput {
    /// The id of the version.
    note_version_id: ID,
}

/// The restored note.
#[derive(SimpleObject)]
struct RestoreNoteVersionPayload {
    /// The note.
    note: NoteNode,
}

/// The suggestion to accept.
#[derive(InputObject)]
struct AcceptActionPointInput {
    /// The id of the action point.
    action_point_id: ID,
}

/// The accepted action point.
#[derive(SimpleObject)]
struct AcceptActionPointPayload {
    /// The action point.
    action_point: ActionPointNode,
}

/// The enrichment to apply.
#[derive(InputObject)]
struct ApplyEnrichmentInput {
    /// The id of the enrichment.
    enrichment_id: ID,
}

/// The changed note.
#[derive(SimpleObject)]
struct ApplyEnrichmentPayload {
    /// The note of the enrichment.
    note: NoteNode,
}

/// The enrichment to dismiss.
#[derive(InputObject)]
struct DismissEnrichmentInput {
    /// The id of the enrichment.
    enrichment_id: ID,
}

/// The dismissed enrichment.
#[derive(SimpleObject)]
struct DismissEnrichmentPayload {
    /// The enrichment.
    enrichment: NoteEnrichmentNode,
}

/// The changes to an action point. Omitted fields stay unchanged.
#[derive(InputObject)]
struct UpdateActionPointInput {
    /// The id of the action point.
    action_point_id: ID,
    /// The status.
    status: Option<ActionPointStatusName>,
    /// The text.
    text: Option<String>,
}

/// The changed action point.
#[derive(SimpleObject)]
struct UpdateActionPointPayload {
    /// The action point.
    action_point: ActionPointNode,
}

/// The memory entry to create.
#[derive(InputObject)]
struct CreateMemoryEntryInput {
    /// The id of the project. If omitted, the entry belongs to the whole tenant.
    project_id: Option<ID>,
    /// The title, 1 to 200 characters.
    title: String,
    /// The text, in Markdown.
    content: String,
    /// Tags to search by.
    #[graphql(default)]
    tags: Vec<String>,
}

/// The created memory entry.
#[derive(SimpleObject)]
struct CreateMemoryEntryPayload {
    /// The entry.
    memory_entry: MemoryEntryNode,
}

/// The insight to create.
#[derive(InputObject)]
struct CreateInsightInput {
    /// The id of the project. If omitted, the insight belongs to the whole tenant.
    project_id: Option<ID>,
    /// The type: pain_point, strength, solution, pattern or decision.
    #[graphql(name = "type")]
    insight_type: String,
    /// The severity: blocker, high, medium or low.
    severity: Option<String>,
    /// The category.
    category: Option<String>,
    /// The title, 1 to 200 characters.
    title: String,
    /// The full text.
    detail: String,
    /// A suggested action.
    suggestion: Option<String>,
    /// The pain point of this solution, or the solution of this pain point.
    paired_with_id: Option<ID>,
}

/// The created insight.
#[derive(SimpleObject)]
struct CreateInsightPayload {
    /// The insight.
    insight: InsightNode,
}
