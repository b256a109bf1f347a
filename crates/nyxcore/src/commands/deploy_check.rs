//! `deploy-check`: the commits that a deployment from a work tree would ship, and those that it would leave behind.

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use reqwest::redirect::Policy;
use serde::Deserialize;
use url::Url;

use crate::cli::DeployCheckArgs;
use crate::error::{Error, Result};
use crate::git_tool::{git, has_changes};
use crate::output::{self, is_harmful};

/// The variable with a token of the server.
const TOKEN: &str = "NYXCORE_TOKEN";
/// How long the server may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The maximum number of commits that are listed.
const LISTED_MAX: usize = 10;
/// The maximum size of the server's answer, in bytes: a version and a commit take a few hundred.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// The request.
const QUERY: &str = r#"{"query":"{ server { version commit dirty } }"}"#;

/// Compares, prints, and fails if a commit or a change would not be shipped.
///
/// # Errors
/// [`Error::NotDeployable`]; [`Error::NotARepository`]; [`Error::ServerUnreachable`].
pub async fn run(args: DeployCheckArgs) -> Result<()> {
    let local = LocalState::look(&args.path).await?;
    let server = server_ask(&args.server).await?;
    let compared = Comparison::of(&args.path, &local, &server).await;
    output::write(&compared.text())?;
    match compared.left_behind.len() {
        0 => Ok(()),
        1 => Err(Error::NotDeployable("1 thing would not be shipped".into()).into()),
        count => Err(Error::NotDeployable(format!("{count} things would not be shipped")).into()),
    }
}

/// The work tree and its branch.
struct LocalState {
    head: String,
    has_changes: bool,
    /// The commit of the upstream, as of the last fetch.
    upstream: Option<String>,
}

impl LocalState {
    async fn look(path: &Path) -> Result<Self> {
        let commit = |text: String| commit_id(text.trim());
        let head = git(path, &["rev-parse", "HEAD"]).await.and_then(commit);
        let Some(head) = head else {
            bail!(Error::NotARepository(path.to_owned()));
        };
        let upstream = git(path, &["rev-parse", "--verify", "--quiet", "@{upstream}"]).await;
        Ok(Self {
            head,
            has_changes: has_changes(path).await,
            upstream: upstream.and_then(commit),
        })
    }
}

/// The server's report of its version and commit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct ServerState {
    version: String,
    commit: Option<String>,
    dirty: Option<bool>,
}

async fn server_ask(server: &str) -> Result<ServerState> {
    let unreachable = |reason: String| Error::ServerUnreachable {
        server: server.to_owned(),
        reason,
    };
    let url = Url::parse(server).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some(url) = url.and_then(|url| url.join("/graphql").ok()) else {
        bail!(Error::SettingInvalid(
            "--server must be a URL such as https://nyx.example.org".into()
        ));
    };
    let token = std::env::var(TOKEN).unwrap_or_default();
    if token.is_empty() {
        bail!(Error::SettingInvalid(format!(
            "set {TOKEN} to a token of the server: `nyxcore token create`"
        )));
    }
    let refused = |error: reqwest::Error| unreachable(error.without_url().to_string());
    // The client must not send the token to any other server.
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .timeout(PATIENCE)
        .build()
        .map_err(refused)?;
    let request = client
        .post(url)
        .bearer_auth(token.trim())
        .header("content-type", "application/json")
        .body(QUERY);
    let mut response = request.send().await.map_err(refused)?;
    if !response.status().is_success() {
        let status = response.status().as_u16();
        bail!(unreachable(format!("it answered with status {status}")));
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(refused)? {
        body.extend_from_slice(&piece);
        if body.len() > ANSWER_BYTES_MAX {
            bail!(unreachable("its answer is too large".into()));
        }
    }
    answer_read(&body)
        .ok_or_else(|| unreachable("its answer is not one of nyxcore's".into()).into())
}

fn answer_read(body: &[u8]) -> Option<ServerState> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    let server = answer.pointer("/data/server")?;
    serde_json::from_value(server.clone()).ok()
}

/// Parses a commit id. Output of the server or of git is passed to git as an argument only if it is one.
fn commit_id(text: &str) -> Option<String> {
    let is_id = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| text.to_ascii_lowercase())
}

/// The result of the comparison.
#[derive(Debug, Default, PartialEq, Eq)]
struct Comparison {
    /// The states, a line each.
    states: Vec<String>,
    /// The commits that a deployment would ship: the server does not run them.
    shipped: Vec<String>,
    /// The findings about changes that a deployment would not ship.
    left_behind: Vec<String>,
}

impl Comparison {
    async fn of(path: &Path, local: &LocalState, server: &ServerState) -> Self {
        let mut compared = Self::default();
        let head = &local.head;
        let on_server = server.commit.as_deref().and_then(commit_id);
        let running = on_server.as_deref().map_or("an unknown commit", short);
        compared.states = vec![
            format!("server    {} at {running}", plain(&server.version)),
            format!("head      {}", short(head)),
            format!(
                "upstream  {}",
                local.upstream.as_deref().map_or("none", short)
            ),
        ];
        if local.has_changes {
            compared.add("changes that are not committed", Vec::new());
        }
        match &local.upstream {
            None => compared.add("the branch has no upstream: push it first", Vec::new()),
            Some(upstream) => {
                let unpushed = commits(path, upstream, head).await;
                compared.commits("not pushed", unpushed);
                let behind = commits(path, head, upstream).await;
                compared.commits("only in the upstream, not in this head", behind);
            }
        }
        if server.dirty == Some(true) {
            compared.add(
                "the server was built with changes that no commit has",
                Vec::new(),
            );
        }
        match &on_server {
            None => compared.add("the server does not say its commit", Vec::new()),
            Some(on_server) => match commits(path, head, on_server).await {
                None => compared.add(
                    "the server's commit is not in this repository: fetch it",
                    Vec::new(),
                ),
                Some(lost) => {
                    compared.commits("only on the server, not in this head", Some(lost));
                    compared.shipped = commits(path, on_server, head).await.unwrap_or_default();
                }
            },
        }
        compared
    }

    fn commits(&mut self, what: &str, commits: Option<Vec<String>>) {
        match commits {
            None => self.add("the upstream cannot be compared: fetch it", Vec::new()),
            Some(commits) if commits.is_empty() => {}
            Some(commits) => self.add(what, commits),
        }
    }

    fn add(&mut self, what: &str, commits: Vec<String>) {
        self.left_behind.push(listed(what, &commits));
    }

    fn text(&self) -> String {
        let mut text = self.states.join("\n");
        text.push('\n');
        if self.left_behind.is_empty() {
            text.push_str(&match self.shipped.is_empty() {
                true => "the server runs this head\n".to_owned(),
                false => listed("a deployment ships", &self.shipped),
            });
        }
        for finding in &self.left_behind {
            text.push_str(&format!("✗ {finding}"));
        }
        text
    }
}

/// A title with the number of commits, and the first of them below it.
fn listed(what: &str, commits: &[String]) -> String {
    let mut text = match commits.len() {
        0 => format!("{what}\n"),
        1 => format!("{what}: 1 commit\n"),
        count => format!("{what}: {count} commits\n"),
    };
    for commit in commits.iter().take(LISTED_MAX) {
        text.push_str(&format!("    {commit}\n"));
    }
    if commits.len() > LISTED_MAX {
        text.push_str(&format!("    and {} more\n", commits.len() - LISTED_MAX));
    }
    text
}

/// The commits that are in `of` and not in `without`, newest first, a line each. `None` where git does not know one of
/// the two.
async fn commits(path: &Path, without: &str, of: &str) -> Option<Vec<String>> {
    let range = format!("{without}..{of}");
    let log = git(path, &["log", "--no-color", "--format=%h %s", &range, "--"]).await?;
    Some(log.lines().map(plain).collect())
}

/// Replaces the characters of an untrusted text that move the cursor or reorder the line.
fn plain(text: &str) -> String {
    text.replace(is_harmful, "?")
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_id_becomes_an_argument_of_git() {
        let id = "0123456789abcdef0123456789ABCDEF01234567";
        assert_eq!(commit_id(id), Some(id.to_ascii_lowercase()));
        for other in ["", "--output=x", "HEAD", "0123", &"g".repeat(40)] {
            assert_eq!(commit_id(other), None, "{other}");
        }
    }

    #[test]
    fn an_answer_with_errors_is_no_state() {
        let good = br#"{"data":{"server":{"version":"0.1.0","commit":null,"dirty":null}}}"#;
        let state = answer_read(good).unwrap();
        assert_eq!((state.version.as_str(), state.commit), ("0.1.0", None));
        assert_eq!(answer_read(br#"{"errors":[{"message":"x"}]}"#), None);
        assert_eq!(answer_read(b"<html>"), None);
    }

    #[test]
    fn long_lists_are_cut_and_say_so() {
        let commits: Vec<String> = (0..12).map(|number| format!("c{number}")).collect();
        let text = listed("not pushed", &commits);
        assert!(
            text.starts_with("not pushed: 12 commits\n    c0\n"),
            "{text}"
        );
        assert!(text.ends_with("    c9\n    and 2 more\n"), "{text}");
    }
}
