//! The activity of a tenant: all events after the subscription, regardless of earlier events and of bursts.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use futures::{FutureExt, Stream, StreamExt};
use nyxcore_runs::{
    EventBody, RunEvent, RunId, RunStatus, activity_follow, run_cancel, run_follow,
};
use nyxcore_tenancy::{Env, ManualClock, Result, Store, TenantId};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::{ConnectionTrait, Statement};

use super::start;
use crate::support::{OTHER_WORK, WORK, options, second_store, store_at_rest, tenant};

/// Logs that many messages of a run, as its worker would, but without a signal.
async fn log_quietly(db: &TestDatabase, run: RunId, messages: i64) {
    let raw = db.superuser_connection().await.unwrap();
    for sql in [
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $2)
         INSERT INTO run_events (tenant_id, run_id, seq, at, payload)
         SELECT r.tenant_id, r.id, r.event_count + n, r.progress_at, '{\"type\":\"text\",\"text\":\"word\"}'
         FROM runs r CROSS JOIN numbers WHERE r.id = $1",
        "UPDATE runs SET event_count = event_count + $2 WHERE id = $1",
    ] {
        let values = [run.0.into(), messages.into()];
        let statement = Statement::from_sql_and_values(db.backend(), sql, values);
        raw.execute_raw(statement).await.unwrap();
    }
}

/// Cancels a waiting run: its last event is logged and signalled.
async fn cancel(store: &Store, tenant: TenantId, run: RunId) {
    let scoped = store.write(tenant).await.unwrap();
    run_cancel(&scoped, run).await.unwrap();
    scoped.commit().await.unwrap();
}

/// Subscribes, and returns when the subscription is active.
async fn begin(activity: &mut (impl Stream<Item = Result<RunEvent>> + Unpin)) {
    let early = tokio::time::timeout(Duration::from_millis(300), activity.next()).await;
    assert!(early.is_err(), "{early:?}");
}

/// The events up to the end of that run.
async fn until_end(
    activity: &mut (impl Stream<Item = Result<RunEvent>> + Unpin),
    run: RunId,
) -> Vec<RunEvent> {
    let mut events = Vec::new();
    let reading = async {
        while let Some(event) = activity.next().await {
            let event = event.unwrap();
            let ends = event.run_id == run && matches!(event.body, EventBody::Finished { .. });
            events.push(event);
            if ends {
                break;
            }
        }
    };
    let read = tokio::time::timeout(Duration::from_secs(20), reading).await;
    assert!(
        read.is_ok(),
        "the end of the run was not shown: {} events",
        events.len()
    );
    events
}

fn seqs(events: &[RunEvent]) -> Vec<i64> {
    events.iter().map(|event| event.seq).collect()
}

on_both_databases! {
    async fn activity_shows_a_run_with_a_long_log(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let run = start(&store, acme.id, "a").await.run().id;
        log_quietly(&db, run, 600).await;
        clock.advance(TimeDelta::minutes(5));
        let mut activity = pin!(activity_follow(&store, acme.id, None, vec![WORK]));
        begin(&mut activity).await;
        cancel(&store, acme.id, run).await;
        let events = until_end(&mut activity, run).await;
        assert_eq!(seqs(&events), [601]);
        assert_eq!(events[0].body, EventBody::Finished { status: RunStatus::Cancelled });
    }

    async fn activity_shows_all_of_a_large_burst(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let run = start(&store, acme.id, "a").await.run().id;
        clock.advance(TimeDelta::minutes(5));
        let mut activity = pin!(activity_follow(&store, acme.id, None, vec![WORK]));
        begin(&mut activity).await;
        let raw = db.superuser_connection().await.unwrap();
        let moved = "UPDATE runs SET progress_at = $2 WHERE id = $1";
        let values = [run.0.into(), store.env().now().into()];
        raw.execute_raw(Statement::from_sql_and_values(db.backend(), moved, values)).await.unwrap();
        log_quietly(&db, run, 1_300).await;
        cancel(&store, acme.id, run).await;
        let events = until_end(&mut activity, run).await;
        assert_eq!(seqs(&events), (1..=1_301).collect::<Vec<_>>());
    }

    async fn activity_skips_an_event_it_cannot_read(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let mut activity = pin!(activity_follow(&store, acme.id, None, vec![WORK]));
        begin(&mut activity).await;
        let run = start(&store, acme.id, "a").await.run().id;
        log_quietly(&db, run, 3).await;
        let raw = db.superuser_connection().await.unwrap();
        let newer = "UPDATE run_events SET payload = '{\"type\":\"of_a_newer_version\"}' WHERE run_id = $1 AND seq = 2";
        raw.execute_raw(Statement::from_sql_and_values(db.backend(), newer, [run.0.into()])).await.unwrap();
        cancel(&store, acme.id, run).await;
        assert_eq!(seqs(&until_end(&mut activity, run).await), [1, 3, 4]);
    }

    async fn activity_of_a_project_shows_no_other_runs(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let run = start(&store, acme.id, "a").await.run().id;
        let mut activity = pin!(activity_follow(&store, acme.id, Some(run.0), vec![WORK]));
        begin(&mut activity).await;
        cancel(&store, acme.id, run).await;
        begin(&mut activity).await;
    }

    async fn an_event_is_read_once_for_all_followers(db: TestDatabase) {
        const FOLLOWERS: usize = 40;
        let read = Arc::new(AtomicUsize::new(0));
        let mut options = options(db.app_url());
        let counter = Arc::clone(&read);
        options.statement_listener = Some(Arc::new(move |sql: &str, _| {
            let is_of_events = sql.starts_with("SELECT") && sql.contains("\"run_events\"");
            counter.fetch_add(usize::from(is_of_events), Ordering::Relaxed);
        }));
        let store = Store::connect(&options, Env::default()).await.unwrap();
        let (acme, _) = tenant(&store, "acme").await;
        let run = start(&store, acme.id, "a").await.run().id;
        let mut followers = Vec::new();
        for number in 0..FOLLOWERS {
            let mut events: Pin<Box<dyn Stream<Item = Result<RunEvent>> + Send>> = if number % 2 == 0 {
                Box::pin(activity_follow(&store, acme.id, None, vec![WORK]))
            } else {
                Box::pin(run_follow(&store, acme.id, run, 0))
            };
            assert!(events.next().now_or_never().is_none());
            followers.push(events);
        }
        futures::future::join_all(followers.iter_mut().map(begin)).await;
        read.store(0, Ordering::Relaxed);
        cancel(&store, acme.id, run).await;
        for mut events in followers {
            assert_eq!(seqs(&until_end(&mut events, run).await), [1]);
        }
        assert_eq!(read.load(Ordering::Relaxed), 1);
    }

    async fn a_follower_that_falls_behind_misses_no_event(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let slow = start(&store, acme.id, "slow").await.run().id;
        let mut activity = pin!(activity_follow(&store, acme.id, None, vec![WORK]));
        let mut of_run = pin!(run_follow(&store, acme.id, slow, 0));
        let mut quick = pin!(activity_follow(&store, acme.id, None, vec![WORK]));
        begin(&mut activity).await;
        begin(&mut of_run).await;
        begin(&mut quick).await;
        log_quietly(&db, slow, 2_500).await;
        cancel(&store, acme.id, slow).await;
        // The reader has sent all of them when the quick follower has the last.
        let expected = (1..=2_501).collect::<Vec<_>>();
        assert_eq!(seqs(&until_end(&mut quick, slow).await), expected);
        assert_eq!(seqs(&until_end(&mut activity, slow).await), expected);
        assert_eq!(seqs(&until_end(&mut of_run, slow).await), expected);
        assert!(of_run.next().await.is_none());
    }

    async fn a_tenant_is_followed_again_after_all_left(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        for name in ["a", "b", "c"] {
            let run = start(&store, acme.id, name).await.run().id;
            let mut activity = Box::pin(activity_follow(&store, acme.id, None, vec![WORK]));
            begin(&mut activity).await;
            cancel(&store, acme.id, run).await;
            assert_eq!(seqs(&until_end(&mut activity, run).await), [1]);
        }
    }

    async fn activity_of_some_kinds_shows_no_other_runs(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let run = start(&store, acme.id, "a").await.run().id;
        let mut activity = pin!(activity_follow(&store, acme.id, None, vec![OTHER_WORK]));
        begin(&mut activity).await;
        cancel(&store, acme.id, run).await;
        begin(&mut activity).await;
    }
}

mod on_one_file {
    use nyxcore_tests::run_on_sqlite;

    use super::*;

    /// The stores of two processes on one file: neither receives the other's signals.
    async fn processes(db: &TestDatabase) -> (Store, Store, Arc<ManualClock>) {
        let (store, clock) = store_at_rest(db).await;
        let other = second_store(db, &clock).await;
        (store, other, clock)
    }

    #[test]
    fn activity_shows_the_runs_of_another_process() {
        run_on_sqlite(|db| async move {
            let (store, other, _) = processes(&db).await;
            let (acme, _) = tenant(&store, "acme").await;
            let mut activity = pin!(activity_follow(&store, acme.id, None, vec![WORK]));
            begin(&mut activity).await;
            let run = start(&other, acme.id, "a").await.run().id;
            cancel(&other, acme.id, run).await;
            assert_eq!(seqs(&until_end(&mut activity, run).await), [1]);
        });
    }

    #[test]
    fn activity_shows_each_event_once_over_many_looks() {
        run_on_sqlite(|db| async move {
            let (store, other, clock) = processes(&db).await;
            let (acme, _) = tenant(&store, "acme").await;
            let mut activity = pin!(activity_follow(&store, acme.id, None, vec![WORK]));
            begin(&mut activity).await;
            for n in 0..3 {
                let run = start(&other, acme.id, &format!("run-{n}")).await.run().id;
                cancel(&other, acme.id, run).await;
                let events = until_end(&mut activity, run).await;
                assert!(events.iter().all(|event| event.run_id == run), "{events:?}");
                clock.advance(TimeDelta::seconds(45));
            }
            // Two more polls find nothing.
            let again = tokio::time::timeout(Duration::from_secs(5), activity.next()).await;
            assert!(again.is_err(), "{again:?}");
        });
    }
}
