//! The sweeper: runs whose worker is gone go back to the queue or fail with their reason; nothing stays stuck.

use nyxcore_tenancy::{ReadWrite, Result, Scoped, Store, SystemPurpose};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition};

use crate::entity::run;
use crate::events::{Fence, TOPIC_QUEUED, event_append};
use crate::model::{EventBody, Level, RunStatus};
use crate::service::{STALL_AFTER, run_end, run_stalled};

/// Looks once through the running runs of every tenant; tells how many it moved.
///
/// # Errors
/// The database fails.
pub async fn run_sweep(store: &Store) -> Result<u64> {
    let now = store.env().now();
    let gone = Condition::any()
        .add(run::Column::LeaseExpiresAt.lt(now))
        .add(run::Column::ProgressAt.lte(now - STALL_AFTER));
    let system = store.system(SystemPurpose::RunSweep).await?;
    let candidates = system
        .find::<run::Entity>(
            Condition::all()
                .add(run::Column::Status.eq(RunStatus::Running))
                .add(gone),
        )
        .await?;
    // What was seen across tenants is changed within each tenant's own scope.
    drop(system);
    let mut moved = 0;
    for run in candidates {
        let scoped = store.write(run.tenant_id).await?;
        let done = run_stalled(&scoped, run.id).await? || lease_expired(&scoped, &run).await?;
        scoped.commit().await?;
        moved += u64::from(done);
    }
    Ok(moved)
}

async fn lease_expired(scoped: &Scoped<ReadWrite>, run: &run::Model) -> Result<bool> {
    let now = scoped.env().now();
    let which = Condition::all()
        .add(run::Column::Id.eq(run.id))
        .add(run::Column::Status.eq(RunStatus::Running))
        .add(run::Column::Attempt.eq(run.attempt))
        .add(run::Column::LeaseExpiresAt.lt(now));
    if run.cancel_requested {
        return run_end(scoped, run.id, which, RunStatus::Cancelled, None).await;
    }
    if run.attempt >= run.max_attempts {
        let error = (
            "WORKER_LOST",
            format!("its worker went away {} times: start it again", run.attempt),
        );
        return run_end(scoped, run.id, which, RunStatus::Failed, Some(error)).await;
    }
    let waiting = run::ActiveModel {
        status: Set(RunStatus::Queued),
        worker: Set(None),
        lease_expires_at: Set(None),
        available_at: Set(now),
        progress_at: Set(now),
        ..Default::default()
    };
    if scoped.update(which, waiting).await? == 0 {
        return Ok(false);
    }
    let body = EventBody::Message {
        level: Level::Warning,
        text: "the worker went away; another takes over".to_owned(),
    };
    event_append(scoped, run.id, Fence::Locked, &body).await?;
    scoped.announce(TOPIC_QUEUED, run.id.0).await?;
    Ok(true)
}
