//! Mutations that start and cancel runs.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use nyxcore_code_analysis::{AnalysisTrigger, analysis_start};
use nyxcore_consolidation::{ConsolidationRequest, consolidation_start_for};
use nyxcore_note_enrichment::{EnrichmentRequest, enrichment_start_for};
use nyxcore_personas::PersonaId;
use nyxcore_projects::{NoteId, ProjectId, SourceId};
use nyxcore_runs::{RunId, run_cancel};
use nyxcore_sync::{SyncStepKind, SyncTrigger, sync_start_without};
use nyxcore_tenancy::{Error, ReadWrite, Scoped};

use super::StartOutcome;
use crate::context::operation;
use crate::schema::catalog::tenant_catalog;
use crate::schema::code_analysis::CodeAnalysisNode;
use crate::schema::consolidation::ConsolidationNode;
use crate::schema::enrichment::{EnrichmentModeName, NoteEnrichmentNode};
use crate::schema::ids::{id_of, id_of_option};
use crate::schema::mirror::mirror;
use crate::schema::run::{RunNode, SyncNode};

#[derive(Default)]
pub(crate) struct RunMutation;

#[Object]
impl RunMutation {
    /// Starts a sync of a source with its repository. If a sync of the source is active, returns that sync.
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

    /// Starts an analysis of a project's code. If an analysis is active or ended within the last three minutes,
    /// returns that analysis.
    async fn start_code_analysis(
        &self,
        context: &Context<'_>,
        input: StartCodeAnalysisInput,
    ) -> Result<StartCodeAnalysisPayload> {
        let op = operation(context);
        let project = id_of::<ProjectId>(&input.project_id)?;
        let quiet_period = op.services().analysis_quiet_period;
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

    /// Starts an enrichment of a note with related knowledge. If an enrichment of the note is active, returns that
    /// enrichment. The named model writes the text; otherwise the default model of the persona, then the caller's or
    /// the tenant's default. If none of these can be called, the text consists of excerpts.
    async fn enrich_note(
        &self,
        context: &Context<'_>,
        input: EnrichNoteInput,
    ) -> Result<EnrichNotePayload> {
        let op = operation(context);
        let note = id_of::<NoteId>(&input.note_id)?;
        let request = EnrichmentRequest {
            persona_id: id_of_option::<PersonaId>(input.persona_id.as_ref())?,
            mode: input.mode.map(Into::into),
            provider: input.provider,
            model: input.model,
            user: Some(op.caller().user),
        };
        let catalog = tenant_catalog(context).await?;
        let (start, _) = op
            .change(async |scoped| enrichment_start_for(scoped, &catalog, note, &request).await)
            .await?;
        Ok(EnrichNotePayload {
            outcome: (&start).into(),
            enrichment: NoteEnrichmentNode(start.run().clone()),
        })
    }

    /// Starts a consolidation: finds what several projects share. If a consolidation of the same projects is active,
    /// returns that consolidation. What is counted needs no model; the named model, or the default one if `withModel`
    /// is set, phrases and extends it.
    async fn start_consolidation(
        &self,
        context: &Context<'_>,
        input: StartConsolidationInput,
    ) -> Result<StartConsolidationPayload> {
        let op = operation(context);
        let projects = input.project_ids.iter().map(id_of::<ProjectId>);
        let request = ConsolidationRequest {
            project_ids: projects.collect::<Result<_, _>>()?,
            persona_id: id_of_option::<PersonaId>(input.persona_id.as_ref())?,
            provider: input.provider,
            model: input.model,
            with_model: input.with_model,
            user: Some(op.caller().user),
        };
        let catalog = tenant_catalog(context).await?;
        let (start, _) = op
            .change(async |scoped| consolidation_start_for(scoped, &catalog, &request).await)
            .await?;
        Ok(StartConsolidationPayload {
            outcome: (&start).into(),
            consolidation: ConsolidationNode(start.run().clone()),
        })
    }

    /// Cancels a run. A queued run ends at once, a running one shortly after. Has no effect on a run that has ended.
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

mirror! {
    /// A phase of a sync that can be skipped.
    enum SyncStepName = "SyncStep" of "SyncStepKind" {
        /// Starting the analysis of the project.
        CodeAnalysis,
        /// Importing letters as memory entries.
        Knowledge,
    }
}

/// The sync to start.
#[derive(InputObject)]
struct StartSyncInput {
    /// The id of the source.
    source_id: ID,
    /// The steps to skip in this sync. The next sync without this option catches up.
    skip: Option<Vec<SyncStepName>>,
}

/// The started or active sync.
#[derive(SimpleObject)]
struct StartSyncPayload {
    /// Whether a new sync was started.
    outcome: StartOutcome,
    /// The sync.
    sync: SyncNode,
}

/// The analysis to start.
#[derive(InputObject)]
struct StartCodeAnalysisInput {
    /// The id of the project.
    project_id: ID,
}

/// The started, active or recent analysis.
#[derive(SimpleObject)]
struct StartCodeAnalysisPayload {
    /// Whether a new analysis was started.
    outcome: StartOutcome,
    /// The analysis.
    code_analysis: CodeAnalysisNode,
}

/// The enrichment to start.
#[derive(InputObject)]
struct EnrichNoteInput {
    /// The id of the note.
    note_id: ID,
    /// The provider of the model: a vendor, or an endpoint of the tenant. If omitted, the catalog decides.
    provider: Option<String>,
    /// The id of the model.
    model: Option<String>,
    /// EXTRACTIVE uses no model; GENERATED fails if no model can be called. If omitted, a model is used if one can be
    /// called.
    mode: Option<EnrichmentModeName>,
    /// The id of the persona in whose style the text is written.
    persona_id: Option<ID>,
}

/// The started or active enrichment.
#[derive(SimpleObject)]
struct EnrichNotePayload {
    /// Whether a new enrichment was started.
    outcome: StartOutcome,
    /// The enrichment.
    enrichment: NoteEnrichmentNode,
}

/// The consolidation to start.
#[derive(InputObject)]
struct StartConsolidationInput {
    /// The ids of 2 to 50 projects.
    project_ids: Vec<ID>,
    /// The provider of the model: a vendor, or an endpoint of the tenant. If omitted, the catalog decides.
    provider: Option<String>,
    /// The id of the model.
    model: Option<String>,
    /// Whether the default model is used if none is named: that of the persona, then of the caller or the tenant.
    #[graphql(default = false)]
    with_model: bool,
    /// The id of the persona that the model is asked to be.
    persona_id: Option<ID>,
}

/// The started or active consolidation.
#[derive(SimpleObject)]
struct StartConsolidationPayload {
    /// Whether a new consolidation was started.
    outcome: StartOutcome,
    /// The consolidation.
    consolidation: ConsolidationNode,
}

/// The run to cancel.
#[derive(InputObject)]
struct CancelRunInput {
    /// The id of the run.
    run_id: ID,
}

/// The cancelled run.
#[derive(SimpleObject)]
struct CancelRunPayload {
    /// The run.
    run: RunNode,
}
