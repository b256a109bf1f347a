//! Starts and cancels runs, and fails stalled runs.

use chrono::TimeDelta;
use nyxcore_tenancy::{Action, Error, ReadWrite, Repository, Result, Scoped, TypedId};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, Value};

use crate::attempt::{AttemptOutcome, RunPhase, attempt_end};
use crate::entity::run;
use crate::events::{TOPIC_CANCEL, TOPIC_QUEUED, event_append};
use crate::model::{EventBody, NewRun, Run, RunId, RunStatus, Start};
use crate::registration::RUN;
use crate::repository::Runs;

/// How many times a start is tried. A start is repeated if the active run that blocked it ended before it could be
/// read.
const START_TRIES: usize = 3;

/// A run without progress for this long is stalled, whatever its lease says.
pub const STALL_AFTER: TimeDelta = TimeDelta::minutes(10);

/// Queues a run, unless a run of its subject is active or succeeded within the quiet period. A stalled run is failed
/// first.
///
/// The unique index on active runs is the guard: of any number of simultaneous calls one starts a run. If the answer is
/// [`Start::Started`], the caller writes the further rows of the run in the same transaction.
///
/// # Errors
/// [`Error::Registry`] for a kind that is not registered; the database fails.
pub async fn run_start(scoped: &Scoped<ReadWrite>, new: NewRun) -> Result<Start> {
    scoped.registry().run_kind_check(new.kind.as_str())?;
    for _ in 0..START_TRIES {
        if let Some(start) = run_try_start(scoped, &new).await? {
            return Ok(start);
        }
    }
    Err(Error::Busy)
}

/// Tries to start a run. `None` if another start was first and its run has ended since.
async fn run_try_start(scoped: &Scoped<ReadWrite>, new: &NewRun) -> Result<Option<Start>> {
    let now = scoped.env().now();
    let subject = Condition::all()
        .add(run::Column::Kind.eq(new.kind.clone()))
        .add(run::Column::Subject.eq(new.subject.as_str()));
    if let Some(active) = run_active(scoped, subject.clone()).await? {
        if active.status == RunStatus::Running && now - active.progress_at >= STALL_AFTER {
            run_stalled(scoped, active.id).await?;
        } else {
            return Ok(Some(Start::AlreadyActive(active.into())));
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
            return Ok(Some(Start::RecentlyCompleted(recent.into())));
        }
    }
    let id = RunId(scoped.env().id());
    let inserted = scoped
        .sql_execute(
            "INSERT INTO runs (tenant_id, id, kind, subject, status, project_id, started_by, input, attempt, max_attempts, handed_back,
                               priority, available_at, cancel_requested, event_count, log_expired, progress_done, progress_at, created_at)
             VALUES ($1, $2, $3, $4, 'QUEUED', $5, $6, $7, 0, $8, 0, $12, $11, $10, 0, $10, 0, $9, $9)
             ON CONFLICT DO NOTHING",
            [
                id.0.into(),
                new.kind.clone().into(),
                new.subject.clone().into(),
                new.project_id.into(),
                new.started_by.map(|user| user.0).into(),
                new.input.clone().into(),
                new.max_attempts.into(),
                now.into(),
                Value::from(false),
                new.not_before.map_or(now, |then| then.max(now)).into(),
                new.priority.rank().into(),
            ],
        )
        .await?;
    if inserted == 0 {
        // Another start was committed between the check and the insert.
        let active = run_active(scoped, subject).await?;
        return Ok(active.map(|active| Start::AlreadyActive(active.into())));
    }
    scoped.announce(TOPIC_QUEUED, id.0).await?;
    Ok(Some(Start::Started(Runs::require(scoped, id).await?)))
}

async fn run_active(scoped: &Scoped<ReadWrite>, subject: Condition) -> Result<Option<run::Model>> {
    scoped
        .find::<run::Entity>()
        .filter(subject)
        .filter(run::Column::Status.is_in([RunStatus::Queued, RunStatus::Running]))
        .one()
        .await
}

/// Cancels a run: a waiting run at once, a running one within a moment. A run that has ended stays as it is.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn run_cancel(scoped: &Scoped<ReadWrite>, id: RunId) -> Result<Run> {
    scoped.permit(Action::Cancel, RUN, id.uuid())?;
    Runs::require(scoped, id).await?;
    // A run may move between the two statements: from the queue to a worker, or back when the worker shuts down.
    for _ in 0..2 {
        let queued = by_status(id, RunStatus::Queued);
        let ending = Ending::of(RunStatus::Cancelled);
        if run_end(scoped, id, queued, ending).await? {
            break;
        }
        let asked = run::ActiveModel {
            cancel_requested: Set(true),
            ..Default::default()
        };
        let running = by_status(id, RunStatus::Running);
        if scoped.update(running, asked).await? > 0 {
            scoped.announce(TOPIC_CANCEL, id.0).await?;
            break;
        }
    }
    Runs::require(scoped, id).await
}

/// Fails a run that has not moved for [`STALL_AFTER`]. Returns false if the run moved or ended meanwhile.
///
/// # Errors
/// The database fails.
pub(crate) async fn run_stalled(scoped: &Scoped<ReadWrite>, id: RunId) -> Result<bool> {
    let limit = scoped.env().now() - STALL_AFTER;
    let which = by_status(id, RunStatus::Running).add(run::Column::ProgressAt.lte(limit));
    let ending = Ending {
        error: Some((
            "RUN_STALLED",
            "no progress for 10 minutes: start the run again".to_owned(),
        )),
        outcome: Some(AttemptOutcome::Stalled),
        ..Ending::of(RunStatus::Failed)
    };
    run_end(scoped, id, which, ending).await
}

/// How a run ends.
pub(crate) struct Ending {
    pub status: RunStatus,
    pub error: Option<(&'static str, String)>,
    /// The outcome of the open attempt; `None` if no worker has the run.
    pub outcome: Option<AttemptOutcome>,
    /// The phases of the attempt, if the worker reports them.
    pub phases: Option<Vec<RunPhase>>,
}

impl Ending {
    /// The end of a run that no worker has, without an error.
    pub(crate) fn of(status: RunStatus) -> Self {
        Self {
            status,
            error: None,
            outcome: None,
            phases: None,
        }
    }
}

/// Ends a run that meets the condition, with its last event. False if no run meets it, because it was ended
/// concurrently.
pub(crate) async fn run_end(
    scoped: &Scoped<ReadWrite>,
    id: RunId,
    which: Condition,
    ending: Ending,
) -> Result<bool> {
    let now = scoped.env().now();
    let status = ending.status;
    let error = ending.error.as_ref();
    let ended = run::ActiveModel {
        status: Set(status),
        worker: Set(None),
        lease_expires_at: Set(None),
        error_code: Set(error.map(|(code, _)| (*code).to_owned())),
        error_message: Set(error.map(|(_, message)| message.clone())),
        progress_at: Set(now),
        finished_at: Set(Some(now)),
        ..Default::default()
    };
    if scoped.update(which, ended).await? == 0 {
        return Ok(false);
    }
    if let Some(outcome) = ending.outcome {
        let error = error.map(|(code, message)| (*code, message.as_str()));
        attempt_end(scoped, id, outcome, error, ending.phases).await?;
    }
    event_append(scoped, id, &EventBody::Finished { status }).await?;
    Ok(true)
}

fn by_status(id: RunId, status: RunStatus) -> Condition {
    Condition::all()
        .add(run::Column::Id.eq(id))
        .add(run::Column::Status.eq(status))
}
