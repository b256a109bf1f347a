//! Passes an agent's messages on to the `/mcp` of a server. It reads only the parts of them that an HTTP client must
//! know: the server implements the protocol, in whichever version.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::sync::{Mutex, Semaphore};
use tokio_util::task::TaskTracker;
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::wiring::end_signal;

/// The maximum length of an agent's message. The server accepts 1 MiB, and refuses longer ones itself.
const LINE_BYTES_MAX: u64 = 4 << 20;
/// The maximum length of an answer: 20,000 tokens, twice, escaped.
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// The maximum number of concurrent messages of an agent.
const AT_ONCE: usize = 8;
/// How long an answer may take: the server ends a call after 60 s.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long the answers in progress may take after the agent has closed the input.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);
/// From this version of the protocol on, HTTP headers repeat the method and the name.
const NAMED_SINCE: &str = "2026-07-28";
/// The key in a request of such a version that contains the version.
const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
/// JSON-RPC's first code for errors of the transport.
const CARRIER_ERROR: i64 = -32000;

/// A server, and the protocol version negotiated with it.
struct Remote {
    client: reqwest::Client,
    url: Url,
    /// The version of the protocol that `initialize` agreed on.
    version: Mutex<Option<String>>,
}

/// Passes messages on until the agent closes the input, or SIGTERM or SIGINT.
///
/// # Errors
/// `SETTING_INVALID` for a URL or a token that cannot be used; a stream fails.
pub async fn run(
    server: &str,
    token_file: Option<&Path>,
    (read, write): (File, File),
) -> Result<()> {
    let url = url_read(server)?;
    let remote = Arc::new(Remote {
        client: client(&url, &token_read(token_file)?)?,
        url,
        version: Mutex::new(None),
    });
    let ended = end_signal()?;
    tokio::select! {
        passed = pass(remote, read, write) => passed,
        () = ended => Ok(()),
    }
}

async fn pass(remote: Arc<Remote>, read: File, write: File) -> Result<()> {
    let mut lines = BufReader::new(read);
    let write = Arc::new(Mutex::new(write));
    let (slots, tasks) = (Arc::new(Semaphore::new(AT_ONCE)), TaskTracker::new());
    loop {
        let mut line = Vec::new();
        let mut bounded = (&mut lines).take(LINE_BYTES_MAX);
        let count = bounded.read_until(b'\n', &mut line).await;
        if count.context("reading the agent's messages failed")? == 0 {
            break;
        }
        if !line.ends_with(b"\n") && line.len() as u64 == LINE_BYTES_MAX {
            bail!("a message is longer than {} MB", LINE_BYTES_MAX >> 20);
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let message: Value = serde_json::from_slice(&line).unwrap_or(Value::Null);
        let is_first = message["method"] == "initialize";
        let slot = Arc::clone(&slots).acquire_owned().await?;
        let (remote, write) = (Arc::clone(&remote), Arc::clone(&write));
        let task = async move {
            let answer = remote.send(&message, line).await;
            if let Some(answer) = answer {
                let mut write = write.lock().await;
                let written = async {
                    write.write_all(answer.as_bytes()).await?;
                    write.write_all(b"\n").await?;
                    write.flush().await
                };
                if let Err(error) = written.await {
                    tracing::warn!(%error, "an answer could not be written");
                }
            }
            drop(slot);
        };
        match is_first {
            // The messages after `initialize` depend on its result.
            true => task.await,
            false => drop(tasks.spawn(task)),
        }
    }
    tasks.close();
    let _late = tokio::time::timeout(LEAVE_WITHIN, tasks.wait()).await;
    Ok(())
}

impl Remote {
    /// Sends a message. `None` where it has no answer, because it is a notification.
    async fn send(&self, message: &Value, line: Vec<u8>) -> Option<String> {
        let mut request = self.client.post(self.url.clone()).body(line);
        if let Some(version) = self.version_of(message).await {
            if version.as_str() >= NAMED_SINCE {
                request = request.headers(names(message));
            }
            request = request.header("mcp-protocol-version", version);
        }
        let outcome = async {
            let response = request.send().await?;
            let status = response.status();
            let mut response = response;
            let mut body = Vec::new();
            while let Some(piece) = response.chunk().await? {
                body.extend_from_slice(&piece);
                if body.len() > ANSWER_BYTES_MAX {
                    break;
                }
            }
            Ok::<_, reqwest::Error>((status.as_u16(), body))
        };
        let answer = match outcome.await {
            Ok((_, body)) if body.len() > ANSWER_BYTES_MAX => {
                Err("ANSWER_TOO_LARGE: the server's answer is too long".to_owned())
            }
            Ok((status, body)) => answer_read(status, &body),
            Err(error) => Err(format!("SERVER_UNREACHABLE: {}", error.without_url())),
        };
        let answer = match answer {
            Ok(None) => return None,
            Ok(Some(answer)) => answer,
            // A notification has no answer.
            Err(text) if message.get("id").is_none() => {
                tracing::warn!(text, "a notification was not taken");
                return None;
            }
            Err(text) => {
                let error = json!({ "code": CARRIER_ERROR, "message": text });
                json!({ "jsonrpc": "2.0", "id": message["id"], "error": error })
            }
        };
        if message["method"] == "initialize"
            && let Some(version) = answer["result"]["protocolVersion"].as_str()
        {
            *self.version.lock().await = Some(version.to_owned());
        }
        Some(answer.to_string())
    }

    /// The protocol version of a message: its own, else the negotiated one. `None` before the negotiation.
    async fn version_of(&self, message: &Value) -> Option<String> {
        if message["method"] == "initialize" {
            return None;
        }
        match message["params"]["_meta"][VERSION_KEY].as_str() {
            Some(version) => Some(version.to_owned()),
            None => self.version.lock().await.clone(),
        }
    }
}

/// Parses the answer as a message; `None` for an empty one.
///
/// # Errors
/// The server's text where the answer is not a message.
fn answer_read(status: u16, body: &[u8]) -> Result<Option<Value>, String> {
    if body.trim_ascii().is_empty() && status < 300 {
        return Ok(None);
    }
    let Ok(answer) = serde_json::from_slice::<Value>(body) else {
        return Err(format!(
            "SERVER_REFUSED: the server answered with status {status}"
        ));
    };
    if answer.get("jsonrpc").is_some() {
        return Ok(Some(answer));
    }
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    Err(format!("{}: {}", text("code"), text("message")))
}

/// The headers that repeat the method and the name of a message.
fn names(message: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut add = |name: &'static str, value: Option<&str>| {
        if let Some(value) = value.and_then(header_value) {
            headers.insert(name, value);
        }
    };
    let method = message["method"].as_str();
    add("mcp-method", method);
    let params = &message["params"];
    add(
        "mcp-name",
        match method {
            Some("tools/call" | "prompts/get") => params["name"].as_str(),
            Some("resources/read") => params["uri"].as_str(),
            _ => None,
        },
    );
    headers
}

/// Encodes a text as a header value: unchanged if it is plain, else in Base64 between the protocol's marks.
fn header_value(text: &str) -> Option<HeaderValue> {
    let is_plain =
        text.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) && !text.starts_with("=?base64?");
    match is_plain {
        true => HeaderValue::from_str(text).ok(),
        false => {
            HeaderValue::from_str(&format!("=?base64?{}?=", BASE64_STANDARD.encode(text))).ok()
        }
    }
}

/// The URL of the server's `/mcp`.
fn url_read(text: &str) -> Result<Url> {
    let refused = |reason: &str| Error::SettingInvalid(format!("--server {text:?}: {reason}"));
    let mut url = Url::parse(text).map_err(|error| refused(&error.to_string()))?;
    let is_local = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && is_local) {
        bail!(refused(
            "the token is sent by https:// only, or by http:// on this machine"
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        bail!(refused(
            "it must not hold a password: put the token into NYXCORE_TOKEN"
        ));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    let path = if path.ends_with("/mcp") {
        path
    } else {
        format!("{path}/mcp")
    };
    url.set_path(&path);
    Ok(url)
}

/// The token from its file or from the environment.
fn token_read(file: Option<&Path>) -> Result<Zeroizing<String>> {
    let token = match file {
        Some(file) => {
            let text = std::fs::read_to_string(file);
            Zeroizing::new(text.with_context(|| format!("cannot read {}", file.display()))?)
        }
        None => Zeroizing::new(std::env::var("NYXCORE_TOKEN").unwrap_or_default()),
    };
    let token = Zeroizing::new(token.trim().to_owned());
    if token.is_empty() {
        let message = "an API token is needed: set NYXCORE_TOKEN, or pass --token-file";
        bail!(Error::SettingInvalid(message.into()));
    }
    Ok(token)
}

/// A client that sends the token to this server and to no other.
fn client(url: &Url, token: &str) -> Result<reqwest::Client> {
    let bearer = Zeroizing::new(format!("Bearer {token}"));
    let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| {
        Error::SettingInvalid("the token holds characters that no token has".into())
    })?;
    bearer.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, bearer);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(
        ACCEPT,
        HeaderValue::from_static("application/json, text/event-stream"),
    );
    let is_local = url.scheme() == "http";
    let mut builder = reqwest::Client::builder()
        .https_only(!is_local)
        .redirect(Policy::none())
        .timeout(PATIENCE)
        .default_headers(headers);
    if is_local {
        builder = builder.no_proxy();
    }
    builder.build().context("making the client failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leaves_this_machine_encrypted_only() {
        let read = |text: &str| url_read(text).map(|url| url.to_string()).map_err(|_| ());
        assert_eq!(
            read("https://nyx.example.org"),
            Ok("https://nyx.example.org/mcp".into())
        );
        assert_eq!(
            read("https://nyx.example.org/a/"),
            Ok("https://nyx.example.org/a/mcp".into())
        );
        assert_eq!(
            read("http://127.0.0.1:4600/mcp"),
            Ok("http://127.0.0.1:4600/mcp".into())
        );
        for bad in [
            "http://nyx.example.org",
            "ftp://localhost",
            "https://a:b@nyx.example.org",
            "nyx",
        ] {
            assert_eq!(read(bad), Err(()), "{bad}");
        }
    }

    #[test]
    fn what_is_no_message_becomes_an_error() {
        assert_eq!(answer_read(202, b""), Ok(None));
        let refused = answer_read(401, br#"{"code":"UNAUTHENTICATED","message":"no"}"#);
        assert_eq!(refused, Err("UNAUTHENTICATED: no".into()));
        assert!(answer_read(502, b"<html>").is_err());
        let message = answer_read(400, br#"{"jsonrpc":"2.0","id":1,"error":{}}"#);
        assert_eq!(message.unwrap().unwrap()["id"], 1);
    }

    #[test]
    fn a_name_travels_in_a_header_whatever_it_holds() {
        let call = json!({ "method": "tools/call", "params": { "name": "search" } });
        let headers = names(&call);
        assert_eq!(
            (&headers["mcp-method"], &headers["mcp-name"]),
            (
                &HeaderValue::from_static("tools/call"),
                &HeaderValue::from_static("search")
            )
        );
        let call = json!({ "method": "tools/call", "params": { "name": "ä" } });
        assert_eq!(names(&call)["mcp-name"], "=?base64?w6Q=?=");
    }
}
