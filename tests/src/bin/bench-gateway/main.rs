//! `bench-gateway`: requests per second of the GraphQL API on PostgreSQL with row-level security. It is compared with
//! PostGraphile, mercurius, and graphql-yoga with Prisma on the same rows, and with two limits: a bare async-graphql
//! server, and the statements alone by pgbench. `just bench-gateway`.
//!
//! Everything is measured in turn, so that a drift of the machine's speed affects all. Quote the ratios. The load comes
//! from `wrk` on the same cores. Each further `--program LABEL=PATH` is one more nyxcore to compare, on its own
//! database with the same number of rows.

mod load;
mod operation;
mod subjects;

use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use nyxcore_tests::bench::{Bench, NOTES, PROJECTS, median};

use load::Sample;
use operation::Operation;
use subjects::{Options, Subject, subjects_start};

/// The goals: the minimum ratio of nyxcore's rate to a peer's.
const GOALS: [(&str, f64); 4] = [
    ("postgraphile", 2.0),
    ("yoga + prisma", 5.0),
    ("mercurius", 1.0),
    ("bare server", 0.8),
];
/// The goal of the resident memory: at most so many kB.
const MEMORY_GOAL: u64 = 60 * 1024;

/// The medians of one subject's samples of an operation.
struct Medians {
    rate: f64,
    p99_ms: f64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // A second installation in the process is refused, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = arguments_read()?;
    let bench = Bench::prepare(&arguments.peers).await?;
    let options = Options {
        programs: &arguments.programs,
        bare: &arguments.bare,
        remember: arguments.remember,
    };
    let subjects = subjects_start(&bench, options).await?;
    println!(
        "{PROJECTS} projects, {NOTES} notes; 32 connections, pools of 10; medians of {} rounds of {} s, in turn. All \
         servers gave the same data and refused strangers.\n",
        arguments.rounds, arguments.seconds
    );
    for subject in &subjects {
        println!("- {}: {}", subject.label, subject.does);
    }
    println!("\n| operation | server | requests/s | nyxcore is | p99 | peak memory |");
    println!("|---|---|---|---|---|---|");
    let mut verdicts = Vec::new();
    for operation in Operation::ALL {
        let medians = measure(&bench, &subjects, operation, &arguments).await?;
        verdicts.extend(verdicts_of(operation, &subjects, &medians));
    }
    let memory = subjects[0].peak_memory()?.unwrap_or_default();
    verdicts.push((
        format!("{:.1} MB at most", memory as f64 / 1024.0),
        "under 60 MB".into(),
        memory < MEMORY_GOAL,
    ));
    println!(
        "\n| goal of {} | measured | |\n|---|---|---|",
        subjects[0].label
    );
    for (measured, goal, held) in verdicts {
        let verdict = if held { "held" } else { "missed" };
        println!("| {goal} | {measured} | {verdict} |");
    }
    Ok(())
}

/// Measures one operation on all subjects in turn, and prints a row for each.
async fn measure(
    bench: &Bench,
    subjects: &[Subject],
    operation: Operation,
    arguments: &Arguments,
) -> anyhow::Result<Vec<Medians>> {
    // JavaScript is compiled while it runs, so every subject is warmed up first.
    for subject in subjects {
        subject.sample(bench, operation, 2).await?;
    }
    let mut samples: Vec<Vec<Sample>> = subjects.iter().map(|_| Vec::new()).collect();
    for _ in 0..arguments.rounds {
        for (subject, samples) in subjects.iter().zip(&mut samples) {
            samples.push(subject.sample(bench, operation, arguments.seconds).await?);
        }
    }
    let medians: Vec<Medians> = samples
        .iter()
        .map(|samples| Medians {
            rate: median(samples.iter().map(|sample| sample.rate)),
            p99_ms: median(samples.iter().map(|sample| sample.p99_ms)),
        })
        .collect();
    for (subject, of_subject) in subjects.iter().zip(&medians) {
        let memory = subject.peak_memory()?.map_or("-".into(), |kilobytes| {
            format!("{:.1} MB", kilobytes as f64 / 1024.0)
        });
        println!(
            "| {} | {} | {:.0} | {:.2}x | {:.1} ms | {memory} |",
            operation.name(),
            subject.label,
            of_subject.rate,
            medians[0].rate / of_subject.rate,
            of_subject.p99_ms,
        );
    }
    Ok(medians)
}

/// The results, the goals, and whether they were met.
fn verdicts_of(
    operation: Operation,
    subjects: &[Subject],
    medians: &[Medians],
) -> Vec<(String, String, bool)> {
    let mut verdicts = Vec::new();
    for (peer, goal) in GOALS {
        if let Some(place) = subjects.iter().position(|subject| subject.label == peer) {
            let ratio = medians[0].rate / medians[place].rate;
            verdicts.push((
                format!("{ratio:.2}x"),
                format!("{}: {goal}x {peer}", operation.name()),
                ratio >= goal,
            ));
        }
    }
    let others = subjects.iter().zip(medians);
    let others = others.filter(|(subject, _)| {
        ["postgraphile", "mercurius", "yoga + prisma"].contains(&subject.label.as_str())
    });
    let lowest = others
        .map(|(_, medians)| medians.p99_ms)
        .fold(f64::MAX, f64::min);
    verdicts.push((
        format!(
            "{:.1} ms, the lowest peer {lowest:.1} ms",
            medians[0].p99_ms
        ),
        format!("{}: lowest p99 of the peers", operation.name()),
        medians[0].p99_ms < lowest,
    ));
    verdicts
}

/// The command line arguments.
struct Arguments {
    peers: PathBuf,
    bare: PathBuf,
    /// The nyxcore binaries, each with its name in the table.
    programs: Vec<(String, PathBuf)>,
    /// The number of rounds over all subjects: odd, so that the median is one of them.
    rounds: usize,
    /// The length of a sample in seconds.
    seconds: u32,
    remember: bool,
}

fn arguments_read() -> anyhow::Result<Arguments> {
    const USAGE: &str = "usage: bench-gateway --peers FOLDER --bare PATH --program LABEL=PATH [--program LABEL=PATH ...] \
                         [--rounds N] [--seconds N] [--remember-tokens]";
    let (mut peers, mut bare, mut programs) = (None, None, Vec::new());
    let (mut rounds, mut seconds, mut remember) = (3, 5, false);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--remember-tokens" {
            remember = true;
            continue;
        }
        let value = words.next().context(USAGE)?;
        match word.as_str() {
            "--peers" => peers = Some(value.into()),
            "--bare" => bare = Some(value.into()),
            "--rounds" => rounds = value.parse()?,
            "--seconds" => seconds = value.parse()?,
            "--program" => {
                let (label, path) = value.split_once('=').context(USAGE)?;
                programs.push((label.to_owned(), path.into()));
            }
            _ => bail!(USAGE),
        }
    }
    ensure!(rounds % 2 == 1, "the number of rounds is odd");
    Ok(Arguments {
        peers: peers.context(USAGE)?,
        bare: bare.context(USAGE)?,
        programs,
        rounds,
        seconds,
        remember,
    })
}
