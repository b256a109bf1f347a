//! Schedules: one sync per due time, regardless of the number of workers and pauses; backoff for failing sources.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use nyxcore_projects::SourceId;
use nyxcore_runs::{RunFilter, run_list};
use nyxcore_sync::{
    SYNC_RUN, SyncSettings, SyncTrigger, schedule_tick, source_schedule_set, sync_again,
    sync_latest, sync_settings_of, sync_start,
};
use nyxcore_tenancy::{ManualClock, PageRequest, Store, TenantId};
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::json;

use super::{ask, source_of, sql};
use crate::gateway_transport::client::{code, serve};
use crate::support::{second_store, store_at_rest, tenant};

struct Clockwork {
    store: Store,
    clock: Arc<ManualClock>,
    tenant: TenantId,
    source: SourceId,
}

impl Clockwork {
    async fn new(db: &TestDatabase) -> Self {
        let (store, clock) = store_at_rest(db).await;
        let tenant = tenant(&store, "acme").await.0.id;
        let source = source_of(&store, tenant, "https://git.example.org/atlas.git", None).await;
        Self {
            store,
            clock,
            tenant,
            source,
        }
    }

    async fn every(&self, minutes: Option<i64>) -> Result<(), &'static str> {
        let scoped = self.store.write(self.tenant).await.unwrap();
        let set = source_schedule_set(&scoped, self.source, minutes).await;
        set.map_err(|error| error.code())?;
        scoped.commit().await.unwrap();
        Ok(())
    }

    async fn settings(&self) -> SyncSettings {
        let scoped = self.store.read(self.tenant).await.unwrap();
        let mut found = sync_settings_of(&scoped, &[self.source]).await.unwrap();
        found.remove(&self.source).unwrap()
    }

    async fn next(&self) -> Option<DateTime<Utc>> {
        self.settings().await.next_sync_at
    }

    /// Minutes from now to the next sync.
    async fn wait(&self) -> f64 {
        let wait = self.next().await.unwrap() - self.clock_now();
        wait.num_milliseconds() as f64 / 60_000.0
    }

    fn clock_now(&self) -> DateTime<Utc> {
        self.store.env().now()
    }

    async fn tick_when_due(&self) -> u64 {
        let wait = self.next().await.unwrap() - self.clock_now();
        self.clock.advance(wait.max(TimeDelta::zero()));
        schedule_tick(&self.store).await.unwrap()
    }

    async fn syncs(&self) -> usize {
        let scoped = self.store.read(self.tenant).await.unwrap();
        let filter = RunFilter {
            kinds: vec![SYNC_RUN],
            ..RunFilter::default()
        };
        let runs = run_list(&scoped, &filter, &PageRequest::first(100)).await;
        runs.unwrap().into_items().len()
    }

    async fn trigger(&self) -> SyncTrigger {
        let scoped = self.store.read(self.tenant).await.unwrap();
        let latest = sync_latest(&scoped, self.source).await.unwrap();
        latest.unwrap().detail.trigger
    }
}

/// Ends all waiting and running runs, as a worker would.
async fn end(db: &TestDatabase, status: &str, code: &str) {
    let rows = sql(
        db,
        &format!(
            "UPDATE runs SET status = '{status}', error_code = {code}, error_message = {code}, finished_at = created_at
             WHERE status IN ('QUEUED', 'RUNNING')"
        ),
    )
    .await;
    assert_eq!(rows, 1);
}

on_both_databases! {
    async fn a_source_is_due_once_and_again_after_its_time(db: TestDatabase) {
        let clockwork = Clockwork::new(&db).await;
        for wrong in [-1, 0, 4, 43_201, i64::MAX] {
            assert_eq!(clockwork.every(Some(wrong)).await, Err("INVALID_INPUT"), "{wrong}");
        }
        clockwork.every(Some(60)).await.unwrap();
        assert!((54.0..=66.0).contains(&clockwork.wait().await));
        assert_eq!(schedule_tick(&clockwork.store).await.unwrap(), 0);
        clockwork.clock.advance(TimeDelta::minutes(53));
        assert_eq!(schedule_tick(&clockwork.store).await.unwrap(), 0);
        assert_eq!(clockwork.tick_when_due().await, 1);
        assert_eq!((clockwork.syncs().await, clockwork.trigger().await), (1, SyncTrigger::Schedule));
        assert!((54.0..=66.0).contains(&clockwork.wait().await));
        assert_eq!(schedule_tick(&clockwork.store).await.unwrap(), 0);
        // An active sync takes the place of the scheduled one.
        assert_eq!(clockwork.tick_when_due().await, 0);
        assert_eq!(clockwork.syncs().await, 1);
        end(&db, "SUCCEEDED", "NULL").await;
        assert_eq!(clockwork.tick_when_due().await, 1);
        end(&db, "SUCCEEDED", "NULL").await;

        // The scheduler did not run for a month: it starts one sync, and not seven hundred.
        clockwork.clock.advance(TimeDelta::days(30));
        assert_eq!(schedule_tick(&clockwork.store).await.unwrap(), 1);
        assert_eq!(schedule_tick(&clockwork.store).await.unwrap(), 0);
        assert!((54.0..=66.0).contains(&clockwork.wait().await));
        end(&db, "SUCCEEDED", "NULL").await;

        clockwork.every(None).await.unwrap();
        assert_eq!((clockwork.next().await, clockwork.settings().await.schedule()), (None, None));
        clockwork.clock.advance(TimeDelta::days(30));
        assert_eq!(schedule_tick(&clockwork.store).await.unwrap(), 0);
        assert_eq!(clockwork.syncs().await, 3);
    }

    async fn of_many_schedulers_at_once_one_starts_each_sync(db: TestDatabase) {
        let clockwork = Clockwork::new(&db).await;
        clockwork.every(Some(60)).await.unwrap();
        let (rival, _) = tenant(&clockwork.store, "rival").await;
        let theirs = source_of(&clockwork.store, rival.id, "https://git.example.org/b.git", None).await;
        let scoped = clockwork.store.write(rival.id).await.unwrap();
        source_schedule_set(&scoped, theirs, Some(5)).await.unwrap();
        scoped.commit().await.unwrap();
        clockwork.clock.advance(TimeDelta::minutes(70));
        let mut stores = vec![clockwork.store.clone()];
        for _ in 0..3 {
            stores.push(second_store(&db, &clockwork.clock).await);
        }
        let ticks = stores.iter().flat_map(|store| [schedule_tick(store), schedule_tick(store)]);
        let started: u64 = futures::future::join_all(ticks).await.into_iter().map(Result::unwrap).sum();
        assert_eq!((started, clockwork.syncs().await), (2, 1));
    }

    async fn failing_sources_back_off_until_a_success(db: TestDatabase) {
        let clockwork = Clockwork::new(&db).await;
        clockwork.every(Some(120)).await.unwrap();
        let mut waits = Vec::new();
        for _ in 0..6 {
            assert_eq!(clockwork.tick_when_due().await, 1);
            waits.push(clockwork.wait().await);
            end(&db, "FAILED", "'AUTHENTICATION_FAILED'").await;
        }
        for (wait, minutes) in waits.iter().zip([120.0, 240.0, 480.0, 960.0, 1440.0, 1440.0]) {
            assert!((minutes * 0.9..=minutes * 1.1).contains(wait), "{waits:?}");
        }
        // A user fixes the cause, and starts a sync.
        let scoped = clockwork.store.write(clockwork.tenant).await.unwrap();
        sync_start(&scoped, clockwork.source, SyncTrigger::Manual, None).await.unwrap();
        scoped.commit().await.unwrap();
        assert!(clockwork.wait().await > 1_000.0);
        end(&db, "SUCCEEDED", "NULL").await;
        let scoped = clockwork.store.write(clockwork.tenant).await.unwrap();
        let run = sync_latest(&scoped, clockwork.source).await.unwrap().unwrap().run;
        sync_again(&scoped, &run).await.unwrap();
        scoped.commit().await.unwrap();
        assert!((108.0..=132.0).contains(&clockwork.wait().await));

        // A lost worker says nothing about the source.
        for _ in 0..2 {
            assert_eq!(clockwork.tick_when_due().await, 1);
            assert!((108.0..=132.0).contains(&clockwork.wait().await));
            end(&db, "FAILED", "'WORKER_LOST'").await;
        }
    }

    async fn the_api_gives_a_schedule_and_takes_it_away(db: TestDatabase) {
        const SET: &str = "mutation ($input: SetSourceScheduleInput!) { setSourceSchedule(input: $input) { source { schedule { everyMinutes nextSyncAt } } } }";
        let served = serve(&db, nyxcore_gateway::Limits::default()).await;
        let source = source_of(&served.store, served.tenant, "https://git.example.org/a.git", None).await;
        let answer = ask(&served, SET, json!({"sourceId": source, "everyMinutes": 30})).await;
        let schedule = &answer["data"]["setSourceSchedule"]["source"]["schedule"];
        assert_eq!(schedule["everyMinutes"], 30, "{answer}");
        assert!(schedule["nextSyncAt"].is_string(), "{answer}");
        let answer = ask(&served, SET, json!({"sourceId": source, "everyMinutes": null})).await;
        assert!(answer["data"]["setSourceSchedule"]["source"]["schedule"].is_null(), "{answer}");
        let answer = ask(&served, SET, json!({"sourceId": source, "everyMinutes": 1})).await;
        assert_eq!(code(&answer), "INVALID_INPUT");
    }
}
