//! The sync after a cancelled one repairs everything, whatever the phase of the cancellation.

use nyxcore_runs::RunStatus;
use nyxcore_sync::git::SourcePolicy;
use nyxcore_sync::git::testing::{GitHttpOptions, GitHttpServer};
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::world::{SyncWorld, repository};
use crate::support::store;

on_both_databases! {
    async fn the_next_sync_makes_up_for_a_cancelled_one(db: TestDatabase) {
        let store = store(&db).await;
        let mut repository = repository(&db, "atlas");
        for n in 0..60 {
            repository.write(&format!("src/file_{n:02}.rs"), format!("fn function_{n}() {{}}\n"));
        }
        repository.commit("one");
        let undisturbed = SyncWorld::new(&db, &store, "undisturbed").await;
        let source = undisturbed.source(&repository, None, "").await;
        undisturbed.succeeded(source).await;
        let expected = undisturbed.rows(source).await;

        for phase in ["scan", "import", "finalize", "index", "knowledge"] {
            let mut world = SyncWorld::new(&db, &store, phase).await;
            // Many small batches, so that the phases take longer.
            world.options.batch_files = 1;
            let source = world.source(&repository, None, "").await;
            let run = world.start(source).await;
            world.step.hang(phase == "knowledge");
            let cut = world.cancelled_in(run, phase, world.handler()).await;
            assert_eq!(cut.run.status, RunStatus::Cancelled, "{phase}");
            world.step.hang(false);
            world.step.take();
            world.succeeded(source).await;
            assert_eq!(world.rows(source).await, expected, "{phase}");
            assert_eq!(world.step.take().len(), 1, "{phase}");
        }
    }

    async fn a_fetch_that_is_never_answered_can_be_cancelled(db: TestDatabase) {
        let mut world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        world.options.policy = SourcePolicy { allow_private: true, ..world.options.policy };
        let silent = GitHttpOptions { silent: true, ..GitHttpOptions::default() };
        let server = GitHttpServer::start(db.folder(), silent).await;
        let source = world.source_at(&server.url("atlas/.git"), None, "").await;
        let run = world.start(source).await;
        let cut = world.cancelled_in(run, "prepare", world.handler()).await;
        assert_eq!(cut.run.status, RunStatus::Cancelled);
        assert!(world.rows(source).await.files.is_empty());
    }
}
