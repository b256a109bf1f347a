//! The sweeper: runs whose worker is gone go back to the queue or fail with their reason; nothing stays stuck.

use std::collections::HashMap;

use nyxcore_tenancy::{ReadWrite, Repository, Result, Scoped, Store, SystemPurpose};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition};

use super::FollowUp;
use crate::attempt::{AttemptOutcome, attempt_end};
use crate::entity::run;
use crate::events::{TOPIC_QUEUED, event_append};
use crate::model::{EventBody, Level, RunKind, RunStatus};
use crate::repository::Runs;
use crate::service::{Ending, STALL_AFTER, run_end, run_stalled};

/// What is to be done when the sweeper ends a run of a kind.
pub(super) type Swept = HashMap<RunKind, Vec<FollowUp>>;

/// Looks once through the running runs of every tenant; tells how many it moved.
///
/// # Errors
/// The database fails.
pub async fn run_sweep(store: &Store) -> Result<u64> {
    sweep(store, &Swept::new()).await
}

/// As [`run_sweep`], with what follows where a run is ended by it.
pub(super) async fn sweep(store: &Store, swept: &Swept) -> Result<u64> {
    let now = store.env().now();
    let system = store.system(SystemPurpose::RunSweep).await?;
    let candidates: Vec<run::Model> = system
        .sql_all(
            "SELECT * FROM runs WHERE status = 'RUNNING' AND (lease_expires_at < $1 OR progress_at <= $2)",
            [now.into(), (now - STALL_AFTER).into()],
        )
        .await?;
    // What was seen across tenants is changed within each tenant's own scope.
    drop(system);
    let mut moved = 0;
    for run in candidates {
        let scoped = store.write(run.tenant_id).await?;
        let done = run_stalled(&scoped, run.id).await? || lease_expired(&scoped, &run).await?;
        if done {
            ended_follow(&scoped, &run, swept).await?;
        }
        scoped.commit().await?;
        moved += u64::from(done);
    }
    Ok(moved)
}

async fn ended_follow(scoped: &Scoped<ReadWrite>, run: &run::Model, swept: &Swept) -> Result<()> {
    let Some(follow_ups) = swept.get(&run.kind) else {
        return Ok(());
    };
    let run = Runs::require(scoped, run.id).await?;
    if !run.status.is_active() {
        for follow_up in follow_ups {
            follow_up(scoped, &run).await?;
        }
    }
    Ok(())
}

async fn lease_expired(scoped: &Scoped<ReadWrite>, run: &run::Model) -> Result<bool> {
    let now = scoped.env().now();
    let which = Condition::all()
        .add(run::Column::Id.eq(run.id))
        .add(run::Column::Status.eq(RunStatus::Running))
        .add(run::Column::Attempt.eq(run.attempt))
        .add(run::Column::LeaseExpiresAt.lt(now));
    let lost = |status| Ending {
        outcome: Some(AttemptOutcome::Lost),
        ..Ending::of(status)
    };
    if run.cancel_requested {
        return run_end(scoped, run.id, which, lost(RunStatus::Cancelled)).await;
    }
    let tries = run.attempt - run.handed_back;
    if tries >= run.max_attempts {
        let ending = Ending {
            error: Some((
                "WORKER_LOST",
                format!("its worker went away {tries} times: start it again"),
            )),
            ..lost(RunStatus::Failed)
        };
        return run_end(scoped, run.id, which, ending).await;
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
    attempt_end(scoped, run.id, AttemptOutcome::Lost, None, None).await?;
    let body = EventBody::Message {
        level: Level::Warning,
        text: "the worker went away; another takes over".to_owned(),
    };
    event_append(scoped, run.id, &body).await?;
    scoped.announce(TOPIC_QUEUED, run.id.0).await?;
    Ok(true)
}
