//! Downloads the package from a URL that an operator names, and continues an interrupted download.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use nyxcore_local_embeddings::PACKAGE;
use nyxcore_outbound::{Endpoint, EndpointError, OutboundPolicy, SystemResolver, client_builder};
use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Response, StatusCode};
use url::Url;

use crate::error::{Error, Result};
use crate::progress::Step;

/// The time-out for connecting.
const CONNECT_PATIENCE: Duration = Duration::from_secs(20);
/// The time-out for a server that sends nothing.
const READ_PATIENCE: Duration = Duration::from_secs(30);

/// Downloads the file to `part`. Existing bytes of `part` count as its beginning. The host is resolved once, every
/// address is checked, and no redirect is followed.
///
/// # Errors
/// [`Error::LocalModel`]: the address is not allowed, the server's answer is invalid, or its data cannot be the
/// package.
pub async fn download(url: &Url, part: &Path, policy: OutboundPolicy, step: &Step) -> Result<()> {
    let known = fs::metadata(part).map_or(0, |found| found.len());
    // A complete file that was not installed is invalid, so the download starts again.
    let begun = if known < PACKAGE.bytes { known } else { 0 };
    let (mut response, begun) = ask(url, begun, policy).await?;
    let mut file = OpenOptions::new()
        .create(true)
        .append(begun > 0)
        .write(true)
        .truncate(begun == 0)
        .open(part)
        .context("the downloaded file cannot be written")?;
    let mut done = begun;
    while let Some(piece) = response
        .chunk()
        .await
        .map_err(|error| broken(url, &error))?
    {
        done += piece.len() as u64;
        if done > PACKAGE.bytes {
            drop(file);
            fs::remove_file(part).context("removing the downloaded file failed")?;
            let name = PACKAGE.file;
            return Err(refused(format!(
                "what {url} sends is larger than {name}: name that file"
            ))
            .into());
        }
        file.write_all(&piece)
            .context("the downloaded file cannot be written")?;
        step.progress(done >> 20, Some(PACKAGE.bytes >> 20));
    }
    file.sync_all()
        .context("the downloaded file cannot be written")?;
    Ok(())
}

/// Requests the file from a byte on. Returns the position where the answer begins: 0 if the server sends the whole
/// file.
async fn ask(url: &Url, begun: u64, policy: OutboundPolicy) -> Result<(Response, u64)> {
    let forbidden = |error: EndpointError| {
        let leave = "addresses of a private network need `--allow-sources private`";
        refused(format!("{url} {error}; {leave}"))
    };
    let endpoint = Endpoint::parse(url.as_str(), policy).map_err(forbidden)?;
    let addresses = endpoint.addresses_resolve(policy, &SystemResolver).await;
    let client = client_builder(endpoint.domain(), &addresses.map_err(forbidden)?)
        .https_only(endpoint.is_encrypted())
        .connect_timeout(CONNECT_PATIENCE)
        .read_timeout(READ_PATIENCE)
        .build()
        .map_err(|error| broken(url, &error))?;
    let mut request = client.get(url.clone());
    if begun > 0 {
        request = request.header(RANGE, format!("bytes={begun}-"));
    }
    let response = request.send().await.map_err(|error| broken(url, &error))?;
    let continues = response.headers().get(CONTENT_RANGE).is_some_and(|range| {
        range
            .to_str()
            .is_ok_and(|range| range.starts_with(&format!("bytes {begun}-")))
    });
    match response.status() {
        StatusCode::OK => Ok((response, 0)),
        StatusCode::PARTIAL_CONTENT if begun > 0 && continues => Ok((response, begun)),
        status if status.is_redirection() => {
            let reason = "sends elsewhere: name the address that it sends to";
            Err(refused(format!("{url} {reason}")).into())
        }
        status => Err(refused(format!("{url} answered with status {}", status.as_u16())).into()),
    }
}

fn broken(url: &Url, error: &reqwest::Error) -> Error {
    let host = url.host_str().unwrap_or_default();
    let reason = match () {
        () if error.is_timeout() => "took too long",
        () if error.is_connect() => "cannot be reached",
        () => "broke off",
    };
    refused(format!(
        "{host} {reason}: run the command again to continue"
    ))
}

fn refused(message: String) -> Error {
    Error::LocalModel {
        code: "LOCAL_MODEL_UNREACHABLE",
        message,
    }
}
