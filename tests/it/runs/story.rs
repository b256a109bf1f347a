//! The attempts of a run: worker, phases and outcome of each, written by the transactions that they describe.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use futures::FutureExt;
use futures::future::BoxFuture;
use nyxcore_runs::{
    AttemptOutcome, EventBody, RunAttempt, RunContext, RunFailure, RunHandler, RunId, RunKind,
    RunPhase, RunStatus, Workers, run_attempts, run_cancel, run_sweep,
};
use nyxcore_tenancy::{CountingIds, Env, ManualClock, Store, TenantId};
use nyxcore_tests::{TestDatabase, on_both_databases};
use tokio::sync::Notify;

use super::{followed, start, status};
use crate::support::{WORK, options, store_at_rest, tenant};

/// A handler that works two seconds on one phase, skips another, works three on a third, and then ends differently each
/// time.
struct ScriptedHandler {
    clock: Arc<ManualClock>,
    reached: Arc<Notify>,
    ends: Mutex<Vec<End>>,
}

#[derive(Clone, Copy)]
enum End {
    Well,
    Transient,
    /// Waits to be stopped.
    Hang,
}

impl RunHandler for ScriptedHandler {
    fn kind(&self) -> RunKind {
        WORK
    }

    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        async move {
            context.phase("read", Some(2), Some("pages")).await?;
            self.clock.advance(TimeDelta::seconds(2));
            context.progress(2, None).await?;
            context
                .phase_skipped("ask", "no model is configured")
                .await?;
            context.phase("write", Some(4), Some("lines")).await?;
            self.clock.advance(TimeDelta::seconds(3));
            // Too soon after the start of the phase to be stored as a separate event.
            context.progress(3, None).await?;
            let end = self.ends.lock().unwrap().remove(0);
            match end {
                End::Well => Ok(()),
                End::Transient => Err(RunFailure::transient("REMOTE_UNREACHABLE", "no answer")
                    .retry_after(TimeDelta::seconds(90))),
                End::Hang => {
                    self.reached.notify_one();
                    context.cancelled().cancelled().await;
                    Err(RunFailure::stopped())
                }
            }
        }
        .boxed()
    }
}

impl ScriptedHandler {
    fn new(clock: &Arc<ManualClock>, ends: &[End]) -> (Self, Arc<Notify>) {
        let reached = Arc::new(Notify::new());
        let tale = Self {
            clock: clock.clone(),
            reached: reached.clone(),
            ends: Mutex::new(ends.to_vec()),
        };
        (tale, reached)
    }
}

async fn story(store: &Store, tenant: TenantId, run: RunId) -> Vec<RunAttempt> {
    let scoped = store.read(tenant).await.unwrap();
    let mut stories = run_attempts(&scoped, &[run]).await.unwrap();
    stories.remove(&run).unwrap_or_default()
}

/// Name, milliseconds, done, total, unit, and why it was skipped.
type PhaseSummary<'a> = (
    &'a str,
    Option<i64>,
    i64,
    Option<i64>,
    Option<&'a str>,
    Option<&'a str>,
);

fn told(phase: &RunPhase) -> PhaseSummary<'_> {
    let took = phase.duration().map(|took| took.num_milliseconds());
    (
        &phase.name,
        took,
        phase.done,
        phase.total,
        phase.unit.as_deref(),
        phase.skipped.as_deref(),
    )
}

const SKIPPED: PhaseSummary<'_> = (
    "ask",
    Some(0),
    0,
    None,
    None,
    Some("no model is configured"),
);

on_both_databases! {
    async fn every_attempt_is_told_with_its_worker_its_phases_and_its_end(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (tale, reached) = ScriptedHandler::new(&clock, &[End::Transient, End::Hang, End::Well]);
        let workers = |tale, name: &str| Workers::builder(&store).handler(tale).name(name).start().unwrap();
        let first = workers(tale, "one:1");
        let run = start(&store, acme.id, "a").await.run().id;
        let mut retried = Box::pin(nyxcore_runs::run_follow(&store, acme.id, run, 0));
        while let Some(event) = futures::StreamExt::next(&mut retried).await {
            if let EventBody::Message { text, .. } = event.unwrap().body {
                assert_eq!(text, "no answer; trying again in 90 s");
                break;
            }
        }
        // Not before the time that the remote gave.
        clock.advance(TimeDelta::seconds(89));
        assert_eq!(status(&store, acme.id, run).await, RunStatus::Queued);
        clock.advance(TimeDelta::seconds(2));
        reached.notified().await;
        first.shutdown().await;
        // Two attempts are allowed; the handed-back one did not count.
        let (tale, _) = ScriptedHandler::new(&clock, &[End::Well]);
        let second = workers(tale, "two:2");
        followed(&store, acme.id, run, 0).await;
        second.shutdown().await;
        assert_eq!(status(&store, acme.id, run).await, RunStatus::Succeeded);

        let story = story(&store, acme.id, run).await;
        let ends: Vec<_> = story.iter().map(|one| (one.number, one.worker.as_str(), one.outcome)).collect();
        assert_eq!(ends, [
            (1, "one:1", Some(AttemptOutcome::Retried)),
            (2, "one:1", Some(AttemptOutcome::HandedBack)),
            (3, "two:2", Some(AttemptOutcome::Succeeded)),
        ]);
        for attempt in &story {
            let phases: Vec<_> = attempt.phases.iter().map(told).collect();
            assert_eq!(phases, [("read", Some(2_000), 2, Some(2), Some("pages"), None), SKIPPED, ("write", Some(3_000), 3, Some(4), Some("lines"), None)]);
            assert_eq!(attempt.ended_at, attempt.phases[2].ended_at);
            assert_eq!(attempt.started_at, attempt.phases[0].started_at);
        }
        assert_eq!(story[0].error.as_ref().unwrap().code, "REMOTE_UNREACHABLE");
        assert!(story[1].error.is_none() && story[2].error.is_none());
    }

    async fn unsuccessful_attempts_show_their_phases(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (tale, reached) = ScriptedHandler::new(&clock, &[End::Hang, End::Hang, End::Hang]);
        let workers = Workers::builder(&store).handler(tale).concurrency(3).start().unwrap();
        let mut runs = Vec::new();
        for subject in ["lost", "stalled", "cancelled"] {
            runs.push(start(&store, acme.id, subject).await.run().id);
            reached.notified().await;
        }
        let going_on = story(&store, acme.id, runs[0]).await;
        assert_eq!((going_on.len(), going_on[0].outcome, going_on[0].ended_at), (1, None, None));
        assert_eq!(told(&going_on[0].phases[2]), ("write", None, 0, Some(4), Some("lines"), None));

        let raw = db.superuser_connection().await.unwrap();
        let age = |column: &str, run: RunId| sea_orm::Statement::from_sql_and_values(
            store.backend(),
            format!("UPDATE runs SET {column} = $1 WHERE id = $2"),
            [(store.env().now() - TimeDelta::hours(1)).into(), run.0.into()],
        );
        sea_orm::ConnectionTrait::execute_raw(&raw, age("lease_expires_at", runs[0])).await.unwrap();
        sea_orm::ConnectionTrait::execute_raw(&raw, age("progress_at", runs[1])).await.unwrap();
        assert_eq!(run_sweep(&store).await.unwrap(), 2);
        let scoped = store.write(acme.id).await.unwrap();
        run_cancel(&scoped, runs[2]).await.unwrap();
        scoped.commit().await.unwrap();
        followed(&store, acme.id, runs[2], 0).await;
        for (run, outcome, done) in [
            (runs[0], AttemptOutcome::Lost, 0),
            (runs[1], AttemptOutcome::Stalled, 0),
            // A worker that is still alive reports the latest progress.
            (runs[2], AttemptOutcome::Cancelled, 3),
        ] {
            let story = story(&store, acme.id, run).await;
            assert_eq!(story[0].outcome, Some(outcome));
            assert_eq!((story[0].phases.len(), story[0].phases[2].done), (3, done), "{outcome:?}");
            assert!(story[0].phases.iter().all(|phase| phase.ended_at.is_some()));
        }
        let stalled = story(&store, acme.id, runs[1]).await;
        assert_eq!(stalled[0].error.as_ref().unwrap().code, "RUN_STALLED");
        drop(workers);
    }

    async fn attempts_of_many_runs_need_a_constant_statement_count(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        let (tale, _) = ScriptedHandler::new(&clock, &[End::Well; 6]);
        let workers = Workers::builder(&store).handler(tale).start().unwrap();
        let mut runs = Vec::new();
        for n in 0..6 {
            runs.push(start(&store, acme.id, &format!("{n}")).await.run().id);
            followed(&store, acme.id, runs[n], 0).await;
        }
        workers.shutdown().await;

        let statements = Arc::new(Mutex::new(0));
        let heard = statements.clone();
        let mut options = options(db.app_url());
        options.statement_listener = Some(Arc::new(move |_: &str, _| *heard.lock().unwrap() += 1));
        let counting = Store::connect(&options, Env::new(clock.clone(), Arc::new(CountingIds::default()))).await.unwrap();
        let mut counts = Vec::new();
        for asked in [&runs[..1], &runs[..]] {
            let scoped = counting.read(acme.id).await.unwrap();
            *statements.lock().unwrap() = 0;
            assert_eq!(run_attempts(&scoped, asked).await.unwrap().len(), asked.len());
            counts.push(*statements.lock().unwrap());
        }
        assert_eq!(counts, [1, 1]);
        let scoped = store.read(other.id).await.unwrap();
        assert!(run_attempts(&scoped, &runs).await.unwrap().is_empty());
    }
}
