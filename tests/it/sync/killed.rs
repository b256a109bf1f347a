//! The attempt or sync after a killed one repairs everything, whatever the moment of the kill.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use chrono::TimeDelta;
use futures::FutureExt;
use futures::future::BoxFuture;
use nyxcore_projects::{SourceChanges, SourceId, source_update};
use nyxcore_runs::{RunContext, RunFailure, RunHandler, RunKind, RunStatus};
use nyxcore_sync::git::testing::TestRepository;
use nyxcore_sync::{SYNC_RUN, SyncDetail, SyncHandler};
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::world::{SyncWorld, repository};
use crate::support::store_at_rest;

/// The numbers of polls after which a sync is cut off: close to each other at first, then further apart, until a sync
/// completes.
fn moments() -> impl Iterator<Item = usize> {
    std::iter::successors(Some(2), |polls| Some(polls + 2 + polls / 5)).take(60)
}

/// A handler that is dropped after the given number of polls, like a process that is killed. At the latest it is
/// dropped when all its work is done and only the run's end is not stored. The number of polls until then depends on
/// the machine.
struct DyingHandler {
    inner: SyncHandler,
    polls: usize,
    then: RunFailure,
    done: Arc<AtomicBool>,
}

impl DyingHandler {
    fn new(inner: SyncHandler, polls: usize, then: RunFailure) -> Self {
        Self {
            inner,
            polls,
            then,
            done: Arc::default(),
        }
    }

    /// Becomes true if the work completes before the polls are used up.
    fn done(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.done)
    }
}

impl RunHandler for DyingHandler {
    fn kind(&self) -> RunKind {
        SYNC_RUN
    }

    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        async move {
            let mut work = self.inner.run(context);
            let mut polls = 0;
            let outcome = poll_fn(|task| {
                polls += 1;
                if polls > self.polls {
                    return Poll::Ready(None);
                }
                work.as_mut().poll(task).map(Some)
            })
            .await;
            drop(work);
            self.done.store(outcome.is_some(), Ordering::Relaxed);
            match outcome {
                Some(Err(failure)) => Err(failure),
                Some(Ok(())) | None => Err(self.then.clone()),
            }
        }
        .boxed()
    }
}

/// A handler during which another transaction changes the source, after the given number of polls.
struct DisturbedHandler {
    inner: SyncHandler,
    polls: usize,
    source: SourceId,
}

impl RunHandler for DisturbedHandler {
    fn kind(&self) -> RunKind {
        SYNC_RUN
    }

    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        async move {
            let mut work = self.inner.run(context);
            let change = async {
                let scoped = context.store().write(context.tenant()).await.unwrap();
                let changes = SourceChanges {
                    scan_path: Some("src".into()),
                    ..SourceChanges::default()
                };
                source_update(&scoped, self.source, changes).await.unwrap();
                scoped.commit().await.unwrap();
            };
            let mut change = Box::pin(change.fuse());
            let mut polls = 0;
            poll_fn(|task| {
                polls += 1;
                if polls >= self.polls {
                    let _ = change.as_mut().poll(task);
                }
                work.as_mut().poll(task)
            })
            .await
        }
        .boxed()
    }
}

/// Many small files, all different, and options that split them into several batches.
fn repository_fill(repository: &mut TestRepository) {
    for n in 0..24 {
        repository.write(
            &format!("src/file_{n:02}.rs"),
            format!("fn function_{n}() {{}}\n"),
        );
    }
    repository
        .write("picture.png", b"\0\x01")
        .write("large.txt", "x".repeat(5_000));
    repository.commit("one");
}

fn repository_change(repository: &mut TestRepository) {
    for n in 0..10 {
        repository.write(
            &format!("src/file_{n:02}.rs"),
            format!("fn changed_{n}() {{}}\n"),
        );
    }
    for n in 10..14 {
        repository.remove(&format!("src/file_{n:02}.rs"));
    }
    repository.git(&["mv", "src/file_20.rs", "src/moved.rs"]);
    repository
        .write("src/file_21.rs", b"\0")
        .write("picture.png", "words\n")
        .write("docs/new.md", "new\n");
    repository.commit("two");
}

async fn world(db: &TestDatabase, store: &nyxcore_tenancy::Store, n: usize) -> SyncWorld {
    let mut world = SyncWorld::new(db, store, &format!("tenant-{n}")).await;
    world.options.batch_files = 5;
    world.options.blob_bytes_max = 4_000;
    world
}

/// The results of a sync that do not depend on the process that executed it.
fn found(detail: &SyncDetail) -> impl PartialEq + std::fmt::Debug + use<> {
    let counts = [
        detail.files_added,
        detail.files_updated,
        detail.files_deleted,
        detail.files_renamed,
        detail.files_unchanged,
        detail.files_skipped,
    ];
    (detail.from_commit.clone(), detail.to_commit.clone(), counts)
}

on_both_databases! {
    async fn a_killed_sync_ends_like_an_undisturbed_one(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let mut repository = repository(&db, "atlas");
        repository_fill(&mut repository);
        let undisturbed = world(&db, &store, 0).await;
        let source = undisturbed.source(&repository, None, "").await;
        let expected = undisturbed.synced(source).await;
        assert_eq!((expected.detail.files_added, expected.detail.files_skipped), (26, 2));
        let rows = undisturbed.rows(source).await;

        let mut killed = 0;
        for polls in moments() {
            let world = world(&db, &store, polls).await;
            let source = world.source(&repository, None, "").await;
            let run = world.start(source).await;
            let failure = RunFailure::transient("KILLED", "killed");
            let dying = DyingHandler::new(world.handler(), polls, failure);
            let done = dying.done();
            let cut = world.work(run, dying).await;
            assert_eq!(cut.run.status, RunStatus::Queued, "after {polls} polls");
            killed += 1;
            clock.advance(TimeDelta::seconds(10));
            let again = world.work(run, world.handler()).await;
            assert_eq!((again.run.status, again.run.attempt), (RunStatus::Succeeded, 2), "after {polls} polls");
            assert_eq!(world.rows(source).await, rows, "after {polls} polls");
            assert_eq!(found(&again.detail), found(&expected.detail), "after {polls} polls");
            assert!(!world.step.take().is_empty(), "after {polls} polls");
            if done.load(Ordering::Relaxed) {
                break;
            }
        }
        assert!((5..60).contains(&killed), "{killed} moments");
    }

    async fn what_a_failed_sync_left_undone_the_next_one_does(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let mut repository = repository(&db, "atlas");
        repository_fill(&mut repository);
        let before = repository.git(&["rev-parse", "HEAD"]);
        repository_change(&mut repository);
        let after = repository.git(&["rev-parse", "HEAD"]);
        let head = |commit: &str| repository.git(&["reset", "--quiet", "--hard", commit]);
        let undisturbed = world(&db, &store, 0).await;
        let source = undisturbed.source(&repository, None, "").await;
        head(&before);
        undisturbed.synced(source).await;
        head(&after);
        undisturbed.synced(source).await;
        let rows = undisturbed.rows(source).await;

        let (mut stayed, mut moved) = (0, 0);
        for polls in moments() {
            let world = world(&db, &store, polls).await;
            let source = world.source(&repository, None, "").await;
            head(&before);
            let first = world.synced(source).await;
            world.step.take();
            head(&after);
            let run = world.start(source).await;
            let failure = RunFailure::permanent("KILLED", "killed");
            let dying = DyingHandler::new(world.handler(), polls, failure);
            let done = dying.done();
            let cut = world.work(run, dying).await;
            assert_eq!(cut.run.status, RunStatus::Failed, "after {polls} polls");
            *(if cut.detail.to_commit.is_some() { &mut moved } else { &mut stayed }) += 1;
            let next = world.synced(source).await;
            assert_eq!((next.run.status, next.detail.previous_sync_id), (RunStatus::Succeeded, Some(first.run.id)), "after {polls} polls");
            assert_eq!(world.rows(source).await, rows, "after {polls} polls");
            // The steps after a sync learn of the change, whichever of the two runs made it.
            assert!(!world.step.take().is_empty(), "after {polls} polls");
            if done.load(Ordering::Relaxed) {
                break;
            }
        }
        assert!(stayed > 2 && moved > 0, "{stayed} moments before the source moved and {moved} after");
    }

    async fn a_source_changed_during_a_sync_gets_the_right_files(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let mut repository = repository(&db, "atlas");
        repository_fill(&mut repository);
        repository_change(&mut repository);
        let asked = world(&db, &store, 0).await;
        let source = asked.source(&repository, None, "src").await;
        asked.synced(source).await;
        let rows = asked.rows(source).await;

        for (moment, polls) in [1, 20, 40, 60, 100, 200].into_iter().enumerate() {
            let world = world(&db, &store, moment + 1).await;
            let source = world.source(&repository, None, "").await;
            let run = world.start(source).await;
            let handler = DisturbedHandler { inner: world.handler(), polls, source };
            let disturbed = world.work(run, handler).await;
            if disturbed.run.status == RunStatus::Queued {
                clock.advance(TimeDelta::seconds(10));
                world.work(run, world.handler()).await;
            }
            world.source_change(source, SourceChanges { scan_path: Some("src".into()), ..SourceChanges::default() }).await;
            let last = world.synced(source).await;
            assert_eq!(last.run.status, RunStatus::Succeeded, "after {polls} polls");
            let after = world.rows(source).await;
            assert_eq!((after.head_commit, after.files, after.documents), (rows.head_commit.clone(), rows.files.clone(), rows.documents.clone()), "after {polls} polls");
        }
    }
}
