//! Compares a cold analysis, and a warm one after one changed file, with reading and hashing the files.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nyxcore_code_engine::blob_id;
use nyxcore_code_engine::language::Language;
use nyxcore_code_engine::listing::SIZE_CAP;

use crate::timing::{MissedLimits, median, ratio};
use crate::{Outcome, child};

const RUNS: usize = 7;

/// The maximum time of a warm run, as a share of a cold one.
const WARM_LIMIT: f64 = 0.02;

/// Measures a copy of `tree`, in which it changes files.
///
/// # Errors
/// A file cannot be copied or analysed, or the warm report differs from the cold one.
pub fn measure(name: &str, tree: &Path, missed: &mut MissedLimits) -> Outcome<()> {
    let copy = tempfile::tempdir()?;
    let sources = copy_sources(tree, copy.path())?;
    let target = sources.first().ok_or("no sources")?.clone();
    let cache = tempfile::tempdir()?;
    child::analyze(copy.path(), Some(cache.path()))?;
    let original = fs::read_to_string(&target)?;
    let (mut read, mut cold, mut warm, mut idle) = (vec![], vec![], vec![], vec![]);
    for round in 0..RUNS {
        fs::write(&target, changed(&target, &original, round))?;
        read.push(read_and_hash(copy.path()));
        let after_change = child::analyze(copy.path(), Some(cache.path()))?;
        let full = child::analyze(copy.path(), None)?;
        if after_change.report != full.report {
            return Err("the warm run's report is another than the full one's".into());
        }
        warm.push(after_change.time);
        cold.push(full.time);
        idle.push(child::analyze(copy.path(), Some(cache.path()))?.time);
    }
    let [read, cold, warm, idle] = [read, cold, warm, idle].map(median);
    println!(
        "{name}: {} files with facts, medians of {RUNS}",
        sources.len()
    );
    for (what, time) in [
        ("read and hash, one thread", read),
        ("cold", cold),
        ("warm, one file changed", warm),
        ("warm, nothing changed", idle),
    ] {
        println!("  {what:<26} {:>9.1} ms", time.as_secs_f64() * 1e3);
    }
    println!("  nothing changed / cold: {:.3}x", ratio(idle, cold));
    missed.at_most(
        &format!("{name}, one file changed / cold"),
        ratio(warm, cold),
        WARM_LIMIT,
        "x",
    );
    println!();
    Ok(())
}

/// Returns the original text with another function at its end, in the file's language.
fn changed(target: &Path, original: &str, round: usize) -> String {
    let function = match target.extension().and_then(|one| one.to_str()) {
        Some("py") => format!("\n\ndef changed_{round}(value):\n    return value + {round}\n"),
        _ => format!("\nfn changed_{round}(value: u32) -> u32 {{\n    value + {round}\n}}\n"),
    };
    format!("{original}{function}")
}

/// Copies the files that have facts, and returns those in Python and Rust by path, beginning in the middle.
fn copy_sources(tree: &Path, copy: &Path) -> Outcome<Vec<std::path::PathBuf>> {
    let mut sources = Vec::new();
    let walk = ignore::WalkBuilder::new(tree).build();
    for entry in walk
        .flatten()
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
    {
        let below = entry.path().strip_prefix(tree)?;
        let to = copy.join(below);
        fs::create_dir_all(to.parent().unwrap_or(copy))?;
        fs::copy(entry.path(), &to)?;
        if matches!(
            Language::detect(&below.to_string_lossy()),
            Some(Language::Python | Language::Rust)
        ) {
            sources.push(to);
        }
    }
    sources.sort();
    // The first file is changed: one in the middle is probably neither a test nor next to a manifest.
    let middle = sources.len() / 2;
    sources.rotate_left(middle);
    Ok(sources)
}

/// Measures the minimum that any analysis needs: reading and hashing every file with facts, on one thread.
fn read_and_hash(tree: &Path) -> Duration {
    let start = Instant::now();
    let files = ignore::WalkBuilder::new(tree).build().flatten();
    for entry in files.filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file())) {
        let path = entry.path().to_string_lossy();
        if !Language::detect(&path).is_some_and(Language::has_facts) {
            continue;
        }
        if let Ok(content) = fs::read(entry.path())
            && content.len() <= SIZE_CAP
        {
            std::hint::black_box(blob_id(&content));
        }
    }
    start.elapsed()
}
