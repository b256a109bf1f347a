//! Analyses a folder from another program: `cargo run --example analyze_folder -- PATH [table|json|sarif] [CACHE]`.

use std::path::{Path, PathBuf};

use nyxcore_code_engine::render::{report_sarif, report_table};
use nyxcore_code_engine::tree::{TreeOptions, tree_analyze};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = arguments.first().map_or(Path::new("."), Path::new);
    let options = TreeOptions {
        cache: arguments.get(2).map(PathBuf::from),
        ..TreeOptions::default()
    };
    let report = tree_analyze(root, &options, |_progress| {})?;
    match arguments.get(1).map_or("table", String::as_str) {
        "json" => println!("{}", serde_json::to_string_pretty(&report)?),
        "sarif" => println!("{}", serde_json::to_string_pretty(&report_sarif(&report))?),
        _ => print!("{}", report_table(&report, 100, false)),
    }
    Ok(())
}
