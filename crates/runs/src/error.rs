//! The failures of a run, and the errors of the crate's functions.

use chrono::TimeDelta;

/// Why a run failed, as the user sees it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct RunFailure {
    /// A stable code, such as `BRANCH_NOT_FOUND`.
    pub code: &'static str,
    /// One sentence that tells the user what to do.
    pub message: String,
    /// Whether another attempt may succeed. It may after a network failure; it never will for a branch that does not
    /// exist.
    pub transient: bool,
    /// The earliest time to retry, as given by the remote (`Retry-After`).
    pub retry_after: Option<TimeDelta>,
}

impl RunFailure {
    /// A failure that is transient or permanent, as the caller says.
    pub fn new(code: &'static str, message: impl Into<String>, transient: bool) -> Self {
        Self {
            code,
            message: message.into(),
            transient,
            retry_after: None,
        }
    }

    /// A failure that a retry cannot fix.
    pub fn permanent(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, message, false)
    }

    /// A failure that a retry may fix.
    pub fn transient(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, message, true)
    }

    /// The failure of a run that stopped because it was asked to.
    pub fn stopped() -> Self {
        Self::permanent("CANCELLED", "the run was asked to stop")
    }

    /// Sets the earliest time of another attempt, as an answer 429 or 503 gives it. A wait longer than a day counts as
    /// a day.
    #[must_use]
    pub fn retry_after(mut self, wait: TimeDelta) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The failure of a worker that wrote after another worker had taken over its run.
    pub(crate) fn lease_lost() -> Self {
        Self::permanent("LEASE_LOST", "another worker has taken over this run")
    }
}

impl From<nyxcore_tenancy::Error> for RunFailure {
    fn from(error: nyxcore_tenancy::Error) -> Self {
        // The source goes to the log only: the database's message may name hosts and columns.
        tracing::warn!(error = ?error, "a run met an error of the store");
        Self::new(error.code(), error.to_string(), is_transient(&error))
    }
}

/// Whether a repetition of the same call may succeed.
pub(crate) fn is_transient(error: &nyxcore_tenancy::Error) -> bool {
    matches!(
        error,
        nyxcore_tenancy::Error::Busy
            | nyxcore_tenancy::Error::Unreachable(_)
            | nyxcore_tenancy::Error::Database(_)
    )
}
