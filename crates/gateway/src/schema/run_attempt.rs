//! A run's story: each time a worker took it, with its phases.

use async_graphql::{Enum, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_runs::{AttemptOutcome, RunAttempt, RunPhase};

use super::long::Long;
use super::run::RunErrorNode;

/// How an attempt at a run ended.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "RunAttemptOutcome", remote = "AttemptOutcome")]
pub(crate) enum AttemptOutcomeName {
    /// The run ended as it should.
    Succeeded,
    /// The run failed for good.
    Failed,
    /// Somebody cancelled the run.
    Cancelled,
    /// It failed in a way that may pass, and is tried again.
    Retried,
    /// The worker was told to leave and gave the run back. That counts as no attempt.
    HandedBack,
    /// The worker was not heard of any more.
    Lost,
    /// Nothing moved for ten minutes.
    Stalled,
}

/// One time that a worker took a run.
#[derive(SimpleObject, Clone)]
#[graphql(name = "RunAttempt")]
pub(crate) struct RunAttemptNode {
    /// Its number: 1, 2, 3 and so on.
    number: i64,
    /// The machine and the process that took it, as in `build-7:4711`.
    worker: String,
    /// When it was taken.
    started_at: DateTime<Utc>,
    /// When that ended.
    ended_at: Option<DateTime<Utc>>,
    /// How it ended; none while it goes on.
    outcome: Option<AttemptOutcomeName>,
    /// What it failed with.
    error: Option<RunErrorNode>,
    /// Its phases, in their order.
    phases: Vec<RunPhaseNode>,
}

/// A phase of an attempt.
#[derive(SimpleObject, Clone)]
#[graphql(name = "RunPhase")]
pub(crate) struct RunPhaseNode {
    /// Its name.
    name: String,
    /// When it began.
    started_at: DateTime<Utc>,
    /// When the next one began, or the attempt ended.
    ended_at: Option<DateTime<Utc>>,
    /// How long it took, in milliseconds; none while it goes on.
    duration_ms: Option<i64>,
    /// How much was done.
    done: i64,
    /// Of how much, where it is known.
    total: Option<i64>,
    /// What is counted.
    unit: Option<String>,
    /// How many bytes that is, where they are counted.
    bytes_done: Option<Long>,
    /// Of how many bytes, where it is known.
    bytes_total: Option<Long>,
    /// Why it was left out, where it was.
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
