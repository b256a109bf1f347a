//! Wires the parts together: the store, the workers with their follow-ups, and the gateway.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chrono::TimeDelta;
use nyxcore_code_analysis::{
    AnalysisHandler, AnalysisOptions, CODE_ANALYSIS_RUN, analysis_catch_up,
};
use nyxcore_code_engine::language::Language;
use nyxcore_consolidation::{CONSOLIDATION_RUN, ConsolidationHandler, consolidation_failed};
use nyxcore_embeddings::{EMBEDDING_RUN, EmbeddingHandler, embedding_catch_up, embedding_follow};
use nyxcore_gateway::{
    ConnectionLimits, Console, ConsoleFile, Gateway, GatewayOptions, Limits, LinkPurpose, Metrics,
    OneTimeLink, SignInOptions, statement_noted,
};
use nyxcore_knowledge::insight_embeddings_copy;
use nyxcore_model_catalog::{CallObserver, ModelService, ModelServiceOptions};
use nyxcore_note_enrichment::{EnrichmentHandler, NOTE_ENRICHMENT_RUN, enrichment_failed};
use nyxcore_runs::{FollowUp, RunKind, Workers};
use nyxcore_sync::git::SourcePolicy;
use nyxcore_sync::{SYNC_RUN, SyncHandler, SyncOptions, sync_again, sync_swept};
use nyxcore_tenancy::audit::system_uses_flush;
use nyxcore_tenancy::{Registry, StatementListener, Store};
use tokio::net::TcpListener;

use crate::build_info::server_info;
use crate::data_dir::{DataDir, refusal};
use crate::database::{Place, store_open};
use crate::error::{Error, Result};
use crate::housekeeping::{Housekeeping, Retention};
use crate::local_model;
use crate::master_key;
use crate::model_facts;
use crate::open_files::connections_allow;
use crate::otlp;
use crate::settings::Settings;
use crate::sync_steps::{CodeAnalysisStep, KnowledgeStep};

/// The random bytes in the secret of a one-time link: 192 bits.
const LINK_BYTES: usize = 24;
/// How long a one-time link is valid.
const LINK_LIFE: TimeDelta = TimeDelta::hours(1);

/// The program's parts.
pub struct App {
    /// The database.
    pub store: Store,
    /// The operator's settings.
    pub settings: Settings,
    /// The data directory.
    pub data_dir: DataDir,
    /// The policy for the addresses of repositories.
    pub policy: SourcePolicy,
    /// The source of the master key.
    pub keys: master_key::Source,
    /// The metrics, if they are served.
    pub metrics: Option<Metrics>,
}

impl App {
    /// Opens the data directory and the database in it, or the one that the settings name.
    ///
    /// # Errors
    /// As [`DataDir::prepare`] and [`store_open`]. After a failure a newly created data directory is removed again.
    pub async fn open(settings: Settings) -> Result<Self> {
        let data_dir = DataDir::prepare(&settings.data_dir)?;
        let metrics = settings.metrics.is_some();
        let metrics = metrics.then(|| Metrics::new(&server_info()));
        let opened = async {
            let keys = master_key::Source::of(&settings, data_dir.path())?;
            keys.check()?;
            model_facts::install(data_dir.path())?;
            local_model::install(data_dir.path());
            let listener = statement_listener(metrics.clone());
            Ok((keys, store_open(&settings, &data_dir, listener).await?))
        };
        let (keys, store) = match opened.await {
            Ok(opened) => opened,
            Err(error) => {
                data_dir.remove_if_made();
                return Err(error);
            }
        };
        let policy = SourcePolicy {
            data_dir: Some(data_dir.path().to_owned()),
            ..settings.source_policy()
        };
        Ok(Self {
            store,
            settings,
            data_dir,
            policy,
            keys,
            metrics,
        })
    }

    /// The options of syncs.
    pub fn sync_options(&self) -> SyncOptions {
        SyncOptions {
            keyring: Some(self.keys.keyring()),
            fetch_bytes_max: Some(self.settings.fetch_bytes_max),
            ..sync_options(self.data_dir.path(), self.policy.clone())
        }
    }

    /// Starts the model service, through which every model is called.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn models_start(&self) -> Result<ModelService> {
        let (store, keyring) = (self.store.clone(), self.keys.keyring());
        let options = ModelServiceOptions {
            observer: self.metrics.clone().map(call_observer),
            ..ModelServiceOptions::new(store, keyring, self.policy.outbound())
        };
        Ok(ModelService::start(options)?)
    }

    /// Starts the workers. Their handlers call models through `models`. `quiet_period` applies to analyses that follow
    /// a sync.
    ///
    /// # Errors
    /// A handler is not registered.
    pub fn workers_start(&self, models: &ModelService, quiet_period: TimeDelta) -> Result<Workers> {
        let (limits, registry) = (&self.settings.worker_limits, self.store.registry());
        let limits = limits
            .iter()
            .filter_map(|(kind, n)| Some((RunKind::from_setting(kind, registry)?, *n)));
        let workers = Workers::builder(&self.store)
            .name(worker_name())
            .presence(self.data_dir.path().join("workers"))
            .concurrency(usize::from(self.settings.workers))
            .service(models.clone())
            .handler(
                SyncHandler::new(self.sync_options())
                    .step(CodeAnalysisStep { quiet_period })
                    .step(KnowledgeStep),
            )
            .handler(AnalysisHandler::new(AnalysisOptions::default()))
            .handler(EnrichmentHandler::new())
            .handler(ConsolidationHandler::new())
            .handler(EmbeddingHandler::new())
            .follow_up(SYNC_RUN, sync_once_more())
            .follow_up(CODE_ANALYSIS_RUN, analysis_catch_up(quiet_period))
            .follow_up(CODE_ANALYSIS_RUN, embedding_follow())
            .follow_up(EMBEDDING_RUN, embedding_catch_up())
            .follow_up(EMBEDDING_RUN, insights_embed())
            .failed(NOTE_ENRICHMENT_RUN, enrichment_failed())
            .swept(NOTE_ENRICHMENT_RUN, enrichment_failed())
            .failed(CONSOLIDATION_RUN, consolidation_failed())
            .swept(CONSOLIDATION_RUN, consolidation_failed())
            .swept(SYNC_RUN, sync_swept());
        let workers = limits.fold(workers, |workers, (kind, n)| {
            workers.limit(kind, usize::from(n))
        });
        let workers = match self.metrics.clone() {
            Some(metrics) => workers.observer(Arc::new(move |run| metrics.run_note(run))),
            None => workers,
        };
        Ok(workers.start()?)
    }

    /// Opens the app for one piece of work of a command, and [ends](Self::end) it whether the work succeeds or fails.
    ///
    /// # Errors
    /// As [`App::open`], and those of the work.
    pub async fn once<T>(
        settings: Settings,
        work: impl AsyncFnOnce(&Self) -> Result<T>,
    ) -> Result<T> {
        let app = Self::open(settings).await?;
        let outcome = work(&app).await;
        app.end().await;
        outcome
    }

    /// As [`App::once`], for work on existing data: if there is no database, none is created.
    ///
    /// # Errors
    /// [`Error::NoDatabase`]; as [`App::once`].
    pub async fn look<T>(
        settings: Settings,
        work: impl AsyncFnOnce(&Self) -> Result<T>,
    ) -> Result<T> {
        let data_dir = std::path::absolute(&settings.data_dir)
            .map_err(|error| refusal(&settings.data_dir, &error))?;
        Place::of(&settings, &data_dir)?.require(&data_dir)?;
        Self::once(settings, work).await
    }

    /// Finishes a command without housekeeping: writes the uses of system scopes into the audit log.
    pub async fn end(&self) {
        if let Err(error) = system_uses_flush(&self.store).await {
            tracing::warn!(?error, "the audit log could not be written");
        }
    }

    /// Starts the housekeeping task.
    pub fn housekeeping_start(&self) -> Housekeeping {
        let keep = Retention {
            audit: self.settings.audit_retention(),
            run_logs: self.settings.run_log_retention(),
        };
        Housekeeping::start(&self.store, keep, self.sync_options())
    }

    /// The limits for clients: the operator's settings, within those of the system.
    fn limits(&self) -> Limits {
        let connections = &self.settings.connections;
        Limits {
            connection: ConnectionLimits {
                connections: connections_allow(connections.max),
                per_address: connections.per_address,
                streams_per_user: connections.streams_per_user,
                ..ConnectionLimits::default()
            },
            points_per_minute: self.settings.points_per_minute,
            ..Limits::default()
        }
    }

    /// Builds the gateway.
    ///
    /// # Errors
    /// [`Error::SettingInvalid`] for a sign-in provider; the random number generator failed.
    pub fn gateway(&self, models: &ModelService) -> Result<Gateway> {
        let sign_in = SignInOptions {
            sign_up: self.settings.sign_up,
            public_url: self.settings.public_url.clone(),
            trusted_proxies: self.settings.trusted_proxies.clone(),
            oidc: self.settings.oidc_providers()?,
            ..SignInOptions::new()?
        };
        let slow_after = Duration::from_millis(self.settings.slow_operation_ms.into());
        let gateway = Gateway::new(GatewayOptions {
            store: self.store.clone(),
            source_policy: self.policy.clone(),
            analysis_quiet_period: self.settings.quiet_period(),
            server: server_info(),
            limits: self.limits(),
            keyring: self.keys.keyring(),
            models: models.clone(),
            sign_in,
        })
        .with_console(console())
        .with_slow_log(slow_after);
        Ok(match &self.metrics {
            Some(metrics) => gateway.with_metrics(metrics.clone()),
            None => gateway,
        })
    }
}

/// Returns a listener that counts statements and exports their spans, if metrics are served or spans are exported.
fn statement_listener(metrics: Option<Metrics>) -> Option<StatementListener> {
    if metrics.is_none() && !otlp::is_exporting() {
        return None;
    }
    Some(Arc::new(move |sql, duration| {
        if let Some(metrics) = &metrics {
            statement_noted(metrics);
        }
        otlp::statement_export(sql, duration);
    }))
}

/// Returns an observer that counts calls of models.
fn call_observer(metrics: Metrics) -> CallObserver {
    Arc::new(move |call| metrics.call_note(call))
}

/// The files of the console, as the gateway's type.
fn console() -> Console {
    Console {
        page: nyxcore_console::page,
        file: |address, br, gzip| {
            let takes = nyxcore_console::Codings { br, gzip };
            let file = nyxcore_console::file(address, takes)?;
            Some(ConsoleFile {
                content: file.content,
                content_type: file.content_type,
                coding: file.coding,
                immutable: file.immutable,
            })
        },
    }
}

/// Creates a one-time link of this process. Returns its secret, and the link for the gateway. It is valid for an hour.
///
/// # Errors
/// The random number generator failed.
pub fn link_make(store: &Store, purpose: LinkPurpose) -> Result<(String, OneTimeLink)> {
    let mut random = [0u8; LINK_BYTES];
    getrandom::fill(&mut random)
        .map_err(|_| anyhow::anyhow!("the random number generator failed"))?;
    let secret = format!("nyxlink_{}", hex::encode(random));
    let expires_at = store.env().now() + LINK_LIFE;
    let link = OneTimeLink::new(&secret, purpose, expires_at);
    Ok((secret, link))
}

/// The registry of all crates: each registers its names, such as its kinds of runs.
///
/// # Errors
/// Two crates register the same name, or a registration is missing: a defect of the program.
pub fn registry() -> Result<Registry> {
    Ok(Registry::new(nyxcore_gateway::registrations())?)
}

/// The name of a worker for people: the machine and the process.
fn worker_name() -> String {
    // Linux has the machine's name in a file; elsewhere a shell may export it. The name is only displayed, and nothing
    // depends on it.
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let machine = machine.or_else(|| std::env::var("HOSTNAME").ok());
    let machine = machine
        .as_deref()
        .map(str::trim)
        .filter(|name| !name.is_empty());
    format!("{}:{}", machine.unwrap_or("localhost"), std::process::id())
}

fn sync_options(data_dir: &Path, policy: SourcePolicy) -> SyncOptions {
    SyncOptions::new(data_dir, policy, |path| {
        Language::detect(path).map(Language::as_str)
    })
}

/// Copies the vectors of insights into the table of insights.
fn insights_embed() -> FollowUp {
    Arc::new(|scoped, _| Box::pin(async move { insight_embeddings_copy(scoped).await.map(drop) }))
}

/// Starts another sync if somebody pushed during the last one.
fn sync_once_more() -> FollowUp {
    Arc::new(|scoped, run| Box::pin(sync_again(scoped, run)))
}

/// Listens on an address; port 0 is any free one.
///
/// # Errors
/// [`Error::AddressInUse`], [`Error::AddressInvalid`].
pub async fn listener_bind(address: &str) -> Result<(TcpListener, SocketAddr)> {
    let refused = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AddrInUse => Error::AddressInUse(address.to_owned()),
        _ => Error::AddressInvalid {
            address: address.to_owned(),
            reason: error.to_string(),
        },
    };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    Ok((listener, bound))
}

/// Resolves at a signal to end the program: SIGTERM, or SIGINT (Ctrl-C).
///
/// # Errors
/// The signal handlers cannot be installed.
pub fn end_signal() -> Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let refused = "listening for signals failed";
    let mut terminate = signal(SignalKind::terminate()).context(refused)?;
    let mut interrupt = signal(SignalKind::interrupt()).context(refused)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
