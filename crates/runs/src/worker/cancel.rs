//! Stops the runs of this worker that were asked to stop.

use std::sync::Arc;
use std::time::Duration;

use nyxcore_tenancy::Result;
use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::{Shared, news};
use crate::events::TOPIC_CANCEL;
use crate::registration::RUN_CANCEL;

/// How often a worker polls for cancellations if no signal arrives: a user should see the effect within a second.
const CANCEL_LOOK_EVERY: Duration = Duration::from_millis(500);

/// Forwards cancellations to the runs: on signals, and by polling. Another process on the same SQLite file sends no
/// signals, and a broken connection loses some.
pub(super) async fn cancel_loop(shared: Arc<Shared>) {
    let mut signals = shared.store.signals();
    loop {
        let signal = tokio::time::timeout(CANCEL_LOOK_EVERY, news(&mut signals, TOPIC_CANCEL));
        let signal = tokio::select! {
            () = shared.stop.cancelled() => return,
            signal = signal => signal,
        };
        let asked = match signal {
            Ok(Some(run)) => vec![run],
            Ok(None) | Err(_) if shared.running().is_empty() => continue,
            Ok(None) | Err(_) => cancels_read(&shared).await.unwrap_or_else(|error| {
                tracing::warn!(?error, "looking for cancelled runs failed");
                Vec::new()
            }),
        };
        let running = shared.running();
        for run in asked {
            if let Some((_, cancelled)) = running.get(&run) {
                cancelled.cancel();
            }
        }
    }
}

/// The runs of this worker that were asked to stop.
async fn cancels_read(shared: &Shared) -> Result<Vec<Uuid>> {
    #[derive(FromQueryResult)]
    struct CancelledRun {
        id: Uuid,
    }
    let system = shared.store.system(RUN_CANCEL).await?;
    let sql =
        "SELECT id FROM runs WHERE status = 'RUNNING' AND worker = $1 AND cancel_requested = $2";
    let rows: Vec<CancelledRun> = system
        .sql_all(sql, [shared.id.into(), Value::from(true)])
        .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
