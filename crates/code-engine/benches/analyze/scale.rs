//! Measures time per file and memory on trees of 1,000, 10,000 and 100,000 files.
//!
//! The files are real small and medium files of the given tree. When a file is used again, it gets a folder of its own
//! and other words in its longer names, so that a large tree is not a small tree repeated.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::timing::{MissedLimits, files_ending, median};
use crate::{Outcome, child};

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
const RUNS: usize = 3;

/// Larger files are not used, in bytes: 100,000 of the smaller ones have some 500 MB.
const FILE_CAP: u64 = 16 << 10;

/// The maximum memory for the largest tree, in MB.
const MEMORY_LIMIT: f64 = 500.0;

/// The maximum time per byte in the largest tree, as a multiple of the smallest: linear, plus some room because the
/// data no longer fits the processor's caches.
const LINEAR_LIMIT: f64 = 1.25;

/// Measures trees made of the Rust files below `tree`.
///
/// # Errors
/// A tree cannot be made or analysed.
pub fn measure(tree: &Path, missed: &mut MissedLimits) -> Outcome<()> {
    let mut files = files_ending(tree, &[".rs"]);
    files.retain(|file| {
        file.metadata()
            .is_ok_and(|data| (200..FILE_CAP).contains(&data.len()))
    });
    // Sorted by hash, so that small and large files are spread evenly over the trees of every size.
    files.sort_by_key(|file| nyxcore_code_engine::blob_id(file.to_string_lossy().as_bytes()));
    if files.is_empty() {
        return Err("no files to make trees of".into());
    }
    println!("trees of many files, medians of {RUNS}");
    let mut each = Vec::new();
    let mut peak = 0.0;
    for size in SIZES {
        let made = tempfile::tempdir()?;
        let bytes = tree_make(made.path(), &files, size)?;
        child::analyze(made.path(), None)?;
        let mut times = Vec::new();
        for _ in 0..RUNS {
            let run = child::analyze(made.path(), None)?;
            times.push(run.time);
            #[expect(clippy::cast_precision_loss, reason = "megabytes to one place")]
            let megabytes = run.peak_kib as f64 * 1024.0 / 1e6;
            peak = megabytes;
        }
        let time = median(times).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "bytes a file")]
        let (per_file, mean) = (time / size as f64, bytes as f64 / size as f64);
        each.push(time / bytes);
        println!(
            "  {size:>7} files of {mean:.0} bytes: {time:>7.2} s, {:.0} µs a file, {peak:.0} MB",
            per_file * 1e6
        );
    }
    missed.at_most(
        "a byte of 100,000 files / a byte of 1,000",
        each[SIZES.len() - 1] / each[0],
        LINEAR_LIMIT,
        "x",
    );
    missed.at_most("memory at 100,000 files", peak, MEMORY_LIMIT, " MB");
    println!();
    Ok(())
}

/// Writes a tree of `size` files, a hundred per folder, and returns its bytes.
fn tree_make(root: &Path, files: &[std::path::PathBuf], size: usize) -> Outcome<f64> {
    let mut bytes = 0.0;
    for place in 0..size {
        let (round, source) = (place / files.len(), &files[place % files.len()]);
        let text = fs::read_to_string(source)?;
        let text = if round == 0 {
            text
        } else {
            reworded(&text, round)
        };
        let folder = root.join(format!("part{}/src", place / 100));
        if place % 100 == 0 {
            fs::create_dir_all(&folder)?;
        }
        #[expect(clippy::cast_precision_loss, reason = "a sum of bytes to six digits")]
        let length = text.len() as f64;
        bytes += length;
        fs::write(folder.join(format!("file{place}.rs")), text)?;
    }
    Ok(bytes)
}

/// Returns the text with another suffix at each of its longer words, except keywords.
fn reworded(text: &str, round: usize) -> String {
    const KEYWORDS: [&str; 9] = [
        "struct",
        "return",
        "static",
        "unsafe",
        "extern",
        "continue",
        "default",
        "derive",
        "macro_rules",
    ];
    let ending = format!("_{round}");
    let mut new: HashMap<&str, String> = HashMap::new();
    let mut out = String::with_capacity(text.len() * 5 / 4);
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let end = rest[start..]
            .find(|c| !is_word(c))
            .map_or(rest.len(), |at| start + at);
        out.push_str(&rest[..start]);
        let word = &rest[start..end];
        if word.len() < 6
            || word.starts_with(|c: char| c.is_ascii_digit())
            || KEYWORDS.contains(&word)
        {
            out.push_str(word);
        } else {
            out.push_str(new.entry(word).or_insert_with(|| format!("{word}{ending}")));
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}
