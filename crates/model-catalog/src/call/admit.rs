//! Admission: which models are tried with which request, and the reservation of what that can cost at the most. It is one
//! transaction, and nothing is sent before it is committed.

use std::collections::HashMap;
use std::sync::Arc;

use nyxcore_llm::{Client, ModelRequest};
use nyxcore_tenancy::{ReadWrite, Scoped};
use sea_orm::ActiveValue::Set;
use tokio::time::Instant;

use super::clients::CachedTenant;
use super::open::OpenCall;
use super::service::Inner;
use super::size::RequestSize;
use crate::budget::{Budget, amount_reserve};
use crate::entity::reservation;
use crate::error::ModelError;
use crate::ledger::{
    CallContext, CallOutcome, KeySource, ModelCallId, RESERVATION_HOLDS, Settlement,
};
use crate::model::{Capability, Mode};
use crate::money::Nanousd;
use crate::tenant::{ModelChoice, ResolvedModel, member_defaults, vendor_of};
use crate::traits::model_traits;

/// The longest id of a model that is kept of what somebody asked for, in characters.
const ASKED_MAX: usize = 200;

/// What is asked of a model.
#[derive(Clone)]
pub(super) enum Ask {
    /// Messages.
    Chat(Box<ModelRequest>),
    /// Vectors of texts.
    Embed(Arc<Vec<String>>),
}

/// A model that can be tried.
pub(super) struct Candidate {
    pub(super) resolved: ResolvedModel,
    pub(super) key_source: KeySource,
    pub(super) client: Client,
    /// The request with what the model accepts; `None` for vectors.
    pub(super) request: Option<ModelRequest>,
    pub(super) size: RequestSize,
}

/// A call that may be sent.
pub(super) struct Admitted {
    pub(super) open: OpenCall,
    /// The models to try, in order; at least one.
    pub(super) candidates: Vec<Candidate>,
    /// Models that cannot be tried, and why.
    pub(super) skipped: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// Admits a call, or refuses it with a row in the ledger.
pub(super) async fn admit(
    inner: Arc<Inner>,
    context: CallContext,
    choice: ModelChoice,
    ask: Ask,
) -> Result<Admitted, ModelError> {
    context.check()?;
    let started = Instant::now();
    let slot = inner.queue.slot().await?;
    let operator = inner.operator_keys().await?;
    let env = inner.store.env();
    let id = ModelCallId(env.id());
    let started_at = env.now();
    let settlement = Settlement {
        id,
        started_at,
        provider: String::new(),
        model_asked: asked(&choice),
        model: String::new(),
        model_answered: None,
        key_source: KeySource::None,
        outcome: CallOutcome::Cancelled,
        finish_reason: None,
        error: None,
        note: None,
        attempts: 0,
        usage: nyxcore_llm::Usage::default(),
        cost: Nanousd::ZERO,
        reserved: None,
        first_token_ms: None,
        duration_ms: 0,
        health: Vec::new(),
        context,
    };
    let mut open = OpenCall::new(slot, settlement, started);
    let scoped = match inner.store.write(open.settlement.context.tenant).await {
        Ok(scoped) => scoped,
        Err(error) => {
            let error = error.into();
            open.refuse(&error);
            return Err(error);
        }
    };
    let admitted = async {
        let tenant = inner.tenant(&scoped, operator).await?;
        let (candidates, skipped) =
            candidates(&inner, &scoped, &tenant, &mut open, &choice, &ask).await?;
        let warnings = reserve(&inner, &scoped, &tenant.budgets, &mut open, &candidates).await?;
        Ok((candidates, skipped, warnings))
    };
    match admitted.await {
        Ok((candidates, skipped, warnings)) => {
            scoped.commit().await?;
            Ok(Admitted {
                open,
                candidates,
                skipped,
                warnings,
            })
        }
        Err(error) => {
            // What was reserved before the refusal goes with the transaction.
            drop(scoped);
            open.settlement.reserved = None;
            open.refuse(&error);
            Err(error)
        }
    }
}

/// The models that can be tried, and what is said of the others. Nothing was sent, so whatever is wrong with one, the next
/// may do.
async fn candidates(
    inner: &Inner,
    scoped: &Scoped<ReadWrite>,
    tenant: &CachedTenant,
    open: &mut OpenCall,
    choice: &ModelChoice,
    ask: &Ask,
) -> Result<(Vec<Candidate>, Vec<String>), ModelError> {
    let today = open.settlement.started_at.date_naive();
    let member = match (choice, open.settlement.context.user) {
        (ModelChoice::Default(_), Some(user)) => member_defaults(scoped, user).await?,
        _ => HashMap::new(),
    };
    let resolved = tenant.catalog.candidates(choice, &member, today)?;
    let (mut good, mut skipped, mut first) = (Vec::new(), Vec::new(), None);
    for one in resolved {
        let prepared = match one {
            Ok(resolved) => {
                if open.settlement.model.is_empty() {
                    open.settlement.provider = resolved.model.provider.clone();
                    open.settlement.model = resolved.model.id.clone();
                }
                prepare(inner, scoped, tenant, resolved, ask).await
            }
            Err(error) => Err(error),
        };
        match prepared {
            Ok(candidate) => good.push(candidate),
            // A database that fails does so for all of them.
            Err(ModelError::Store(error)) => return Err(error.into()),
            Err(error) => {
                skipped.push(error.to_string());
                first.get_or_insert(error);
            }
        }
    }
    match first {
        Some(error) if good.is_empty() => Err(error),
        _ => Ok((good, skipped)),
    }
}

async fn prepare(
    inner: &Inner,
    scoped: &Scoped<ReadWrite>,
    tenant: &CachedTenant,
    resolved: ResolvedModel,
    ask: &Ask,
) -> Result<Candidate, ModelError> {
    let model = &resolved.model;
    let unfit = |reason| {
        Err(ModelError::Unfit {
            model: model.id.clone(),
            reason,
        })
    };
    let (request, size) = match ask {
        Ask::Chat(_) if model.mode != Mode::Chat => return unfit("it answers no messages"),
        Ask::Embed(_) if model.mode != Mode::Embedding => return unfit("it makes no vectors"),
        Ask::Chat(request) => {
            let mut request = (**request).clone();
            request.model.clone_from(&model.wire_id);
            request.traits = model_traits(model, vendor_of(model));
            if !request.tools.is_empty() && !model.has(Capability::Tools) {
                return unfit("it calls no tools");
            }
            let size = RequestSize::of(&request);
            (Some(request), size)
        }
        Ask::Embed(inputs) => (None, RequestSize::of_texts(inputs)),
    };
    // Each text that is embedded has the window to itself, and the vendor knows its length better than we do.
    if let (Some(window), Some(_)) = (model.context_window, &request)
        && size.input_tokens > window
    {
        return Err(ModelError::ContextTooLong {
            model: model.id.clone(),
            tokens: size.input_tokens,
            bytes: size.bytes,
            window,
        });
    }
    let provider = tenant.catalog.provider(&model.provider);
    let provider =
        provider.ok_or_else(|| ModelError::ProviderUnconfigured(model.provider.clone()))?;
    let client = tenant
        .client(scoped, &inner.keyring, &inner.transports, &provider)
        .await?;
    Ok(Candidate {
        key_source: provider.key_source,
        resolved,
        client,
        request,
        size,
    })
}

/// Reserves the most that any of the models can cost.
async fn reserve(
    inner: &Inner,
    scoped: &Scoped<ReadWrite>,
    budgets: &[Budget],
    open: &mut OpenCall,
    candidates: &[Candidate],
) -> Result<Vec<String>, ModelError> {
    let bounds = candidates.iter().map(|one| {
        let RequestSize {
            input_tokens,
            output_tokens,
            ..
        } = one.size;
        one.resolved.model.prices.bound(input_tokens, output_tokens)
    });
    let amount = bounds.max().unwrap_or_default();
    let settlement = &open.settlement;
    let context = &settlement.context;
    let applies =
        |budget: &&Budget| budget.applies_to(context.project, context.user, &context.purpose);
    let budgets: Vec<&Budget> = budgets.iter().filter(applies).collect();
    let at = settlement.started_at;
    let (reserved, warnings) = amount_reserve(scoped, &budgets, context.run, (amount, at)).await?;
    let first = candidates.first();
    let row = reservation::ActiveModel {
        id: Set(settlement.id),
        owner: Set(inner.owner),
        started_at: Set(at),
        deadline_at: Set(at + RESERVATION_HOLDS),
        user_id: Set(context.user),
        project_id: Set(context.project),
        purpose: Set(context.purpose.clone()),
        run_id: Set(context.run),
        step: Set(context.step.clone()),
        provider: Set(settlement.provider.clone()),
        model_asked: Set(settlement.model_asked.clone()),
        model: Set(settlement.model.clone()),
        key_source: Set(first.map_or(KeySource::None, |one| one.key_source)),
        amount_nanousd: Set(amount.0),
        budgets: Set(serde_json::json!(reserved)),
        ..Default::default()
    };
    scoped.insert_all(vec![row]).await?;
    open.settlement.reserved = Some((amount, reserved));
    Ok(warnings)
}

/// What somebody asked for, as the ledger keeps it.
fn asked(choice: &ModelChoice) -> String {
    let text = match choice {
        ModelChoice::Model(id) => id.as_str(),
        ModelChoice::Default(purpose) => purpose.as_str(),
        ModelChoice::Ordered(ids) => ids.first().map_or("", String::as_str),
    };
    text.chars()
        .filter(|c| *c != '\0')
        .take(ASKED_MAX)
        .collect()
}
