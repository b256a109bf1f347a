//! Cancellation takes effect: at the next report of a run, by polling without signals, and in a git process that waits
//! for a remote.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt;
use futures::future::BoxFuture;
use nyxcore_runs::{
    EventBody, Level, RunContext, RunFailure, RunHandler, RunId, RunKind, RunStatus, Workers,
    run_cancel,
};
use nyxcore_sync::git::SourcePolicy;
use nyxcore_sync::git::testing::{GitHttpOptions, GitHttpServer};
use nyxcore_sync::{SyncHandler, SyncOptions};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::{ConnectionTrait, Statement, Value};
use tokio::sync::{Notify, Semaphore};

use super::{Steps, Then, followed, start, status};
use crate::support::{WORK, store, tenant};
use crate::sync::world::SyncWorld;

/// A handler that reports on request, and records whether it knew right after the report that it must stop.
struct ReportingHandler {
    begun: Arc<Notify>,
    gate: Arc<Semaphore>,
    heard: Arc<AtomicBool>,
}

impl RunHandler for ReportingHandler {
    fn kind(&self) -> RunKind {
        WORK
    }

    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        async move {
            self.begun.notify_one();
            self.gate.acquire().await.unwrap().forget();
            context.message(Level::Info, "still here").await?;
            let heard = context.cancelled().is_cancelled();
            self.heard.store(heard, Ordering::SeqCst);
            context.check()
        }
        .boxed()
    }
}

/// Requests cancellation as another process on the same SQLite file does: without a signal.
async fn cancel_quietly(db: &TestDatabase, run: RunId) {
    let raw = db.superuser_connection().await.unwrap();
    let sql = "UPDATE runs SET cancel_requested = $1 WHERE id = $2";
    let values: [Value; 2] = [true.into(), run.0.into()];
    let statement = Statement::from_sql_and_values(raw.get_database_backend(), sql, values);
    assert_eq!(raw.execute_raw(statement).await.unwrap().rows_affected(), 1);
}

on_both_databases! {
    async fn a_run_hears_of_its_cancellation_with_the_next_thing_it_tells(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let telling = ReportingHandler { begun: Arc::default(), gate: Arc::new(Semaphore::new(0)), heard: Arc::default() };
        let (begun, gate, heard) = (telling.begun.clone(), telling.gate.clone(), telling.heard.clone());
        let workers = Workers::builder(&store).handler(telling).start().unwrap();
        let run = start(&store, acme.id, "a").await.run().id;
        begun.notified().await;
        cancel_quietly(&db, run).await;
        gate.add_permits(1);
        let events = followed(&store, acme.id, run, 0).await;
        workers.shutdown().await;
        assert!(heard.load(Ordering::SeqCst));
        assert_eq!(events.last().unwrap().body, EventBody::Finished { status: RunStatus::Cancelled });
    }

    async fn a_run_that_tells_nothing_is_stopped_where_no_signal_came(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let begun = Arc::new(Notify::new());
        let (steps, _) = Steps::new(Then::Hang(begun.clone()));
        let workers = Workers::builder(&store).handler(steps).start().unwrap();
        let run = start(&store, acme.id, "a").await.run().id;
        begun.notified().await;
        cancel_quietly(&db, run).await;
        followed(&store, acme.id, run, 0).await;
        assert_eq!(status(&store, acme.id, run).await, RunStatus::Cancelled);
        workers.shutdown().await;
    }

    async fn a_sync_whose_remote_never_answers_is_cancelled(db: TestDatabase) {
        let mut world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let policy = SourcePolicy { allow_private: true, ..SourcePolicy::default() };
        world.options = SyncOptions::new(&db.folder().join("data"), policy, |_| None);
        let options = GitHttpOptions { silent: true, ..GitHttpOptions::default() };
        let server = GitHttpServer::start(db.folder(), options).await;
        let source = world.source_at(&server.url("atlas/.git"), None, "").await;
        let workers = Workers::builder(&world.store).handler(SyncHandler::new(world.options.clone())).start().unwrap();
        let run = world.start(source).await;
        while server.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        let scoped = world.write().await;
        run_cancel(&scoped, run).await.unwrap();
        scoped.commit().await.unwrap();
        let events = followed(&world.store, world.tenant.id, run, 0).await;
        workers.shutdown().await;
        assert_eq!(events.last().unwrap().body, EventBody::Finished { status: RunStatus::Cancelled });
        // Git made one request, and no further one.
        assert_eq!(server.requests().len(), 1);
    }
}
