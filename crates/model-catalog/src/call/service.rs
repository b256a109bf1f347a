//! The service through which all other crates call models.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nyxcore_llm::{RetryPolicy, RetryTimer, SystemTimer, TransportOptions};
use nyxcore_outbound::{HostResolver, OutboundPolicy, SystemResolver};
use nyxcore_tenancy::secret::Keyring;
use nyxcore_tenancy::{Access, Scoped, Store, TenantId};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use uuid::Uuid;

use super::clients::{CachedTenant, OperatorKeys, Transports};
use super::desk::Desk;
use super::question::QuestionCache;
use crate::error::ModelError;
use crate::ledger::{CallObserver, SettlementQueue, reservations_extend};
use crate::tenant::{TenantCatalog, settings_version};

/// How often a process extends the reservations of its calls: four times before they would expire.
const EXTEND_EVERY: Duration = Duration::from_secs(30);
/// How long the operator's keys stay in memory. A removed key may still be used that long.
const OPERATOR_KEYS_HOLD: Duration = Duration::from_secs(10);
/// The most tenants in the cache: with more, the cache is emptied.
const TENANTS_MAX: usize = 1_024;

/// The parts and settings of the service.
#[derive(Clone)]
pub struct ModelServiceOptions {
    /// The database.
    pub store: Store,
    /// The keyring that keys are sealed with.
    pub keyring: Keyring,
    /// Which addresses the operator allows.
    pub outbound: OutboundPolicy,
    /// The resolver of host names: that of the system, except in tests.
    pub hosts: Arc<dyn HostResolver>,
    /// The time-outs of calls. The resolver is set by the service.
    pub transport: TransportOptions,
    /// How often a request is sent, and how long to wait in between.
    pub retry: RetryPolicy,
    /// Clock and randomness for the waits.
    pub timer: Arc<dyn RetryTimer>,
    /// The most calls of this process that may be under way or wait to be written to the ledger.
    pub calls_max: usize,
    /// Called for every call that has ended.
    pub observer: Option<CallObserver>,
}

impl ModelServiceOptions {
    /// The usual options: the wire clients' time-outs and retries, and 4,096 calls.
    #[must_use]
    pub fn new(store: Store, keyring: Keyring, outbound: OutboundPolicy) -> Self {
        Self {
            store,
            keyring,
            outbound,
            hosts: Arc::new(SystemResolver),
            transport: TransportOptions::default(),
            retry: RetryPolicy::default(),
            timer: Arc::new(SystemTimer),
            calls_max: 4_096,
            observer: None,
        }
    }
}

/// Calls models. All calls of models go through it. Cheap to clone.
///
/// ```no_run
/// use nyxcore_llm::ModelRequest;
/// use nyxcore_model_catalog::{CallContext, DefaultPurpose, ModelChoice, ModelError, ModelService};
/// use nyxcore_tenancy::TenantId;
///
/// async fn ask(service: &ModelService, tenant: TenantId) -> Result<String, ModelError> {
///     let context = CallContext::new(tenant, "greeting");
///     let choice = ModelChoice::Default(DefaultPurpose::Fast);
///     let answer = service.call(context, choice, ModelRequest::new("", "Say hello.")).await?;
///     Ok(answer.finish.message.text())
/// }
/// ```
#[derive(Clone)]
pub struct ModelService(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) store: Store,
    pub(super) keyring: Keyring,
    pub(super) transports: Transports,
    pub(super) retry: RetryPolicy,
    pub(super) timer: Arc<dyn RetryTimer>,
    pub(super) queue: Arc<SettlementQueue>,
    /// The id of this process in its reservations.
    pub(super) owner: Uuid,
    pub(super) questions: Mutex<QuestionCache>,
    tenants: Mutex<HashMap<TenantId, Arc<CachedTenant>>>,
    desks: Mutex<HashMap<TenantId, Arc<Desk>>>,
    operator: Mutex<Option<(Instant, Arc<OperatorKeys>)>>,
    extender: JoinHandle<()>,
}

impl std::fmt::Debug for ModelService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModelService").finish_non_exhaustive()
    }
}

impl ModelService {
    /// Starts the service with its queue of settlements.
    ///
    /// # Errors
    /// [`ModelError::Call`] where TLS cannot be set up.
    pub fn start(options: ModelServiceOptions) -> Result<Self, ModelError> {
        let ModelServiceOptions {
            store,
            keyring,
            outbound,
            hosts,
            transport,
            retry,
            timer,
            calls_max,
            observer,
        } = options;
        let transports = Transports::new(outbound, hosts, &transport)?;
        let queue = SettlementQueue::start(&store, calls_max.max(1), observer);
        let owner = store.env().id();
        let extender = tokio::spawn(extend(store.clone(), Arc::clone(&queue), owner));
        Ok(Self(Arc::new(Inner {
            store,
            keyring,
            transports,
            retry,
            timer,
            queue,
            owner,
            questions: Mutex::default(),
            tenants: Mutex::default(),
            desks: Mutex::default(),
            operator: Mutex::default(),
            extender,
        })))
    }

    /// A tenant's current catalog, with the known health of its providers.
    ///
    /// # Errors
    /// The database fails.
    pub async fn catalog<A: Access>(
        &self,
        scoped: &Scoped<A>,
    ) -> nyxcore_tenancy::Result<TenantCatalog> {
        let operator = self.0.operator_keys().await?;
        TenantCatalog::load(scoped, operator.vendors()).await
    }

    /// Waits until every call that has ended so far is in the ledger.
    pub async fn settled(&self) {
        self.0.queue.settled().await;
    }

    /// Extends the reservations of this process' calls; the service also does it by itself while it has calls.
    ///
    /// # Errors
    /// The database fails.
    pub async fn reservations_extend(&self) -> nyxcore_tenancy::Result<u64> {
        reservations_extend(&self.0.store, self.0.owner).await
    }

    /// Accepts no further call, and waits up to `patience` until every call that is under way has ended and is in the
    /// ledger. Returns whether that was so; the sweep settles what is left.
    pub async fn drain(&self, patience: Duration) -> bool {
        self.0.queue.drain(patience).await
    }

    /// Drops the cached keys of the operator, so that the next call reads them again.
    pub fn operator_keys_refresh(&self) {
        *lock(&self.0.operator) = None;
    }
}

impl Inner {
    /// The cached settings of a tenant, if any. The stored settings may have changed since.
    pub(super) fn tenant_kept(
        &self,
        tenant: TenantId,
        operator: &Arc<OperatorKeys>,
    ) -> Option<Arc<CachedTenant>> {
        let kept = lock(&self.tenants).get(&tenant).cloned();
        kept.filter(|kept| Arc::ptr_eq(&kept.operator, operator))
    }

    /// The cached settings of a tenant, read again where the stored ones changed.
    pub(super) async fn tenant<A: Access>(
        &self,
        scoped: &Scoped<A>,
        operator: Arc<OperatorKeys>,
    ) -> nyxcore_tenancy::Result<Arc<CachedTenant>> {
        let version = settings_version(scoped).await?;
        let tenant = scoped.tenant();
        let cached = lock(&self.tenants).get(&tenant).cloned();
        if let Some(cached) = cached
            && cached.version == version
            && Arc::ptr_eq(&cached.operator, &operator)
        {
            return Ok(cached);
        }
        let fresh = Arc::new(CachedTenant::load(scoped, version, operator).await?);
        let mut tenants = lock(&self.tenants);
        if tenants.len() >= TENANTS_MAX {
            tenants.clear();
        }
        tenants.insert(tenant, Arc::clone(&fresh));
        Ok(fresh)
    }

    /// The queue in which the tenant's calls are admitted.
    pub(super) fn desk(&self, tenant: TenantId) -> Arc<Desk> {
        let mut desks = lock(&self.desks);
        if desks.len() >= TENANTS_MAX {
            // A caller that waits at a desk holds a clone of it.
            desks.retain(|_, desk| Arc::strong_count(desk) > 1);
        }
        let desk = desks.entry(tenant).or_insert_with(|| Desk::new(tenant));
        Arc::clone(desk)
    }

    /// The operator's keys, at most [`OPERATOR_KEYS_HOLD`] old.
    pub(super) async fn operator_keys(&self) -> nyxcore_tenancy::Result<Arc<OperatorKeys>> {
        let known = lock(&self.operator).clone();
        if let Some((since, keys)) = &known
            && since.elapsed() < OPERATOR_KEYS_HOLD
        {
            return Ok(Arc::clone(keys));
        }
        let fresh = OperatorKeys::load(&self.store, &self.keyring).await?;
        let keys = match known {
            // The same value is kept for the same keys, so that cached tenants stay valid.
            Some((_, keys)) if keys.is_same(&fresh) => keys,
            _ => Arc::new(fresh),
        };
        *lock(&self.operator) = Some((Instant::now(), Arc::clone(&keys)));
        Ok(keys)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.extender.abort();
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Extends the reservations of this process while it has calls.
async fn extend(store: Store, queue: Arc<SettlementQueue>, owner: Uuid) {
    loop {
        tokio::time::sleep(EXTEND_EVERY).await;
        if queue.pending() == 0 {
            continue;
        }
        if let Err(error) = reservations_extend(&store, owner).await {
            tracing::warn!(
                ?error,
                "the reservations of model calls could not be extended"
            );
        }
    }
}
