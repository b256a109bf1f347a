//! Prints every named function below a folder as CSV, to compare the measures with another tool: `cargo run --example
//! function_measures -- PATH`. The columns are path, line, name, cyclomatic complexity, parameters, length and
//! cognitive complexity. The measures are empty for a function without a body.

use std::path::{Path, PathBuf};

use nyxcore_code_engine::facts::DefinitionKind;
use nyxcore_code_engine::language::Language;
use nyxcore_code_engine::parse::file_analyze;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::env::args()
        .nth(1)
        .map_or_else(|| PathBuf::from("."), PathBuf::from);
    visit(&root, &root)
}

fn visit(root: &Path, folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, entry.path());
        if kind.is_dir() {
            visit(root, &path)?;
        }
        let Some(name) = path.strip_prefix(root)?.to_str().filter(|_| kind.is_file()) else {
            continue;
        };
        let Some(language) = Language::detect(name).filter(|language| language.has_facts()) else {
            continue;
        };
        match file_analyze(name, language, &std::fs::read(&path)?) {
            Err(reason) => eprintln!("{name}: {reason}"),
            Ok(facts) => {
                for definition in &facts.definitions {
                    let (line, function) =
                        (definition.start_line, definition.name.replace(',', " "));
                    match definition.metrics {
                        Some(m) => println!(
                            "{name},{line},{function},{},{},{},{}",
                            m.cyclomatic, m.parameters, m.length, m.cognitive
                        ),
                        None if matches!(
                            definition.kind,
                            DefinitionKind::Function | DefinitionKind::Method
                        ) =>
                        {
                            println!("{name},{line},{function},,,,");
                        }
                        None => {}
                    }
                }
            }
        }
    }
    Ok(())
}
