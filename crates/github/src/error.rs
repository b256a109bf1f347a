//! The errors of GitHub requests, with a stable code for each.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// When to try again, as the server said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAt {
    /// At that moment.
    Time(DateTime<Utc>),
    /// So long after the answer.
    After(Duration),
}

impl RetryAt {
    /// How many seconds that is from `now`: 1 at least.
    #[must_use]
    pub fn seconds(self, now: DateTime<Utc>) -> i64 {
        let seconds = match self {
            Self::Time(at) => (at - now).num_seconds(),
            Self::After(wait) => i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
        };
        seconds.max(1)
    }
}

/// An error of GitHub, or on the way there. The message is for the person who owns the connection: it holds no token
/// and nothing that the server wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GithubError {
    /// 401: the token is not good, or not any more.
    #[error("GitHub rejected the token: it is mistyped, expired or revoked; set a new one")]
    Unauthorized,
    /// 403 without a limit: the token may not do this.
    #[error(
        "the token lacks permission: grant it read access to the repository's contents and metadata, and have the organization approve it"
    )]
    Forbidden,
    /// 404: it is not there, or the token cannot see it.
    #[error("the repository does not exist, or the token cannot access it")]
    NotFound,
    /// The token's requests of this hour are used up.
    #[error("GitHub's rate limit for this token is exhausted; try again later")]
    RateLimited {
        /// When there are more.
        retry: RetryAt,
    },
    /// GitHub finds that too much is asked at once (its secondary limits, "abuse" in older versions).
    #[error("GitHub's secondary rate limit is exceeded; try again later")]
    AbuseLimited {
        /// When the pause is over.
        retry: RetryAt,
    },
    /// A redirect that is not followed: to another server, or a second one.
    #[error("GitHub redirected the request to another address; redirects are not followed")]
    Moved,
    /// 422: the question itself is refused.
    #[error("GitHub rejected the search: narrow it or use other words")]
    QueryRefused,
    /// No answer, none in time, or one of a server in trouble.
    #[error("GitHub {reason}")]
    Unavailable {
        /// What happened.
        reason: &'static str,
    },
    /// An answer that is none of GitHub's.
    #[error("the response is not from a GitHub API: {reason}; check the connection's base URL")]
    AnswerInvalid {
        /// The problem.
        reason: &'static str,
    },
    /// A repository's name that cannot be one.
    #[error(
        "invalid repository name: use owner/name, with letters, digits, \"-\", \"_\" and \".\""
    )]
    NameInvalid,
    /// A base URL that cannot be one.
    #[error(
        "the base URL must be https://github.com or that of a GitHub Enterprise Server, such as https://ghe.example/api/v3, without a user, a password, a query or a fragment"
    )]
    UrlInvalid,
    /// A token that cannot be one.
    #[error(
        "invalid token: a token has 1 to 1,000 printable ASCII characters; copy it without surrounding text"
    )]
    TokenInvalid,
}

impl GithubError {
    /// The stable code that clients may match on.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized => "GITHUB_UNAUTHORIZED",
            Self::Forbidden => "GITHUB_FORBIDDEN",
            Self::NotFound => "GITHUB_NOT_FOUND",
            Self::RateLimited { .. } => "GITHUB_RATE_LIMITED",
            Self::AbuseLimited { .. } => "GITHUB_ABUSE_LIMITED",
            Self::Moved => "GITHUB_MOVED",
            Self::QueryRefused => "GITHUB_QUERY_REFUSED",
            Self::Unavailable { .. } => "GITHUB_UNAVAILABLE",
            Self::AnswerInvalid { .. } => "GITHUB_ANSWER_INVALID",
            Self::NameInvalid => "GITHUB_NAME_INVALID",
            Self::UrlInvalid => "GITHUB_URL_INVALID",
            Self::TokenInvalid => "GITHUB_TOKEN_INVALID",
        }
    }

    /// When to try again, where the server said it.
    #[must_use]
    pub fn retry(&self) -> Option<RetryAt> {
        match self {
            Self::RateLimited { retry } | Self::AbuseLimited { retry } => Some(*retry),
            _ => None,
        }
    }

    /// Whether the same request may succeed later without any change.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. }) || self.retry().is_some()
    }

    /// A server in trouble.
    pub(crate) fn unavailable(reason: &'static str) -> Self {
        Self::Unavailable { reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_counted_from_the_time_that_is_handed_in() {
        let now = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        let later = RetryAt::Time(now + chrono::TimeDelta::minutes(10));
        assert_eq!(later.seconds(now), 600);
        assert_eq!(later.seconds(now + chrono::TimeDelta::hours(1)), 1);
        assert_eq!(RetryAt::After(Duration::from_secs(47)).seconds(now), 47);
    }
}
