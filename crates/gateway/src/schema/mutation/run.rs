//! Starting and cancelling long-running work.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use nyxcore_code_analysis::{AnalysisTrigger, analysis_start};
use nyxcore_note_enrichment::{NewEnrichment, enrichment_start};
use nyxcore_personas::PersonaId;
use nyxcore_projects::{NoteId, ProjectId, SourceId};
use nyxcore_runs::{RunId, run_cancel};
use nyxcore_sync::{SyncStepKind, SyncTrigger, sync_start_without};
use nyxcore_tenancy::{Error, ReadWrite, Scoped};

use super::StartOutcome;
use crate::context::operation;
use crate::schema::code_analysis::CodeAnalysisNode;
use crate::schema::ids::{id_of, id_of_option};
use crate::schema::run::{NoteEnrichmentNode, RunNode, SyncNode};

#[derive(Default)]
pub(crate) struct RunMutation;

#[Object]
impl RunMutation {
    /// Brings a source in step with its repository. While one sync of it is active, the answer is that one.
    async fn start_sync(
        &self,
        context: &Context<'_>,
        input: StartSyncInput,
    ) -> Result<StartSyncPayload> {
        let op = operation(context);
        let source = id_of::<SourceId>(&input.source_id)?;
        let skip: Vec<SyncStepKind> = input
            .skip
            .unwrap_or_default()
            .into_iter()
            .map(Into::into)
            .collect();
        let user = Some(op.caller().user);
        let (start, sync) = op
            .change(async |scoped| {
                sync_start_without(scoped, source, SyncTrigger::Manual, user, &skip).await
            })
            .await?;
        Ok(StartSyncPayload {
            outcome: (&start).into(),
            sync: SyncNode(sync.run),
        })
    }

    /// Analyses a project's code. While an analysis of it is active, or where one ended within the last three minutes, the answer
    /// is that one.
    async fn start_code_analysis(
        &self,
        context: &Context<'_>,
        input: StartCodeAnalysisInput,
    ) -> Result<StartCodeAnalysisPayload> {
        let op = operation(context);
        let project = id_of::<ProjectId>(&input.project_id)?;
        let quiet_period = op.gateway().analysis_quiet_period();
        let user = Some(op.caller().user);
        let (start, _) = op
            .change(async |scoped| {
                analysis_start(scoped, project, AnalysisTrigger::Manual, user, quiet_period).await
            })
            .await?;
        Ok(StartCodeAnalysisPayload {
            outcome: (&start).into(),
            code_analysis: CodeAnalysisNode(start.run().clone()),
        })
    }

    /// Puts under a note what is known about it. While one enrichment of it is active, the answer is that one.
    async fn enrich_note(
        &self,
        context: &Context<'_>,
        input: EnrichNoteInput,
    ) -> Result<EnrichNotePayload> {
        let op = operation(context);
        let new = NewEnrichment {
            note_id: id_of::<NoteId>(&input.note_id)?,
            persona_id: id_of_option::<PersonaId>(input.persona_id.as_ref())?,
            provider: input.provider,
            model: input.model,
            started_by: Some(op.caller().user),
        };
        let (start, _) = op
            .change(async |scoped| enrichment_start(scoped, new).await)
            .await?;
        Ok(EnrichNotePayload {
            outcome: (&start).into(),
            enrichment: NoteEnrichmentNode(start.run().clone()),
        })
    }

    /// Cancels a run: at once where it waits, within a moment where a worker has it. One that has ended stays as it is.
    async fn cancel_run(
        &self,
        context: &Context<'_>,
        input: CancelRunInput,
    ) -> Result<CancelRunPayload> {
        let id = id_of::<RunId>(&input.run_id)?;
        let change = async |scoped: &Scoped<ReadWrite>| {
            let run = run_cancel(scoped, id).await?;
            RunNode::new(run).ok_or(Error::NotFound("run"))
        };
        let run = operation(context).change(change).await?;
        Ok(CancelRunPayload { run })
    }
}

/// A phase of a sync that can be left out.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "SyncStep", remote = "SyncStepKind")]
enum SyncStepName {
    /// The project's analysis is started.
    CodeAnalysis,
    /// Letters become memory entries.
    Knowledge,
}

/// The source to sync.
#[derive(InputObject)]
struct StartSyncInput {
    /// Which.
    source_id: ID,
    /// What is to be left out this time. The next sync that is not told so makes up for it.
    skip: Option<Vec<SyncStepName>>,
}

/// The sync to watch.
#[derive(SimpleObject)]
struct StartSyncPayload {
    /// Whether it was started now.
    outcome: StartOutcome,
    /// The sync.
    sync: SyncNode,
}

/// The project to analyse.
#[derive(InputObject)]
struct StartCodeAnalysisInput {
    /// Which.
    project_id: ID,
}

/// The analysis to watch.
#[derive(SimpleObject)]
struct StartCodeAnalysisPayload {
    /// Whether it was started now.
    outcome: StartOutcome,
    /// The analysis.
    code_analysis: CodeAnalysisNode,
}

/// The note to enrich.
#[derive(InputObject)]
struct EnrichNoteInput {
    /// Which.
    note_id: ID,
    /// Whose model; without one no model is used.
    provider: Option<String>,
    /// Which model.
    model: Option<String>,
    /// In whose voice.
    persona_id: Option<ID>,
}

/// The enrichment to watch.
#[derive(SimpleObject)]
struct EnrichNotePayload {
    /// Whether it was started now.
    outcome: StartOutcome,
    /// The enrichment.
    enrichment: NoteEnrichmentNode,
}

/// The run to cancel.
#[derive(InputObject)]
struct CancelRunInput {
    /// Which.
    run_id: ID,
}

/// The run as it is now.
#[derive(SimpleObject)]
struct CancelRunPayload {
    /// The run.
    run: RunNode,
}
