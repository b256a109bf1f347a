//! Runs the analysis in its own process, as a user does: the benchmark executes itself again.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nyxcore_code_engine::tree::{TreeOptions, tree_analyze};

use crate::Outcome;

/// The argument that makes the benchmark act as the child process.
pub const FLAG: &str = "--as-program";

/// The time, the report and the memory of one run.
pub struct Run {
    pub time: Duration,
    /// The report as JSON.
    pub report: Vec<u8>,
    /// Its peak memory, in KiB; 0 if the system does not report it.
    pub peak_kib: u64,
}

/// Analyses `tree` in a separate process, with a cache if one is given.
///
/// # Errors
/// The process does not start, or fails.
pub fn analyze(tree: &Path, cache: Option<&Path>) -> Outcome<Run> {
    #[expect(
        clippy::disallowed_methods,
        reason = "it is this bench itself that is started"
    )]
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(FLAG).arg(tree).args(cache);
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).output()?;
    let time = start.elapsed();
    let says = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{}: {says}", tree.display()).into());
    }
    Ok(Run {
        time,
        report: output.stdout,
        peak_kib: says.trim().parse().unwrap_or(0),
    })
}

/// Runs as the child: prints the report to standard output, and the peak memory to standard error.
///
/// # Errors
/// The folder cannot be analysed.
pub fn run(arguments: &[String]) -> Outcome<()> {
    let [tree, cache @ ..] = arguments else {
        return Err("no folder".into());
    };
    let options = TreeOptions {
        cache: cache.first().map(PathBuf::from),
        ..TreeOptions::default()
    };
    let report = tree_analyze(Path::new(tree), &options, |_| {})?;
    serde_json::to_writer(std::io::stdout().lock(), &report)?;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB"));
    eprintln!("{}", peak.unwrap_or("0"));
    // The process ends here: exiting without destructors saves their time.
    std::process::exit(0)
}
