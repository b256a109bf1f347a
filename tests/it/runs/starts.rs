//! The guards of a start, for each trigger: on request, by schedule, by push, after a sync.

use nyxcore_code_analysis::{AnalysisTrigger, CODE_ANALYSIS_RUN, QUIET_PERIOD, analysis_start};
use nyxcore_runs::{
    RunFilter, RunId, RunKind, RunStatus, Runs, Start, Workers, run_list, run_sweep,
};
use nyxcore_sync::{SYNC_RUN, SyncTrigger, sync_start, sync_swept};
use nyxcore_tenancy::{PageRequest, Repository, TypedId};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::{ConnectionTrait, Statement, Value};

use super::followed;
use crate::support::store;
use crate::sync::world::{SyncWorld, repository};

const AT_ONCE: usize = 100;

/// Makes a run stalled: some worker holds it, and it has made no progress for ten minutes.
async fn stick(db: &TestDatabase, world: &SyncWorld, run: RunId) {
    let raw = db.superuser_connection().await.unwrap();
    let now = world.store.env().now();
    let sql = "UPDATE runs SET status = 'RUNNING', worker = $1, attempt = attempt + 1, lease_expires_at = $2, progress_at = $3 WHERE id = $4";
    let values: [Value; 4] = [
        world.store.env().id().into(),
        (now + chrono::TimeDelta::hours(1)).into(),
        (now - nyxcore_runs::STALL_AFTER).into(),
        run.0.into(),
    ];
    let statement = Statement::from_sql_and_values(raw.get_database_backend(), sql, values);
    assert_eq!(raw.execute_raw(statement).await.unwrap().rows_affected(), 1);
}

async fn runs_of(world: &SyncWorld, kind: RunKind) -> Vec<(RunId, RunStatus)> {
    let scoped = world.read().await;
    let filter = RunFilter {
        kinds: vec![kind],
        ..RunFilter::default()
    };
    let page = run_list(&scoped, &filter, &PageRequest::first(100)).await;
    let runs = page.unwrap().into_items().into_iter();
    runs.map(|run| (run.id, run.status)).collect()
}

/// The run that all starts returned; one of them has started it.
fn the_one(starts: Vec<Start>) -> RunId {
    assert_eq!(starts.iter().filter(|start| start.is_started()).count(), 1);
    let id = starts[0].run().id;
    assert!(starts.iter().all(|start| start.run().id == id));
    id
}

on_both_databases! {
    async fn concurrent_starts_make_one_sync(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let source = world.source(&repository(&db, "atlas"), None, "").await;
        let triggers = [SyncTrigger::Manual, SyncTrigger::Schedule, SyncTrigger::Webhook];
        let start = |n: usize| {
            let world = &world;
            async move {
                let scoped = world.write().await;
                let (start, sync) = sync_start(&scoped, source, triggers[n % 3], None).await.unwrap();
                scoped.commit().await.unwrap();
                assert_eq!(sync.run.id, start.run().id);
                start
            }
        };
        let first = the_one(futures::future::join_all((0..AT_ONCE).map(start)).await);
        assert_eq!(runs_of(&world, SYNC_RUN).await, [(first, RunStatus::Queued)]);

        stick(&db, &world, first).await;
        let second = the_one(futures::future::join_all((0..AT_ONCE).map(start)).await);
        assert_eq!(runs_of(&world, SYNC_RUN).await, [(second, RunStatus::Queued), (first, RunStatus::Failed)]);
        let scoped = world.read().await;
        assert_eq!(Runs::require(&scoped, first).await.unwrap().error.unwrap().code, "RUN_STALLED");
    }

    async fn concurrent_starts_make_one_analysis(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let triggers = [AnalysisTrigger::Manual, AnalysisTrigger::Sync];
        let start = |n: usize| {
            let world = &world;
            async move {
                let scoped = world.write().await;
                let (start, analysis) = analysis_start(&scoped, world.project, triggers[n % 2], None, QUIET_PERIOD).await.unwrap();
                scoped.commit().await.unwrap();
                assert_eq!(analysis.run_id, start.run().id);
                start
            }
        };
        let first = the_one(futures::future::join_all((0..AT_ONCE).map(start)).await);
        assert_eq!(runs_of(&world, CODE_ANALYSIS_RUN).await, [(first, RunStatus::Queued)]);
        stick(&db, &world, first).await;
        let second = the_one(futures::future::join_all((0..AT_ONCE).map(start)).await);
        assert_eq!(runs_of(&world, CODE_ANALYSIS_RUN).await, [(second, RunStatus::Queued), (first, RunStatus::Failed)]);
    }

    async fn a_stuck_sync_that_is_swept_lets_go_of_its_predecessor(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let mut repository = repository(&db, "atlas");
        repository.write("a.rs", "fn a() {}\n");
        repository.commit("one");
        let source = world.source(&repository, None, "").await;
        let first = world.synced(source).await;
        let stuck = world.start(source).await;
        assert_eq!(world.sync(stuck).await.detail.previous_sync_id, Some(first.run.id));
        stick(&db, &world, stuck).await;
        // Workers sweep when they start.
        let workers = Workers::builder(&world.store).swept(SYNC_RUN, sync_swept()).start().unwrap();
        followed(&world.store, world.tenant.id, stuck, 0).await;
        workers.shutdown().await;
        let swept = world.sync(stuck).await;
        assert_eq!((swept.run.status, swept.run.error.unwrap().code.as_str(), swept.detail.previous_sync_id), (RunStatus::Failed, "RUN_STALLED", None));
        assert_eq!(run_sweep(&world.store).await.unwrap(), 0);
        assert_eq!(world.synced(source).await.detail.previous_sync_id, Some(first.run.id));
        assert!(stuck.uuid() > first.run.id.uuid());
    }
}
