//! Deletes the logs of old runs, except for the last event, so that followers still learn how the run ended.

use chrono::{DateTime, TimeDelta, Utc};
use nyxcore_tenancy::{Result, Store, TenantId};
use sea_orm::{ActiveValue::Set, ColumnTrait, FromQueryResult};
use uuid::Uuid;

use crate::entity::run;
use crate::model::RunId;
use crate::registration::RUN_EXPIRE;

/// The number of runs that one statement selects.
const RUNS: usize = 500;
/// The number of events deleted in one transaction: a run with a model's streamed text may have many thousands.
const EVENTS: i64 = 5_000;

#[derive(FromQueryResult)]
struct Old {
    tenant_id: TenantId,
    id: RunId,
    event_count: i64,
    finished_at: DateTime<Utc>,
}

/// Deletes the events of runs that ended longer than `keep` ago, and returns their number. The run, its outcome, its
/// attempts and its last event remain. A run whose events cannot be deleted is logged and retried in the next call.
///
/// # Errors
/// The old runs cannot be read.
pub async fn run_events_expire(store: &Store, keep: TimeDelta) -> Result<u64> {
    let before = store.env().now() - keep;
    let mut gone = 0;
    // The position after the last run that was tried, so that a failing run is not tried twice.
    let mut after = (DateTime::UNIX_EPOCH, Uuid::nil());
    loop {
        let old = runs_old(store, before, after).await?;
        for run in &old {
            after = (run.finished_at, run.id.0);
            match events_remove(store, run).await {
                Ok(removed) => gone += removed,
                Err(error) => {
                    tracing::warn!(?error, run = %run.id, "the events of an old run could not be removed");
                }
            }
        }
        if old.len() < RUNS {
            return Ok(gone);
        }
    }
}

async fn runs_old(
    store: &Store,
    before: DateTime<Utc>,
    after: (DateTime<Utc>, Uuid),
) -> Result<Vec<Old>> {
    let system = store.system(RUN_EXPIRE).await?;
    let limit = i64::try_from(RUNS).unwrap_or(i64::MAX);
    system
        .sql_all(
            "SELECT tenant_id, id, event_count, finished_at FROM runs
             WHERE finished_at IS NOT NULL AND NOT log_expired AND finished_at < $1 AND (finished_at, id) > ($2, $3)
             ORDER BY finished_at, id LIMIT $4",
            [before.into(), after.0.into(), after.1.into(), limit.into()],
        )
        .await
}

/// Deletes the events of a run. The last transaction marks the run, so that an interrupted deletion is continued.
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
