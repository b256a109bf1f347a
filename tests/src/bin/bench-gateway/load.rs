//! Load generation with `wrk`, and its results.

use std::io::Write as _;

use anyhow::{Context, ensure};

use crate::servers::{Server, program};

/// Connections that ask at once, and the seconds a sample takes.
const CONNECTIONS: &str = "32";
const SECONDS: &str = "5";

/// What one run of the load generator measured.
pub struct Sample {
    /// Answered requests a second.
    pub rate: f64,
    /// The 99th percentile of their times, in milliseconds.
    pub p99_ms: f64,
}

/// Asks a server one query over and over.
///
/// # Errors
/// `wrk` is missing; or a request was not answered with 200.
pub async fn load_run(server: &Server, query: &str) -> anyhow::Result<Sample> {
    let mut script = tempfile::NamedTempFile::new()?;
    let body = serde_json::json!({ "query": query }).to_string();
    writeln!(script, "wrk.method = 'POST'\nwrk.body = [==[{body}]==]")?;
    writeln!(script, "wrk.headers['Content-Type'] = 'application/json'")?;
    if let Some(token) = &server.token {
        writeln!(script, "wrk.headers['Authorization'] = 'Bearer {token}'")?;
    }
    let output = program("wrk")
        .args(["-t1", "--latency", "-c", CONNECTIONS, "-d", SECONDS, "-s"])
        .arg(script.path())
        .arg(server.url())
        .output()
        .await
        .context("cannot run wrk: install it (Debian: apt-get install wrk)")?;
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        !report.contains("Non-2xx") && !report.contains("Socket errors"),
        "requests failed:\n{report}"
    );
    let value = |label: &str| {
        let line = report
            .lines()
            .find_map(|line| line.trim().strip_prefix(label));
        line.map(|rest| rest.trim().to_owned())
            .with_context(|| format!("wrk did not report {label}:\n{report}"))
    };
    Ok(Sample {
        rate: value("Requests/sec:")?.parse()?,
        p99_ms: milliseconds(&value("99%")?)?,
    })
}

/// Reads a time as wrk prints it, such as `812.00us`, `4.15ms` or `1.20s`.
fn milliseconds(text: &str) -> anyhow::Result<f64> {
    for (unit, factor) in [("us", 0.001), ("ms", 1.0), ("s", 1000.0)] {
        if let Some(number) = text.strip_suffix(unit) {
            return Ok(number.parse::<f64>()? * factor);
        }
    }
    anyhow::bail!("not a time: {text}")
}
