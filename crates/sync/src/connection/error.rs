//! The errors of connections, with a stable code for each.

use chrono::{DateTime, Utc};
use nyxcore_github::GithubError;
use nyxcore_tenancy::Error;

use crate::git::GitError;

/// An error of a connection. The message is for the person who owns it; no token is in it, and nothing that GitHub
/// wrote.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The store's.
    #[error(transparent)]
    Store(#[from] Error),
    /// GitHub's, with the seconds after which the same may be asked again where GitHub said so.
    #[error("{error}")]
    Github {
        /// What it was.
        error: GithubError,
        /// Seconds.
        retry_after: Option<i64>,
    },
    /// This server does not go to that address.
    #[error("the connection's base URL {reason}")]
    BaseUrlForbidden {
        /// Why it is refused.
        reason: &'static str,
    },
    /// Sources are synced with its token.
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

    /// After how many seconds the same may be asked again, where GitHub said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<i64> {
        match self {
            Self::Github { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// An error of GitHub's as of that moment.
    pub(crate) fn github(error: GithubError, now: DateTime<Utc>) -> Self {
        let retry_after = error.retry().map(|retry| retry.seconds(now));
        Self::Github { error, retry_after }
    }

    /// An error of the address of a server.
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
    /// For errors that no server gave, which no time helps.
    fn from(error: GithubError) -> Self {
        Self::Github {
            error,
            retry_after: None,
        }
    }
}
