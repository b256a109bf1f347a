//! The responses of GitHub: the used fields and headers.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LINK, RETRY_AFTER};
use serde::{Deserialize, Deserializer};

use crate::{GithubError, RepositoryName, RetryAt};

/// How long to wait where GitHub asks for a pause and does not say how long: its own advice.
const PAUSE: Duration = Duration::from_secs(60);
/// The longest wait that is accepted: a longer one is cut.
const PAUSE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The owner of a token.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Viewer {
    /// The account's id.
    pub id: i64,
    /// The account's name.
    pub login: String,
}

/// The owner of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Owner {
    /// The name of a person or an organization.
    pub login: String,
}

/// A repository as GitHub lists it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "GitHub's names say it")]
pub struct Repository {
    pub id: i64,
    pub name: String,
    /// `owner/name`.
    pub full_name: String,
    pub owner: Owner,
    pub private: bool,
    #[serde(default)]
    pub archived: bool,
    #[serde(default)]
    pub fork: bool,
    /// `None` where the repository has never had a commit, in some versions.
    #[serde(default)]
    pub default_branch: Option<String>,
    /// The URL to clone it from over HTTPS.
    pub clone_url: String,
    /// The address to clone it from over SSH: `git@host:owner/name.git`.
    pub ssh_url: String,
    /// The URL of its page.
    pub html_url: String,
    #[serde(default, deserialize_with = "text_where_not_empty")]
    pub description: Option<String>,
    /// The time of the last push.
    #[serde(default)]
    pub pushed_at: Option<DateTime<Utc>>,
    /// Its size in kilobytes, as GitHub counts them.
    #[serde(default)]
    pub size: i64,
    /// Its main language, as GitHub detects it.
    #[serde(default)]
    pub language: Option<String>,
}

/// A branch of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Branch {
    /// Its name.
    pub name: String,
}

/// A page of repositories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryPage {
    /// In GitHub's order.
    pub repositories: Vec<Repository>,
    /// Whether another page follows.
    pub has_next: bool,
}

/// A page of branches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchPage {
    /// In GitHub's order.
    pub branches: Vec<Branch>,
    /// Whether another page follows.
    pub has_next: bool,
}

/// The response of a search.
#[derive(Deserialize)]
pub(crate) struct SearchAnswer {
    pub items: Vec<Repository>,
}

/// The body of an error.
#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    message: String,
}

fn text_where_not_empty<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.trim().is_empty()))
}

impl Repository {
    /// Its name, validated: a server that returns another kind of name is not GitHub.
    ///
    /// # Errors
    /// [`GithubError::AnswerInvalid`].
    pub fn checked_name(&self) -> Result<RepositoryName, GithubError> {
        RepositoryName::parse(&self.full_name).map_err(|_| GithubError::AnswerInvalid {
            reason: "a repository has a name that GitHub does not give",
        })
    }
}

/// Whether the `Link` header of an answer (RFC 8288) names a next page.
pub(crate) fn has_next(headers: &HeaderMap) -> bool {
    let links = headers.get_all(LINK).iter();
    links
        .filter_map(|link| link.to_str().ok())
        .flat_map(|link| link.split('<').skip(1))
        .filter_map(|link| link.split_once('>'))
        .any(|(_, parameters)| {
            parameters.split([';', ',']).any(|parameter| {
                matches!(
                    parameter.trim().split_once('='),
                    Some(("rel", "\"next\"" | "next"))
                )
            })
        })
}

/// Maps an unsuccessful response to an error. The text of its message is inspected but never passed on.
pub(crate) fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> GithubError {
    match status.as_u16() {
        401 => GithubError::Unauthorized,
        403 | 429 => limit(status, headers, body).unwrap_or(GithubError::Forbidden),
        404 | 410 => GithubError::NotFound,
        // Taken down for legal reasons: treated as forbidden for this token.
        451 => GithubError::Forbidden,
        422 => GithubError::QueryRefused,
        301..=308 => GithubError::Moved,
        500.. => GithubError::unavailable("reports an internal error; try again later"),
        _ => GithubError::AnswerInvalid {
            reason: "its status is not one of the API",
        },
    }
}

/// Returns the rate limit that was exceeded, if any, by the rules of
/// [GitHub's guide](https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit).
fn limit(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Option<GithubError> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let after = number(RETRY_AFTER.as_str())
        .map(|seconds| RetryAt::After(Duration::from_secs(seconds).min(PAUSE_MAX)));
    let is_used_up = number("x-ratelimit-remaining") == Some(0);
    let reset = number("x-ratelimit-reset")
        .filter(|_| is_used_up)
        .and_then(|epoch| DateTime::from_timestamp(i64::try_from(epoch).ok()?, 0))
        .map(RetryAt::Time);
    let refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
    let message = refusal.message.to_ascii_lowercase();
    let is_secondary =
        message.contains("secondary rate limit") || message.contains("abuse detection");
    let pause = RetryAt::After(PAUSE);
    if is_secondary || (after.is_some() && !is_used_up) {
        let retry = after.or(reset).unwrap_or(pause);
        return Some(GithubError::AbuseLimited { retry });
    }
    if is_used_up || status == StatusCode::TOO_MANY_REQUESTS {
        let retry = reset.or(after).unwrap_or(pause);
        return Some(GithubError::RateLimited { retry });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(link: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(LINK, link.parse().unwrap())])
    }

    #[test]
    fn a_next_page_is_named_by_the_link_header_and_by_nothing_else() {
        assert!(!has_next(&HeaderMap::new()));
        for link in [
            r#"<https://api.github.com/user/repos?page=2>; rel="next", <https://api.github.com/user/repos?page=9>; rel="last""#,
            r#"<https://api.github.com/user/repos?page=1>; rel="prev",<https://api.github.com/user/repos?a=1,2&page=3>; title="x"; rel="next""#,
            "<https://ghe.example/x>; rel=next",
        ] {
            assert!(has_next(&headers(link)), "{link}");
        }
        for link in [
            "",
            r#"<https://api.github.com/user/repos?page=1>; rel="prev", <https://api.github.com/user/repos?page=1>; rel="first""#,
            r#"<https://api.github.com/user/repos?rel="next">; rel="last""#,
            r#"<https://api.github.com/x>; title="next""#,
        ] {
            assert!(!has_next(&headers(link)), "{link}");
        }
    }

    #[test]
    fn a_wait_without_end_is_not_believed() {
        let headers =
            HeaderMap::from_iter([(RETRY_AFTER, "18446744073709551615".parse().unwrap())]);
        let error = refusal(StatusCode::FORBIDDEN, &headers, b"");
        assert_eq!(error.retry(), Some(RetryAt::After(PAUSE_MAX)));
    }
}
