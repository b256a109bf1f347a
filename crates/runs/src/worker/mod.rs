//! Workers: they claim runs, keep their leases, carry them out, and hand them back when told to stop.
//!
//! The same code serves one process on SQLite and many on PostgreSQL: the database decides who gets a run.

mod claim;
mod context;
mod sweep;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use nyxcore_tenancy::{ReadWrite, Result, Scoped, Signal, Store};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::error::RunFailure;
use crate::events::{TOPIC_CANCEL, TOPIC_QUEUED};
use crate::model::{Run, RunKind};

pub use context::RunContext;
pub use sweep::run_sweep;

/// How often a worker looks for a run nobody told it of (delayed retries, another process on the same SQLite file).
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often expired leases and stalled runs are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(15);

/// Carries out the runs of one kind.
pub trait RunHandler: Send + Sync + 'static {
    /// The kind.
    fn kind(&self) -> RunKind;

    /// Does the work. It may be called again for the same run after a crash: what was committed before is still there.
    ///
    /// # Errors
    /// What the run ends with; a transient failure is tried again later.
    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>>;
}

/// What follows a run that succeeded, in the transaction that ends it: both happen or neither.
pub type FollowUp =
    Arc<dyn for<'a> Fn(&'a Scoped<ReadWrite>, &'a Run) -> BoxFuture<'a, Result<()>> + Send + Sync>;

/// Workers to be.
pub struct WorkersBuilder {
    store: Store,
    handlers: HashMap<RunKind, Arc<dyn RunHandler>>,
    follow_ups: HashMap<RunKind, Vec<FollowUp>>,
    concurrency: usize,
}

impl WorkersBuilder {
    /// Adds the handler of a kind.
    #[must_use]
    pub fn handler(mut self, handler: impl RunHandler) -> Self {
        self.handlers.insert(handler.kind(), Arc::new(handler));
        self
    }

    /// Says what follows a run of that kind that succeeded.
    #[must_use]
    pub fn follow_up(mut self, kind: RunKind, follow_up: FollowUp) -> Self {
        self.follow_ups.entry(kind).or_default().push(follow_up);
        self
    }

    /// How many runs are carried out at once.
    #[must_use]
    pub fn concurrency(mut self, runs: usize) -> Self {
        self.concurrency = runs.max(1);
        self
    }

    /// Sets to work.
    pub fn start(self) -> Workers {
        let shared = Arc::new(Shared {
            id: self.store.env().id(),
            store: self.store,
            handlers: self.handlers,
            follow_ups: self.follow_ups,
            running: Mutex::default(),
            stop: CancellationToken::new(),
        });
        let tasks = TaskTracker::new();
        tasks.spawn(claim_loop(
            Arc::clone(&shared),
            tasks.clone(),
            self.concurrency,
        ));
        tasks.spawn(sweep_loop(Arc::clone(&shared)));
        tasks.spawn(cancel_loop(Arc::clone(&shared)));
        tasks.close();
        Workers { shared, tasks }
    }
}

/// Workers at work.
pub struct Workers {
    shared: Arc<Shared>,
    tasks: TaskTracker,
}

/// What the tasks of one worker share.
struct Shared {
    /// Who holds a lease: one id for the process' life.
    id: Uuid,
    store: Store,
    handlers: HashMap<RunKind, Arc<dyn RunHandler>>,
    follow_ups: HashMap<RunKind, Vec<FollowUp>>,
    /// The runs in hand, each with the token that stops it.
    running: Mutex<HashMap<Uuid, CancellationToken>>,
    stop: CancellationToken,
}

impl Workers {
    /// Workers on a store, with nothing to do yet.
    pub fn builder(store: &Store) -> WorkersBuilder {
        WorkersBuilder {
            store: store.clone(),
            handlers: HashMap::new(),
            follow_ups: HashMap::new(),
            concurrency: 2,
        }
    }

    /// Takes no more runs, tells those in hand to stop, hands them back to the queue, and returns when all that is done.
    pub async fn shutdown(self) {
        self.shared.stop.cancel();
        self.tasks.wait().await;
    }
}

impl Shared {
    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, CancellationToken>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
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
        let kinds: Vec<RunKind> = shared.handlers.keys().copied().collect();
        match claim::run_claim(&shared.store, shared.id, &kinds).await {
            Ok(Some(claimed)) => {
                let shared = Arc::clone(&shared);
                tasks.spawn(async move {
                    run_carry_out(&shared, claimed).await;
                    drop(slot);
                });
                continue;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(?error, "looking for a run failed"),
        }
        drop(slot);
        let queued = async {
            loop {
                match signals.recv().await {
                    Signal::Changed { topic, .. } if topic != TOPIC_QUEUED => {}
                    _ => break,
                }
            }
        };
        tokio::select! {
            () = shared.stop.cancelled() => return,
            _ = tokio::time::timeout(LOOK_EVERY, queued) => {}
        }
    }
}

async fn run_carry_out(shared: &Arc<Shared>, claimed: claim::Claimed) {
    let run_id = claimed.run.id;
    let Some(handler) = shared.handlers.get(&claimed.run.kind).cloned() else {
        return;
    };
    let cancelled = CancellationToken::new();
    shared.running().insert(run_id.0, cancelled.clone());
    let context = RunContext::new(&shared.store, claimed, shared.id, cancelled.clone());
    let outcome = {
        let lease = context.lease_keep();
        // A panic of a handler is a defect, and ends that run alone.
        let work = AssertUnwindSafe(handler.run(&context)).catch_unwind();
        tokio::pin!(work, lease);
        let stopping = async {
            shared.stop.cancelled().await;
            cancelled.cancel();
            std::future::pending::<()>().await;
        };
        tokio::pin!(stopping);
        tokio::select! {
            outcome = &mut work => Some(outcome),
            // Without the lease nothing this worker writes would count: the work is dropped where it stands.
            () = &mut lease => None,
            () = &mut stopping => None,
        }
    };
    shared.running().remove(&run_id.0);
    let result = match outcome {
        None => return,
        Some(Ok(result)) => result,
        Some(Err(_)) => Err(RunFailure::permanent(
            "INTERNAL",
            "the work ended unexpectedly; the server's log says more",
        )),
    };
    let follow_ups = shared.follow_ups.get(&context.run().kind);
    let ended = context
        .finish(
            result,
            shared.stop.is_cancelled(),
            follow_ups.map_or(&[], Vec::as_slice),
        )
        .await;
    if let Err(error) = ended {
        // The lease runs out and the sweeper takes it from there.
        tracing::error!(?error, run = %run_id, "the end of a run could not be written");
    }
}

async fn sweep_loop(shared: Arc<Shared>) {
    loop {
        if let Err(error) = run_sweep(&shared.store).await {
            tracing::warn!(?error, "sweeping runs failed");
        }
        tokio::select! {
            () = shared.stop.cancelled() => return,
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
    }
}

async fn cancel_loop(shared: Arc<Shared>) {
    let mut signals = shared.store.signals();
    loop {
        let signal = tokio::select! {
            () = shared.stop.cancelled() => return,
            signal = signals.recv() => signal,
        };
        if let Signal::Changed { topic, subject, .. } = signal
            && topic == TOPIC_CANCEL
            && let Some(run) = shared.running().get(&subject)
        {
            run.cancel();
        }
    }
}
