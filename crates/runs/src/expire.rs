//! Logs of runs that ended long ago are taken away, but for the last event: whoever follows such a run still learns how it ended.

use chrono::{DateTime, TimeDelta, Utc};
use nyxcore_tenancy::{Result, Store, SystemPurpose, TenantId};
use sea_orm::{ActiveValue::Set, ColumnTrait, FromQueryResult};

use crate::entity::run;
use crate::model::RunId;

/// Runs that are looked for at once.
const RUNS: usize = 500;
/// Events taken away in one transaction: a model may have streamed many thousands.
const EVENTS: i64 = 5_000;

#[derive(FromQueryResult)]
struct Old {
    tenant_id: TenantId,
    id: RunId,
    event_count: i64,
}

/// Takes away the events of runs that ended longer ago than `keep`, and tells how many there were. A run, how it ended and the story of its
/// attempts stay, and so does its last event.
///
/// # Errors
/// The database fails; what was taken away by then is gone.
pub async fn run_events_expire(store: &Store, keep: TimeDelta) -> Result<u64> {
    let before = store.env().now() - keep;
    let mut gone = 0;
    loop {
        let old = runs_old(store, before).await?;
        for run in &old {
            gone += events_remove(store, run).await?;
        }
        if old.len() < RUNS {
            return Ok(gone);
        }
    }
}

async fn runs_old(store: &Store, before: DateTime<Utc>) -> Result<Vec<Old>> {
    let system = store.system(SystemPurpose::RunExpire).await?;
    let limit = i64::try_from(RUNS).unwrap_or(i64::MAX);
    system
        .sql_all(
            "SELECT tenant_id, id, event_count FROM runs
             WHERE finished_at IS NOT NULL AND NOT log_expired AND finished_at < $1 ORDER BY finished_at LIMIT $2",
            [before.into(), limit.into()],
        )
        .await
}

/// The run is marked in the last transaction, so that what is interrupted is gone on with.
async fn events_remove(store: &Store, run: &Old) -> Result<u64> {
    let mut gone = 0;
    let mut upto = 0;
    loop {
        upto = (upto + EVENTS).min(run.event_count);
        let scoped = store.write(run.tenant_id).await?;
        gone += scoped
            .sql_execute(
                "DELETE FROM run_events WHERE tenant_id = $1 AND run_id = $2 AND seq < $3",
                [run.id.0.into(), upto.into()],
            )
            .await?;
        let last = upto == run.event_count;
        if last {
            let expired = run::ActiveModel {
                log_expired: Set(true),
                ..Default::default()
            };
            scoped.update(run::Column::Id.eq(run.id), expired).await?;
        }
        scoped.commit().await?;
        if last {
            return Ok(gone);
        }
    }
}
