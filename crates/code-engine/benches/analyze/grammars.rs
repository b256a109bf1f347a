//! Compares the full analysis of files with parsing them by tree-sitter alone.

use std::path::Path;
use std::time::Instant;

use nyxcore_code_engine::language::Language;
use nyxcore_code_engine::on_deep_stack;
use nyxcore_code_engine::parse::file_analyze;

use crate::Outcome;
use crate::timing::{MissedLimits, median, ratio};

const RUNS: usize = 5;

/// The maximum time of the full analysis, as a multiple of parsing alone.
const LIMIT: f64 = 1.3;

/// The number of bytes of one language that suffices.
const ENOUGH: usize = 8 << 20;

/// Measures each tree-sitter language of which `tree` contains some 100 KB.
///
/// # Errors
/// A grammar does not load.
pub fn measure(tree: &Path, missed: &mut MissedLimits) -> Outcome<()> {
    // Both measurements run on one thread, the same one.
    on_deep_stack(|| measure_here(tree, missed).map_err(|error| error.to_string()))??;
    Ok(())
}

fn measure_here(tree: &Path, missed: &mut MissedLimits) -> Outcome<()> {
    println!(
        "everything of a file / tree-sitter's parse alone, one thread each, medians of {RUNS}"
    );
    for (language, grammar) in grammars() {
        let texts = texts(tree, language);
        let bytes: usize = texts.iter().map(|(_, text)| text.len()).sum();
        if bytes < 100_000 {
            continue;
        }
        let mut parser = tree_sitter::Parser::new();
        parser.set_language(&grammar)?;
        let (mut alone, mut whole) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let start = Instant::now();
            for (_, text) in &texts {
                std::hint::black_box(parser.parse(text, None));
            }
            alone.push(start.elapsed());
            let start = Instant::now();
            for (path, text) in &texts {
                std::hint::black_box(file_analyze(path, language, text.as_bytes()).ok());
            }
            whole.push(start.elapsed());
        }
        let [alone, whole] = [alone, whole].map(median);
        #[expect(
            clippy::cast_precision_loss,
            reason = "megabytes a second to one place"
        )]
        let speed = bytes as f64 / 1e6 / whole.as_secs_f64();
        let what = format!("{language}, {} files, {speed:.1} MB/s", texts.len());
        missed.at_most(&what, ratio(whole, alone), LIMIT, "x");
    }
    println!();
    Ok(())
}

/// Returns the files that the analysis accepts, so that both measurements do the same work.
fn texts(tree: &Path, language: Language) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    let mut bytes = 0;
    for entry in ignore::WalkBuilder::new(tree)
        .sort_by_file_path(Ord::cmp)
        .build()
        .flatten()
    {
        let path = entry.path().to_string_lossy().into_owned();
        if Language::detect(&path) != Some(language) {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(entry.path()) else {
            continue;
        };
        if file_analyze("x", language, text.as_bytes()).is_ok() {
            bytes += text.len();
            texts.push(("x".to_owned(), text));
        }
        if bytes > ENOUGH {
            break;
        }
    }
    texts
}

fn grammars() -> Vec<(Language, tree_sitter::Language)> {
    vec![
        (Language::Rust, tree_sitter_rust::LANGUAGE.into()),
        (Language::Go, tree_sitter_go::LANGUAGE.into()),
        (Language::Java, tree_sitter_java::LANGUAGE.into()),
        (Language::C, tree_sitter_c::LANGUAGE.into()),
        (Language::Cpp, tree_sitter_cpp::LANGUAGE.into()),
        (Language::CSharp, tree_sitter_c_sharp::LANGUAGE.into()),
        (Language::Ruby, tree_sitter_ruby::LANGUAGE.into()),
        (Language::Php, tree_sitter_php::LANGUAGE_PHP.into()),
        (Language::Shell, tree_sitter_bash::LANGUAGE.into()),
        (Language::Kotlin, tree_sitter_kotlin_ng::LANGUAGE.into()),
        (Language::Swift, tree_sitter_swift::LANGUAGE.into()),
        (Language::Scala, tree_sitter_scala::LANGUAGE.into()),
    ]
}
