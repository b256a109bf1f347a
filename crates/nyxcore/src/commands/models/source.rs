//! Where newer facts about models come from: a file, or a URL that an operator names.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use reqwest::redirect::Policy;
use url::{Host, Url};

use crate::error::{Error, Result};

/// The maximum size of the file: LiteLLM's has 4 MB.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// How long a download may take.
const FETCH_PATIENCE: Duration = Duration::from_secs(60);
/// The maximum number of redirects that are followed, each to `https` again.
const REDIRECTS_MAX: usize = 5;

/// Reads the text of a file or of a URL: `https`, or `http` on this machine.
///
/// # Errors
/// [`Error::ModelFacts`] where the content cannot be read, is too large or is not text.
pub async fn read(from: &str) -> Result<String> {
    if let Ok(url) = Url::parse(from)
        && matches!(url.scheme(), "http" | "https")
    {
        return fetch(url).await;
    }
    let path = Path::new(from);
    let refused = |error: io::Error| failed(format!("{}: {error}", path.display()));
    if fs::metadata(path).map_err(refused)?.len() > FILE_BYTES_MAX {
        bail!(too_large());
    }
    Ok(fs::read_to_string(path).map_err(refused)?)
}

async fn fetch(url: Url) -> Result<String> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let refused = |error: reqwest::Error| failed(format!("{host}: {}", error.without_url()));
    let mut response = client(&url)?.get(url).send().await.map_err(refused)?;
    if !response.status().is_success() {
        let status = response.status().as_u16();
        bail!(failed(format!("{host} answered with status {status}")));
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(refused)? {
        body.extend_from_slice(&piece);
        if body.len() as u64 > FILE_BYTES_MAX {
            bail!(too_large());
        }
    }
    Ok(String::from_utf8(body).map_err(|_| failed(format!("{host}: the file is no text")))?)
}

/// The client for the download. Prices must come over an encrypted connection, even after a redirect; an unencrypted
/// connection is allowed only to this machine.
fn client(url: &Url) -> Result<reqwest::Client> {
    let is_local = url.scheme() == "http" && is_loopback(url);
    if url.scheme() == "http" && !is_local {
        bail!(failed(
            "a URL begins with https://, or with http:// and an address of this machine".into()
        ));
    }
    let redirects = match is_local {
        true => Policy::none(),
        false => Policy::limited(REDIRECTS_MAX),
    };
    let mut builder = reqwest::Client::builder()
        .https_only(!is_local)
        .redirect(redirects)
        .timeout(FETCH_PATIENCE);
    if is_local {
        builder = builder.no_proxy();
    }
    Ok(builder.build().map_err(|error| failed(error.to_string()))?)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn failed(message: String) -> Error {
    Error::ModelFacts {
        code: "MODEL_FILE_UNREADABLE",
        message,
    }
}

fn too_large() -> Error {
    Error::ModelFacts {
        code: "MODEL_FILE_TOO_LARGE",
        message: format!("the file has more than {} MB", FILE_BYTES_MAX >> 20),
    }
}
