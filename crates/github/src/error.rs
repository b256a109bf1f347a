//! The errors of GitHub requests, with a stable code for each.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// When to try again, as the server stated it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAt {
    /// At that moment.
    Time(DateTime<Utc>),
    /// That long after the response.
    After(Duration),
}

impl RetryAt {
    /// The seconds from `now` until then: at least 1.
    #[must_use]
    pub fn seconds(self, now: DateTime<Utc>) -> i64 {
        let seconds = match self {
            Self::Time(at) => (at - now).num_seconds(),
            Self::After(wait) => i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
        };
        seconds.max(1)
    }
}

/// An error of GitHub or of the connection to it. The message is for the person who owns the connection: it contains
/// neither the token nor text of the server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GithubError {
    /// 401: the token is not valid, or no longer valid.
    #[error("GitHub rejected the token: it is mistyped, expired or revoked; set a new one")]
    Unauthorized,
    /// 403 without a rate limit: the token lacks the permission.
    #[error(
        "the token lacks permission: grant it read access to the repository's contents and metadata, and have the organization approve it"
    )]
    Forbidden,
    /// 404: the repository does not exist, or the token cannot access it.
    #[error("the repository does not exist, or the token cannot access it")]
    NotFound,
    /// The rate limit of the token is used up.
    #[error("GitHub's rate limit for this token is exhausted; try again later")]
    RateLimited {
        /// When it is reset.
        retry: RetryAt,
    },
    /// Too many requests at once (GitHub's secondary rate limits, "abuse" in older versions).
    #[error("GitHub's secondary rate limit is exceeded; try again later")]
    AbuseLimited {
        /// When the pause is over.
        retry: RetryAt,
    },
    /// A redirect that is not followed: to another server, or a second one.
    #[error("GitHub redirected the request to another address; redirects are not followed")]
    Moved,
    /// 422: GitHub refuses the query.
    #[error("GitHub rejected the search: narrow it or use other words")]
    QueryRefused,
    /// No response, none in time, or a server error.
    #[error("GitHub {reason}")]
    Unavailable {
        /// What happened.
        reason: &'static str,
    },
    /// A response that does not come from a GitHub API.
    #[error("the response is not from a GitHub API: {reason}; check the connection's base URL")]
    AnswerInvalid {
        /// The problem.
        reason: &'static str,
    },
    /// An invalid name of a repository.
    #[error(
        "invalid repository name: use owner/name, with letters, digits, \"-\", \"_\" and \".\""
    )]
    NameInvalid,
    /// An invalid base URL.
    #[error(
        "the base URL must be https://github.com or that of a GitHub Enterprise Server, such as https://ghe.example/api/v3, without a user, a password, a query or a fragment"
    )]
    UrlInvalid,
    /// A token with an invalid form.
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

    /// When to try again, where the server stated it.
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

    /// An unavailable server.
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
