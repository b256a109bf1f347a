//! The observer of attempts, such as the one that counts them for metrics.

use std::sync::Arc;
use std::time::Duration;

use crate::error::RunFailure;
use crate::model::RunKind;

/// Called for every attempt of these workers that has ended. It must not block.
pub type RunObserver = Arc<dyn Fn(&RunReport) + Send + Sync>;

/// An attempt at a run that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReport {
    /// The kind of run.
    pub kind: RunKind,
    /// How the attempt ended.
    pub outcome: AttemptEnd,
    /// How long the attempt took.
    pub took: Duration,
}

/// How an attempt ended, as the worker sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The work is done.
    Succeeded,
    /// The work failed; it may be retried.
    Failed,
    /// The worker shuts down, or the run was cancelled.
    Stopped,
    /// The lease was lost: another worker may have the run.
    Lost,
}

impl AttemptEnd {
    /// The name of the outcome in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Lost => "lost",
        }
    }

    /// The outcome of a handler's result, given whether it was asked to stop.
    pub(super) fn of(result: &Result<(), RunFailure>, stopped: bool) -> Self {
        match result {
            Ok(()) => Self::Succeeded,
            Err(_) if stopped => Self::Stopped,
            Err(_) => Self::Failed,
        }
    }
}
