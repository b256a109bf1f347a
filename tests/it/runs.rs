//! Runs are started once, executed once and finished once, with a log without gaps and duplicates.

mod activity;
mod cancel;
mod expire;
mod failures;
mod fairness;
mod kinds;
mod processes;
mod starts;
mod story;
mod takeover;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use nyxcore_runs::{
    EventBody, NewRun, Priority, RunContext, RunEvent, RunFailure, RunHandler, RunId, RunKind,
    RunStatus, Runs, Start, Workers, activity_follow, event_list, run_cancel, run_follow,
    run_start, run_sweep,
};
use nyxcore_tenancy::{Error, Repository, Store, TenantId};
use nyxcore_tests::{TestDatabase, on_both_databases};
use tokio::sync::{Notify, Semaphore};

use crate::support::{WORK, second_store, store, store_at_rest, tenant};

/// A handler that reports three steps and then continues as configured.
struct Steps {
    worked: Arc<AtomicUsize>,
    then: Then,
}

#[derive(Clone)]
enum Then {
    Succeed,
    Fail(RunFailure),
    /// Reports that it has begun, then waits to be stopped.
    Hang(Arc<Notify>),
    /// Continues when the test permits it.
    Wait(Arc<Semaphore>),
    Panic,
}

impl Steps {
    fn new(then: Then) -> (Self, Arc<AtomicUsize>) {
        let worked = Arc::new(AtomicUsize::new(0));
        (
            Self {
                worked: worked.clone(),
                then,
            },
            worked,
        )
    }
}

impl RunHandler for Steps {
    fn kind(&self) -> RunKind {
        WORK
    }

    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        async move {
            self.worked.fetch_add(1, Ordering::SeqCst);
            context.phase("count", Some(3), Some("steps")).await?;
            for step in 1..=3 {
                context.progress(step, None).await?;
            }
            match &self.then {
                Then::Succeed => Ok(()),
                Then::Fail(failure) => Err(failure.clone()),
                Then::Hang(begun) => {
                    begun.notify_one();
                    context.cancelled().cancelled().await;
                    Err(RunFailure::stopped())
                }
                Then::Wait(gate) => {
                    gate.acquire().await.unwrap().forget();
                    context.check()
                }
                Then::Panic => panic!("a defect of a handler"),
            }
        }
        .boxed()
    }
}

async fn start(store: &Store, tenant: TenantId, subject: &str) -> Start {
    let scoped = store.write(tenant).await.unwrap();
    let start = run_start(&scoped, new_run(subject)).await.unwrap();
    scoped.commit().await.unwrap();
    start
}

fn new_run(subject: &str) -> NewRun {
    NewRun {
        kind: WORK,
        subject: subject.into(),
        project_id: None,
        started_by: None,
        input: serde_json::json!({"why": "a test"}),
        quiet_period: Some(TimeDelta::minutes(3)),
        max_attempts: 2,
        priority: Priority::Normal,
        not_before: None,
    }
}

async fn followed(store: &Store, tenant: TenantId, run: RunId, after: i64) -> Vec<RunEvent> {
    run_follow(store, tenant, run, after)
        .map(Result::unwrap)
        .collect()
        .await
}

async fn status(store: &Store, tenant: TenantId, run: RunId) -> RunStatus {
    let scoped = store.read(tenant).await.unwrap();
    Runs::require(&scoped, run).await.unwrap().status
}

on_both_databases! {
    async fn a_run_completes_and_its_log_is_readable_from_any_event(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (steps, worked) = Steps::new(Then::Succeed);
        let workers = Workers::builder(&store).handler(steps).start().unwrap();
        let run = start(&store, acme.id, "a").await.run().id;
        let events = followed(&store, acme.id, run, 0).await;
        workers.shutdown().await;

        let seqs: Vec<i64> = events.iter().map(|e| e.seq).collect();
        assert_eq!(seqs, (1..=seqs.len() as i64).collect::<Vec<_>>());
        assert!(matches!(&events[0].body, EventBody::PhaseStarted { phase } if phase == "count"));
        assert_eq!(events.last().unwrap().body, EventBody::Finished { status: RunStatus::Succeeded });
        assert_eq!(worked.load(Ordering::SeqCst), 1);
        let rest = followed(&store, acme.id, run, 1).await;
        assert_eq!(rest, events[1..]);
    }

    async fn of_many_starts_one_succeeds_and_the_others_get_its_run(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let starts = futures::future::join_all((0..20).map(|_| start(&store, acme.id, "a"))).await;
        assert_eq!(starts.iter().filter(|s| s.is_started()).count(), 1);
        let id = starts[0].run().id;
        assert!(starts.iter().all(|s| s.run().id == id));
    }

    async fn a_recent_run_is_returned_within_the_quiet_period(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (steps, _) = Steps::new(Then::Succeed);
        let workers = Workers::builder(&store).handler(steps).start().unwrap();
        let run = start(&store, acme.id, "a").await.run().id;
        followed(&store, acme.id, run, 0).await;
        workers.shutdown().await;

        clock.advance(TimeDelta::seconds(179));
        assert!(matches!(start(&store, acme.id, "a").await, Start::RecentlyCompleted(r) if r.id == run));
        clock.advance(TimeDelta::seconds(1));
        assert!(start(&store, acme.id, "a").await.is_started());
    }

    async fn a_delayed_run_is_the_active_run_of_its_subject(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let not_before = Some(scoped.env().now() + TimeDelta::minutes(3));
        let later = run_start(&scoped, NewRun { not_before, ..new_run("later") }).await.unwrap();
        scoped.commit().await.unwrap();
        assert!(later.is_started());
        let later = later.run().id;
        assert!(matches!(start(&store, acme.id, "later").await, Start::AlreadyActive(r) if r.id == later));

        let (steps, worked) = Steps::new(Then::Succeed);
        let workers = Workers::builder(&store).handler(steps).start().unwrap();
        clock.advance(TimeDelta::seconds(179));
        // The run that is due is claimed, although the other one was queued first.
        let now = start(&store, acme.id, "now").await.run().id;
        followed(&store, acme.id, now, 0).await;
        assert_eq!((worked.load(Ordering::SeqCst), status(&store, acme.id, later).await), (1, RunStatus::Queued));
        clock.advance(TimeDelta::seconds(1));
        let events = followed(&store, acme.id, later, 0).await;
        workers.shutdown().await;
        assert_eq!(events.last().unwrap().body, EventBody::Finished { status: RunStatus::Succeeded });
    }

    async fn only_transient_failures_are_retried(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (steps, worked) = Steps::new(Then::Fail(RunFailure::transient("REMOTE_UNREACHABLE", "no answer")));
        let workers = Workers::builder(&store).handler(steps).start().unwrap();
        let run = start(&store, acme.id, "a").await.run().id;
        // The second attempt waits until the clock moves.
        let mut events = Box::pin(run_follow(&store, acme.id, run, 0));
        while let Some(event) = events.next().await {
            if matches!(event.unwrap().body, EventBody::Message { .. }) {
                clock.advance(TimeDelta::seconds(2));
            }
        }
        workers.shutdown().await;
        assert_eq!(worked.load(Ordering::SeqCst), 2);
        let scoped = store.read(acme.id).await.unwrap();
        let ended = Runs::require(&scoped, run).await.unwrap();
        assert_eq!((ended.status, ended.error.unwrap().code.as_str()), (RunStatus::Failed, "REMOTE_UNREACHABLE"));
        drop(scoped);

        let (steps, worked) = Steps::new(Then::Fail(RunFailure::permanent("BRANCH_NOT_FOUND", "no such branch")));
        let workers = Workers::builder(&store).handler(steps).start().unwrap();
        let run = start(&store, acme.id, "b").await.run().id;
        followed(&store, acme.id, run, 0).await;
        workers.shutdown().await;
        assert_eq!(worked.load(Ordering::SeqCst), 1);
    }

    async fn a_handler_that_panics_fails_its_own_run_alone(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (steps, _) = Steps::new(Then::Panic);
        let workers = Workers::builder(&store).handler(steps).start().unwrap();
        for subject in ["a", "b"] {
            let run = start(&store, acme.id, subject).await.run().id;
            followed(&store, acme.id, run, 0).await;
            assert_eq!(status(&store, acme.id, run).await, RunStatus::Failed);
        }
        workers.shutdown().await;
    }

    async fn a_running_run_is_cancelled_and_a_waiting_one_too(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let begun = Arc::new(Notify::new());
        let (steps, _) = Steps::new(Then::Hang(begun.clone()));
        let workers = Workers::builder(&store).handler(steps).concurrency(1).start().unwrap();
        let running = start(&store, acme.id, "a").await.run().id;
        begun.notified().await;
        let waiting = start(&store, acme.id, "b").await.run().id;
        for run in [waiting, running] {
            let scoped = store.write(acme.id).await.unwrap();
            run_cancel(&scoped, run).await.unwrap();
            scoped.commit().await.unwrap();
            let events = followed(&store, acme.id, run, 0).await;
            assert_eq!(events.last().unwrap().body, EventBody::Finished { status: RunStatus::Cancelled });
        }
        workers.shutdown().await;
    }

    async fn a_leaving_worker_hands_its_run_back(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let begun = Arc::new(Notify::new());
        let (steps, _) = Steps::new(Then::Hang(begun.clone()));
        let leaving = Workers::builder(&store).handler(steps).start().unwrap();
        let run = start(&store, acme.id, "a").await.run().id;
        begun.notified().await;
        leaving.shutdown().await;
        assert_eq!(status(&store, acme.id, run).await, RunStatus::Queued);

        let (steps, _) = Steps::new(Then::Succeed);
        let staying = Workers::builder(&store).handler(steps).start().unwrap();
        let events = followed(&store, acme.id, run, 0).await;
        staying.shutdown().await;
        assert_eq!(events.last().unwrap().body, EventBody::Finished { status: RunStatus::Succeeded });
    }

    async fn a_run_passes_from_a_silent_worker_to_another(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let gate = Arc::new(Semaphore::new(0));
        let (steps, worked) = Steps::new(Then::Wait(gate.clone()));
        let silent = Workers::builder(&store).handler(steps).start().unwrap();
        let run = start(&store, acme.id, "a").await.run().id;
        while worked.load(Ordering::SeqCst) == 0 || status(&store, acme.id, run).await != RunStatus::Running {
            tokio::task::yield_now().await;
        }
        clock.advance(TimeDelta::seconds(60));
        assert_eq!(run_sweep(&store).await.unwrap(), 1);
        let other_store = second_store(&db, &clock).await;
        let (steps, _) = Steps::new(Then::Succeed);
        // The silent worker's own claim loop may take it back as well; either way its first attempt is void.
        let taking = Workers::builder(&other_store).handler(steps).start().unwrap();
        gate.add_permits(2);
        let events = followed(&store, acme.id, run, 0).await;
        silent.shutdown().await;
        taking.shutdown().await;
        let finished = events.iter().filter(|e| matches!(e.body, EventBody::Finished { .. })).count();
        assert_eq!(finished, 1);
        let seqs: Vec<i64> = events.iter().map(|e| e.seq).collect();
        assert_eq!(seqs, (1..=seqs.len() as i64).collect::<Vec<_>>());
    }

    async fn the_next_start_fails_a_stalled_run(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let begun = Arc::new(Notify::new());
        let (steps, _) = Steps::new(Then::Hang(begun.clone()));
        let workers = Workers::builder(&store).handler(steps).start().unwrap();
        let stuck = start(&store, acme.id, "a").await.run().id;
        begun.notified().await;
        clock.advance(TimeDelta::seconds(599));
        assert!(matches!(start(&store, acme.id, "a").await, Start::AlreadyActive(r) if r.id == stuck));
        clock.advance(TimeDelta::seconds(1));
        assert!(start(&store, acme.id, "a").await.is_started());
        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(Runs::require(&scoped, stuck).await.unwrap().error.unwrap().code, "RUN_STALLED");
        drop(scoped);
        workers.shutdown().await;
    }

    async fn another_tenants_run_is_inaccessible(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        let run = start(&store, acme.id, "a").await.run().id;
        let first = Box::pin(run_follow(&store, other.id, run, 0)).next().await.unwrap();
        assert!(matches!(first, Err(Error::NotFound("run"))));
        let scoped = store.write(other.id).await.unwrap();
        assert_eq!(run_cancel(&scoped, run).await.unwrap_err().code(), "NOT_FOUND");
        assert!(event_list(&scoped, run, 0, 10).await.unwrap().is_empty());
        drop(scoped);
        assert_eq!(status(&store, acme.id, run).await, RunStatus::Queued);
    }

    async fn the_activity_of_a_tenant_shows_its_own_runs_and_no_others(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        let mut activity = Box::pin(activity_follow(&store, acme.id, None, vec![WORK]));
        let (steps, _) = Steps::new(Then::Succeed);
        let listening = async {
            let mut seen = Vec::new();
            while let Some(event) = activity.next().await {
                let event = event.unwrap();
                let done = matches!(event.body, EventBody::Finished { .. });
                seen.push(event);
                if done {
                    break;
                }
            }
            seen
        };
        let working = async {
            let foreign = start(&store, other.id, "a").await.run().id;
            let workers = Workers::builder(&store).handler(steps).start().unwrap();
            followed(&store, other.id, foreign, 0).await;
            let own = start(&store, acme.id, "a").await.run().id;
            followed(&store, acme.id, own, 0).await;
            workers.shutdown().await;
            own
        };
        let (seen, own) = tokio::join!(listening, working);
        assert!(seen.iter().all(|event| event.run_id == own));
        assert_eq!(seen[0].seq, 1);
    }
}
