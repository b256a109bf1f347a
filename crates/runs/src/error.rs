//! What a run can end with, and what the crate's own calls can fail with.

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
}

impl RunFailure {
    /// A failure that no retry mends.
    pub fn permanent(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            transient: false,
        }
    }

    /// A failure that may pass.
    pub fn transient(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            transient: true,
        }
    }

    /// The work was told to stop and did.
    pub fn stopped() -> Self {
        Self::permanent("CANCELLED", "the run was told to stop")
    }
}

impl From<nyxcore_tenancy::Error> for RunFailure {
    fn from(error: nyxcore_tenancy::Error) -> Self {
        // The source is for the log alone: a database's own words may name hosts and columns.
        tracing::warn!(error = ?error, "a run met an error of the store");
        Self {
            code: error.code(),
            message: error.to_string(),
            transient: matches!(
                error,
                nyxcore_tenancy::Error::Busy | nyxcore_tenancy::Error::Database(_)
            ),
        }
    }
}
