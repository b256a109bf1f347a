//! Starts the run that embeds: after a sync, after a change of knowledge, and again where something came meanwhile.

use std::sync::Arc;

use nyxcore_model_catalog::{
    DefaultPurpose, ModelError, local_default, model_choose, tenant_default_get,
};
use nyxcore_retrieval::VectorModel;
use nyxcore_retrieval::vector::{passages_open, vector_models};
use nyxcore_runs::{FollowUp, NewRun, Priority, Start, run_start};
use nyxcore_tenancy::{Access, ReadWrite, Result, Scoped};
use serde::{Deserialize, Serialize};

use crate::registration::EMBEDDING_RUN;

/// A tenant embeds in one run at a time.
const SUBJECT: &str = "tenant";
/// How often a run may be taken up before it fails for good. What an attempt embedded is kept for the next.
const MAX_ATTEMPTS: i64 = 5;

/// Open documents that are looked at before another run is queued.
const LOOKED_AT: u64 = 16;

/// What the handler is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EmbeddingInput {
    /// Whether the model may have another length of vectors than before.
    #[serde(default)]
    pub anew: bool,
}

/// Queues the run that embeds what has no vector yet; `None` where the tenant set no default model for embeddings and
/// there is no local one. One that is active already is the answer, and looks again when it ends.
///
/// # Errors
/// The database fails.
pub async fn embedding_start(scoped: &Scoped<ReadWrite>) -> Result<Option<Start>> {
    start(scoped, EmbeddingInput::default()).await
}

/// As [`embedding_start`], after somebody set the model: if its vectors have another length than before, everything is
/// embedded anew. A run that is active goes on as it began.
///
/// # Errors
/// As [`embedding_start`].
pub async fn embedding_start_anew(scoped: &Scoped<ReadWrite>) -> Result<Option<Start>> {
    start(scoped, EmbeddingInput { anew: true }).await
}

async fn start(scoped: &Scoped<ReadWrite>, input: EmbeddingInput) -> Result<Option<Start>> {
    // A default that cannot be resolved is told by the run.
    let set = tenant_default_get(scoped, DefaultPurpose::Embedding).await?;
    if set.is_none() && local_default(scoped).await?.is_none() {
        return Ok(None);
    }
    let new = NewRun {
        kind: EMBEDDING_RUN,
        subject: SUBJECT.to_owned(),
        project_id: None,
        started_by: None,
        input: serde_json::json!(input),
        quiet_period: None,
        max_attempts: MAX_ATTEMPTS,
        priority: Priority::Background,
        not_before: None,
    };
    run_start(scoped, new).await.map(Some)
}

/// The follow-up of what changes the index: see [`embedding_start`].
#[must_use]
pub fn embedding_follow() -> FollowUp {
    Arc::new(|scoped, _| Box::pin(follow(scoped)))
}

async fn follow(scoped: &Scoped<ReadWrite>) -> Result<()> {
    embedding_start(scoped).await.map(drop)
}

/// The follow-up of every successful run that embeds: what came meanwhile is embedded by another one.
#[must_use]
pub fn embedding_catch_up() -> FollowUp {
    Arc::new(|scoped, _| Box::pin(catch_up(scoped)))
}

async fn catch_up(scoped: &Scoped<ReadWrite>) -> Result<()> {
    // A default that cannot be resolved was told by the run.
    let Ok(Some(model)) = model_wanted(scoped).await else {
        return Ok(());
    };
    let known = model_known(scoped, &model).await?;
    let of_model = (model.as_str(), known.map(|known| known.dimensions));
    // A document without text stays open as long as there is no vector of the model at all.
    let open = passages_open(scoped, of_model, None, LOOKED_AT).await?;
    if open.iter().any(|document| !document.passages.is_empty()) {
        embedding_start(scoped).await?;
    }
    Ok(())
}

/// The model that the tenant set, by its provider and id, and else the local one; `None` where there is neither. One
/// that was shut down is the one that stands in for it.
pub(crate) async fn model_wanted<A: Access>(
    scoped: &Scoped<A>,
) -> Result<Option<String>, ModelError> {
    let purpose = DefaultPurpose::Embedding;
    let Some(set) = tenant_default_get(scoped, purpose).await? else {
        return Ok(local_default(scoped).await?);
    };
    let resolved = model_choose(scoped, purpose, None, &set).await?;
    let model = resolved.model;
    Ok(Some(format!("{}/{}", model.provider, model.id)))
}

/// The vectors that there are of a model: those that questions are compared with, or else the newest.
pub(crate) async fn model_known<A: Access>(
    scoped: &Scoped<A>,
    model: &str,
) -> Result<Option<VectorModel>> {
    let known = vector_models(scoped).await?;
    let mut of_model = known.into_iter().filter(|(known, _)| known.model == model);
    let mut best = of_model.next();
    for one in of_model {
        if one.1 || best.as_ref().is_none_or(|(_, is_current)| !is_current) {
            best = Some(one);
        }
    }
    Ok(best.map(|(known, _)| known))
}
