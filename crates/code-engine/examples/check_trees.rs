//! Holds one folder against the habits of another, without git:
//! `cargo run --release --example check_trees -- BASE HEAD [CACHE]`.

use std::path::{Path, PathBuf};

use nyxcore_code_engine::check::{CheckReport, deviations_new};
use nyxcore_code_engine::evidence::CodeLocation;
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
        |place| line(base, place),
        |place| line(head, place),
    );
    print!("{}", CheckReport::new(base, found).text());
    Ok(())
}

/// The first line of a place, without the white space around it.
fn line(folder: &str, place: &CodeLocation) -> Option<String> {
    let text = std::fs::read_to_string(Path::new(folder).join(&place.path)).ok()?;
    let at = (place.start_line as usize).checked_sub(1)?;
    Some(text.lines().nth(at)?.trim().to_owned())
}
