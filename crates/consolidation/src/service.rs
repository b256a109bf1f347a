//! The operations of consolidations, which compare projects and store what they share as patterns: start one, and store
//! its draft and report. Each uses the caller's transaction and does not commit it.

use std::sync::Arc;

use nyxcore_model_catalog::{ModelError, TenantCatalog};
use nyxcore_personas::{
    ChosenModel, ModelWish, PersonaId, PersonaUse, Personas, model_wished, persona_use_record,
};
use nyxcore_projects::{ProjectId, Projects};
use nyxcore_runs::{FollowUp, NewRun, Priority, RunId, RunStatus, Start, run_start};
use nyxcore_tenancy::{Action, Error, ReadWrite, Repository, Result, Scoped, TypedId, UserId};
use sea_orm::ActiveValue::Set;

use crate::entity::consolidation::{ActiveModel, DraftColumn, ProjectsColumn, ReportColumn};
use crate::model::{Consolidation, ConsolidationProject, ConsolidationReport, Draft};
use crate::registration::{CONSOLIDATION, CONSOLIDATION_RUN};
use crate::repository::Consolidations;

/// The most projects of one consolidation. A rule of this project: then 10,000 characters of each can be read.
pub const PROJECTS_MAX: usize = 50;
/// How often a consolidation is attempted: a busy database is worth a second and a third attempt.
const ATTEMPTS: i64 = 3;

/// A new consolidation.
#[derive(Debug, Clone, Default)]
pub struct NewConsolidation {
    /// Two to [`PROJECTS_MAX`] projects.
    pub project_ids: Vec<ProjectId>,
    /// The persona that the model takes on.
    pub persona_id: Option<PersonaId>,
    /// The model that phrases the counted patterns and adds others; `None` for no model.
    pub model: Option<ChosenModel>,
    /// The user who starts it.
    pub started_by: Option<UserId>,
}

/// A request for a consolidation.
#[derive(Debug, Clone, Default)]
pub struct ConsolidationRequest {
    /// As in [`NewConsolidation`].
    pub project_ids: Vec<ProjectId>,
    /// As in [`NewConsolidation`].
    pub persona_id: Option<PersonaId>,
    /// The provider of the model. Where it is left out, the catalog chooses.
    pub provider: Option<String>,
    /// The model's id.
    pub model: Option<String>,
    /// Whether the default model is used where none is named.
    pub with_model: bool,
    /// The user who asks.
    pub user: Option<UserId>,
}

/// Starts a consolidation. While one of the same projects is active, that one is returned.
///
/// # Errors
/// [`Error::NotFound`] for a project or the persona; [`Error::Invalid`] for fewer than two projects, or more than
/// [`PROJECTS_MAX`].
pub async fn consolidation_start(
    scoped: &Scoped<ReadWrite>,
    new: NewConsolidation,
) -> Result<(Start, Consolidation)> {
    scoped.permit(Action::Start, CONSOLIDATION, None)?;
    start(scoped, new).await
}

/// As [`consolidation_start`], with the model that was named, or the default one where a model was asked for.
///
/// # Errors
/// As [`consolidation_start`] and [`model_wished`].
pub async fn consolidation_start_for(
    scoped: &Scoped<ReadWrite>,
    catalog: &TenantCatalog,
    request: &ConsolidationRequest,
) -> Result<(Start, Consolidation), ModelError> {
    scoped.permit(Action::Start, CONSOLIDATION, None)?;
    let is_named = |text: &Option<String>| {
        let text = text.as_deref().map(str::trim).unwrap_or_default();
        !text.is_empty()
    };
    let wants_model = request.with_model || is_named(&request.model) || is_named(&request.provider);
    let model = if wants_model {
        let wish = ModelWish {
            persona_id: request.persona_id,
            provider: request.provider.clone(),
            model: request.model.clone(),
            user: request.user,
            is_required: true,
        };
        model_wished(scoped, catalog, &wish).await?
    } else {
        None
    };
    let new = NewConsolidation {
        project_ids: request.project_ids.clone(),
        persona_id: request.persona_id,
        model,
        started_by: request.user,
    };
    Ok(start(scoped, new).await?)
}

async fn start(
    scoped: &Scoped<ReadWrite>,
    new: NewConsolidation,
) -> Result<(Start, Consolidation)> {
    let mut ids = new.project_ids;
    ids.sort_unstable();
    ids.dedup();
    if !(2..=PROJECTS_MAX).contains(&ids.len()) {
        return Err(Error::Invalid(format!(
            "there must be 2 to {PROJECTS_MAX} different projects, not {}",
            ids.len()
        )));
    }
    let found = Projects::get_many(scoped, &ids).await?;
    if found.len() < ids.len() {
        return Err(Error::NotFound("project"));
    }
    if let Some(persona) = new.persona_id {
        Personas::require(scoped, persona).await?;
    }
    let mut projects: Vec<ConsolidationProject> = found
        .into_values()
        .map(|project| ConsolidationProject {
            id: project.id,
            name: project.name,
        })
        .collect();
    projects.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
    let subject: Vec<String> = ids
        .iter()
        .map(|id| id.uuid().simple().to_string())
        .collect();
    let start = run_start(
        scoped,
        NewRun {
            kind: CONSOLIDATION_RUN,
            subject: format!("projects:{}", subject.join(",")),
            project_id: None,
            started_by: new.started_by,
            input: serde_json::json!({ "project_ids": ids, "persona_id": new.persona_id }),
            quiet_period: None,
            max_attempts: ATTEMPTS,
            priority: Priority::Interactive,
            not_before: None,
        },
    )
    .await?;
    let id = start.run().id;
    scoped.audit_subject(id.uuid());
    if !start.is_started() {
        return Ok((start, Consolidations::require(scoped, id).await?));
    }
    let (provider, model) = new
        .model
        .map(|chosen| (chosen.provider, chosen.model))
        .unzip();
    let row = ActiveModel {
        run_id: Set(id),
        projects: Set(ProjectsColumn(projects)),
        persona_id: Set(new.persona_id),
        provider: Set(provider),
        model: Set(model),
        ..Default::default()
    };
    Ok((start, Consolidations::insert(scoped, row).await?))
}

/// Stores a model's complete answer until it is checked.
pub(crate) async fn draft_save(scoped: &Scoped<ReadWrite>, id: RunId, draft: &Draft) -> Result<()> {
    let row = ActiveModel {
        draft: Set(Some(DraftColumn(draft.clone()))),
        ..Default::default()
    };
    Consolidations::update(scoped, id, row).await.map(drop)
}

/// Stores the report of a run and counts the use of its persona, both in the caller's transaction.
pub(crate) async fn report_save(
    scoped: &Scoped<ReadWrite>,
    consolidation: &Consolidation,
    report: ConsolidationReport,
    answered_by: Option<(String, String)>,
) -> Result<()> {
    let mut row = ActiveModel {
        report: Set(Some(ReportColumn(report))),
        draft: Set(None),
        ..Default::default()
    };
    if let Some((provider, model)) = answered_by {
        row.provider = Set(Some(provider));
        row.model = Set(Some(model));
    }
    Consolidations::update(scoped, consolidation.run_id, row).await?;
    persona_used(scoped, consolidation, true).await
}

/// Counts the use of the consolidation's persona, where it has one.
async fn persona_used(
    scoped: &Scoped<ReadWrite>,
    consolidation: &Consolidation,
    succeeded: bool,
) -> Result<()> {
    let Some(persona) = consolidation.persona_id else {
        return Ok(());
    };
    let done = PersonaUse {
        persona,
        run: consolidation.run_id,
        succeeded,
    };
    persona_use_record(scoped, done).await.map(drop)
}

/// Follows up a consolidation that failed, whoever ended it: records a use of its persona without success.
#[must_use]
pub fn consolidation_failed() -> FollowUp {
    Arc::new(|scoped, run| {
        Box::pin(async move {
            if run.status != RunStatus::Failed {
                return Ok(());
            }
            match Consolidations::get(scoped, run.id).await? {
                Some(consolidation) => persona_used(scoped, &consolidation, false).await,
                None => Ok(()),
            }
        })
    })
}
