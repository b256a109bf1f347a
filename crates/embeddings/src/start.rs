//! Starts embedding runs: after a sync, after a change of knowledge, and again where documents changed meanwhile.

use std::sync::Arc;

use nyxcore_model_catalog::{
    DefaultPurpose, ModelError, local_default, local_model, model_choose, tenant_default_get,
};
use nyxcore_retrieval::VectorModel;
use nyxcore_retrieval::vector::{documents_unembedded, vector_models};
use nyxcore_runs::{FollowUp, NewRun, Priority, Start, run_start};
use nyxcore_tenancy::directory::tenant_list;
use nyxcore_tenancy::{Access, ReadWrite, Result, Scoped, Store, TenantId};
use serde::{Deserialize, Serialize};

use crate::registration::EMBEDDING_RUN;

/// A tenant embeds in one run at a time.
const SUBJECT: &str = "tenant";
/// How often a run is attempted before it fails for good. The next attempt keeps what an attempt embedded.
const MAX_ATTEMPTS: i64 = 5;

/// Open documents that are read to decide whether another run is queued.
const LOOKED_AT: u64 = 16;

/// The input of the handler.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EmbeddingInput {
    /// Whether the model's vectors may have another length than before.
    #[serde(default)]
    pub anew: bool,
}

/// Queues the run that embeds what has no vector yet; `None` where the tenant set no default embedding model and there
/// is no local one. A run that is already active is returned, and checks for new documents when it ends.
///
/// # Errors
/// The database fails.
pub async fn embedding_start(scoped: &Scoped<ReadWrite>) -> Result<Option<Start>> {
    start(scoped, EmbeddingInput::default()).await
}

/// As [`embedding_start`], after somebody set the model: if its vectors have another length than before, everything is
/// embedded anew. A run that is already active does not change.
///
/// # Errors
/// As [`embedding_start`].
pub async fn embedding_start_anew(scoped: &Scoped<ReadWrite>) -> Result<Option<Start>> {
    start(scoped, EmbeddingInput { anew: true }).await
}

async fn start(scoped: &Scoped<ReadWrite>, input: EmbeddingInput) -> Result<Option<Start>> {
    // A default that cannot be resolved is reported by the run.
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

/// The follow-up of runs that change the index: see [`embedding_start`].
#[must_use]
pub fn embedding_follow() -> FollowUp {
    Arc::new(|scoped, _| Box::pin(follow(scoped)))
}

async fn follow(scoped: &Scoped<ReadWrite>) -> Result<()> {
    embedding_start(scoped).await.map(drop)
}

/// The follow-up of every successful embedding run: another run embeds what was published meanwhile.
#[must_use]
pub fn embedding_catch_up() -> FollowUp {
    Arc::new(|scoped, _| Box::pin(catch_up(scoped)))
}

/// Queues a run for each tenant that uses the local model and has texts without a vector of it. Returns the number of
/// these tenants. A server calls it when it starts: no change tells a tenant that the operator added the model.
///
/// # Errors
/// The database fails. A failure of one tenant is logged and does not affect the others.
pub async fn local_embedding_begin(store: &Store) -> Result<u64> {
    if local_model().is_none() {
        return Ok(0);
    }
    let mut begun = 0;
    for tenant in tenant_list(store).await? {
        match local_begin(store, tenant.id).await {
            Ok(is_begun) => begun += u64::from(is_begun),
            Err(error) => {
                tracing::warn!(?error, tenant = %tenant.id, "the local model could not begin to embed")
            }
        }
    }
    Ok(begun)
}

async fn local_begin(store: &Store, tenant: TenantId) -> Result<bool> {
    let scoped = store.write(tenant).await?;
    let set = tenant_default_get(&scoped, DefaultPurpose::Embedding).await?;
    let is_begun = set.is_none() && missing_embed(&scoped).await?;
    scoped.commit().await?;
    Ok(is_begun)
}

async fn catch_up(scoped: &Scoped<ReadWrite>) -> Result<()> {
    missing_embed(scoped).await.map(drop)
}

/// Queues a run if texts have no vector. Returns whether they have none.
async fn missing_embed(scoped: &Scoped<ReadWrite>) -> Result<bool> {
    // A default that cannot be resolved was already reported by the run.
    let Ok(Some(model)) = model_wanted(scoped).await else {
        return Ok(false);
    };
    let known = model_known(scoped, &model).await?;
    let of_model = (model.as_str(), known.map(|known| known.dimensions));
    // A document without text counts as open while the model has no vector at all.
    let open = documents_unembedded(scoped, of_model, None, LOOKED_AT).await?;
    let is_missing = open.iter().any(|document| !document.passages.is_empty());
    if is_missing {
        embedding_start(scoped).await?;
    }
    Ok(is_missing)
}

/// The model that the tenant set, as `provider/id`, and else the local one; `None` where there is neither. A model that
/// was shut down is replaced by its successor.
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

/// The stored vectors of a model: those that questions are compared with, or else the newest.
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
