//! Workers claim runs, renew their leases, execute them, and hand them back at shutdown.
//!
//! The same code serves one process on SQLite and many on PostgreSQL: the database decides which worker gets a run.

mod cancel;
mod claim;
mod context;
mod finish;
mod follow;
mod observer;
mod presence;
mod retry;
mod sweep;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use nyxcore_tenancy::{ReadWrite, RegistryError, Result, Scoped, Signal, SignalReceiver, Store};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;
use uuid::Uuid;

use crate::error::RunFailure;
use crate::events::TOPIC_QUEUED;
use crate::model::{Run, RunKind};
use crate::registration::{RUN_CANCEL, RUN_CLAIM, RUN_SWEEP};

pub use context::RunContext;
pub use observer::{AttemptEnd, RunObserver, RunReport};
pub use sweep::run_sweep;

use follow::FollowUps;
use presence::Presence;
use sweep::SweepFollowUps;

/// The polling interval for runs without a signal (delayed retries, another process on the same SQLite file).
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often the sweeper looks for expired leases and stalled runs.
const SWEEP_EVERY: Duration = Duration::from_secs(15);

/// Carries out the runs of one kind.
pub trait RunHandler: Send + Sync + 'static {
    /// The kind.
    fn kind(&self) -> RunKind;

    /// Executes the run. It may be called again for the same run after a crash: everything committed before is still
    /// there.
    ///
    /// # Errors
    /// The failure of the run; a transient failure is retried.
    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>>;
}

/// A follow-up of the end of a run, in the transaction that ends the run: both are committed or neither is.
pub type FollowUp =
    Arc<dyn for<'a> Fn(&'a Scoped<ReadWrite>, &'a Run) -> BoxFuture<'a, Result<()>> + Send + Sync>;

/// The services that handlers share, by type.
type Services = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

/// A builder of [`Workers`].
pub struct WorkersBuilder {
    store: Store,
    services: Services,
    handlers: Vec<Arc<dyn RunHandler>>,
    follow_ups: HashMap<RunKind, FollowUps>,
    swept: SweepFollowUps,
    concurrency: usize,
    limits: HashMap<RunKind, usize>,
    name: String,
    presence: Option<PathBuf>,
    observer: Option<RunObserver>,
}

impl WorkersBuilder {
    /// Adds the handler of a kind.
    #[must_use]
    pub fn handler(mut self, handler: impl RunHandler) -> Self {
        self.handlers.push(Arc::new(handler));
        self
    }

    /// Shares a service with all handlers, such as the model service: one per type. Handlers get it by
    /// [`RunContext::service`].
    #[must_use]
    pub fn service<T: Send + Sync + 'static>(mut self, service: T) -> Self {
        self.services.insert(TypeId::of::<T>(), Arc::new(service));
        self
    }

    /// Adds a follow-up for runs of that kind that succeeded.
    #[must_use]
    pub fn follow_up(mut self, kind: RunKind, follow_up: FollowUp) -> Self {
        let follow_ups = self.follow_ups.entry(kind).or_default();
        follow_ups.succeeded.push(follow_up);
        self
    }

    /// Adds a follow-up for runs of that kind that failed for good. It is not called for a run that is retried or was
    /// cancelled. For runs that the sweeper fails, see [`WorkersBuilder::swept`].
    #[must_use]
    pub fn failed(mut self, kind: RunKind, follow_up: FollowUp) -> Self {
        let follow_ups = self.follow_ups.entry(kind).or_default();
        follow_ups.failed.push(follow_up);
        self
    }

    /// Adds a follow-up for runs of that kind that the sweeper ends, because the worker is gone or the run is stalled.
    #[must_use]
    pub fn swept(mut self, kind: RunKind, follow_up: FollowUp) -> Self {
        self.swept.entry(kind).or_default().push(follow_up);
        self
    }

    /// Sets how many runs are executed at once.
    #[must_use]
    pub fn concurrency(mut self, runs: usize) -> Self {
        self.concurrency = runs.max(1);
        self
    }

    /// Sets how many of these runs may be of that kind. A kind without a limit may use all slots.
    #[must_use]
    pub fn limit(mut self, kind: RunKind, runs: usize) -> Self {
        self.limits.insert(kind, runs.max(1));
        self
    }

    /// Sets the name of these workers in the attempts of a run: the machine and the process.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the folder in which these workers show that they are alive. It is on a disk of this machine that other
    /// workers use as well. Those take over the runs at once when this process is killed. Without the folder, or on
    /// another machine, they wait until the leases expire.
    #[must_use]
    pub fn presence(mut self, folder: impl Into<PathBuf>) -> Self {
        self.presence = Some(folder.into());
        self
    }

    /// Calls this observer after every attempt that has ended.
    #[must_use]
    pub fn observer(mut self, observer: RunObserver) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Starts the workers. They claim only runs of the kinds that have a handler.
    ///
    /// # Errors
    /// [`RegistryError`]: two handlers of one kind; a kind, or this crate, that is not in the store's registry.
    pub fn start(self) -> Result<Workers, RegistryError> {
        let handlers = self.handlers_checked()?;
        let id = self.store.env().id();
        let presence = self.presence.as_deref();
        let shared = Arc::new(Shared {
            id,
            presence: presence.and_then(|folder| Presence::begin(folder, id)),
            name: self.name,
            store: self.store,
            services: self.services,
            handlers,
            follow_ups: self.follow_ups,
            swept: self.swept,
            limits: self.limits,
            observer: self.observer,
            running: Mutex::default(),
            freed: Notify::new(),
            stop: CancellationToken::new(),
        });
        let tasks = TaskTracker::new();
        tasks.spawn(claim_loop(
            Arc::clone(&shared),
            tasks.clone(),
            self.concurrency,
        ));
        tasks.spawn(sweep_loop(Arc::clone(&shared)));
        tasks.spawn(cancel::cancel_loop(Arc::clone(&shared)));
        tasks.close();
        Ok(Workers { shared, tasks })
    }

    /// The handlers by kind. Checks that everything these workers use is registered.
    fn handlers_checked(&self) -> Result<HashMap<RunKind, Arc<dyn RunHandler>>, RegistryError> {
        let registry = self.store.registry();
        for purpose in [RUN_CLAIM, RUN_CANCEL, RUN_SWEEP] {
            registry.purpose_check(purpose)?;
        }
        let follow_ups = self.follow_ups.keys().chain(self.swept.keys());
        for kind in follow_ups.chain(self.limits.keys()) {
            registry.run_kind_check(kind.as_str())?;
        }
        let mut handlers = HashMap::new();
        for handler in &self.handlers {
            let kind = handler.kind();
            registry.run_kind_check(kind.as_str())?;
            if handlers.insert(kind.clone(), Arc::clone(handler)).is_some() {
                return Err(RegistryError::TwoHandlers(kind.to_string()));
            }
        }
        Ok(handlers)
    }
}

/// Running workers.
pub struct Workers {
    shared: Arc<Shared>,
    tasks: TaskTracker,
}

/// What the tasks of one worker share.
struct Shared {
    /// The worker's id in leases: one per process start.
    id: Uuid,
    name: String,
    presence: Option<Presence>,
    store: Store,
    services: Services,
    handlers: HashMap<RunKind, Arc<dyn RunHandler>>,
    follow_ups: HashMap<RunKind, FollowUps>,
    swept: SweepFollowUps,
    limits: HashMap<RunKind, usize>,
    observer: Option<RunObserver>,
    /// The claimed runs, each with its kind and the token that stops it.
    running: Mutex<HashMap<Uuid, (RunKind, CancellationToken)>>,
    /// Notified when a run has left this worker: its kind may be below its limit again.
    freed: Notify,
    stop: CancellationToken,
}

impl Workers {
    /// Builds workers on a store. They do not run until they are started.
    pub fn builder(store: &Store) -> WorkersBuilder {
        WorkersBuilder {
            store: store.clone(),
            services: Services::new(),
            handlers: Vec::new(),
            follow_ups: HashMap::new(),
            swept: SweepFollowUps::new(),
            concurrency: 2,
            limits: HashMap::new(),
            name: format!("process:{}", std::process::id()),
            presence: None,
            observer: None,
        }
    }

    /// Stops claiming runs, asks the active runs to stop, hands them back to the queue, and returns when all of that is
    /// done.
    pub async fn shutdown(self) {
        self.shared.stop.cancel();
        self.tasks.wait().await;
    }
}

impl Shared {
    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, (RunKind, CancellationToken)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The kinds that are below their limits.
    fn kinds_free(&self) -> Vec<RunKind> {
        let running = self.running();
        let below = |kind: &RunKind| match self.limits.get(kind) {
            Some(limit) => running.values().filter(|(one, _)| one == kind).count() < *limit,
            None => true,
        };
        self.handlers
            .keys()
            .filter(|kind| below(kind))
            .cloned()
            .collect()
    }

    async fn claim(&self) -> Result<Option<claim::ClaimedRun>> {
        let kinds = self.kinds_free();
        if kinds.is_empty() {
            return Ok(None);
        }
        claim::run_claim(&self.store, self.id, &self.name, &kinds).await
    }
}

async fn claim_loop(shared: Arc<Shared>, tasks: TaskTracker, concurrency: usize) {
    let slots = Arc::new(Semaphore::new(concurrency));
    let mut signals = shared.store.signals();
    loop {
        let slot = tokio::select! {
            () = shared.stop.cancelled() => return,
            slot = Arc::clone(&slots).acquire_owned() => match slot {
                Ok(slot) => slot,
                Err(_) => return,
            },
        };
        // Everything that was announced so far is in the database: one claim covers all of it.
        while signals.recv().now_or_never().is_some() {}
        match shared.claim().await {
            Ok(Some(claimed)) => {
                let cancelled = CancellationToken::new();
                let (id, kind) = (claimed.run.id.0, claimed.run.kind.clone());
                shared.running().insert(id, (kind, cancelled.clone()));
                let shared = Arc::clone(&shared);
                tasks.spawn(async move {
                    run_carry_out(&shared, claimed, cancelled).await;
                    shared.running().remove(&id);
                    drop(slot);
                    shared.freed.notify_one();
                });
                continue;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(?error, "polling for runs failed"),
        }
        drop(slot);
        tokio::select! {
            () = shared.stop.cancelled() => return,
            () = shared.freed.notified() => {}
            _ = tokio::time::timeout(LOOK_EVERY, news(&mut signals, TOPIC_QUEUED)) => {}
        }
    }
}

/// Waits for a signal of that topic; `None` if signals may have been lost.
async fn news(signals: &mut SignalReceiver, wanted: &str) -> Option<Uuid> {
    loop {
        match signals.recv().await {
            Signal::Changed { topic, subject, .. } if topic == wanted => return Some(subject),
            Signal::Changed { .. } => {}
            Signal::Resync => return None,
        }
    }
}

async fn run_carry_out(
    shared: &Arc<Shared>,
    claimed: claim::ClaimedRun,
    cancelled: CancellationToken,
) {
    let run_id = claimed.run.id;
    let Some(handler) = shared.handlers.get(&claimed.run.kind).cloned() else {
        return;
    };
    let kind = claimed.run.kind.clone();
    let began = std::time::Instant::now();
    let report = |outcome: AttemptEnd| {
        if let Some(observer) = &shared.observer {
            observer(&RunReport {
                kind: kind.clone(),
                outcome,
                took: began.elapsed(),
            });
        }
    };
    let context = RunContext::new(shared, claimed, cancelled.clone());
    let outcome = {
        let lease = context.lease_keep();
        // A panic of a handler is a bug, and ends that run only.
        let span = tracing::info_span!("run", run = %run_id, kind = %kind);
        let work = handler.run(&context).instrument(span);
        let work = AssertUnwindSafe(work).catch_unwind();
        tokio::pin!(work, lease);
        let stopping = async {
            shared.stop.cancelled().await;
            cancelled.cancel();
            std::future::pending::<()>().await;
        };
        tokio::pin!(stopping);
        tokio::select! {
            outcome = &mut work => Some(outcome),
            // Without the lease, this worker's writes have no effect: the work is dropped at once.
            () = &mut lease => None,
            () = &mut stopping => None,
        }
    };
    let result = match outcome {
        None => {
            // The handler's own threads must stop too.
            cancelled.cancel();
            tracing::warn!(run = %run_id, "a run was lost; another worker may have taken it over");
            let stopped = shared.stop.is_cancelled();
            report(if stopped {
                AttemptEnd::Stopped
            } else {
                AttemptEnd::Lost
            });
            return;
        }
        Some(Ok(result)) => result,
        Some(Err(_)) => Err(RunFailure::permanent(
            "INTERNAL",
            "the work ended unexpectedly; see the server's log",
        )),
    };
    let follow_ups = shared.follow_ups.get(&context.run().kind);
    let follow_ups = follow_ups.map_or(&[][..], |follow_ups| match &result {
        Ok(()) => follow_ups.succeeded.as_slice(),
        Err(_) => follow_ups.failed.as_slice(),
    });
    report(AttemptEnd::of(&result, cancelled.is_cancelled()));
    let ended = context
        .finish(result, shared.stop.is_cancelled(), follow_ups)
        .await;
    if let Err(error) = ended {
        // The lease expires, and the sweeper then recovers the run.
        tracing::error!(?error, run = %run_id, "the end of a run could not be written");
    }
}

async fn sweep_loop(shared: Arc<Shared>) {
    loop {
        if let Err(error) = sweep::sweep(&shared.store, &shared.swept).await {
            tracing::warn!(?error, "sweeping runs failed");
        }
        if let Err(error) = departed_sweep(&shared).await {
            tracing::warn!(?error, "recovering the runs of lost workers failed");
        }
        tokio::select! {
            () = shared.stop.cancelled() => return,
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
    }
}

/// Takes over the runs of dead workers of this machine, whatever their leases say.
async fn departed_sweep(shared: &Arc<Shared>) -> Result<()> {
    let looking = Arc::clone(shared);
    let departed = tokio::task::spawn_blocking(move || {
        let presence = looking.presence.as_ref();
        presence.map(Presence::departed).unwrap_or_default()
    });
    for departed in departed.await.unwrap_or_default() {
        if departed.is_proven {
            sweep::sweep_worker(&shared.store, &shared.swept, departed.worker).await?;
        }
        departed.forget();
    }
    Ok(())
}
