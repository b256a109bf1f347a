//! What goes on beside the work: the uses of system scopes are written into the audit log, and entries, sessions, counters and logs of runs
//! past their time are taken away.

use std::time::Duration;

use chrono::TimeDelta;
use nyxcore_runs::run_events_expire;
use nyxcore_tenancy::Store;
use nyxcore_tenancy::audit::{audit_expire, system_uses_flush};
use nyxcore_tenancy::sign_in::sign_in_sweep;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often what was counted is written down.
const FLUSH_EVERY: Duration = Duration::from_secs(60);
/// Flushes between two looks for sessions that ended and failures that count no more: rows that wait for it change nothing.
const SWEEP_EVERY: u32 = 10;
/// Flushes between two looks for old entries: an hour.
const EXPIRE_EVERY: u32 = 60;

/// How long things are kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Entries of the audit log.
    pub audit: TimeDelta,
    /// Logs of runs, after their end.
    pub run_logs: TimeDelta,
}

/// The task that keeps house until it is told to end.
pub struct Housekeeping {
    ended: CancellationToken,
    task: JoinHandle<()>,
}

impl Housekeeping {
    /// Begins, keeping things for so long.
    pub fn start(store: &Store, keep: Retention) -> Self {
        let ended = CancellationToken::new();
        let task = tokio::spawn(keep_house(store.clone(), keep, ended.clone()));
        Self { ended, task }
    }

    /// Writes down what is left, and ends.
    pub async fn end(self) {
        self.ended.cancel();
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "housekeeping did not end as it should");
        }
    }
}

async fn keep_house(store: Store, keep: Retention, ended: CancellationToken) {
    for round in 0_u32.. {
        if round.is_multiple_of(SWEEP_EVERY)
            && let Err(error) = sign_in_sweep(&store).await
        {
            tracing::warn!(?error, "old sessions could not be taken away");
        }
        if round.is_multiple_of(EXPIRE_EVERY) {
            match run_events_expire(&store, keep.run_logs).await {
                Ok(0) => {}
                Ok(gone) => tracing::info!(gone, "took events of old runs away"),
                Err(error) => tracing::warn!(?error, "the logs of runs could not be thinned"),
            }
            match audit_expire(&store, keep.audit).await {
                Ok(0) => {}
                Ok(gone) => tracing::info!(gone, "took old entries out of the audit log"),
                Err(error) => tracing::warn!(?error, "the audit log could not be thinned"),
            }
        }
        let last = tokio::select! {
            () = ended.cancelled() => true,
            () = tokio::time::sleep(FLUSH_EVERY) => false,
        };
        if let Err(error) = system_uses_flush(&store).await {
            tracing::warn!(
                ?error,
                "the audit log could not be written: it is tried again"
            );
        }
        if last {
            return;
        }
    }
}
