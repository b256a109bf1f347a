//! Starting and cancelling runs, and failing those that are stuck.

use chrono::TimeDelta;
use nyxcore_tenancy::{Action, Error, ReadWrite, Repository, Resource, Result, Scoped, TypedId};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, Value};

use crate::entity::run;
use crate::events::{Fence, TOPIC_CANCEL, TOPIC_QUEUED, event_append};
use crate::model::{EventBody, NewRun, Run, RunId, RunStatus, Start};
use crate::repository::Runs;

/// A run that has not moved for this long is stuck, whatever its lease says.
pub const STALL_AFTER: TimeDelta = TimeDelta::minutes(10);

/// Queues a run, unless one of its subject is active or succeeded within the quiet period; a stuck one is failed first.
///
/// The guard is the unique index on active runs: of any number of simultaneous calls one starts. What the run needs beside its row is to
/// be written in the same transaction by the caller, where the answer is [`Start::Started`].
///
/// # Errors
/// The database fails.
pub async fn run_start(scoped: &Scoped<ReadWrite>, new: NewRun) -> Result<Start> {
    let now = scoped.env().now();
    let subject = Condition::all()
        .add(run::Column::Kind.eq(new.kind))
        .add(run::Column::Subject.eq(new.subject.as_str()));
    if let Some(active) = run_active(scoped, subject.clone()).await? {
        if active.status == RunStatus::Running && now - active.progress_at >= STALL_AFTER {
            run_stalled(scoped, active.id).await?;
        } else {
            return Ok(Start::AlreadyActive(active.into()));
        }
    }
    if let Some(quiet) = new.quiet_period {
        let recent = scoped
            .find::<run::Entity>()
            .filter(subject.clone())
            .filter(run::Column::Status.eq(RunStatus::Succeeded))
            .filter(run::Column::FinishedAt.gt(now - quiet))
            .order_by_desc(run::Column::FinishedAt)
            .limit(1)
            .one()
            .await?;
        if let Some(recent) = recent {
            return Ok(Start::RecentlyCompleted(recent.into()));
        }
    }
    let id = RunId(scoped.env().id());
    let inserted = scoped
        .sql_execute(
            "INSERT INTO runs (tenant_id, id, kind, subject, status, project_id, started_by, input, attempt, max_attempts, priority,
                               available_at, cancel_requested, event_count, progress_done, progress_at, created_at)
             VALUES ($1, $2, $3, $4, 'QUEUED', $5, $6, $7, 0, $8, $12, $11, $10, 0, 0, $9, $9)
             ON CONFLICT DO NOTHING",
            [
                id.0.into(),
                new.kind.into(),
                new.subject.into(),
                new.project_id.into(),
                new.started_by.map(|user| user.0).into(),
                new.input.into(),
                new.max_attempts.into(),
                now.into(),
                Value::from(false),
                new.not_before.map_or(now, |then| then.max(now)).into(),
                new.priority.rank().into(),
            ],
        )
        .await?;
    if inserted == 0 {
        // Somebody else's start was committed between the look and the insert.
        return match run_active(scoped, subject).await? {
            Some(active) => Ok(Start::AlreadyActive(active.into())),
            None => Err(Error::Busy),
        };
    }
    scoped.announce(TOPIC_QUEUED, id.0).await?;
    Ok(Start::Started(Runs::require(scoped, id).await?))
}

async fn run_active(scoped: &Scoped<ReadWrite>, subject: Condition) -> Result<Option<run::Model>> {
    scoped
        .find::<run::Entity>()
        .filter(subject)
        .filter(run::Column::Status.is_in([RunStatus::Queued, RunStatus::Running]))
        .one()
        .await
}

/// Cancels a run: at once where it waits, within a moment where a worker has it. A run that has ended is left as it is.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn run_cancel(scoped: &Scoped<ReadWrite>, id: RunId) -> Result<Run> {
    scoped.permit(Action::Cancel, Resource::Run, id.uuid())?;
    Runs::require(scoped, id).await?;
    let queued = by_status(id, RunStatus::Queued);
    if run_end(scoped, id, queued, RunStatus::Cancelled, None).await? {
        return Runs::require(scoped, id).await;
    }
    let asked = run::ActiveModel {
        cancel_requested: Set(true),
        ..Default::default()
    };
    if scoped
        .update(by_status(id, RunStatus::Running), asked)
        .await?
        > 0
    {
        scoped.announce(TOPIC_CANCEL, id.0).await?;
    }
    Runs::require(scoped, id).await
}

/// Fails a run that has not moved for [`STALL_AFTER`]. False where it moved or ended meanwhile.
///
/// # Errors
/// The database fails.
pub(crate) async fn run_stalled(scoped: &Scoped<ReadWrite>, id: RunId) -> Result<bool> {
    let limit = scoped.env().now() - STALL_AFTER;
    let which = by_status(id, RunStatus::Running).add(run::Column::ProgressAt.lte(limit));
    let error = (
        "RUN_STALLED",
        "no progress for 10 minutes: start it again".to_owned(),
    );
    run_end(scoped, id, which, RunStatus::Failed, Some(error)).await
}

/// Ends a run that meets the condition, with its last event. False where none does: somebody else ended it.
pub(crate) async fn run_end(
    scoped: &Scoped<ReadWrite>,
    id: RunId,
    which: Condition,
    status: RunStatus,
    error: Option<(&str, String)>,
) -> Result<bool> {
    let now = scoped.env().now();
    let (code, message) = error.map_or((None, None), |(c, m)| (Some(c.to_owned()), Some(m)));
    let ended = run::ActiveModel {
        status: Set(status),
        worker: Set(None),
        lease_expires_at: Set(None),
        error_code: Set(code),
        error_message: Set(message),
        progress_at: Set(now),
        finished_at: Set(Some(now)),
        ..Default::default()
    };
    if scoped.update(which, ended).await? == 0 {
        return Ok(false);
    }
    event_append(scoped, id, Fence::Locked, &EventBody::Finished { status }).await?;
    Ok(true)
}

fn by_status(id: RunId, status: RunStatus) -> Condition {
    Condition::all()
        .add(run::Column::Id.eq(id))
        .add(run::Column::Status.eq(status))
}
