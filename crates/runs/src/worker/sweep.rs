//! The sweeper: returns runs of lost workers to the queue, or fails them with a reason.

use std::collections::HashMap;

use nyxcore_tenancy::{Error, ReadWrite, Result, Scoped, Store};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, Value};
use uuid::Uuid;

use super::FollowUp;
use super::follow::{Follow, FollowError};
use crate::attempt::{AttemptOutcome, attempt_end};
use crate::entity::run;
use crate::events::{TOPIC_QUEUED, event_append};
use crate::model::{EventBody, Level, RunKind, RunStatus};
use crate::registration::RUN_SWEEP;
use crate::service::{Ending, STALL_AFTER, run_end, run_stalled};

/// The follow-ups for runs that the sweeper ends, by kind.
pub(super) type SweepFollowUps = HashMap<RunKind, Vec<FollowUp>>;

/// Checks the running runs of every tenant once, and returns the number of recovered runs.
///
/// # Errors
/// The database fails.
pub async fn run_sweep(store: &Store) -> Result<u64> {
    sweep(store, &SweepFollowUps::new()).await
}

/// As [`run_sweep`], with the follow-ups of the runs that it ends.
pub(super) async fn sweep(store: &Store, swept: &SweepFollowUps) -> Result<u64> {
    let now = store.env().now();
    let system = store.system(RUN_SWEEP).await?;
    let candidates: Vec<run::Model> = system
        .sql_all(
            "SELECT * FROM runs WHERE status = 'RUNNING' AND (lease_expires_at < $1 OR progress_at <= $2)",
            [now.into(), (now - STALL_AFTER).into()],
        )
        .await?;
    // The candidates were read across tenants. Each is changed in its own tenant's scope.
    drop(system);
    Ok(runs_move(store, candidates, swept, None).await)
}

/// Recovers the runs of a worker that is known to be gone, whatever their leases say.
pub(super) async fn sweep_worker(
    store: &Store,
    swept: &SweepFollowUps,
    worker: Uuid,
) -> Result<u64> {
    let system = store.system(RUN_SWEEP).await?;
    let sql = "SELECT * FROM runs WHERE status = 'RUNNING' AND worker = $1";
    let candidates: Vec<run::Model> = system.sql_all(sql, [worker.into()]).await?;
    drop(system);
    Ok(runs_move(store, candidates, swept, Some(worker)).await)
}

async fn runs_move(
    store: &Store,
    candidates: Vec<run::Model>,
    swept: &SweepFollowUps,
    departed: Option<Uuid>,
) -> u64 {
    let mut moved = 0;
    for run in candidates {
        let follow_ups = swept.get(&run.kind).map_or(&[][..], Vec::as_slice);
        let done = match run_move(store, &run, departed, Follow::With(follow_ups)).await {
            Err(FollowError::FollowUp(error)) if !matches!(error, Error::Busy) => {
                run_move(store, &run, departed, Follow::Failed(&error)).await
            }
            done => done,
        };
        match done.map_err(FollowError::into_parts) {
            Ok(done) => moved += u64::from(done),
            // The others do not wait for it; the next sweep tries it again.
            Err((error, _)) => {
                tracing::warn!(?error, run = %run.id, "a run could not be swept");
            }
        }
    }
    moved
}

/// Ends the run or returns it to the queue, in its own transaction. Returns false if the run made progress meanwhile.
async fn run_move(
    store: &Store,
    run: &run::Model,
    departed: Option<Uuid>,
    follow: Follow<'_>,
) -> Result<bool, FollowError> {
    let scoped = store.write(run.tenant_id).await?;
    follow.tell_failure(&scoped, run.id).await?;
    if !(run_stalled(&scoped, run.id).await? || worker_lost(&scoped, run, departed).await?) {
        return Ok(false);
    }
    follow.up(&scoped, run.id).await?;
    scoped.commit().await?;
    Ok(true)
}

/// Recovers a run whose lease has expired, or whose worker is known to be gone.
async fn worker_lost(
    scoped: &Scoped<ReadWrite>,
    run: &run::Model,
    departed: Option<Uuid>,
) -> Result<bool> {
    let now = scoped.env().now();
    let lost = match departed {
        Some(worker) => run::Column::Worker.eq(Value::from(worker)),
        None => run::Column::LeaseExpiresAt.lt(now),
    };
    let which = Condition::all()
        .add(run::Column::Id.eq(run.id))
        .add(run::Column::Status.eq(RunStatus::Running))
        .add(run::Column::Attempt.eq(run.attempt))
        .add(lost);
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
                format!("its worker was lost {tries} times: start the run again"),
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
        text: "the worker was lost; another worker takes over".to_owned(),
    };
    event_append(scoped, run.id, &body).await?;
    scoped.announce(TOPIC_QUEUED, run.id.0).await?;
    Ok(true)
}
