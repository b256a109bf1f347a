//! Periodic tasks: starts due syncs, deletes mirrors of removed sources, settles model calls of ended processes,
//! records the use of system scopes in the audit log, and deletes expired entries, sessions, counters and run events.
//! The first task is done once: a local model that the operator added embeds what has no vector.

use std::time::Duration;

use chrono::TimeDelta;
use nyxcore_embeddings::local_embedding_begin;
use nyxcore_model_catalog::reservations_sweep;
use nyxcore_runs::run_events_expire;
use nyxcore_sync::{SyncOptions, TOPIC_SOURCE_GONE, mirrors_sweep, schedule_tick};
use nyxcore_tenancy::audit::{audit_expire, refusals_flush, system_uses_flush};
use nyxcore_tenancy::directory::credential_uses_flush;
use nyxcore_tenancy::sign_in::sign_in_sweep;
use nyxcore_tenancy::{Signal, Store};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The interval at which the counted uses are written to the database.
const FLUSH_EVERY: Duration = Duration::from_secs(60);
/// The number of flushes between two deletions of ended sessions and expired failures. Until then these rows have no
/// effect.
const SWEEP_EVERY: u32 = 10;
/// The number of flushes between two deletions of old entries: an hour.
const EXPIRE_EVERY: u32 = 60;
/// The interval at which due syncs are searched for.
const SCHEDULE_EVERY: Duration = Duration::from_secs(15);
/// The interval at which mirrors are checked without a signal that a source was removed.
const MIRRORS_EVERY: Duration = Duration::from_secs(60 * 60);
/// How long after the removal of a source its mirror is deleted. Users often remove several sources at once, and a sync
/// of the source may be about to end.
const MIRRORS_AFTER: Duration = Duration::from_secs(2);

/// The retention times.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Entries of the audit log.
    pub audit: TimeDelta,
    /// Logs of runs, after their end.
    pub run_logs: TimeDelta,
}

/// The task of the periodic work.
pub struct Housekeeping {
    ended: CancellationToken,
    task: JoinHandle<()>,
    syncs: [JoinHandle<()>; 2],
}

impl Housekeeping {
    /// Starts the task with these retention times.
    pub fn start(store: &Store, keep: Retention, syncs: SyncOptions) -> Self {
        let ended = CancellationToken::new();
        let syncs = [
            tokio::spawn(schedule_follow(store.clone(), ended.clone())),
            tokio::spawn(mirrors_follow(store.clone(), syncs, ended.clone())),
        ];
        let task = tokio::spawn(housekeeping_loop(store.clone(), keep, ended.clone()));
        Self { ended, task, syncs }
    }

    /// Writes the remaining counts, and stops the task.
    pub async fn end(self) {
        self.ended.cancel();
        for task in [self.task].into_iter().chain(self.syncs) {
            if let Err(error) = task.await {
                tracing::warn!(%error, "housekeeping failed");
            }
        }
    }
}

async fn housekeeping_loop(store: Store, keep: Retention, ended: CancellationToken) {
    match local_embedding_begin(&store).await {
        Ok(0) => {}
        Ok(tenants) => tracing::info!(tenants, "the local model embeds texts without a vector"),
        Err(error) => tracing::warn!(?error, "texts without a vector could not be looked for"),
    }
    for round in 0_u32.. {
        match reservations_sweep(&store).await {
            Ok(swept) if swept.settled > 0 => tracing::warn!(
                lost = swept.settled,
                "settled model calls whose process is gone"
            ),
            Ok(_) => {}
            Err(error) => tracing::warn!(?error, "lost model calls could not be looked for"),
        }
        if round.is_multiple_of(SWEEP_EVERY)
            && let Err(error) = sign_in_sweep(&store).await
        {
            tracing::warn!(?error, "expired sessions could not be deleted");
        }
        if round.is_multiple_of(EXPIRE_EVERY) {
            match run_events_expire(&store, keep.run_logs).await {
                Ok(0) => {}
                Ok(gone) => tracing::info!(gone, "deleted events of old runs"),
                Err(error) => tracing::warn!(?error, "events of old runs could not be deleted"),
            }
            match audit_expire(&store, keep.audit).await {
                Ok(0) => {}
                Ok(gone) => tracing::info!(gone, "deleted old entries of the audit log"),
                Err(error) => {
                    tracing::warn!(?error, "old entries of the audit log could not be deleted")
                }
            }
        }
        let last = tokio::select! {
            () = ended.cancelled() => true,
            () = tokio::time::sleep(FLUSH_EVERY) => false,
        };
        if let Err(error) = refusals_flush(&store, last).await {
            tracing::warn!(
                ?error,
                "refused calls could not be written into the audit log"
            );
        }
        if let Err(error) = system_uses_flush(&store).await {
            tracing::warn!(
                ?error,
                "the audit log could not be written: it is tried again"
            );
        }
        if last {
            if let Err(error) = credential_uses_flush(&store).await {
                tracing::warn!(%error, "the last use of credentials could not be written down");
            }
            return;
        }
    }
}

async fn schedule_follow(store: Store, ended: CancellationToken) {
    loop {
        if let Err(error) = schedule_tick(&store).await {
            tracing::warn!(?error, "syncs that are due could not be looked for");
        }
        tokio::select! {
            () = ended.cancelled() => return,
            () = tokio::time::sleep(SCHEDULE_EVERY) => {}
        }
    }
}

async fn mirrors_follow(store: Store, options: SyncOptions, ended: CancellationToken) {
    let mut signals = store.signals();
    loop {
        match mirrors_sweep(&store, &options).await {
            Ok(0) => {}
            Ok(gone) => tracing::info!(gone, "deleted mirrors of sources that are gone"),
            Err(error) => tracing::warn!(?error, "mirrors could not be swept"),
        }
        let gone = async {
            loop {
                match signals.recv().await {
                    Signal::Changed { topic, .. } if topic != TOPIC_SOURCE_GONE => {}
                    _ => break,
                }
            }
            tokio::time::sleep(MIRRORS_AFTER).await;
        };
        tokio::select! {
            () = ended.cancelled() => return,
            _ = tokio::time::timeout(MIRRORS_EVERY, gone) => {}
        }
    }
}
