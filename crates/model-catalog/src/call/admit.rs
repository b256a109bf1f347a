//! Admission: decides which models are tried with which request, and reserves their highest possible cost. It is one
//! transaction, and nothing is sent before it is committed. Simultaneous calls of a tenant share one: see
//! [`desk`](super::desk).

use std::collections::HashMap;
use std::sync::Arc;

use nyxcore_llm::{Client, ModelRequest};
use nyxcore_tenancy::{Error, ReadWrite, Scoped, TenantId};
use sea_orm::ActiveValue::Set;
use tokio::time::Instant;

use super::clients::{CachedTenant, OperatorKeys};
use super::open::OpenCall;
use super::service::Inner;
use super::size::RequestSize;
use crate::budget::{Budget, Need, ReservedBudgets, amounts_reserve};
use crate::entity::reservation;
use crate::error::ModelError;
use crate::ledger::{
    CallContext, CallOutcome, KeySource, ModelCallId, RESERVATION_HOLDS, Settlement,
};
use crate::local::{Local, local};
use crate::model::{Capability, Mode};
use crate::money::Nanousd;
use crate::tenant::{ModelChoice, ResolvedModel, member_defaults, settings_version, vendor_of};
use crate::traits::model_traits;

/// The longest model id of a request that the ledger stores, in characters.
const ASKED_MAX: usize = 200;

/// The input of a call.
#[derive(Clone)]
pub(super) enum Ask {
    /// Messages to a chat model.
    Chat(Box<ModelRequest>),
    /// Texts to be embedded.
    Embed(Arc<Vec<String>>),
}

/// How a model is reached.
pub(super) enum Reach {
    /// A server, over the network.
    Wire(Box<Client>),
    /// This process.
    Local(&'static Local),
}

/// A model that can be tried for a call.
pub(super) struct Candidate {
    pub(super) resolved: ResolvedModel,
    pub(super) key_source: KeySource,
    pub(super) reach: Reach,
    /// The request, adapted to what the model accepts; `None` for vectors.
    pub(super) request: Option<ModelRequest>,
    pub(super) size: RequestSize,
}

/// A call that may be sent.
pub(super) struct AdmittedCall {
    pub(super) open: OpenCall,
    /// The models to try, in order; at least one.
    pub(super) candidates: Vec<Candidate>,
    /// The reasons for models that cannot be tried.
    pub(super) skipped: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// Admits a call, or refuses it with a row in the ledger.
pub(super) async fn admit(
    inner: Arc<Inner>,
    context: CallContext,
    choice: ModelChoice,
    ask: Ask,
) -> Result<AdmittedCall, ModelError> {
    context.check()?;
    let started = Instant::now();
    let slot = inner.queue.slot().await?;
    let env = inner.store.env();
    let settlement = Settlement {
        id: ModelCallId(env.id()),
        started_at: env.now(),
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
    let desk = inner.desk(settlement.context.tenant);
    let open = OpenCall::new(slot, settlement, started);
    desk.admit(&inner, NewCall { open, choice, ask }).await
}

/// A call that is to be admitted.
pub(super) struct NewCall {
    pub(super) open: OpenCall,
    choice: ModelChoice,
    ask: Ask,
}

impl NewCall {
    /// Refuses it: nothing is sent, and nothing is reserved.
    pub(super) fn refuse(mut self, error: ModelError) -> Result<AdmittedCall, ModelError> {
        self.open.settlement.reserved = None;
        self.open.refuse(&error);
        Err(error)
    }

    pub(super) fn accept(self, room: Room) -> AdmittedCall {
        let Room {
            candidates,
            skipped,
            warnings,
        } = room;
        AdmittedCall {
            open: self.open,
            candidates,
            skipped,
            warnings,
        }
    }
}

/// The result of an admission: the models to try, and what is said of the call.
pub(super) struct Room {
    candidates: Vec<Candidate>,
    skipped: Vec<String>,
    warnings: Vec<String>,
}

/// Admits calls of one tenant in one transaction. Each call has its own result, which may be a refusal.
///
/// # Errors
/// Where all calls fail together: a budget does not cover them all, or the database fails. Nothing is reserved then.
pub(super) async fn admit_together(
    inner: &Inner,
    tenant: TenantId,
    calls: &mut [&mut NewCall],
) -> Result<Vec<Result<Room, ModelError>>, ModelError> {
    // Cached settings are valid as long as the tenant's settings have the same version, which the reservation reads.
    let operator = inner.operator_keys().await?;
    if let Some(kept) = inner.tenant_kept(tenant, &operator)
        && let Some(rooms) = admit_with(inner, tenant, calls, Settings::Kept(kept)).await?
    {
        return Ok(rooms);
    }
    let rooms = admit_with(inner, tenant, calls, Settings::Read(operator)).await?;
    rooms.ok_or_else(|| Error::Busy.into())
}

/// A tenant's settings: cached ones, which are compared with the database, or ones to be read from there.
enum Settings {
    Kept(Arc<CachedTenant>),
    Read(Arc<OperatorKeys>),
}

/// Admits calls by given settings. Returns `None`, and reserves nothing, where the cached settings are out of date.
async fn admit_with(
    inner: &Inner,
    tenant: TenantId,
    calls: &mut [&mut NewCall],
    settings: Settings,
) -> Result<Option<Vec<Result<Room, ModelError>>>, ModelError> {
    let scoped = inner.store.write(tenant).await?;
    let (cached, is_current) = match settings {
        Settings::Kept(kept) => (kept, false),
        Settings::Read(operator) => (inner.tenant(&scoped, operator).await?, true),
    };
    let mut rooms = Vec::with_capacity(calls.len());
    for call in calls.iter_mut() {
        let found = candidates(inner, &scoped, &cached, call).await;
        rooms.push(match found {
            Ok((candidates, skipped)) => Ok(Room {
                candidates,
                skipped,
                warnings: Vec::new(),
            }),
            Err(ModelError::Store(_)) if !is_current => return Ok(None),
            Err(ModelError::Store(error)) => return Err(error.into()),
            Err(error) => Err(error),
        });
    }
    let reserved = reserve(inner, &scoped, &cached.budgets, calls, &mut rooms).await;
    if !is_current {
        let version = match &reserved {
            Ok(Some(version)) => *version,
            Err(ModelError::Store(_)) => return Ok(None),
            Ok(None) | Err(_) => settings_version(&scoped).await?,
        };
        if version != cached.version {
            return Ok(None);
        }
    }
    reserved?;
    scoped.commit().await?;
    Ok(Some(rooms))
}

/// The models that can be tried, and why the others cannot. Nothing was sent yet, so the next model may work whatever
/// is wrong with one.
async fn candidates(
    inner: &Inner,
    scoped: &Scoped<ReadWrite>,
    tenant: &CachedTenant,
    call: &mut NewCall,
) -> Result<(Vec<Candidate>, Vec<String>), ModelError> {
    let NewCall { open, choice, ask } = call;
    let today = open.settlement.started_at.date_naive();
    let member = match (&*choice, open.settlement.context.user) {
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
    // Each text that is embedded has the window to itself, and the vendor counts its tokens better than we do.
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
    let reach = match local().filter(|_| provider.is_local()) {
        Some(local) => Reach::Local(local),
        None => {
            let (keyring, transports) = (&inner.keyring, &inner.transports);
            let client = tenant.client(scoped, keyring, transports, &provider);
            Reach::Wire(Box::new(client.await?))
        }
    };
    Ok(Candidate {
        key_source: provider.key_source,
        resolved,
        reach,
        request,
        size,
    })
}

/// The highest cost of a call by any of the models.
fn bound(candidates: &[Candidate]) -> Nanousd {
    let bounds = candidates.iter().map(|one| {
        let RequestSize {
            input_tokens,
            output_tokens,
            ..
        } = one.size;
        one.resolved.model.prices.bound(input_tokens, output_tokens)
    });
    bounds.max().unwrap_or_default()
}

/// Reserves the highest possible cost of each call. Returns the version of the tenant's settings, where it was read.
async fn reserve(
    inner: &Inner,
    scoped: &Scoped<ReadWrite>,
    budgets: &[Budget],
    calls: &mut [&mut NewCall],
    rooms: &mut [Result<Room, ModelError>],
) -> Result<Option<i64>, ModelError> {
    let admitted = calls.iter_mut().zip(rooms);
    let mut admitted: Vec<(&mut OpenCall, &mut Room)> = admitted
        .filter_map(|(call, room)| Some((&mut call.open, room.as_mut().ok()?)))
        .collect();
    let needs = admitted.iter().map(|(open, room)| {
        let context = &open.settlement.context;
        let applies =
            |budget: &&Budget| budget.applies_to(context.project, context.user, &context.purpose);
        Need {
            budgets: budgets.iter().filter(applies).collect(),
            run: context.run,
            amount: bound(&room.candidates),
            at: open.settlement.started_at,
        }
    });
    let needs: Vec<Need<'_>> = needs.collect();
    let reserved = amounts_reserve(scoped, &needs).await?;
    let mut rows = Vec::with_capacity(needs.len());
    let outcomes = needs.iter().zip(reserved.calls);
    for ((open, room), (need, (reserved, warnings))) in admitted.iter_mut().zip(outcomes) {
        rows.push(reservation_row(inner, open, room, need.amount, &reserved));
        room.warnings = warnings;
        open.settlement.reserved = Some((need.amount, reserved));
    }
    scoped.insert_all(rows).await?;
    Ok(reserved.version)
}

fn reservation_row(
    inner: &Inner,
    open: &OpenCall,
    room: &Room,
    amount: Nanousd,
    reserved: &ReservedBudgets,
) -> reservation::ActiveModel {
    let settlement = &open.settlement;
    let context = &settlement.context;
    let first = room.candidates.first();
    reservation::ActiveModel {
        id: Set(settlement.id),
        owner: Set(inner.owner),
        started_at: Set(settlement.started_at),
        deadline_at: Set(settlement.started_at + RESERVATION_HOLDS),
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
    }
}

/// The requested model, as the ledger stores it.
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
