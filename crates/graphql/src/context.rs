//! The context of a request: the services, the caller, one lazily opened snapshot, and the loaders that batch on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::extensions::ExtensionContext;
use async_graphql::{Context, Request, ServerResult};
use chrono::{DateTime, TimeDelta, Utc};
use nyxcore_model_catalog::ModelService;
use nyxcore_sync::connection::GithubAccess;
use nyxcore_sync::git::SourcePolicy;
use nyxcore_tenancy::secret::Keyring;
use nyxcore_tenancy::{
    Acting, Caller, Origin, ReadOnly, ReadWrite, Result, Scoped, Store, TenantId,
};
use tokio::sync::Mutex;

use crate::error::rate_limited_error;
use crate::loaders::Loaders;
use crate::loads::LoadQueue;
use crate::one_read::is_one_read;
use crate::rate::{RateLimiter, RateState};

/// The version of the server and the facts about its build.
#[derive(Debug, Clone, Default)]
pub struct ServerInfo {
    /// The version of the program.
    pub version: String,
    /// The commit it was built from, where that is known.
    pub commit: Option<String>,
    /// When it was built, where that is known.
    pub built_at: Option<DateTime<Utc>>,
    /// Whether files differed from that commit, where that is known.
    pub dirty: Option<bool>,
}

/// The services that the fields use. All operations of a process share them.
#[derive(Clone)]
pub struct Services {
    /// The database.
    pub store: Store,
    /// Which addresses repositories may have.
    pub source_policy: SourcePolicy,
    /// For how long after an analysis of a project another one is refused.
    pub analysis_quiet_period: TimeDelta,
    /// The version of the server and the facts about its build.
    pub server: ServerInfo,
    /// The public URL of this server, without a slash at the end; empty where it is not known.
    pub public_url: String,
    /// The keys that encrypt secrets.
    pub keyring: Keyring,
    /// The service through which every model is called.
    pub models: ModelService,
    /// The rate limiter: what the requests of a tenant may cost in a minute.
    pub rate: Arc<RateLimiter>,
}

impl Services {
    /// The access to GitHub, within the source policy.
    pub(crate) fn github(&self) -> GithubAccess {
        GithubAccess::new(self.source_policy.clone())
    }

    /// Takes points off a tenant's budget.
    ///
    /// # Errors
    /// Too few points are left: the seconds until there are enough.
    pub fn points_take(&self, tenant: TenantId, points: u64) -> std::result::Result<(), i64> {
        self.rate.charge(tenant, points, self.store.env().now())
    }

    /// The state of a tenant's budget; `None` where there is no limit.
    pub fn rate_state(&self, tenant: TenantId) -> Option<RateState> {
        self.rate.standing(tenant, self.store.env().now())
    }
}

/// The caller of a request and the services. Put it into the data of a request or a connection;
/// [`Operations`](crate::Operations) makes an operation of it.
#[derive(Clone)]
pub struct RequestContext {
    services: Arc<Services>,
    acting: Acting,
}

impl RequestContext {
    /// The context of a request: the request's own, or its connection's.
    pub fn of<'r>(context: &'r ExtensionContext<'_>, request: &'r Request) -> Option<&'r Self> {
        let given = request.data.get(&std::any::TypeId::of::<Self>());
        let own = given.and_then(|data| data.downcast_ref::<Self>());
        own.or(context.data_opt::<Self>())
    }

    /// Takes points off the tenant's budget.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub fn points_take(&self, points: u64) -> ServerResult<()> {
        let tenant = self.acting.caller.tenant;
        let taken = self.services.points_take(tenant, points);
        taken.map_err(rate_limited_error)
    }

    /// Creates the context of a caller.
    pub fn new(services: &Arc<Services>, acting: Acting) -> Self {
        Self {
            services: Arc::clone(services),
            acting,
        }
    }

    /// The context of one operation of the request or connection, whose actions are recorded apart.
    pub(crate) fn fresh(&self) -> Self {
        Self {
            services: Arc::clone(&self.services),
            acting: self.acting.fresh(),
        }
    }

    /// The origin of the request.
    pub fn origin(&self) -> &Origin {
        &self.acting.origin
    }
}

/// The snapshot of one operation. It is opened when a field first reads from the database, and shared by all fields.
#[derive(Clone)]
pub(crate) struct Snapshot {
    services: Arc<Services>,
    acting: Acting,
    open: Arc<Mutex<Option<Arc<Scoped<ReadOnly>>>>>,
    /// Whether the operation is expected to read with one statement.
    is_one_read: Arc<AtomicBool>,
}

impl Snapshot {
    /// Returns the snapshot, and opens it if it is not open.
    pub(crate) async fn get(&self) -> Result<Arc<Scoped<ReadOnly>>> {
        let mut open = self.open.lock().await;
        if let Some(scoped) = open.as_ref() {
            return Ok(Arc::clone(scoped));
        }
        let scoped = match self.is_one_read.load(Ordering::Relaxed) {
            true => self.services.store.read_one_as(&self.acting).await?,
            false => self.services.store.read_as(&self.acting).await?,
        };
        let scoped = Arc::new(scoped);
        *open = Some(Arc::clone(&scoped));
        Ok(scoped)
    }

    /// Releases the snapshot, so that the next field sees newer commits and no connection is held during a wait.
    async fn release(&self) {
        *self.open.lock().await = None;
    }
}

/// One operation: a query, a mutation or a subscription, from its beginning to its end.
pub(crate) struct Operation {
    request: RequestContext,
    snapshot: Snapshot,
    pub(crate) loads: LoadQueue,
    loaders: Loaders,
}

impl Operation {
    pub(crate) fn new(request: RequestContext) -> Self {
        let snapshot = Snapshot {
            services: Arc::clone(&request.services),
            acting: request.acting.clone(),
            open: Arc::default(),
            is_one_read: Arc::default(),
        };
        let loads = LoadQueue::default();
        let loaders = Loaders::new(snapshot.clone(), loads.clone());
        Self {
            request,
            snapshot,
            loads,
            loaders,
        }
    }

    pub(crate) fn services(&self) -> &Services {
        &self.request.services
    }

    pub(crate) fn store(&self) -> &Store {
        &self.request.services.store
    }

    pub(crate) fn caller(&self) -> &Caller {
        &self.request.acting.caller
    }

    pub(crate) fn acting(&self) -> &Acting {
        &self.request.acting
    }

    /// The loaders of the operation. Only fields may use them: outside an execution the loads are never polled.
    pub(crate) fn loaders(&self) -> &Loaders {
        &self.loaders
    }

    /// The operation's snapshot of the tenant.
    pub(crate) async fn read(&self) -> Result<Arc<Scoped<ReadOnly>>> {
        self.snapshot.get().await
    }

    /// Marks the operation as one that reads with one statement, unless the selection below the root field needs more.
    pub(crate) fn expect_one_read(&self, context: &Context<'_>) {
        if is_one_read(context) {
            self.snapshot.is_one_read.store(true, Ordering::Relaxed);
        }
    }

    /// Opens a transaction for a mutation. The services ask the policy for each permission.
    pub(crate) async fn write(&self) -> Result<Scoped<ReadWrite>> {
        self.snapshot.release().await;
        self.store().write_as(self.acting()).await
    }

    /// Runs the work of a mutation in one transaction and commits it. If the work fails, the transaction is rolled
    /// back.
    pub(crate) async fn change<T, E: From<nyxcore_tenancy::Error>>(
        &self,
        work: impl AsyncFnOnce(&Scoped<ReadWrite>) -> Result<T, E>,
    ) -> Result<T, E> {
        let scoped = self.write().await?;
        let done = work(&scoped).await?;
        scoped.commit().await?;
        Ok(done)
    }

    /// See [`Snapshot::release`].
    pub(crate) async fn release(&self) {
        self.snapshot.release().await;
    }
}

/// The operation that a field belongs to.
pub(crate) fn operation<'c>(context: &Context<'c>) -> &'c Operation {
    context.data_unchecked::<Operation>()
}
