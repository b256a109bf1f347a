//! The attempts at a run, with their phases.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use nyxcore_runs::{AttemptOutcome, RunAttempt, RunPhase};

use super::long::Long;
use super::mirror::mirror;
use super::run::RunErrorNode;

mirror! {
    /// The outcome of an attempt.
    pub(crate) enum AttemptOutcomeName = "RunAttemptOutcome" of "AttemptOutcome" {
        /// The run succeeded.
        Succeeded,
        /// The run failed permanently.
        Failed,
        /// The run was cancelled.
        Cancelled,
        /// The attempt failed with a temporary error, and the run is retried.
        Retried,
        /// The worker shut down and returned the run to the queue. The attempt does not count.
        HandedBack,
        /// The worker stopped responding.
        Lost,
        /// The attempt made no progress for ten minutes.
        Stalled,
    }
}

/// One attempt of a worker at a run.
#[derive(SimpleObject, Clone)]
#[graphql(name = "RunAttempt")]
pub(crate) struct RunAttemptNode {
    /// The number of the attempt, counted from 1.
    number: i64,
    /// The machine and the process of the worker, such as `build-7:4711`.
    worker: String,
    /// The time when the attempt started.
    started_at: DateTime<Utc>,
    /// The time when the attempt ended.
    ended_at: Option<DateTime<Utc>>,
    /// The outcome. Null while the attempt is active.
    outcome: Option<AttemptOutcomeName>,
    /// The error, if the attempt failed.
    error: Option<RunErrorNode>,
    /// The phases, in order.
    phases: Vec<RunPhaseNode>,
}

/// A phase of an attempt.
#[derive(SimpleObject, Clone)]
#[graphql(name = "RunPhase")]
pub(crate) struct RunPhaseNode {
    /// The name.
    name: String,
    /// The time when the phase began.
    started_at: DateTime<Utc>,
    /// The time when the next phase began, or the attempt ended.
    ended_at: Option<DateTime<Utc>>,
    /// The duration in milliseconds. Null while the phase is active.
    duration_ms: Option<i64>,
    /// The number of completed units.
    done: i64,
    /// The total number of units, if known.
    total: Option<i64>,
    /// The unit.
    unit: Option<String>,
    /// The number of processed bytes, if counted.
    bytes_done: Option<Long>,
    /// The total number of bytes, if known.
    bytes_total: Option<Long>,
    /// The reason why the phase was skipped. Null if it was not skipped.
    skipped: Option<String>,
}

impl From<RunAttempt> for RunAttemptNode {
    fn from(attempt: RunAttempt) -> Self {
        Self {
            number: attempt.number,
            worker: attempt.worker,
            started_at: attempt.started_at,
            ended_at: attempt.ended_at,
            outcome: attempt.outcome.map(Into::into),
            error: attempt.error.map(RunErrorNode::from),
            phases: attempt.phases.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<RunPhase> for RunPhaseNode {
    fn from(phase: RunPhase) -> Self {
        Self {
            duration_ms: phase.duration().map(|took| took.num_milliseconds()),
            name: phase.name,
            started_at: phase.started_at,
            ended_at: phase.ended_at,
            done: phase.done,
            total: phase.total,
            unit: phase.unit,
            bytes_done: phase.bytes_done.map(Long),
            bytes_total: phase.bytes_total.map(Long),
            skipped: phase.skipped,
        }
    }
}
