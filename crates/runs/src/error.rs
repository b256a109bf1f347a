//! The failures of a run, and the errors of the crate's functions.

use chrono::TimeDelta;

/// Why a run failed, as its reader will see it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct RunFailure {
    /// A stable code, such as `BRANCH_NOT_FOUND`.
    pub code: &'static str,
    /// One sentence that says what to do.
    pub message: String,
    /// Whether another attempt may succeed (a network that was down), or never will (a branch that is not there).
    pub transient: bool,
    /// The earliest time to retry, as given by the remote (`Retry-After`).
    pub retry_after: Option<TimeDelta>,
}

impl RunFailure {
    /// A failure of which only the code at hand knows whether it may pass.
    pub fn new(code: &'static str, message: impl Into<String>, transient: bool) -> Self {
        Self {
            code,
            message: message.into(),
            transient,
            retry_after: None,
        }
    }

    /// A failure that no retry mends.
    pub fn permanent(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, message, false)
    }

    /// A failure that may pass.
    pub fn transient(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, message, true)
    }

    /// The run was asked to stop and did.
    pub fn stopped() -> Self {
        Self::permanent("CANCELLED", "the run was asked to stop")
    }

    /// Says when another attempt makes sense at the earliest, as an answer 429 or 503 does. A day is the most that
    /// counts.
    #[must_use]
    pub fn retry_after(mut self, wait: TimeDelta) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// A worker that was given up tried to write.
    pub(crate) fn lease_lost() -> Self {
        Self::permanent("LEASE_LOST", "another worker has taken over this run")
    }
}

impl From<nyxcore_tenancy::Error> for RunFailure {
    fn from(error: nyxcore_tenancy::Error) -> Self {
        // The source is for the log alone: a database's own words may name hosts and columns.
        tracing::warn!(error = ?error, "a run met an error of the store");
        Self::new(error.code(), error.to_string(), is_transient(&error))
    }
}

/// Whether the same call may succeed a little later.
pub(crate) fn is_transient(error: &nyxcore_tenancy::Error) -> bool {
    matches!(
        error,
        nyxcore_tenancy::Error::Busy
            | nyxcore_tenancy::Error::Unreachable(_)
            | nyxcore_tenancy::Error::Database(_)
    )
}
