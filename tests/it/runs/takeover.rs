//! A killed worker is detected by the next worker on its machine, and a live worker keeps its runs.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nyxcore_runs::{AttemptOutcome, RunStatus, Workers, run_attempts};
use nyxcore_tests::{TestDatabase, on_both_databases};
use tokio::sync::Notify;

use super::processes::{remote, wait_until};
use super::{Steps, Then, followed, start, status};
use crate::support::{store, tenant};
use crate::sync::process::Process;
use crate::sync::world::SyncWorld;

/// Well below the 45 seconds of a lease.
const SOON: Duration = Duration::from_secs(30);

on_both_databases! {
    async fn a_killed_workers_run_is_taken_over_at_once(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let (_server, network, url) = remote(&db).await;
        let source = world.source_at(&url, None, "").await;
        network.hold();
        let run = world.start(source).await;
        let process = Process::start(&db, "private");
        wait_until("git asks the remote", || std::future::ready(network.connections() > 0)).await;
        drop(process);
        let killed = Instant::now();
        network.release();
        let process = Process::start(&db, "private");
        followed(&world.store, world.tenant.id, run, 0).await;
        assert!(killed.elapsed() < SOON, "{:?}", killed.elapsed());
        drop(process);
        let scoped = world.read().await;
        let attempts = run_attempts(&scoped, &[run]).await.unwrap().remove(&run).unwrap();
        let outcomes: Vec<_> = attempts.iter().map(|attempt| attempt.outcome).collect();
        assert_eq!(outcomes, [Some(AttemptOutcome::Lost), Some(AttemptOutcome::Succeeded)]);
    }

    async fn a_living_workers_run_is_not_taken_over(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let folder = db.folder().join("workers");
        let begun = Arc::new(Notify::new());
        let (steps, worked) = Steps::new(Then::Hang(begun.clone()));
        let first = Workers::builder(&store).presence(&folder).concurrency(1).handler(steps).start().unwrap();
        let run = start(&store, acme.id, "a").await.run().id;
        begun.notified().await;
        // The second worker sweeps when it starts, and would execute the runs that it takes over.
        let (steps, taken) = Steps::new(Then::Succeed);
        let second = Workers::builder(&store).presence(&folder).handler(steps).start().unwrap();
        let other = start(&store, acme.id, "b").await.run().id;
        followed(&store, acme.id, other, 0).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(status(&store, acme.id, run).await, RunStatus::Running);
        assert_eq!(worked.load(Ordering::SeqCst) + taken.load(Ordering::SeqCst), 2);
        second.shutdown().await;
        first.shutdown().await;
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    }
}
