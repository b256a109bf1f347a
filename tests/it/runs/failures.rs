//! A failing follow-up or row does not affect other runs: they are swept and expired. The failing run keeps its
//! outcome.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use futures::FutureExt;
use nyxcore_runs::{
    EventBody, FollowUp, Level, RunFailure, RunId, RunStatus, Runs, STALL_AFTER, Workers,
    event_list, run_events_expire, run_sweep,
};
use nyxcore_tenancy::{Error, Repository, Store, TenantId};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, Value};

use super::{Steps, Then, followed, start, status};
use crate::support::{WORK, store, store_at_rest, tenant};

/// A follow-up that fails for runs of the subject `bad`.
fn fails_for_bad() -> FollowUp {
    Arc::new(|_, run| {
        let is_bad = run.subject == "bad";
        async move {
            if is_bad {
                Err(Error::Invalid("there is no room for it".into()))
            } else {
                Ok(())
            }
        }
        .boxed()
    })
}

/// Makes the database refuse that kind of change to the rows of a run.
async fn refuse(raw: &DatabaseConnection, change: &str, table: &str, key: &str, run: RunId) {
    let id = run.0;
    let sql = match raw.get_database_backend() {
        DbBackend::Postgres => format!(
            "CREATE FUNCTION test_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''refused''; END';
             CREATE TRIGGER test_refuse BEFORE {change} ON {table} FOR EACH ROW WHEN (OLD.{key} = '{id}') EXECUTE FUNCTION test_refuse()"
        ),
        _ => format!(
            "CREATE TRIGGER test_refuse BEFORE {change} ON {table} WHEN OLD.{key} = x'{}' BEGIN SELECT RAISE(ABORT, 'refused'); END",
            id.simple()
        ),
    };
    raw.execute_unprepared(&sql).await.unwrap();
}

/// Makes a run stalled: a worker holds it, and it has made no progress for ten minutes.
async fn stick(raw: &DatabaseConnection, store: &Store, run: RunId) {
    let now = store.env().now();
    let sql = "UPDATE runs SET status = 'RUNNING', worker = $1, attempt = 1, lease_expires_at = $2, progress_at = $3 WHERE id = $4";
    let values: [Value; 4] = [
        store.env().id().into(),
        (now + TimeDelta::hours(1)).into(),
        (now - STALL_AFTER).into(),
        run.0.into(),
    ];
    let statement = Statement::from_sql_and_values(raw.get_database_backend(), sql, values);
    assert_eq!(raw.execute_raw(statement).await.unwrap().rows_affected(), 1);
}

/// Runs of three tenants; the middle one has the subject `bad`.
async fn three(store: &Store) -> Vec<(TenantId, RunId)> {
    let mut runs = Vec::new();
    for (slug, subject) in [("one", "good"), ("two", "bad"), ("three", "good")] {
        let (tenant, _) = tenant(store, slug).await;
        runs.push((tenant.id, start(store, tenant.id, subject).await.run().id));
    }
    runs
}

async fn statuses(store: &Store, runs: &[(TenantId, RunId)]) -> Vec<RunStatus> {
    let mut statuses = Vec::new();
    for (tenant, run) in runs {
        statuses.push(status(store, *tenant, *run).await);
    }
    statuses
}

async fn warnings(store: &Store, tenant: TenantId, run: RunId) -> Vec<String> {
    let scoped = store.read(tenant).await.unwrap();
    let events = event_list(&scoped, run, 0, 500).await.unwrap();
    let warnings = events.into_iter().filter_map(|event| match event.body {
        EventBody::Message {
            level: Level::Warning,
            text,
        } => Some(text),
        _ => None,
    });
    warnings.collect()
}

on_both_databases! {
    async fn a_run_that_cannot_be_swept_delays_no_other(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let runs = three(&store).await;
        let raw = db.superuser_connection().await.unwrap();
        for (_, run) in &runs {
            stick(&raw, &store, *run).await;
        }
        refuse(&raw, "UPDATE", "runs", "id", runs[1].1).await;
        assert_eq!(run_sweep(&store).await.unwrap(), 2);
        assert_eq!(statuses(&store, &runs).await, [RunStatus::Failed, RunStatus::Running, RunStatus::Failed]);
    }

    async fn a_swept_run_ends_although_its_follow_up_fails(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let runs = three(&store).await;
        let raw = db.superuser_connection().await.unwrap();
        for (_, run) in &runs {
            stick(&raw, &store, *run).await;
        }
        let workers = Workers::builder(&store).swept(WORK, fails_for_bad()).start().unwrap();
        for (tenant, run) in &runs {
            let ended = tokio::time::timeout(Duration::from_secs(10), followed(&store, *tenant, *run, 0)).await;
            assert!(matches!(ended.unwrap().last().unwrap().body, EventBody::Finished { status: RunStatus::Failed }));
        }
        workers.shutdown().await;
        let told = warnings(&store, runs[1].0, runs[1].1).await;
        assert_eq!(told, ["the follow-up of this run failed: there is no room for it"]);
        assert!(warnings(&store, runs[0].0, runs[0].1).await.is_empty());
    }

    async fn a_log_that_cannot_be_removed_delays_no_other(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let runs = three(&store).await;
        let (steps, _) = Steps::new(Then::Succeed);
        let workers = Workers::builder(&store).handler(steps).start().unwrap();
        for (tenant, run) in &runs {
            followed(&store, *tenant, *run, 0).await;
        }
        workers.shutdown().await;
        let raw = db.superuser_connection().await.unwrap();
        refuse(&raw, "DELETE", "run_events", "run_id", runs[1].1).await;
        clock.advance(TimeDelta::days(31));
        assert!(run_events_expire(&store, TimeDelta::days(30)).await.unwrap() > 0);
        let mut left = Vec::new();
        for (tenant, run) in &runs {
            left.push(followed(&store, *tenant, *run, 0).await.len());
        }
        assert!(left[0] == 1 && left[1] > 1 && left[2] == 1, "{left:?}");
    }

    async fn a_run_succeeds_although_its_follow_up_fails(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (steps, worked) = Steps::new(Then::Succeed);
        let workers = Workers::builder(&store).handler(steps).follow_up(WORK, fails_for_bad()).start().unwrap();
        let run = start(&store, acme.id, "bad").await.run().id;
        let ended = tokio::time::timeout(Duration::from_secs(20), followed(&store, acme.id, run, 0)).await;
        assert_eq!(ended.unwrap().last().unwrap().body, EventBody::Finished { status: RunStatus::Succeeded });
        workers.shutdown().await;
        assert_eq!(worked.load(Ordering::SeqCst), 1);
        let told = warnings(&store, acme.id, run).await;
        assert_eq!(told, ["the follow-up of this run failed: there is no room for it"]);
        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(Runs::require(&scoped, run).await.unwrap().error, None);
    }

    async fn what_follows_a_failure_follows_nothing_else(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let followed_up = Arc::new(AtomicUsize::new(0));
        let counts: FollowUp = {
            let followed_up = followed_up.clone();
            Arc::new(move |_, run| {
                assert_eq!(run.status, RunStatus::Failed);
                followed_up.fetch_add(1, Ordering::SeqCst);
                async { Ok(()) }.boxed()
            })
        };
        let for_good = Then::Fail(RunFailure::permanent("NO_WAY", "it cannot be done"));
        // The follow-up is tried twice, and takes effect once.
        let passing = Then::Fail(RunFailure::transient("NOT_NOW", "it may be done later"));
        for (subject, then, tries, expected) in [("a", Then::Succeed, 1, 0), ("b", for_good, 1, 1), ("c", Then::Panic, 1, 2), ("d", passing, 2, 3)] {
            let (steps, worked) = Steps::new(then);
            let workers = Workers::builder(&store).handler(steps).failed(WORK, counts.clone()).start().unwrap();
            let run = start(&store, acme.id, subject).await.run().id;
            let ended = tokio::time::timeout(Duration::from_secs(20), followed(&store, acme.id, run, 0)).await;
            assert!(matches!(ended.unwrap().last().unwrap().body, EventBody::Finished { .. }));
            workers.shutdown().await;
            assert_eq!((worked.load(Ordering::SeqCst), followed_up.load(Ordering::SeqCst)), (tries, expected), "{subject}");
        }
    }

    async fn a_run_fails_although_its_follow_up_fails(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (steps, _) = Steps::new(Then::Fail(RunFailure::permanent("NO_WAY", "it cannot be done")));
        let workers = Workers::builder(&store).handler(steps).failed(WORK, fails_for_bad()).start().unwrap();
        let run = start(&store, acme.id, "bad").await.run().id;
        let ended = tokio::time::timeout(Duration::from_secs(20), followed(&store, acme.id, run, 0)).await;
        assert_eq!(ended.unwrap().last().unwrap().body, EventBody::Finished { status: RunStatus::Failed });
        workers.shutdown().await;
        let told = warnings(&store, acme.id, run).await;
        assert_eq!(told, ["the follow-up of this run failed: there is no room for it"]);
    }

    async fn a_follower_passes_over_an_event_it_cannot_read(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (steps, _) = Steps::new(Then::Succeed);
        let workers = Workers::builder(&store).handler(steps).start().unwrap();
        let run = start(&store, acme.id, "a").await.run().id;
        let log = followed(&store, acme.id, run, 0).await;
        workers.shutdown().await;
        let raw = db.superuser_connection().await.unwrap();
        let newer = "UPDATE run_events SET payload = '{\"type\":\"of_a_newer_version\"}' WHERE run_id = $1 AND seq = 2";
        raw.execute_raw(Statement::from_sql_and_values(db.backend(), newer, [run.0.into()])).await.unwrap();
        let (first, rest) = (log[..1].to_vec(), log[2..].to_vec());
        assert_eq!(followed(&store, acme.id, run, 0).await, [first.clone(), rest].concat());
        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(event_list(&scoped, run, 0, 2).await.unwrap(), first);
    }
}
