//! Old logs expire, but the outcome of each run remains.

use chrono::TimeDelta;
use nyxcore_runs::{EventBody, RunStatus, Workers, event_list, run_attempts, run_events_expire};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::{ConnectionTrait, Statement};

use super::{Steps, Then, followed, start};
use crate::support::{store_at_rest, tenant};

on_both_databases! {
    async fn an_expired_log_keeps_its_last_event(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (steps, _) = Steps::new(Then::Succeed);
        let workers = Workers::builder(&store).handler(steps).start().unwrap();
        let old = start(&store, acme.id, "old").await.run().id;
        let log = followed(&store, acme.id, old, 0).await;
        clock.advance(TimeDelta::days(20));
        let young = start(&store, acme.id, "young").await.run().id;
        let young_log = followed(&store, acme.id, young, 0).await;
        workers.shutdown().await;
        // This run has been waiting since then, and has not begun.
        start(&store, acme.id, "waiting").await;

        let keep = TimeDelta::days(30);
        clock.advance(TimeDelta::days(10));
        assert_eq!(run_events_expire(&store, keep).await.unwrap(), 0);
        clock.advance(TimeDelta::seconds(1));
        assert_eq!(run_events_expire(&store, keep).await.unwrap(), log.len() as u64 - 1);
        assert_eq!(run_events_expire(&store, keep).await.unwrap(), 0);
        // A late follower still receives the end, with its number.
        let left = followed(&store, acme.id, old, 0).await;
        assert_eq!(left, log[log.len() - 1..]);
        assert_eq!(left[0].body, EventBody::Finished { status: RunStatus::Succeeded });
        assert_eq!(followed(&store, acme.id, young, 0).await, young_log);
        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(run_attempts(&scoped, &[old]).await.unwrap()[&old][0].phases[0].done, 3);
    }

    async fn a_long_log_goes_piece_by_piece(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (steps, _) = Steps::new(Then::Succeed);
        let workers = Workers::builder(&store).handler(steps).start().unwrap();
        let run = start(&store, acme.id, "a").await.run().id;
        let log = followed(&store, acme.id, run, 0).await;
        workers.shutdown().await;
        // As if a model had streamed text before the end.
        let raw = db.superuser_connection().await.unwrap();
        let last = log.len() as i64;
        for sql in [
            "UPDATE run_events SET seq = seq + 12000 WHERE run_id = $1 AND seq = $2",
            "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 11999)
             INSERT INTO run_events (tenant_id, run_id, seq, at, payload)
             SELECT e.tenant_id, e.run_id, $2 + n, e.at, e.payload FROM run_events e CROSS JOIN numbers WHERE e.run_id = $1 AND e.seq = 1",
            "UPDATE runs SET event_count = $2 + 12000 WHERE id = $1",
        ] {
            let statement = Statement::from_sql_and_values(store.backend(), sql, [run.0.into(), last.into()]);
            raw.execute_raw(statement).await.unwrap();
        }
        clock.advance(TimeDelta::days(31));
        assert_eq!(run_events_expire(&store, TimeDelta::days(30)).await.unwrap(), last as u64 - 1 + 12_000);
        let scoped = store.read(acme.id).await.unwrap();
        let left = event_list(&scoped, run, 0, 10).await.unwrap();
        let left: Vec<i64> = left.iter().map(|event| event.seq).collect();
        assert_eq!(left, [last + 12_000]);
    }
}
