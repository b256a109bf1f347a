//! Fairness: tenants take turns, higher priorities come first within a tenant, and no kind exceeds its limit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use nyxcore_runs::{
    NewRun, Priority, RunContext, RunFailure, RunHandler, RunId, RunKind, Workers, run_start,
};
use nyxcore_tenancy::{ManualClock, Store, TenantId};
use nyxcore_tests::{TestDatabase, on_both_databases, run_on_postgres};
use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait};
use tokio::sync::{Semaphore, mpsc};

use super::{followed, new_run};
use crate::support::{OTHER_WORK, WORK, store, store_at_rest, tenant};

/// A handler that reports the begun run, and continues when the test permits it.
struct ReportingHandler {
    kind: RunKind,
    begun: mpsc::UnboundedSender<StartedRun>,
    gate: Arc<Semaphore>,
    /// If set, a second passes in each run.
    clock: Option<Arc<ManualClock>>,
}

#[derive(Debug, Clone, PartialEq)]
struct StartedRun {
    tenant: TenantId,
    kind: RunKind,
    run: RunId,
    subject: String,
}

impl RunHandler for ReportingHandler {
    fn kind(&self) -> RunKind {
        self.kind.clone()
    }

    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        async move {
            if let Some(clock) = &self.clock {
                clock.advance(TimeDelta::seconds(1));
            }
            let begun = StartedRun {
                tenant: context.tenant(),
                kind: self.kind.clone(),
                run: context.run().id,
                subject: context.run().subject.clone(),
            };
            // The test may have stopped receiving.
            let _ = self.begun.send(begun);
            tokio::select! {
                permit = self.gate.acquire() => permit.unwrap().forget(),
                () = context.cancelled().cancelled() => {}
            }
            context.check()
        }
        .boxed()
    }
}

/// A handler, the receiver of its reports, and the semaphore that lets it end.
fn telling(
    permits: usize,
) -> (
    ReportingHandler,
    mpsc::UnboundedReceiver<StartedRun>,
    Arc<Semaphore>,
) {
    let (begun, news) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(permits));
    let handler = ReportingHandler {
        kind: WORK,
        begun,
        gate: Arc::clone(&gate),
        clock: None,
    };
    (handler, news, gate)
}

async fn queue(store: &Store, tenant: TenantId, new: NewRun) -> RunId {
    let scoped = store.write(tenant).await.unwrap();
    let start = run_start(&scoped, new).await.unwrap();
    scoped.commit().await.unwrap();
    assert!(start.is_started());
    start.run().id
}

/// Queues a run and that many copies of it.
async fn queue_many(db: &TestDatabase, store: &Store, tenant: TenantId, more: usize) {
    let run = queue(store, tenant, new_run("many")).await;
    let (id, numbers) = match db.backend() {
        DbBackend::Postgres => (
            "gen_random_uuid()",
            format!("generate_series(1, {more}) AS numbers (n)"),
        ),
        _ => (
            "randomblob(16)",
            format!(
                "(WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {more}) SELECT n FROM numbers) AS numbers"
            ),
        ),
    };
    let sql = format!(
        "INSERT INTO runs (tenant_id, id, kind, subject, status, input, attempt, max_attempts, handed_back, priority, available_at,
                           cancel_requested, event_count, log_expired, progress_done, progress_at, created_at)
         SELECT r.tenant_id, {id}, r.kind, 'many-' || n, r.status, r.input, 0, r.max_attempts, 0, r.priority, r.available_at,
                r.cancel_requested, 0, r.log_expired, 0, r.progress_at, r.created_at
         FROM runs r CROSS JOIN {numbers} WHERE r.id = $1"
    );
    let raw = db.superuser_connection().await.unwrap();
    let statement = Statement::from_sql_and_values(raw.get_database_backend(), sql, [run.0.into()]);
    let queued = raw.execute_raw(statement).await.unwrap().rows_affected();
    assert_eq!(queued, more as u64);
}

/// A waiting run, with the fields that decide the order.
#[derive(Debug, Clone)]
struct WaitingRun {
    tenant: TenantId,
    priority: Priority,
    available_at: DateTime<Utc>,
    id: RunId,
}

/// The order in which a single worker must claim them.
fn order(mut waiting: Vec<WaitingRun>) -> Vec<RunId> {
    let mut served: Vec<TenantId> = Vec::new();
    let mut order = Vec::new();
    while let Some(next) = waiting
        .iter()
        .min_by_key(|run| {
            let last = served.iter().rposition(|tenant| *tenant == run.tenant);
            let urgency = std::cmp::Reverse(run.priority);
            (last, run.tenant.0, urgency, run.available_at, run.id.0)
        })
        .cloned()
    {
        waiting.retain(|run| run.id != next.id);
        served.push(next.tenant);
        order.push(next.id);
    }
    order
}

on_both_databases! {
    async fn a_thousand_runs_delay_another_tenant_by_one_run(db: TestDatabase) {
        let store = store(&db).await;
        let (large, _) = tenant(&store, "large").await;
        let (small, _) = tenant(&store, "small").await;
        queue_many(&db, &store, large.id, 999).await;
        for concurrency in [1, 2] {
            let (handler, mut begun, gate) = telling(0);
            let workers = Workers::builder(&store).handler(handler).concurrency(concurrency).start().unwrap();
            for _ in 0..concurrency {
                assert_eq!(begun.recv().await.unwrap().tenant, large.id);
            }
            // With the lowest priority, because priorities have no effect between tenants.
            let new = NewRun { priority: Priority::Background, ..new_run(&format!("one-{concurrency}")) };
            let one = queue(&store, small.id, new).await;
            gate.add_permits(1);
            assert_eq!(begun.recv().await.unwrap().run, one);
            gate.add_permits(concurrency);
            // Ended and not handed back, so the small tenant has no waiting run left.
            followed(&store, small.id, one, 0).await;
            workers.shutdown().await;
        }
    }

    async fn whoever_has_the_fewest_running_is_next(db: TestDatabase) {
        let store = store(&db).await;
        let mut tenants = Vec::new();
        for slug in ["one", "two", "three"] {
            let (tenant, _) = tenant(&store, slug).await;
            queue_many(&db, &store, tenant.id, 5).await;
            tenants.push(tenant.id);
        }
        let (handler, mut begun, gate) = telling(0);
        let workers = Workers::builder(&store).handler(handler).concurrency(6).start().unwrap();
        for _ in 0..2 {
            let mut taken = Vec::new();
            for _ in 0..3 {
                taken.push(begun.recv().await.unwrap().tenant);
            }
            taken.sort_unstable_by_key(|tenant| tenant.0);
            assert_eq!(taken, tenants);
        }
        gate.add_permits(6);
        workers.shutdown().await;
    }

    async fn tenants_take_turns_by_priority_and_age(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let mut tenants = Vec::new();
        for slug in ["one", "two", "three", "four"] {
            tenants.push(tenant(&store, slug).await.0.id);
        }
        let priorities = [Priority::Background, Priority::Normal, Priority::Interactive];
        // The mixture is arbitrary, but the same each time.
        let mut dice: u64 = 20_260_101;
        let mut roll = move |sides: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((dice >> 33) % sides) as usize
        };
        for round in 0..3 {
            let now = store.env().now();
            let mut waiting = Vec::new();
            for n in 0..24 {
                let tenant = tenants[roll(4).min(roll(4))];
                let priority = priorities[roll(3)];
                let available_at = now + TimeDelta::seconds(roll(3) as i64);
                let new = NewRun { priority, not_before: Some(available_at), ..new_run(&format!("{round}-{n}")) };
                let id = queue(&store, tenant, new).await;
                waiting.push(WaitingRun { tenant, priority, available_at, id });
            }
            clock.advance(TimeDelta::seconds(10));
            // The time of the last claim is only in the database. It is reset, so that each round starts with unserved
            // tenants.
            if round > 0 {
                let raw = db.superuser_connection().await.unwrap();
                raw.execute_unprepared("UPDATE runs SET claimed_at = NULL").await.unwrap();
            }
            let (handler, mut begun, _gate) = telling(1_000);
            let handler = ReportingHandler { clock: Some(clock.clone()), ..handler };
            let workers = Workers::builder(&store).handler(handler).concurrency(1).start().unwrap();
            let mut taken = Vec::new();
            for _ in 0..waiting.len() {
                taken.push(begun.recv().await.unwrap().run);
            }
            workers.shutdown().await;
            assert_eq!(taken, order(waiting), "round {round}");
        }
    }

    async fn a_kind_has_no_more_runs_at_once_than_its_limit(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        for n in 0..3 {
            queue(&store, acme.id, new_run(&format!("limited-{n}"))).await;
        }
        for n in 0..2 {
            let new = NewRun { kind: OTHER_WORK, ..new_run(&format!("free-{n}")) };
            queue(&store, acme.id, new).await;
        }
        let (limited, mut begun, gate) = telling(0);
        let free = ReportingHandler { kind: OTHER_WORK, begun: limited.begun.clone(), gate: Arc::new(Semaphore::new(0)), clock: None };
        let free_gate = Arc::clone(&free.gate);
        let workers = Workers::builder(&store).handler(limited).handler(free).concurrency(4).limit(WORK, 1).start().unwrap();
        let mut kinds = Vec::new();
        for _ in 0..3 {
            kinds.push(begun.recv().await.unwrap().kind);
        }
        kinds.sort_unstable_by_key(|kind| *kind == WORK);
        assert_eq!(kinds, [OTHER_WORK, OTHER_WORK, WORK]);
        // A slot is free, but the limit is reached: the two others wait until the first has ended, each in turn.
        for _ in 0..2 {
            assert!(begun.try_recv().is_err());
            gate.add_permits(1);
            assert_eq!(begun.recv().await.unwrap().kind, WORK);
        }
        gate.add_permits(1);
        free_gate.add_permits(2);
        workers.shutdown().await;
    }

    async fn claim_time_does_not_grow_with_the_queue(db: TestDatabase) {
        let store = store(&db).await;
        let (large, _) = tenant(&store, "large").await;
        let (small, _) = tenant(&store, "small").await;
        let mut medians = Vec::new();
        for more in [100, 100_000] {
            queue_many(&db, &store, small.id, 100).await;
            let (handler, mut begun, _gate) = telling(1_000_000);
            queue_many(&db, &store, large.id, more).await;
            let workers = Workers::builder(&store).handler(handler).concurrency(1).start().unwrap();
            let mut gaps: Vec<Duration> = Vec::new();
            for _ in 0..41 {
                let asked = Instant::now();
                begun.recv().await.unwrap();
                gaps.push(asked.elapsed());
            }
            workers.shutdown().await;
            gaps.sort_unstable();
            medians.push(gaps[20]);
            if more == 100 {
                let raw = db.superuser_connection().await.unwrap();
                raw.execute_unprepared("DELETE FROM runs").await.unwrap();
            }
        }
        // Examining each waiting run would take a thousand times as long. The measured time also includes other work.
        assert!(medians[1] < medians[0] * 5, "{medians:?}");
    }
}

#[test]
fn a_run_that_another_worker_is_about_to_take_is_passed_over() {
    run_on_postgres(|db: TestDatabase| async move {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let head = queue(&store, acme.id, new_run("head")).await;
        let next = queue(&store, acme.id, new_run("next")).await;
        let raw = db.superuser_connection().await.unwrap();
        let locking = raw.begin().await.unwrap();
        let lock = "SELECT 1 FROM runs WHERE id = $1 FOR UPDATE";
        let lock = Statement::from_sql_and_values(DbBackend::Postgres, lock, [head.0.into()]);
        locking.query_one_raw(lock).await.unwrap().unwrap();

        let (handler, mut begun, _gate) = telling(10);
        let workers = Workers::builder(&store).handler(handler).start().unwrap();
        assert_eq!(begun.recv().await.unwrap().run, next);
        locking.rollback().await.unwrap();
        assert_eq!(begun.recv().await.unwrap().run, head);
        workers.shutdown().await;
    });
}
