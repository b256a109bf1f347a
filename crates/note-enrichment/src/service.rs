//! The operations: start an enrichment, apply or dismiss it. Each uses the caller's transaction and does not commit
//! it.

use std::sync::Arc;

use nyxcore_model_catalog::{ModelError, TenantCatalog};
use nyxcore_personas::{PersonaId, PersonaUse, Personas, persona_use_record};
use nyxcore_projects::{
    ActionPointChanges, ActionPointStatus, NewActionPoint, Note, NoteChanges, NoteId,
    NoteVersionReason, Notes, action_point_create_all, action_point_update, action_points_of,
    action_points_of_enrichments, note_update, note_version_keep,
};
use nyxcore_retrieval::Citation;
use nyxcore_runs::{FollowUp, NewRun, Priority, RunId, RunStatus, Runs, Start, run_start};
use nyxcore_tenancy::{
    Access, Action, Error, ReadWrite, Repository, Result, Scoped, TypedId, UserId,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition};

use crate::choice::{EnrichmentChoice, EnrichmentRequest, enrichment_choose};
use crate::entity::note_enrichment::{
    ActiveModel, Citations, Column, DraftColumn, ReportColumn, Sections,
};
use crate::model::{ContextSection, Draft, EnrichmentDecision, EnrichmentReport, NoteEnrichment};
use crate::registration::{NOTE_ENRICHMENT, NOTE_ENRICHMENT_RUN};
use crate::repository::{NoteEnrichments, enrichment_get};
use crate::section;

/// How often an enrichment is attempted: a busy database is worth a second and a third attempt.
const ATTEMPTS: i64 = 3;

/// A new enrichment.
#[derive(Debug, Clone)]
pub struct NewEnrichment {
    /// The note to enrich.
    pub note_id: NoteId,
    /// The persona: its specializations have a small weight in the retrieval, and a model takes it on.
    pub persona_id: Option<PersonaId>,
    /// Whether a model writes it, and which, as [`enrichment_choose`](crate::enrichment_choose) returns it.
    pub choice: EnrichmentChoice,
    /// The user who starts it.
    pub started_by: Option<UserId>,
}

impl NewEnrichment {
    /// An enrichment of excerpts, without a persona and a user.
    #[must_use]
    pub fn extractive(note_id: NoteId) -> Self {
        Self {
            note_id,
            persona_id: None,
            choice: EnrichmentChoice::Extractive,
            started_by: None,
        }
    }
}

/// Starts to enrich a note. While one enrichment of the note is active, that one is returned.
///
/// # Errors
/// [`Error::NotFound`] for the note or the persona.
pub async fn enrichment_start(
    scoped: &Scoped<ReadWrite>,
    new: NewEnrichment,
) -> Result<(Start, NoteEnrichment)> {
    scoped.permit(Action::Start, NOTE_ENRICHMENT, None)?;
    start(scoped, new).await
}

/// As [`enrichment_start`], with the mode and the model that [`enrichment_choose`] chooses.
///
/// # Errors
/// As [`enrichment_start`] and [`enrichment_choose`].
pub async fn enrichment_start_for(
    scoped: &Scoped<ReadWrite>,
    catalog: &TenantCatalog,
    note: NoteId,
    request: &EnrichmentRequest,
) -> Result<(Start, NoteEnrichment), ModelError> {
    scoped.permit(Action::Start, NOTE_ENRICHMENT, None)?;
    let new = NewEnrichment {
        note_id: note,
        persona_id: request.persona_id,
        choice: enrichment_choose(scoped, catalog, request).await?,
        started_by: request.user,
    };
    Ok(start(scoped, new).await?)
}

async fn start(scoped: &Scoped<ReadWrite>, new: NewEnrichment) -> Result<(Start, NoteEnrichment)> {
    let note = Notes::require(scoped, new.note_id).await?;
    if let Some(persona) = new.persona_id {
        Personas::require(scoped, persona).await?;
    }
    let mode = new.choice.mode();
    let (provider, model) = match new.choice {
        EnrichmentChoice::Extractive => (None, None),
        EnrichmentChoice::Generated { provider, model } => (Some(provider), Some(model)),
    };
    let start = run_start(
        scoped,
        NewRun {
            kind: NOTE_ENRICHMENT_RUN,
            subject: format!("note:{}", note.id),
            project_id: Some(note.project_id.0),
            started_by: new.started_by,
            input: serde_json::json!({ "note_id": note.id, "persona_id": new.persona_id }),
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
        return Ok((start, enrichment_require(scoped, id).await?));
    }
    let row = ActiveModel {
        run_id: Set(id),
        note_id: Set(note.id),
        persona_id: Set(new.persona_id),
        provider: Set(provider),
        model: Set(model),
        mode: Set(mode),
        markdown: Set(None),
        citations: Set(Citations(Vec::new())),
        context_used: Set(Sections(Vec::new())),
        decision: Set(EnrichmentDecision::Pending),
        ..Default::default()
    };
    Ok((start, NoteEnrichments::insert(scoped, row).await?))
}

/// Appends an enrichment's text to its note, once, and returns the note, whose search document is updated. The former
/// text of the note is stored as a version. If it is applied again, nothing changes, even if the text was removed from
/// the note meanwhile.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for an enrichment that has not succeeded or was dismissed, and where the
/// note would get too long.
pub async fn enrichment_apply(scoped: &Scoped<ReadWrite>, id: RunId) -> Result<Note> {
    scoped.permit(Action::Apply, NOTE_ENRICHMENT, id.uuid())?;
    let enrichment = enrichment_finished(scoped, id).await?;
    match decide(scoped, id, EnrichmentDecision::Applied).await? {
        EnrichmentDecision::Pending => {}
        EnrichmentDecision::Applied => return Notes::require(scoped, enrichment.note_id).await,
        EnrichmentDecision::Dismissed => {
            return Err(Error::Invalid(
                "the enrichment was dismissed: enrich the note again".into(),
            ));
        }
    }
    // An update without changes locks the note's row, so that a concurrent change of the note is read here and not
    // overwritten.
    let note = note_update(scoped, enrichment.note_id, NoteChanges::default()).await?;
    let markdown = enrichment.markdown.unwrap_or_default();
    let Some(body) = section::append(&note.body, id, &markdown) else {
        return Ok(note);
    };
    note_version_keep(scoped, &note, NoteVersionReason::Enriched, Some(id.0)).await?;
    let changes = NoteChanges {
        body: Some(body),
        ..NoteChanges::default()
    };
    note_update(scoped, note.id, changes).await
}

/// Dismisses an enrichment and those of its action points that nobody accepted or completed. Its text stays readable.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for an enrichment that has not succeeded or was applied.
pub async fn enrichment_dismiss(scoped: &Scoped<ReadWrite>, id: RunId) -> Result<NoteEnrichment> {
    scoped.permit(Action::Apply, NOTE_ENRICHMENT, id.uuid())?;
    enrichment_finished(scoped, id).await?;
    if decide(scoped, id, EnrichmentDecision::Dismissed).await? == EnrichmentDecision::Applied {
        return Err(Error::Invalid(
            "the enrichment was applied: edit the note to remove it".into(),
        ));
    }
    let mut points = action_points_of_enrichments(scoped, &[id.0]).await?;
    for point in points.remove(&id.0).unwrap_or_default() {
        if point.is_suggested() {
            let dismissed = ActionPointChanges {
                status: Some(ActionPointStatus::Dismissed),
                ..ActionPointChanges::default()
            };
            action_point_update(scoped, point.id, dismissed).await?;
        }
    }
    enrichment_require(scoped, id).await
}

/// Records a decision if there is none yet, and returns the previous one. Condition and change are one statement, so
/// that one of two concurrent decisions succeeds.
async fn decide(
    scoped: &Scoped<ReadWrite>,
    id: RunId,
    decision: EnrichmentDecision,
) -> Result<EnrichmentDecision> {
    let pending = Condition::all()
        .add(Column::RunId.eq(id))
        .add(Column::Decision.eq(EnrichmentDecision::Pending));
    let decided = ActiveModel {
        decision: Set(decision),
        ..Default::default()
    };
    if scoped.update(pending, decided).await? > 0 {
        return Ok(EnrichmentDecision::Pending);
    }
    Ok(enrichment_require(scoped, id).await?.decision)
}

async fn enrichment_require<A: Access>(scoped: &Scoped<A>, id: RunId) -> Result<NoteEnrichment> {
    enrichment_get(scoped, id)
        .await?
        .ok_or(Error::NotFound("enrichment"))
}

/// An enrichment that has succeeded, so that a person can decide about it.
async fn enrichment_finished(scoped: &Scoped<ReadWrite>, id: RunId) -> Result<NoteEnrichment> {
    let enrichment = enrichment_require(scoped, id).await?;
    let why_not = match Runs::require(scoped, id).await?.status {
        RunStatus::Succeeded => return Ok(enrichment),
        RunStatus::Queued | RunStatus::Running => "is not finished yet: wait for its run to end",
        RunStatus::Failed => "failed: enrich the note again",
        RunStatus::Cancelled => "was cancelled: enrich the note again",
    };
    Err(Error::Invalid(format!("the enrichment {why_not}")))
}

/// The result of a run, which is to be stored.
pub(crate) struct Outcome {
    pub markdown: String,
    pub citations: Vec<Citation>,
    pub context_used: Vec<ContextSection>,
    pub action_points: Vec<NewActionPoint>,
    pub report: EnrichmentReport,
    /// The provider and the model that wrote it.
    pub model: Option<(String, String)>,
}

/// Stores a model's complete answer until it is checked.
pub(crate) async fn draft_save(scoped: &Scoped<ReadWrite>, id: RunId, draft: &Draft) -> Result<()> {
    let row = ActiveModel {
        draft: Set(Some(DraftColumn(draft.clone()))),
        ..Default::default()
    };
    NoteEnrichments::update(scoped, id, row).await.map(drop)
}

/// Stores the result of a run, with the action points and the use of its persona, in the caller's transaction. It is
/// stored once; a second call changes nothing. An action point that the note already has, open or done, is not
/// suggested a second time.
pub(crate) async fn enrichment_save(
    scoped: &Scoped<ReadWrite>,
    id: RunId,
    outcome: Outcome,
) -> Result<()> {
    let enrichment = enrichment_require(scoped, id).await?;
    if enrichment.markdown.is_some() {
        return Ok(());
    }
    let mut row = ActiveModel {
        markdown: Set(Some(outcome.markdown)),
        citations: Set(Citations(outcome.citations)),
        context_used: Set(Sections(outcome.context_used)),
        report: Set(Some(ReportColumn(outcome.report))),
        // The draft is no longer needed: its text is stored.
        draft: Set(None),
        ..Default::default()
    };
    if let Some((provider, model)) = outcome.model {
        row.provider = Set(Some(provider));
        row.model = Set(Some(model));
    }
    NoteEnrichments::update(scoped, id, row).await?;
    let mut known = action_points_of(scoped, &[enrichment.note_id]).await?;
    let known = known.remove(&enrichment.note_id).unwrap_or_default();
    let is_new = |new: &NewActionPoint| {
        !known.iter().any(|point| {
            point.status != ActionPointStatus::Dismissed && point.text.trim() == new.text.trim()
        })
    };
    let points: Vec<NewActionPoint> = outcome.action_points.into_iter().filter(is_new).collect();
    if !points.is_empty() {
        action_point_create_all(scoped, enrichment.note_id, Some(id.0), points).await?;
    }
    persona_used(scoped, &enrichment, true).await
}

/// Counts the use of the enrichment's persona, where it has one.
async fn persona_used(
    scoped: &Scoped<ReadWrite>,
    enrichment: &NoteEnrichment,
    succeeded: bool,
) -> Result<()> {
    let Some(persona) = enrichment.persona_id else {
        return Ok(());
    };
    let run = enrichment.run_id;
    let done = PersonaUse {
        persona,
        run,
        succeeded,
    };
    persona_use_record(scoped, done).await.map(drop)
}

/// Follows up an enrichment that failed, whoever ended it: records a use of its persona without success. An enrichment
/// that had stored its text before counted as a success and stays one. Where the note was deleted, there was nothing to
/// use the persona for.
#[must_use]
pub fn enrichment_failed() -> FollowUp {
    Arc::new(|scoped, run| {
        Box::pin(async move {
            if run.status != RunStatus::Failed {
                return Ok(());
            }
            match enrichment_get(scoped, run.id).await? {
                Some(enrichment) => persona_used(scoped, &enrichment, false).await,
                None => Ok(()),
            }
        })
    })
}
