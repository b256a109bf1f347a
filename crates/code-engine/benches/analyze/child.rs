//! Runs the analysis in a process of its own, as a user does: this benchmark starts itself again.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nyxcore_code_engine::tree::{TreeOptions, tree_analyze};

use crate::Outcome;

/// What tells the bench that it is the child.
pub const FLAG: &str = "--as-program";

/// What one run took, said and weighed.
pub struct Run {
    pub time: Duration,
    /// The report as JSON.
    pub report: Vec<u8>,
    /// The most memory it held, in KiB; 0 where the system does not tell.
    pub peak_kib: u64,
}

/// Analyses `tree` in a process of its own, with a cache where one is given.
///
/// # Errors
/// It does not start, or fails.
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

/// What the child does: the report to standard output, its peak memory to the other.
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
    // What ends now need not be taken apart.
    std::process::exit(0)
}
