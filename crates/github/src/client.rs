//! The client for one GitHub server with one token.

use std::net::IpAddr;
use std::time::Duration;

use nyxcore_outbound::client_builder;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION};
use serde::de::DeserializeOwned;
use tracing::debug;
use url::Url;

use crate::answer::{SearchAnswer, has_next, refusal};
use crate::{
    BaseUrl, Branch, BranchPage, GithubError, GithubToken, Repository, RepositoryName,
    RepositoryPage, Viewer,
};

/// The most items that GitHub returns on a page.
pub const PER_PAGE_MAX: u32 = 100;
/// How often a request is repeated at most.
const RETRIES: u32 = 2;
/// The version of the API that the client requests.
const API_VERSION: &str = "2022-11-28";
/// The media type of responses: the value of the `Accept` header.
const MEDIA_TYPE: &str = "application/vnd.github+json";
/// The longest search query, in bytes: GitHub allows 256 characters without qualifiers.
const SEARCH_MAX: usize = 256;

/// The settings of a client. [`GithubOptions::new`] gives the defaults; every field may be changed.
#[derive(Debug, Clone)]
pub struct GithubOptions {
    /// The addresses of the base URL's host, resolved and verified by the caller. The client connects only to these,
    /// so that DNS rebinding has no effect. Not used if the host is an IP address.
    pub addresses: Vec<IpAddr>,
    /// How long one request may take: 10 s by default.
    pub timeout: Duration,
    /// How long to wait before a request is repeated, doubled each time: 300 ms by default.
    pub backoff: Duration,
    /// The largest response body that is read, in bytes: 10 MiB by default. A page of 100 repositories has around 600
    /// kB.
    pub answer_bytes_max: usize,
}

impl GithubOptions {
    /// The defaults, for a server with those addresses.
    #[must_use]
    pub fn new(addresses: Vec<IpAddr>) -> Self {
        Self {
            addresses,
            timeout: Duration::from_secs(10),
            backoff: Duration::from_millis(300),
            answer_bytes_max: 10 << 20,
        }
    }
}

/// A client for a server, with the token that it sends.
#[derive(Debug)]
pub struct GithubClient {
    http: reqwest::Client,
    base: BaseUrl,
    authorization: HeaderValue,
    backoff: Duration,
    answer_bytes_max: usize,
}

/// A response with its whole body.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl GithubClient {
    /// Creates a client; it sends no request yet. The program must have installed a crypto provider for TLS.
    ///
    /// # Errors
    /// [`GithubError::Unavailable`] where TLS cannot be set up.
    pub fn new(
        base: &BaseUrl,
        token: &GithubToken,
        options: &GithubOptions,
    ) -> Result<Self, GithubError> {
        let http = client_builder(base.domain(), &options.addresses)
            .https_only(base.as_str().starts_with("https://"))
            .timeout(options.timeout)
            .connect_timeout(options.timeout / 2)
            .user_agent(concat!("nyxcore/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| GithubError::unavailable("cannot be called: TLS is not set up"))?;
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", token.expose()))
            .map_err(|_| GithubError::TokenInvalid)?;
        authorization.set_sensitive(true);
        Ok(Self {
            http,
            base: base.clone(),
            authorization,
            backoff: options.backoff,
            answer_bytes_max: options.answer_bytes_max,
        })
    }

    /// The owner of the token.
    ///
    /// # Errors
    /// [`GithubError`].
    pub async fn viewer(&self) -> Result<Viewer, GithubError> {
        read(&self.get(&["user"], &[]).await?)
    }

    /// A page of the repositories that the token's owner owns, collaborates on or can access as a member of an
    /// organization, by their full names. Pages count from 1.
    ///
    /// # Errors
    /// [`GithubError`].
    pub async fn repositories(
        &self,
        page: u32,
        per_page: u32,
    ) -> Result<RepositoryPage, GithubError> {
        let (page, per_page) = (page_number(page), per_page_number(per_page));
        let answer = self
            .get(
                &["user", "repos"],
                &[
                    ("affiliation", "owner,collaborator,organization_member"),
                    ("sort", "full_name"),
                    ("per_page", &per_page),
                    ("page", &page),
                ],
            )
            .await?;
        repository_page(read(&answer)?, &answer.headers)
    }

    /// A page of all repositories on the server that the token can access, including public ones of others, whose
    /// names contain the words. Qualifiers (`org:`, `user:`, `is:`) and operators of GitHub's search are searched
    /// literally. Pages count from 1; GitHub returns the first 1,000 repositories.
    ///
    /// # Errors
    /// [`GithubError`]; [`GithubError::QueryRefused`] for a query without a word or of more than 256 bytes.
    pub async fn search(
        &self,
        words: &str,
        page: u32,
        per_page: u32,
    ) -> Result<RepositoryPage, GithubError> {
        let query = search_query(words).ok_or(GithubError::QueryRefused)?;
        let (page, per_page) = (page_number(page), per_page_number(per_page));
        let answer = self
            .get(
                &["search", "repositories"],
                &[("q", &query), ("per_page", &per_page), ("page", &page)],
            )
            .await?;
        let found: SearchAnswer = read(&answer)?;
        repository_page(found.items, &answer.headers)
    }

    /// A repository by its name, or by one that it had before.
    ///
    /// # Errors
    /// [`GithubError`].
    pub async fn repository(&self, name: &RepositoryName) -> Result<Repository, GithubError> {
        let answer = self.get(&["repos", name.owner(), name.name()], &[]).await?;
        let repository: Repository = read(&answer)?;
        repository.checked_name()?;
        Ok(repository)
    }

    /// A page of the branches of a repository, by their names. Pages count from 1.
    ///
    /// # Errors
    /// [`GithubError`].
    pub async fn branches(
        &self,
        name: &RepositoryName,
        page: u32,
        per_page: u32,
    ) -> Result<BranchPage, GithubError> {
        let (page, per_page) = (page_number(page), per_page_number(per_page));
        let answer = self
            .get(
                &["repos", name.owner(), name.name(), "branches"],
                &[("per_page", &per_page), ("page", &page)],
            )
            .await?;
        let branches: Vec<Branch> = read(&answer)?;
        Ok(BranchPage {
            branches,
            has_next: has_next(&answer.headers),
        })
    }

    /// Sends a request, and follows one redirect on the same server, which GitHub returns for a renamed repository.
    async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Answer, GithubError> {
        let mut answer = self.ask(self.base.join(path, query)).await?;
        if answer.status.is_redirection() {
            let location = answer.headers.get(LOCATION);
            let location = location.and_then(|location| location.to_str().ok());
            let next = location.and_then(|location| self.base.redirect(location));
            answer = self.ask(next.ok_or(GithubError::Moved)?).await?;
        }
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(refusal(answer.status, &answer.headers, &answer.body))
    }

    /// Sends a request, at most three times while the server cannot be reached or returns a server error.
    async fn ask(&self, url: Url) -> Result<Answer, GithubError> {
        let mut backoff = self.backoff;
        for _ in 0..RETRIES {
            match self.ask_once(url.clone()).await {
                Ok(answer) if answer.status.is_server_error() => {}
                Err(GithubError::Unavailable { .. }) => {}
                other => return other,
            }
            tokio::time::sleep(backoff).await;
            backoff *= 2;
        }
        self.ask_once(url).await
    }

    async fn ask_once(&self, url: Url) -> Result<Answer, GithubError> {
        let path = url.path().to_owned();
        let request = self
            .http
            .get(url)
            .header(AUTHORIZATION, self.authorization.clone())
            .header(ACCEPT, MEDIA_TYPE)
            .header(HeaderName::from_static("x-github-api-version"), API_VERSION);
        let mut response = request.send().await.map_err(|error| unreached(&error))?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| unreached(&error))? {
            if body.len() + chunk.len() > self.answer_bytes_max {
                return Err(GithubError::AnswerInvalid {
                    reason: "it is too large",
                });
            }
            body.extend_from_slice(&chunk);
        }
        debug!(
            path,
            status = status.as_u16(),
            bytes = body.len(),
            "GitHub answered"
        );
        Ok(Answer {
            status,
            headers,
            body,
        })
    }
}

/// The error of a request without a response. It has neither the URL nor other text of the HTTP library.
fn unreached(error: &reqwest::Error) -> GithubError {
    GithubError::unavailable(if error.is_timeout() {
        "did not respond in time; try again later"
    } else if error.is_connect() {
        "cannot be reached; try again later, or check the connection's base URL"
    } else {
        "closed the connection before the response was complete; try again later"
    })
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, GithubError> {
    // The parser's message would repeat text of the server.
    serde_json::from_slice(&answer.body).map_err(|_| GithubError::AnswerInvalid {
        reason: "required fields are missing",
    })
}

fn repository_page(
    repositories: Vec<Repository>,
    headers: &HeaderMap,
) -> Result<RepositoryPage, GithubError> {
    for repository in &repositories {
        repository.checked_name()?;
    }
    Ok(RepositoryPage {
        repositories,
        has_next: has_next(headers),
    })
}

fn page_number(page: u32) -> String {
    page.max(1).to_string()
}

fn per_page_number(per_page: u32) -> String {
    per_page.clamp(1, PER_PAGE_MAX).to_string()
}

/// The search query: each word as a phrase that is searched for in names, including forks.
fn search_query(words: &str) -> Option<String> {
    // A quotation mark would end the phrase, and a backslash would escape the closing one.
    let is_between =
        |letter: char| letter.is_whitespace() || letter.is_control() || "\"\\".contains(letter);
    let words: Vec<String> = words
        .split(is_between)
        .filter(|word| !word.is_empty())
        .map(|word| format!("\"{word}\""))
        .collect();
    let query = words.join(" ");
    if query.is_empty() || query.len() > SEARCH_MAX {
        return None;
    }
    Some(query + " in:name fork:true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_typed_is_words_and_never_a_qualifier() {
        for (typed, asked) in [
            ("atlas", "\"atlas\" in:name fork:true"),
            (" two  words ", "\"two\" \"words\" in:name fork:true"),
            (
                "org:acme NOT x",
                "\"org:acme\" \"NOT\" \"x\" in:name fork:true",
            ),
            (
                "a\" org:acme \"b",
                "\"a\" \"org:acme\" \"b\" in:name fork:true",
            ),
            ("a\\\" is:private", "\"a\" \"is:private\" in:name fork:true"),
        ] {
            assert_eq!(search_query(typed).as_deref(), Some(asked), "{typed}");
        }
        for typed in ["", "  ", "\"\\\n", &"a".repeat(SEARCH_MAX + 1)] {
            assert_eq!(search_query(typed), None, "{typed}");
        }
    }
}
