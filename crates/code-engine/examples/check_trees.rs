//! Compares one folder with the habits of another, without git:
//! `cargo run --release --example check_trees -- BASE HEAD [CACHE [json]]`.

use std::path::{Path, PathBuf};

use nyxcore_code_engine::check::{CheckReport, deviations_new};
use nyxcore_code_engine::tree::{TreeOptions, TreeReport, tree_analyze};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some(base), Some(head)) = (arguments.first(), arguments.get(1)) else {
        return Err("two folders: the one before the change and the one after it".into());
    };
    let options = TreeOptions {
        cache: arguments.get(2).map(PathBuf::from),
        ..TreeOptions::default()
    };
    let analyze = |folder: &str| tree_analyze(Path::new(folder), &options, |_progress| {});
    let (before, after): (TreeReport, TreeReport) = (analyze(base)?, analyze(head)?);
    let found = deviations_new(
        &before.project.patterns,
        &after.project.patterns,
        |path| text(base, path),
        |path| text(head, path),
    );
    let report = CheckReport::new(base, found);
    match arguments.get(3).map(String::as_str) {
        Some("json") => println!("{}", serde_json::to_string(&report)?),
        _ => print!("{}", report.text()),
    }
    Ok(())
}

fn text(folder: &str, path: &str) -> Option<String> {
    std::fs::read_to_string(Path::new(folder).join(path)).ok()
}
