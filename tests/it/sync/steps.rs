//! The steps after a sync: when they are called, with which changes, and that no change is lost.

use nyxcore_runs::{EventBody, Level, RunFailure, RunStatus};
use nyxcore_sync::{SyncStepKind, SyncTrigger, sync_start_without};
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::world::{SyncWorld, repository};
use crate::support::store;

on_both_databases! {
    async fn a_step_is_called_where_something_is_new_and_told_what(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let mut repository = repository(&db, "atlas");
        repository.write("a.rs", "fn a() {}\n").write("b.rs", "fn b() {}\n").write("c.rs", "fn c() {}\n");
        repository.commit("one");
        let source = world.source(&repository, None, "").await;
        let first = world.succeeded(source).await;
        // The first sync passes no paths, because earlier changes may be pending.
        assert_eq!(world.step.take(), [None]);
        assert!(world.messages(&first).await.contains(&"told".to_owned()));

        let second = world.succeeded(source).await;
        assert!(world.step.take().is_empty());
        let left_out = world.events(&second).await.into_iter().filter_map(|event| match event.body {
            EventBody::PhaseSkipped { phase, reason } => Some((phase, reason)),
            _ => None,
        });
        let left_out: Vec<_> = left_out.collect();
        assert_eq!(left_out.last().unwrap(), &("knowledge".to_owned(), "the sync changed nothing".to_owned()));
        assert_eq!(left_out[0], ("scan".to_owned(), "nothing changed since the last sync".to_owned()));

        repository.write("b.rs", "fn bb() {}\n").remove("c.rs");
        repository.git(&["mv", "a.rs", "d.rs"]);
        repository.commit("two");
        world.succeeded(source).await;
        assert_eq!(world.step.take(), [Some(["a.rs", "b.rs", "c.rs", "d.rs"].map(str::to_owned).to_vec())]);

        // A commit without changed files does not call the step.
        repository.commit("three");
        let empty = world.succeeded(source).await;
        assert!(world.step.take().is_empty());
        assert_eq!(empty.detail.phases_done, ["finalize", "index", "knowledge"]);
    }

    async fn a_step_that_fails_is_a_warning_and_done_by_the_next_sync(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let mut repository = repository(&db, "atlas");
        repository.write("a.rs", "fn a() {}\n");
        repository.commit("one");
        let source = world.source(&repository, None, "").await;
        world.succeeded(source).await;
        world.step.take();

        world.step.fail(Some(RunFailure::permanent("BROKEN", "the step is broken")));
        repository.write("a.rs", "fn aa() {}\n");
        repository.commit("two");
        let sync = world.succeeded(source).await;
        assert_eq!(sync.detail.phases_done, ["finalize", "index"]);
        let warned = world.events(&sync).await.into_iter().any(|event| {
            matches!(event.body, EventBody::Message { level: Level::Warning, text } if text.contains("the step is broken"))
        });
        assert!(warned);
        world.step.take();
        world.step.fail(None);
        let next = world.succeeded(source).await;
        assert_eq!(world.step.take(), [None]);
        assert_eq!((next.detail.files_updated, next.detail.phases_done), (0, vec!["finalize".to_owned(), "index".into(), "knowledge".into()]));
        world.succeeded(source).await;
        assert!(world.step.take().is_empty());
    }

    async fn a_step_that_is_left_out_as_asked_is_made_up_for(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let mut repository = repository(&db, "atlas");
        repository.write("a.rs", "fn a() {}\n");
        repository.commit("one");
        let source = world.source(&repository, None, "").await;
        for _ in 0..2 {
            let scoped = world.write().await;
            let skip = [SyncStepKind::Knowledge];
            let (start, _) = sync_start_without(&scoped, source, SyncTrigger::Manual, None, &skip).await.unwrap();
            scoped.commit().await.unwrap();
            let sync = world.work(start.run().id, world.handler()).await;
            assert_eq!(sync.run.status, RunStatus::Succeeded);
            assert!(world.step.take().is_empty());
            let told = world.events(&sync).await.into_iter().any(|event| {
                matches!(event.body, EventBody::PhaseSkipped { phase, reason } if phase == "knowledge" && reason == "left out, as asked")
            });
            assert!(told);
        }
        world.succeeded(source).await;
        assert_eq!(world.step.take(), [None]);
    }

    async fn a_stopped_step_ends_the_sync_without_loss(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let mut repository = repository(&db, "atlas");
        repository.write("a.rs", "fn a() {}\n");
        repository.commit("one");
        let source = world.source(&repository, None, "").await;
        world.step.hang(true);
        let run = world.start(source).await;
        let cancelled = world.cancelled_in(run, "knowledge", world.handler()).await;
        assert_eq!(cancelled.run.status, RunStatus::Cancelled);
        assert_eq!(cancelled.detail.phases_done, ["finalize", "index"]);
        world.step.hang(false);
        world.step.take();
        let next = world.succeeded(source).await;
        assert_eq!(world.step.take(), [None]);
        assert_eq!(next.detail.files_unchanged, 1);
    }
}
