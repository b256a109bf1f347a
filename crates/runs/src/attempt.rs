//! The attempts at a run: the worker, the progress and duration of each phase, and the outcome.
//!
//! The transactions that change a run also write its attempts. Attempts remain when the run's events are deleted.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use nyxcore_tenancy::{Access, ReadWrite, Repository, Result, Scoped};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};

use crate::entity::run_attempt;
use crate::model::{Progress, RunError, RunId};
use crate::repository::Runs;

/// How an attempt ended.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AttemptOutcome {
    /// The run succeeded.
    Succeeded,
    /// The run failed for good.
    Failed,
    /// Somebody cancelled the run.
    Cancelled,
    /// The run failed in a way that may pass; it waits for another attempt.
    Retried,
    /// The worker shut down. The attempt does not count.
    HandedBack,
    /// The worker stopped renewing its lease.
    Lost,
    /// The run made no progress for too long.
    Stalled,
}

/// A phase of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPhase {
    /// Its name, such as `import`.
    pub name: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When the next phase began, or the attempt ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// The number of units that are done.
    pub done: i64,
    /// The total number of units, if known.
    pub total: Option<i64>,
    /// The unit, such as `files`.
    pub unit: Option<String>,
    /// How many bytes the done units have, if they are counted.
    #[serde(default)]
    pub bytes_done: Option<i64>,
    /// The total number of bytes, if known.
    #[serde(default)]
    pub bytes_total: Option<i64>,
    /// Why the phase was skipped, if it was.
    pub skipped: Option<String>,
}

impl RunPhase {
    /// How long it took; `None` while it goes on.
    #[must_use]
    pub fn duration(&self) -> Option<TimeDelta> {
        Some(self.ended_at? - self.started_at)
    }

    pub(crate) fn begun(progress: &Progress, at: DateTime<Utc>) -> Self {
        Self {
            name: progress.phase.clone(),
            started_at: at,
            ended_at: None,
            done: progress.done,
            total: progress.total,
            unit: progress.unit.clone(),
            bytes_done: progress.bytes_done,
            bytes_total: progress.bytes_total,
            skipped: None,
        }
    }

    pub(crate) fn skipped(name: String, reason: String, at: DateTime<Utc>) -> Self {
        Self {
            name,
            started_at: at,
            ended_at: Some(at),
            done: 0,
            total: None,
            unit: None,
            bytes_done: None,
            bytes_total: None,
            skipped: Some(reason),
        }
    }

    fn progress_take(&mut self, progress: &Progress) {
        if self.name == progress.phase {
            self.done = progress.done;
            self.total = progress.total;
            self.unit.clone_from(&progress.unit);
            self.bytes_done = progress.bytes_done;
            self.bytes_total = progress.bytes_total;
        }
    }
}

/// One attempt of a worker at a run, which begins when the worker claims the run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunAttempt {
    /// Its number: 1, 2, 3 and so on.
    pub number: i64,
    /// The worker that claimed the run, by machine and process, as in `build-7:4711`.
    pub worker: String,
    /// When the run was claimed.
    pub started_at: DateTime<Utc>,
    /// When the attempt ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// How the attempt ended.
    pub outcome: Option<AttemptOutcome>,
    /// The error of a failed attempt.
    pub error: Option<RunError>,
    /// The phases, in order.
    pub phases: Vec<RunPhase>,
}

impl RunAttempt {
    fn read(row: run_attempt::Model) -> Self {
        Self {
            number: row.attempt,
            worker: row.worker_name,
            started_at: row.started_at,
            ended_at: row.ended_at,
            outcome: row.outcome,
            error: row.error_code.map(|code| RunError {
                code,
                message: row.error_message.unwrap_or_default(),
            }),
            phases: phases_read(row.phases),
        }
    }
}

/// Reads stored phases. Phases that cannot be read are ignored: a record of an older version must not prevent a run
/// from ending.
fn phases_read(json: serde_json::Value) -> Vec<RunPhase> {
    serde_json::from_value(json).unwrap_or_else(|error| {
        tracing::warn!(%error, "the stored phases of an attempt have an unknown format");
        Vec::new()
    })
}

/// Reads the attempts at each of these runs, the first one first, in at most two statements however many runs there
/// are. A run that no worker has claimed yet is absent from the result.
///
/// # Errors
/// The database fails.
pub async fn run_attempts<A: Access>(
    scoped: &Scoped<A>,
    runs: &[RunId],
) -> Result<HashMap<RunId, Vec<RunAttempt>>> {
    let rows = scoped
        .find::<run_attempt::Entity>()
        .filter(run_attempt::Column::RunId.is_in(runs.iter().copied()))
        .order_by_asc(run_attempt::Column::Attempt)
        .all()
        .await?;
    let mut story: HashMap<RunId, Vec<RunAttempt>> = HashMap::new();
    let mut open = Vec::new();
    for row in rows {
        if row.ended_at.is_none() {
            open.push(row.run_id);
        }
        let id = row.run_id;
        story.entry(id).or_default().push(RunAttempt::read(row));
    }
    if open.is_empty() {
        return Ok(story);
    }
    // The progress of an open phase is stored in the run's row, because it is written several times a second.
    for (id, run) in Runs::get_many(scoped, &open).await? {
        let attempt = story.get_mut(&id).and_then(|attempts| attempts.last_mut());
        if let (Some(attempt), Some(progress)) = (attempt, &run.progress) {
            let going_on = attempt.phases.iter_mut().rfind(|p| p.ended_at.is_none());
            if let Some(phase) = going_on {
                phase.progress_take(progress);
            }
        }
    }
    Ok(story)
}

/// Stores the phases of an attempt. The caller has just changed the run's row under the worker's lease.
pub(crate) async fn phases_write(
    scoped: &Scoped<ReadWrite>,
    run: RunId,
    attempt: i64,
    phases: &[RunPhase],
) -> Result<()> {
    let row = run_attempt::ActiveModel {
        phases: Set(phases_json(phases)),
        ..Default::default()
    };
    let which = Condition::all()
        .add(run_attempt::Column::RunId.eq(run))
        .add(run_attempt::Column::Attempt.eq(attempt));
    scoped.update(which, row).await.map(drop)
}

fn phases_json(phases: &[RunPhase]) -> serde_json::Value {
    // The phases have only names, numbers and times, which JSON can always represent.
    serde_json::to_value(phases).unwrap_or_default()
}

/// Ends the open attempt, if there is one. The caller has just changed the run's row. `phases` are the phases known to
/// the current worker, or else the stored phases of the lost worker, with the last reported progress.
pub(crate) async fn attempt_end(
    scoped: &Scoped<ReadWrite>,
    run: RunId,
    outcome: AttemptOutcome,
    error: Option<(&str, &str)>,
    phases: Option<Vec<RunPhase>>,
) -> Result<()> {
    let now = scoped.env().now();
    let open = Condition::all()
        .add(run_attempt::Column::RunId.eq(run))
        .add(run_attempt::Column::EndedAt.is_null());
    let mut phases = match phases {
        Some(phases) => phases,
        None => phases_told(scoped, run, open.clone()).await?,
    };
    for phase in phases.iter_mut().filter(|phase| phase.ended_at.is_none()) {
        phase.ended_at = Some(now);
    }
    let row = run_attempt::ActiveModel {
        ended_at: Set(Some(now)),
        outcome: Set(Some(outcome)),
        error_code: Set(error.map(|(code, _)| code.to_owned())),
        error_message: Set(error.map(|(_, message)| message.to_owned())),
        phases: Set(phases_json(&phases)),
        ..Default::default()
    };
    scoped.update(open, row).await.map(drop)
}

async fn phases_told(
    scoped: &Scoped<ReadWrite>,
    run: RunId,
    open: Condition,
) -> Result<Vec<RunPhase>> {
    let row = scoped
        .find::<run_attempt::Entity>()
        .filter(open)
        .one()
        .await?;
    let mut phases = row.map_or_else(Vec::new, |row| phases_read(row.phases));
    let going_on = phases.iter_mut().rfind(|phase| phase.ended_at.is_none());
    if let Some(phase) = going_on
        && let Some(progress) = Runs::get(scoped, run).await?.and_then(|run| run.progress)
    {
        phase.progress_take(&progress);
    }
    Ok(phases)
}
