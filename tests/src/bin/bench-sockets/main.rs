//! `bench-sockets`: thousands of open WebSockets (graphql-transport-ws) with one subscription each, compared with
//! mercurius in the same run: the memory per socket, and the time until one event has reached all sockets. `just
//! bench-sockets`.
//!
//! Both servers keep all their sockets open, and send their events in turn. An event of nyxcore is the end of a run: it
//! is written to the database, which announces it. An event of mercurius only passes through memory. The clients run in
//! this process, on the same cores.

mod sockets;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use nyxcore_tests::bench::{Bench, NodePeer, Server, median, percentile};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::{Instant, sleep};

use sockets::Sockets;

/// The number of open files besides the sockets.
const FILES: u64 = 256;
/// The number of sockets that are opened before the first reading of the memory: one-time allocations are not counted.
const WARM_UP: usize = 50;
/// The pause of a server before its memory is read.
const REST: Duration = Duration::from_secs(5);
/// The time without an event after which the missing ones are lost.
const SILENCE: Duration = Duration::from_secs(20);
/// The goal: at most so many kB per socket.
const MEMORY_GOAL: f64 = 16.0;

/// A measured server with its open sockets.
struct Measured {
    server: Server,
    sockets: Sockets,
    /// The memory per socket, in kB.
    memory: f64,
    /// The milliseconds from the request to the arrival, of all events on all sockets.
    times: Vec<f64>,
    /// The milliseconds of each event until the last socket received it.
    last: Vec<f64>,
    lost: usize,
    again: usize,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // A second installation in the process is refused, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = arguments_read()?;
    let count = arguments.sockets;
    files_allow(count)?;
    let bench = Bench::prepare(&arguments.peers).await?;
    let nyxcore = bench.nyxcore("nyxcore", &arguments.program).await?;
    bench.rows_create(&nyxcore).await?;
    let token = nyxcore.server.token.clone();
    let peer = NodePeer {
        label: "mercurius",
        script: "mercurius-sockets.mjs",
        database: &nyxcore.database,
        token: token.as_deref(),
        settings: &[],
    };
    let mercurius = bench.node(peer).await?;
    let projects = nyxcore
        .server
        .ask("{ projects(first: 2) { nodes { id } } }")
        .await?;
    let projects = &projects["projects"]["nodes"];
    let consolidate = format!(
        "mutation {{ startConsolidation(input: {{projectIds: [{}, {}]}}) {{ consolidation {{ id }} }} }}",
        projects[0]["id"], projects[1]["id"]
    );
    let mut all = vec![
        measured_open(nyxcore.server, count).await?,
        measured_open(mercurius, count).await?,
    ];
    for round in 0..arguments.events {
        // No worker is running, so the run waits: its only event is its end.
        let started = all[0].server.ask(&consolidate).await?;
        let run = &started["startConsolidation"]["consolidation"]["id"];
        let run = run.as_str().context("the id of a run")?.to_owned();
        let cancel =
            format!("mutation {{ cancelRun(input: {{runId: \"{run}\"}}) {{ run {{ id }} }} }}");
        event_measure(&mut all[0], &cancel, &run, count).await?;
        let run = format!("run_{round}");
        let announce = format!("mutation {{ announce(runId: \"{run}\", seq: 1) }}");
        event_measure(&mut all[1], &announce, &run, count).await?;
    }
    report(&all, &arguments)
}

/// Opens the sockets of a server, and reads its memory before and after.
async fn measured_open(server: Server, count: usize) -> anyhow::Result<Measured> {
    const SUBSCRIPTION: &str = "subscription { tenantActivity { runId seq at } }";
    let warm = Sockets::open(&server, WARM_UP, SUBSCRIPTION).await?;
    drop(warm);
    sleep(REST).await;
    let before = server.memory()?;
    let start = Instant::now();
    let sockets = Sockets::open(&server, count, SUBSCRIPTION).await?;
    eprintln!(
        "{}: {count} sockets after {:.1} s",
        server.label,
        start.elapsed().as_secs_f64()
    );
    sleep(REST).await;
    let after = server.memory()?;
    Ok(Measured {
        server,
        sockets,
        memory: (after as f64 - before as f64) / count as f64,
        times: Vec::new(),
        last: Vec::new(),
        lost: 0,
        again: 0,
    })
}

/// Makes a server send one event, and waits until all its sockets have received it.
async fn event_measure(
    measured: &mut Measured,
    mutation: &str,
    run: &str,
    count: usize,
) -> anyhow::Result<()> {
    let start = Instant::now();
    // The response and the events arrive concurrently.
    let (answer, collected) = tokio::join!(
        measured.server.ask(mutation),
        measured.sockets.collect(run, count, SILENCE)
    );
    answer?;
    let (times, again) = collected.with_context(|| measured.server.label.clone())?;
    let arrived: Vec<f64> = times
        .iter()
        .flatten()
        .map(|at| at.duration_since(start).as_secs_f64() * 1000.0)
        .collect();
    measured.lost += count - arrived.len();
    measured.again += again;
    measured
        .last
        .push(arrived.iter().copied().fold(0.0, f64::max));
    measured.times.extend(arrived);
    Ok(())
}

fn report(all: &[Measured], arguments: &Arguments) -> anyhow::Result<()> {
    println!(
        "{} sockets of 127.0.0.2 to 127.0.0.5, one subscription each; {} events, in turn. Times from the request that \
         causes the event, over all sockets and events. Memory is the growth of what is resident; the kernel's buffers \
         are not in it.\n",
        arguments.sockets, arguments.events
    );
    println!(
        "| server | a socket | resident at most | median | p99 | last socket, median | lost | twice |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for measured in all {
        println!(
            "| {} | {:.1} kB | {:.1} MB | {:.0} ms | {:.0} ms | {:.0} ms | {} | {} |",
            measured.server.label,
            measured.memory,
            measured.server.peak_memory()? as f64 / 1024.0,
            median(measured.times.iter().copied()),
            percentile(measured.times.iter().copied(), 99),
            median(measured.last.iter().copied()),
            measured.lost,
            measured.again,
        );
    }
    let p99 = |place: usize| percentile(all[place].times.iter().copied(), 99);
    let verdict = |held: bool| if held { "held" } else { "missed" };
    println!("\n| goal | |\n|---|---|");
    println!(
        "| at most {MEMORY_GOAL} kB a socket | {} |",
        verdict(all[0].memory <= MEMORY_GOAL)
    );
    println!("| p99 below mercurius's | {} |", verdict(p99(0) < p99(1)));
    println!(
        "| none lost, none twice | {} |",
        verdict(all[0].lost + all[0].again == 0)
    );
    Ok(())
}

/// Raises the limit of open files, which the servers inherit.
fn files_allow(sockets: usize) -> anyhow::Result<()> {
    let wanted = 2 * sockets as u64 + FILES;
    let limit = getrlimit(Resource::Nofile);
    ensure!(
        limit.maximum.is_none_or(|most| most >= wanted),
        "{sockets} sockets to two servers take {wanted} open files, and {:?} are allowed: raise the hard limit \
         (ulimit -Hn, prlimit)",
        limit.maximum
    );
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        setrlimit(Resource::Nofile, raised)?;
    }
    Ok(())
}

/// The command line arguments.
struct Arguments {
    peers: PathBuf,
    program: PathBuf,
    sockets: usize,
    events: usize,
}

fn arguments_read() -> anyhow::Result<Arguments> {
    const USAGE: &str =
        "usage: bench-sockets --peers FOLDER --program PATH [--sockets N] [--events N]";
    let (mut peers, mut program) = (None, None);
    let (mut sockets, mut events) = (9_000, 5);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().context(USAGE)?;
        match word.as_str() {
            "--peers" => peers = Some(value.into()),
            "--program" => program = Some(value.into()),
            "--sockets" => sockets = value.parse()?,
            "--events" => events = value.parse()?,
            _ => bail!(USAGE),
        }
    }
    Ok(Arguments {
        peers: peers.context(USAGE)?,
        program: program.context(USAGE)?,
        sockets,
        events,
    })
}
