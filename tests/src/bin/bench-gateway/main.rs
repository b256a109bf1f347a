//! `bench-gateway`: requests a second of the GraphQL API on PostgreSQL, with row-level security, against mercurius on
//! the same rows without it. `just bench-gateway`.
//!
//! The servers are measured in turn, so that a machine whose speed drifts drifts for all. What to quote is the ratios.
//! The load comes from `wrk` on the same cores. Each `--program LABEL=PATH` is one more nyxcore to compare, on a
//! database of its own with the same number of rows.

mod load;
mod servers;

use std::path::PathBuf;

use anyhow::{Context, bail};

use load::{Sample, load_run};
use servers::{Bench, Server};

/// Rounds over all servers and queries: an odd number, so that the median is one of them.
const ROUNDS: usize = 3;

/// What is asked: a name, and the query, in which `$ID` stands for a project's id.
const QUERIES: [(&str, &str); 4] = [
    ("{ __typename }", "{ __typename }"),
    (
        "one project by id",
        r#"{ project(id: "$ID") { id slug name } }"#,
    ),
    (
        "20 projects with 10 notes each",
        "{ projects(first: 20) { nodes { id slug name notes(first: 10) { nodes { id title } } } } }",
    ),
    (
        "a page of 100 notes",
        r#"{ project(id: "$ID") { notes(first: 100) { nodes { id title body } } } }"#,
    ),
];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // The first of the process installs it; a second one is told so, and both mean the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = arguments_read()?;
    let bench = Bench::prepare(&arguments.peer).await?;
    let mut servers = vec![bench.mercurius().await?];
    for (label, program) in &arguments.programs {
        servers.push(bench.nyxcore(label, program).await?);
    }
    println!("| query | server | requests/s | against mercurius | p99 | memory |");
    println!("|---|---|---|---|---|---|");
    for (name, query) in QUERIES {
        measure(&servers, name, query).await?;
    }
    Ok(())
}

/// Measures one query on all servers in turn, and prints a row for each.
async fn measure(servers: &[Server], name: &str, query: &str) -> anyhow::Result<()> {
    let mut samples: Vec<Vec<Sample>> = servers.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for (server, samples) in servers.iter().zip(&mut samples) {
            let query = query.replace("$ID", &server.project_id);
            samples.push(
                load_run(server, &query)
                    .await
                    .with_context(|| format!("{name} on {}", server.label))?,
            );
        }
    }
    let rates: Vec<f64> = samples
        .iter()
        .map(|of_server| median(of_server.iter().map(|sample| sample.rate)))
        .collect();
    for ((server, of_server), rate) in servers.iter().zip(&samples).zip(&rates) {
        let p99 = median(of_server.iter().map(|sample| sample.p99_ms));
        println!(
            "| {name} | {} | {rate:.0} | {:.2}x | {p99:.1} ms | {} MB |",
            server.label,
            rate / rates[0],
            server.peak_memory_mb()?
        );
    }
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What the command line says.
struct Arguments {
    /// The folder in which the peer's packages are installed.
    peer: PathBuf,
    /// The nyxcore binaries, each with the name it has in the table.
    programs: Vec<(String, PathBuf)>,
}

fn arguments_read() -> anyhow::Result<Arguments> {
    const USAGE: &str =
        "usage: bench-gateway --peer FOLDER --program LABEL=PATH [--program LABEL=PATH ...]";
    let (mut peer, mut programs) = (None, Vec::new());
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().context(USAGE)?;
        match word.as_str() {
            "--peer" => peer = Some(value.into()),
            "--program" => {
                let (label, path) = value.split_once('=').context(USAGE)?;
                programs.push((label.to_owned(), path.into()));
            }
            _ => bail!(USAGE),
        }
    }
    Ok(Arguments {
        peer: peer.context(USAGE)?,
        programs,
    })
}
