//! The gateway: the parts that its transports and the fields of the schema share.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use nyxcore_graphql::rate::RateLimiter;
use nyxcore_graphql::{ServerInfo, Services};
use nyxcore_model_catalog::ModelService;
use nyxcore_sync::git::SourcePolicy;
use nyxcore_tenancy::Store;
use nyxcore_tenancy::secret::Keyring;

use crate::console::{Console, OneTimeLink};
use crate::limits::{Documents, Limits};
use crate::metrics::Metrics;
use crate::web::SignInOptions;

/// The parts of a gateway.
#[derive(Clone)]
pub struct GatewayOptions {
    /// The database.
    pub store: Store,
    /// Which addresses repositories may have.
    pub source_policy: SourcePolicy,
    /// For how long after an analysis of a project another one is refused.
    pub analysis_quiet_period: TimeDelta,
    /// The version of the server and the facts about its build.
    pub server: ServerInfo,
    /// The limits of one request.
    pub limits: Limits,
    /// How people sign in.
    pub sign_in: SignInOptions,
    /// The keys that encrypt secrets.
    pub keyring: Keyring,
    /// The service through which every model is called.
    pub models: ModelService,
}

/// The default duration after which an operation is logged as slow.
const SLOW_AFTER: Duration = Duration::from_secs(2);

/// The gateway's parts, shared by every request. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    services: Arc<Services>,
    limits: Arc<Limits>,
    documents: Arc<Documents>,
    sign_in: Arc<SignInOptions>,
    console: Option<Console>,
    link: Option<Arc<OneTimeLink>>,
    metrics: Option<Metrics>,
    slow_after: Duration,
}

impl Gateway {
    /// A gateway of these parts.
    pub fn new(options: GatewayOptions) -> Self {
        let url = options.sign_in.public_url.as_ref();
        let url = url.map_or("", |url| url.as_str().trim_end_matches('/'));
        let services = Services {
            public_url: url.to_owned(),
            store: options.store,
            source_policy: options.source_policy,
            analysis_quiet_period: options.analysis_quiet_period,
            server: options.server,
            keyring: options.keyring,
            models: options.models,
            rate: Arc::new(RateLimiter::new(options.limits.points_per_minute)),
        };
        let limits = Arc::new(options.limits);
        Self {
            services: Arc::new(services),
            documents: Arc::new(Documents::new(&limits)),
            limits,
            sign_in: Arc::new(options.sign_in),
            console: None,
            link: None,
            metrics: None,
            slow_after: SLOW_AFTER,
        }
    }

    /// Counts its operations in these metrics.
    pub fn with_metrics(self, metrics: Metrics) -> Self {
        Self {
            metrics: Some(metrics),
            ..self
        }
    }

    /// Logs operations that take at least this long.
    pub fn with_slow_log(self, slow_after: Duration) -> Self {
        Self { slow_after, ..self }
    }

    /// The checks of documents, and the last ones that passed.
    pub(crate) fn documents(&self) -> &Arc<Documents> {
        &self.documents
    }

    /// The counters, if any.
    pub(crate) fn metrics(&self) -> Option<&Metrics> {
        self.metrics.as_ref()
    }

    /// The duration after which an operation is logged as slow.
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

    /// The services that the schema's fields use.
    pub fn services(&self) -> &Arc<Services> {
        &self.services
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.services.store
    }

    /// Which addresses repositories may have.
    pub fn source_policy(&self) -> &SourcePolicy {
        &self.services.source_policy
    }

    /// For how long after an analysis of a project another one is refused.
    pub fn analysis_quiet_period(&self) -> TimeDelta {
        self.services.analysis_quiet_period
    }

    /// The version of the server and the facts about its build.
    pub fn server_info(&self) -> &ServerInfo {
        &self.services.server
    }

    /// How people sign in.
    pub fn sign_in(&self) -> &SignInOptions {
        &self.sign_in
    }

    /// The keys that encrypt secrets.
    pub fn keyring(&self) -> &Keyring {
        &self.services.keyring
    }

    /// The service through which every model is called.
    pub fn models(&self) -> &ModelService {
        &self.services.models
    }

    /// The limits of one request.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}
