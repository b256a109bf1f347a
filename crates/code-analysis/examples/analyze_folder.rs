//! Analyses a folder and prints the summary, or with `--json` the report:
//! `cargo run --example analyze_folder -- PATH [--json]`. With `--cache FOLDER`, facts are kept there between runs.

use std::path::{Path, PathBuf};

use nyxcore_code_analysis::{TreeOptions, report_table, tree_analyze};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |flag: &str| {
        arguments
            .iter()
            .skip_while(|one| *one != flag)
            .nth(1)
            .map(PathBuf::from)
    };
    let root = arguments.first().map_or(Path::new("."), Path::new);
    let options = TreeOptions {
        cache: after("--cache"),
        ..TreeOptions::default()
    };
    let report = tree_analyze(root, &options, |_| {})?;
    if arguments.iter().any(|one| one == "--json") {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report_table(&report, 100, false));
    }
    Ok(())
}
