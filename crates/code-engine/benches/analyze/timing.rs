//! Medians, ratios, and missed limits.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;

/// The limits that a run missed.
#[derive(Debug, Default)]
pub struct MissedLimits(Vec<String>);

impl MissedLimits {
    /// Prints a ratio with its limit, and records it if the limit is missed.
    pub fn at_most(&mut self, what: &str, value: f64, limit: f64, unit: &str) {
        self.tell(what, value, limit, unit, value <= limit, "at most");
    }

    /// Like [`at_most`](Self::at_most), for a lower limit.
    pub fn at_least(&mut self, what: &str, value: f64, limit: f64, unit: &str) {
        self.tell(what, value, limit, unit, value >= limit, "at least");
    }

    fn tell(&mut self, what: &str, value: f64, limit: f64, unit: &str, held: bool, word: &str) {
        let verdict = if held { "held" } else { "MISSED" };
        let line = format!("{what}: {value:.3}{unit} ({word} {limit}{unit}, {verdict})");
        println!("  {line}");
        if !held {
            self.0.push(line);
        }
    }

    /// Returns an error that names the missed limits.
    ///
    /// # Errors
    /// A limit was missed.
    pub fn into_result(self) -> Outcome<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(format!("{} missed:\n{}", self.0.len(), self.0.join("\n")).into())
        }
    }
}

/// The middle one of the sorted times.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// `a` as a multiple of `b`.
pub fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64().max(f64::EPSILON)
}

/// Returns how long a whole program takes. Its output is discarded.
///
/// # Errors
/// The program does not start, or fails.
pub fn program(command: &mut Command) -> Outcome<Duration> {
    let start = Instant::now();
    let output = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let time = start.elapsed();
    if output.status.success() {
        Ok(time)
    } else {
        let says = String::from_utf8_lossy(&output.stderr);
        Err(format!("{command:?} failed: {says}").into())
    }
}

/// Returns the files below `tree` whose names have one of the endings, sorted.
pub fn files_ending(tree: &Path, endings: &[&str]) -> Vec<std::path::PathBuf> {
    let mut found: Vec<_> = ignore::WalkBuilder::new(tree)
        .standard_filters(false)
        .build()
        .flatten()
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
        .map(ignore::DirEntry::into_path)
        .filter(|path| {
            let name = path.to_string_lossy();
            endings.iter().any(|ending| name.ends_with(ending))
        })
        .collect();
    found.sort();
    found
}
