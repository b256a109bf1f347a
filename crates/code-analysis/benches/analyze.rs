//! How fast a folder is analysed: files and lines a second, cold and with a warm cache, against the limit that reading and
//! hashing the same files sets. `just bench [FOLDER]`.
//!
//! Every figure is the median of several runs in one process, the measurements taken in turn, so that a machine whose speed drifts
//! drifts for all of them. What to quote is the ratios.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ignore::WalkBuilder;
use nyxcore_code_analysis::{Language, SIZE_CAP, TreeOptions, TreeReport, blob_id, tree_analyze};

/// Runs of each measurement; an odd number, so that the median is one of them.
const RUNS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let here = here.ok_or("this crate stands in a workspace")?.to_owned();
    // cargo passes flags of its own, such as --bench.
    let given = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let larger = given.map_or_else(crates_of_cargo, |path| Ok(PathBuf::from(path)))?;
    println!(
        "medians of {RUNS} runs, {} threads",
        rayon::current_num_threads()
    );
    for (name, tree) in [("this repository", here), ("a larger one", larger)] {
        measure(name, &tree)?;
    }
    Ok(())
}

/// The sources of the crates that cargo has fetched to build this one: real code of many hands, on every machine that runs this.
fn crates_of_cargo() -> Result<PathBuf, Box<dyn Error>> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let sources = home
        .ok_or("neither CARGO_HOME nor HOME is set")?
        .join("registry/src");
    if sources.is_dir() {
        Ok(sources)
    } else {
        Err(format!(
            "no crates in {}: name a folder to analyse",
            sources.display()
        )
        .into())
    }
}

fn measure(name: &str, tree: &Path) -> Result<(), Box<dyn Error>> {
    let cache = tempfile::tempdir()?;
    let warm_options = TreeOptions {
        cache: Some(cache.path().to_owned()),
        ..TreeOptions::default()
    };
    // Once for the operating system's own cache and to fill ours: neither is counted.
    let report = analyze(tree, &warm_options)?.1;
    let (mut read, mut cold, mut warm) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        read.push(read_and_hash(tree));
        cold.push(analyze(tree, &TreeOptions::default())?.0);
        let (time, again) = analyze(tree, &warm_options)?;
        warm.push(time);
        if again != report {
            return Err("the warm cache gave another result than the cold one".into());
        }
    }
    let metrics = &report.project.metrics;
    println!(
        "\n{name}: {} files, {} lines of code",
        metrics.files, metrics.lines_of_code
    );
    let [read, cold, warm] = [read, cold, warm].map(median);
    for (what, time) in [
        ("read and hash", read),
        ("cold", cold),
        ("warm cache", warm),
    ] {
        let seconds = time.as_secs_f64();
        println!(
            "  {what:<14} {seconds:>7.3} s  {:>9.0} files/s  {:>11.0} lines/s",
            f64::from(metrics.files) / seconds,
            f64::from(metrics.lines_of_code) / seconds,
        );
    }
    let ratio = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64();
    println!(
        "  cold / read and hash {:.2}x, warm / cold {:.3}x",
        ratio(cold, read),
        ratio(warm, cold)
    );
    Ok(())
}

fn analyze(tree: &Path, options: &TreeOptions) -> Result<(Duration, TreeReport), Box<dyn Error>> {
    let start = Instant::now();
    let report = tree_analyze(tree, options, |_progress| {})?;
    Ok((start.elapsed(), report))
}

/// What no analysis can do without: every file with facts is read, and its content hashed, on one thread.
fn read_and_hash(tree: &Path) -> Duration {
    let start = Instant::now();
    let files = WalkBuilder::new(tree).hidden(false).build().flatten();
    for entry in files.filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file())) {
        let path = entry.path().to_string_lossy();
        if !Language::detect(&path).is_some_and(Language::has_facts) {
            continue;
        }
        if let Ok(content) = std::fs::read(entry.path())
            && content.len() as u64 <= SIZE_CAP as u64
        {
            std::hint::black_box(blob_id(&content));
        }
    }
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
