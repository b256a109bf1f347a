//! The context of a request: the services, the caller, one lazily opened snapshot, and the loaders that batch on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextPrepareRequest,
};
use async_graphql::{Context, Request, Response, ServerResult};
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
use crate::loads::{LoadQueue, with_loads};
use crate::one_read::is_one_read;
use crate::rate::{RateLimiter, Standing};

/// What the server says of itself.
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

/// What the fields work with, whoever asks. The operations of a process share it.
#[derive(Clone)]
pub struct Services {
    /// The database.
    pub store: Store,
    /// Which addresses repositories may have.
    pub source_policy: SourcePolicy,
    /// How long after an analysis the next one of the project is refused.
    pub analysis_quiet_period: TimeDelta,
    /// What the server says of itself.
    pub server: ServerInfo,
    /// Where people reach this server, without a slash at the end; empty where that is not known.
    pub public_url: String,
    /// What secrets are sealed with.
    pub keyring: Keyring,
    /// The door to every model.
    pub models: ModelService,
    /// What the requests of a tenant may cost in a minute.
    pub rate: Arc<RateLimiter>,
}

impl Services {
    /// The way to GitHub, which is where sources may be.
    pub(crate) fn github(&self) -> GithubAccess {
        GithubAccess::new(self.source_policy.clone())
    }

    /// Takes points off a tenant's budget.
    ///
    /// # Errors
    /// There are not so many left: the seconds until there are.
    pub fn points_take(&self, tenant: TenantId, points: u64) -> std::result::Result<(), i64> {
        self.rate.charge(tenant, points, self.store.env().now())
    }

    /// How a tenant's budget stands; `None` where there is no limit.
    pub fn rate_standing(&self, tenant: TenantId) -> Option<Standing> {
        self.rate.standing(tenant, self.store.env().now())
    }
}

/// Who asks, and of what. Put it into a request's or a connection's data; [`Operations`] makes an operation of it.
#[derive(Clone)]
pub struct RequestContext {
    services: Arc<Services>,
    acting: Acting,
}

impl RequestContext {
    /// The caller of a request: the request's own, or its connection's.
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

    /// A caller, and what its operations work with.
    pub fn new(services: &Arc<Services>, acting: Acting) -> Self {
        Self {
            services: Arc::clone(services),
            acting,
        }
    }

    /// Where the request comes from.
    pub fn origin(&self) -> &Origin {
        &self.acting.origin
    }
}

/// The snapshot of one operation: opened at the first row that is needed, shared by all its fields.
#[derive(Clone)]
pub(crate) struct Snapshot {
    store: Store,
    acting: Acting,
    open: Arc<Mutex<Option<Arc<Scoped<ReadOnly>>>>>,
    /// Whether one statement is expected.
    is_one_read: Arc<AtomicBool>,
}

impl Snapshot {
    /// The open snapshot; opened where it is not.
    pub(crate) async fn get(&self) -> Result<Arc<Scoped<ReadOnly>>> {
        let mut open = self.open.lock().await;
        if let Some(scoped) = open.as_ref() {
            return Ok(Arc::clone(scoped));
        }
        let scoped = match self.is_one_read.load(Ordering::Relaxed) {
            true => self.store.read_one_as(&self.acting).await?,
            false => self.store.read_as(&self.acting).await?,
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
    loads: LoadQueue,
    loaders: Loaders,
}

impl Operation {
    fn new(request: RequestContext) -> Self {
        let snapshot = Snapshot {
            store: request.services.store.clone(),
            acting: request.acting.clone(),
            open: Arc::default(),
            is_one_read: Arc::default(),
        };
        let loads = LoadQueue::default();
        let loaders = Loaders::new(&snapshot, &loads);
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

    /// What the fields read together. Only fields may ask: outside an execution nobody does the loading.
    pub(crate) fn loaders(&self) -> &Loaders {
        &self.loaders
    }

    /// The operation's snapshot of the tenant.
    pub(crate) async fn read(&self) -> Result<Arc<Scoped<ReadOnly>>> {
        self.snapshot.get().await
    }

    /// Says that the root field of the context reads with one statement, unless what is selected below needs more.
    pub(crate) fn expect_one_read(&self, context: &Context<'_>) {
        if is_one_read(context) {
            self.snapshot.is_one_read.store(true, Ordering::Relaxed);
        }
    }

    /// A transaction for a mutation. What the caller may do in it the services ask of the policy.
    pub(crate) async fn write(&self) -> Result<Scoped<ReadWrite>> {
        self.snapshot.release().await;
        self.store().write_as(self.acting()).await
    }

    /// Does the work of a mutation in one transaction and commits it; nothing is kept where the work fails.
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

/// Gives each operation its snapshot and its loaders, also where many share a WebSocket. A request without a
/// [`RequestContext`], its own or its connection's, gets none, and its fields cannot resolve.
pub struct Operations;

impl ExtensionFactory for Operations {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Operations {
    async fn prepare_request(
        &self,
        context: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let mut request = next.run(context, request).await?;
        if let Some(mut caller) = RequestContext::of(context, &request).cloned() {
            caller.acting = caller.acting.fresh();
            request = request.data(Operation::new(caller));
        }
        Ok(request)
    }

    async fn execute(
        &self,
        context: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let fields = next.run(context, operation_name);
        match context.data_opt::<Operation>() {
            Some(operation) => with_loads(&operation.loads, fields).await,
            None => fields.await,
        }
    }
}
