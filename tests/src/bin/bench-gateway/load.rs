//! Load generation with `wrk` and `pgbench`, and its results.

use std::io::Write as _;

use anyhow::{Context, ensure};
use nyxcore_tests::bench::{CreatedRows, Server, output, percentile, program};
use url::Url;

use crate::operation::Operation;

/// The number of concurrent connections.
const CONNECTIONS: &str = "32";
/// The size of each server's connection pool, and of pgbench's.
const POOL: &str = "10";

/// The result of one run of a load generator.
pub struct Sample {
    /// Completed requests per second.
    pub rate: f64,
    /// The 99th percentile of the response times, in milliseconds.
    pub p99_ms: f64,
    /// The number of completed requests.
    pub requests: u64,
}

/// Sends one document to a server again and again.
///
/// # Errors
/// `wrk` is missing; a request was not answered with 200.
pub async fn wrk_run(server: &Server, document: &str, seconds: u32) -> anyhow::Result<Sample> {
    let mut script = tempfile::NamedTempFile::new()?;
    let body = serde_json::json!({ "query": document }).to_string();
    writeln!(script, "wrk.method = 'POST'\nwrk.body = [==[{body}]==]")?;
    writeln!(script, "wrk.headers['Content-Type'] = 'application/json'")?;
    if let Some(token) = &server.token {
        writeln!(script, "wrk.headers['Authorization'] = 'Bearer {token}'")?;
    }
    let output = program("wrk")
        .args([
            "-t1",
            "--latency",
            "-c",
            CONNECTIONS,
            "-d",
            &seconds.to_string(),
            "-s",
        ])
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
    let requests = report
        .lines()
        .find_map(|line| line.trim().split_once(" requests in "))
        .with_context(|| format!("wrk did not report its requests:\n{report}"))?;
    Ok(Sample {
        rate: value("Requests/sec:")?.parse()?,
        p99_ms: milliseconds(&value("99%")?)?,
        requests: requests.0.parse()?,
    })
}

/// Runs the statements of an operation again and again, as the serving role.
///
/// # Errors
/// pgbench is missing; a statement failed.
pub async fn pgbench_run(
    url: &Url,
    operation: Operation,
    known: &CreatedRows,
    seconds: u32,
) -> anyhow::Result<Sample> {
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("script.sql");
    std::fs::write(&script, operation.pgbench())?;
    let first: Vec<String> = known.first.iter().map(ToString::to_string).collect();
    let report = output(
        program("pgbench")
            .args(["-n", "-M", "prepared", "-j", "1", "-c", POOL])
            .args(["-T", &seconds.to_string(), "--log", "-f"])
            .arg(&script)
            .arg("-D")
            .arg(format!("t={}", known.tenant))
            .arg("-D")
            .arg(format!("p={}", known.project))
            .arg("-D")
            .arg(format!("w={}", known.written))
            .arg("-D")
            .arg(format!("f={{{}}}", first.join(",")))
            .arg(url.as_str())
            .current_dir(folder.path()),
    )
    .await?;
    // One line per transaction: the client, its number, its time in microseconds, and more.
    let mut times = Vec::new();
    for entry in std::fs::read_dir(folder.path())? {
        let path = entry?.path();
        if path != script {
            for line in std::fs::read_to_string(path)?.lines() {
                let time = line.split(' ').nth(2).context("a line of pgbench's log")?;
                times.push(time.parse::<f64>()?);
            }
        }
    }
    let rate = report
        .lines()
        .find_map(|line| line.strip_prefix("tps = "))
        .and_then(|rest| rest.split(' ').next())
        .with_context(|| format!("pgbench did not report tps:\n{report}"))?;
    Ok(Sample {
        rate: rate.parse()?,
        requests: times.len() as u64,
        p99_ms: percentile(times, 99) / 1000.0,
    })
}

/// Parses a time in wrk's format, such as `812.00us`, `4.15ms` or `1.20s`.
fn milliseconds(text: &str) -> anyhow::Result<f64> {
    for (unit, factor) in [("us", 0.001), ("ms", 1.0), ("s", 1000.0)] {
        if let Some(number) = text.strip_suffix(unit) {
            return Ok(number.parse::<f64>()? * factor);
        }
    }
    anyhow::bail!("not a time: {text}")
}
