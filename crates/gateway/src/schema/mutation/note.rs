//! Notes, what is decided about their enrichments, and what a team remembers.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use nyxcore_knowledge::{
    InsightId, InsightSeverity, InsightType, NewInsight, NewMemoryEntry, insight_create,
    memory_entry_create,
};
use nyxcore_note_enrichment::{enrichment_apply, enrichment_dismiss};
use nyxcore_projects::{
    ActionPointChanges, ActionPointId, NewNote, NoteChanges, NoteId, ProjectId,
    action_point_update, note_create, note_delete, note_update,
};
use nyxcore_runs::{RunId, Runs};
use nyxcore_tenancy::{ReadWrite, Repository, Scoped};

use crate::context::operation;
use crate::error::ApiError;
use crate::schema::ids::{id_of, id_of_option};
use crate::schema::knowledge::{InsightNode, MemoryEntryNode};
use crate::schema::note::{ActionPointNode, ActionPointStatusName, NoteNode};
use crate::schema::run::NoteEnrichmentNode;

#[derive(Default)]
pub(crate) struct NoteMutation;

#[Object]
impl NoteMutation {
    /// Writes a note about a project.
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
            .change(async |scoped| note_create(scoped, new).await)
            .await?;
        Ok(CreateNotePayload {
            note: NoteNode(note),
        })
    }

    /// Changes what is given of a note.
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
            .change(async |scoped| note_update(scoped, id, changes).await)
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

    /// Makes an enrichment part of its note. Twice is once.
    async fn apply_enrichment(
        &self,
        context: &Context<'_>,
        input: ApplyEnrichmentInput,
    ) -> Result<ApplyEnrichmentPayload> {
        let id = id_of::<RunId>(&input.enrichment_id)?;
        let note = operation(context)
            .change(async |scoped| enrichment_apply(scoped, id).await)
            .await?;
        Ok(ApplyEnrichmentPayload {
            note: NoteNode(note),
        })
    }

    /// Puts an enrichment aside, with the action points it suggested that are still open.
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

    /// Changes what is given of an action point.
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

    /// Remembers something, for a project or for the whole tenant.
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

    /// Records something learned, about a project or for the whole tenant.
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
    ApiError::invalid(format!("`{field}` is one of {}", names.join(", ")))
}

/// A note to write.
#[derive(InputObject)]
struct CreateNoteInput {
    /// The project it is about.
    project_id: ID,
    /// 1 to 200 characters.
    title: String,
    /// Markdown.
    body: String,
}

/// The note that was written.
#[derive(SimpleObject)]
struct CreateNotePayload {
    /// The note.
    note: NoteNode,
}

/// What to change of a note; what is not given stays.
#[derive(InputObject)]
struct UpdateNoteInput {
    /// Which.
    note_id: ID,
    /// 1 to 200 characters.
    title: Option<String>,
    /// Markdown.
    body: Option<String>,
}

/// The note as it is now.
#[derive(SimpleObject)]
struct UpdateNotePayload {
    /// The note.
    note: NoteNode,
}

/// The note to delete.
#[derive(InputObject)]
struct DeleteNoteInput {
    /// Which.
    note_id: ID,
}

/// What was deleted.
#[derive(SimpleObject)]
struct DeleteNotePayload {
    /// Its id.
    deleted_id: ID,
}

/// The enrichment to apply.
#[derive(InputObject)]
struct ApplyEnrichmentInput {
    /// Which.
    enrichment_id: ID,
}

/// The note with it.
#[derive(SimpleObject)]
struct ApplyEnrichmentPayload {
    /// The note.
    note: NoteNode,
}

/// The enrichment to put aside.
#[derive(InputObject)]
struct DismissEnrichmentInput {
    /// Which.
    enrichment_id: ID,
}

/// The enrichment as it is now.
#[derive(SimpleObject)]
struct DismissEnrichmentPayload {
    /// The enrichment.
    enrichment: NoteEnrichmentNode,
}

/// What to change of an action point; what is not given stays.
#[derive(InputObject)]
struct UpdateActionPointInput {
    /// Which.
    action_point_id: ID,
    /// What became of it.
    status: Option<ActionPointStatusName>,
    /// What to do.
    text: Option<String>,
}

/// The action point as it is now.
#[derive(SimpleObject)]
struct UpdateActionPointPayload {
    /// The action point.
    action_point: ActionPointNode,
}

/// Something to remember.
#[derive(InputObject)]
struct CreateMemoryEntryInput {
    /// The project it is about; the whole tenant where it is not given.
    project_id: Option<ID>,
    /// 1 to 200 characters.
    title: String,
    /// Markdown.
    content: String,
    /// Words to find it by.
    #[graphql(default)]
    tags: Vec<String>,
}

/// What was remembered.
#[derive(SimpleObject)]
struct CreateMemoryEntryPayload {
    /// The entry.
    memory_entry: MemoryEntryNode,
}

/// Something learned.
#[derive(InputObject)]
struct CreateInsightInput {
    /// The project it is about; the whole tenant where it is not given.
    project_id: Option<ID>,
    /// pain_point, strength, solution, pattern or decision.
    #[graphql(name = "type")]
    insight_type: String,
    /// blocker, high, medium or low.
    severity: Option<String>,
    /// What it belongs to.
    category: Option<String>,
    /// 1 to 200 characters.
    title: String,
    /// The whole of it.
    detail: String,
    /// What to do about it.
    suggestion: Option<String>,
    /// The pain that this solution is for, or the solution of this pain.
    paired_with_id: Option<ID>,
}

/// What was recorded.
#[derive(SimpleObject)]
struct CreateInsightPayload {
    /// The insight.
    insight: InsightNode,
}
