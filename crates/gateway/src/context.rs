//! The context of a request: the gateway, the caller, one lazily opened snapshot, and the loaders that batch on it.

use std::sync::Arc;
use std::time::Duration;

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

use crate::console::{Console, OneTimeLink};
use crate::error::rate_limited_error;
use crate::limits::Limits;
use crate::limits::rate::{RateLimiter, Standing};
use crate::loaders::Loaders;
use crate::loads::{LoadQueue, with_loads};
use crate::metrics::Metrics;
use crate::web::SignInOptions;

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

/// What a gateway is made of.
#[derive(Clone)]
pub struct GatewayOptions {
    /// The database.
    pub store: Store,
    /// Which addresses repositories may have.
    pub source_policy: SourcePolicy,
    /// How long after an analysis the next one of the project is refused.
    pub analysis_quiet_period: TimeDelta,
    /// What the server says of itself.
    pub server: ServerInfo,
    /// What one request may cost.
    pub limits: Limits,
    /// How people sign in.
    pub sign_in: SignInOptions,
    /// What secrets are sealed with.
    pub keyring: Keyring,
    /// The door to every model.
    pub models: ModelService,
}

/// After how long an operation is logged as slow, where the operator does not say.
const SLOW_AFTER: Duration = Duration::from_secs(2);

/// The gateway's parts, shared by every request. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    options: Arc<GatewayOptions>,
    rate: Arc<RateLimiter>,
    console: Option<Console>,
    link: Option<Arc<OneTimeLink>>,
    metrics: Option<Metrics>,
    slow_after: Duration,
}

impl Gateway {
    /// A gateway of these parts.
    pub fn new(options: GatewayOptions) -> Self {
        Self {
            rate: Arc::new(RateLimiter::new(options.limits.points_per_minute)),
            options: Arc::new(options),
            console: None,
            link: None,
            metrics: None,
            slow_after: SLOW_AFTER,
        }
    }

    /// Counts what it does.
    pub fn with_metrics(self, metrics: Metrics) -> Self {
        Self {
            metrics: Some(metrics),
            ..self
        }
    }

    /// Logs operations that take at least so long.
    pub fn with_slow_log(self, slow_after: Duration) -> Self {
        Self { slow_after, ..self }
    }

    /// The counters, if any.
    pub(crate) fn metrics(&self) -> Option<&Metrics> {
        self.metrics.as_ref()
    }

    /// After how long an operation is slow.
    pub(crate) fn slow_after(&self) -> Duration {
        self.slow_after
    }

    /// Serves these pages to people with a browser.
    pub fn with_console(self, console: Console) -> Self {
        Self {
            console: Some(console),
            ..self
        }
    }

    /// Accepts this link, once.
    pub fn with_link(self, link: OneTimeLink) -> Self {
        Self {
            link: Some(Arc::new(link)),
            ..self
        }
    }

    /// The pages for people with a browser.
    pub(crate) fn console(&self) -> Option<Console> {
        self.console
    }

    /// The link that opens the console.
    pub(crate) fn link(&self) -> Option<&OneTimeLink> {
        self.link.as_deref()
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.options.store
    }

    /// Which addresses repositories may have.
    pub fn source_policy(&self) -> &SourcePolicy {
        &self.options.source_policy
    }

    /// How long after an analysis the next one of the project is refused.
    pub fn analysis_quiet_period(&self) -> TimeDelta {
        self.options.analysis_quiet_period
    }

    /// What the server says of itself.
    pub fn server_info(&self) -> &ServerInfo {
        &self.options.server
    }

    /// How people sign in.
    pub fn sign_in(&self) -> &SignInOptions {
        &self.options.sign_in
    }

    /// Where people reach this server, without a slash at the end; empty where that is not known.
    pub(crate) fn public_url(&self) -> &str {
        let url = self.options.sign_in.public_url.as_ref();
        url.map_or("", |url| url.as_str().trim_end_matches('/'))
    }

    /// What secrets are sealed with.
    pub fn keyring(&self) -> &Keyring {
        &self.options.keyring
    }

    /// The door to every model.
    pub fn models(&self) -> &ModelService {
        &self.options.models
    }

    /// The way to GitHub, which is where sources may be.
    pub(crate) fn github(&self) -> GithubAccess {
        GithubAccess::new(self.options.source_policy.clone())
    }

    /// What one request may cost.
    pub fn limits(&self) -> &Limits {
        &self.options.limits
    }

    /// Takes points off a tenant's budget.
    ///
    /// # Errors
    /// There are not so many left: the seconds until there are.
    pub(crate) fn points_take(
        &self,
        tenant: TenantId,
        points: u64,
    ) -> std::result::Result<(), i64> {
        self.rate.charge(tenant, points, self.store().env().now())
    }

    /// How a tenant's budget stands; `None` where there is no limit.
    pub(crate) fn rate_standing(&self, tenant: TenantId) -> Option<Standing> {
        self.rate.standing(tenant, self.store().env().now())
    }
}

/// Who asks, and of what. Put it into a request's or a connection's data; each operation makes its own [`Operation`] of
/// it.
#[derive(Clone)]
pub struct RequestContext {
    gateway: Gateway,
    acting: Acting,
}

impl RequestContext {
    /// The caller of a request: the request's own, or its connection's.
    pub(crate) fn of<'r>(
        context: &'r ExtensionContext<'_>,
        request: &'r Request,
    ) -> Option<&'r Self> {
        let given = request.data.get(&std::any::TypeId::of::<Self>());
        let own = given.and_then(|data| data.downcast_ref::<Self>());
        own.or(context.data_opt::<Self>())
    }

    /// Takes points off the tenant's budget.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub(crate) fn points_take(&self, points: u64) -> ServerResult<()> {
        let tenant = self.acting.caller.tenant;
        let taken = self.gateway.points_take(tenant, points);
        taken.map_err(rate_limited_error)
    }

    /// Where the request comes from.
    pub(crate) fn origin(&self) -> &Origin {
        &self.acting.origin
    }

    /// A caller at a gateway.
    pub fn new(gateway: &Gateway, acting: Acting) -> Self {
        Self {
            gateway: gateway.clone(),
            acting,
        }
    }
}

/// The snapshot of one operation: opened at the first row that is needed, shared by all its fields.
#[derive(Clone)]
pub(crate) struct Snapshot {
    store: Store,
    acting: Acting,
    open: Arc<Mutex<Option<Arc<Scoped<ReadOnly>>>>>,
}

impl Snapshot {
    /// The open snapshot; opened where it is not.
    pub(crate) async fn get(&self) -> Result<Arc<Scoped<ReadOnly>>> {
        let mut open = self.open.lock().await;
        if let Some(scoped) = open.as_ref() {
            return Ok(Arc::clone(scoped));
        }
        let scoped = Arc::new(self.store.read_as(&self.acting).await?);
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
            store: request.gateway.store().clone(),
            acting: request.acting.clone(),
            open: Arc::default(),
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

    pub(crate) fn gateway(&self) -> &Gateway {
        &self.request.gateway
    }

    pub(crate) fn store(&self) -> &Store {
        self.request.gateway.store()
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

/// Makes the [`Operation`] of each operation, also where many share a WebSocket.
pub(crate) struct Operations;

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
