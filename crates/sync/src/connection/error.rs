//! The errors of connections, with a stable code for each.

use chrono::{DateTime, Utc};
use nyxcore_github::GithubError;
use nyxcore_tenancy::Error;

use crate::git::GitError;

/// An error of a connection. The message is for the owner of the connection. It contains no token and no text from
/// GitHub.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// An error of the store.
    #[error(transparent)]
    Store(#[from] Error),
    /// An error of GitHub, with the seconds after which the request may be repeated, if GitHub gave them.
    #[error("{error}")]
    Github {
        /// The error.
        error: GithubError,
        /// Seconds.
        retry_after: Option<i64>,
    },
    /// The policy forbids this address.
    #[error("the connection's base URL {reason}")]
    BaseUrlForbidden {
        /// Why it is refused.
        reason: &'static str,
    },
    /// Sources still use the token of the connection.
    #[error(
        "sources use this connection: {sources}. Remove them first, or give the connection a new token"
    )]
    InUse {
        /// The number of sources; 1 if a source began to use it concurrently.
        sources: u64,
    },
}

impl ConnectionError {
    /// The stable code that clients may match on.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Github { error, .. } => error.code(),
            Self::BaseUrlForbidden { .. } => "BASE_URL_FORBIDDEN",
            Self::InUse { .. } => "CONFLICT",
        }
    }

    /// After how many seconds the request may be repeated, if GitHub gave them.
    #[must_use]
    pub fn retry_after(&self) -> Option<i64> {
        match self {
            Self::Github { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Converts an error of GitHub that occurred at that time.
    pub(crate) fn github(error: GithubError, now: DateTime<Utc>) -> Self {
        let retry_after = error.retry().map(|retry| retry.seconds(now));
        Self::Github { error, retry_after }
    }

    /// Converts an error of a server's address.
    pub(crate) fn address(error: GitError) -> Self {
        match error {
            GitError::SourceUrlForbidden { reason } | GitError::SourceUrlInvalid { reason } => {
                Self::BaseUrlForbidden { reason }
            }
            _ => Self::Github {
                error: GithubError::Unavailable {
                    reason: "has a host name that cannot be resolved; check the connection's base URL",
                },
                retry_after: None,
            },
        }
    }
}

impl From<GithubError> for ConnectionError {
    /// Converts errors that no server answered, which waiting does not fix.
    fn from(error: GithubError) -> Self {
        Self::Github {
            error,
            retry_after: None,
        }
    }
}
