//! A server that is measured.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::process::Child;

/// How long a server may take to answer its first request.
const PATIENCE: Duration = Duration::from_secs(120);

/// A measured server. It is stopped on drop.
pub struct Server {
    /// Its name in the table.
    pub label: String,
    /// The bearer token for its requests.
    pub token: Option<String>,
    port: u16,
    child: Child,
    client: reqwest::Client,
}

impl Server {
    /// Waits until a started server answers.
    ///
    /// # Errors
    /// It ended, or has not answered within two minutes.
    pub async fn ready(
        label: &str,
        port: u16,
        token: Option<String>,
        child: Child,
    ) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let mut server = Self {
            label: label.to_owned(),
            token,
            port,
            child,
            client,
        };
        let start = tokio::time::Instant::now();
        while server.ask("{ __typename }").await.is_err() {
            if let Some(status) = server.child.try_wait()? {
                anyhow::bail!("{label} ended: {status}");
            }
            ensure!(start.elapsed() < PATIENCE, "{label} did not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(server)
    }

    /// The URL of its GraphQL endpoint.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/graphql", self.port)
    }

    /// Its port at 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends a query and returns the data of the response.
    ///
    /// # Errors
    /// There is no response, or it has errors.
    pub async fn ask(&self, query: &str) -> anyhow::Result<Value> {
        self.ask_as(self.token.as_deref(), query).await
    }

    /// As [`ask`](Self::ask), with another token or none.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub async fn ask_as(&self, token: Option<&str>, query: &str) -> anyhow::Result<Value> {
        let mut request = self
            .client
            .post(self.url())
            .header("Content-Type", "application/json")
            .body(serde_json::json!({ "query": query }).to_string());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let text = request.send().await?.text().await?;
        let mut answer: Value =
            serde_json::from_str(&text).with_context(|| format!("{}: {text}", self.label))?;
        ensure!(
            answer.get("errors").is_none() && answer["data"].is_object(),
            "{}: {query}: {text}",
            self.label
        );
        Ok(answer["data"].take())
    }

    /// The peak resident memory so far, in kB.
    ///
    /// # Errors
    /// The process has ended.
    pub fn peak_memory(&self) -> anyhow::Result<u64> {
        self.status("VmHWM:")
    }

    /// The current resident memory, in kB.
    ///
    /// # Errors
    /// The process has ended.
    pub fn memory(&self) -> anyhow::Result<u64> {
        self.status("VmRSS:")
    }

    fn status(&self, name: &str) -> anyhow::Result<u64> {
        let id = self.child.id().context("the server has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|line| line.split_whitespace().next());
        Ok(kilobytes.with_context(|| format!("no {name}"))?.parse()?)
    }
}
