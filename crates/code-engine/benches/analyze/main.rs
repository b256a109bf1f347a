//! Measures how fast a folder is analysed, compared with peers and limits in the same run: `just bench-analysis`.
//!
//! Every figure is the median of several runs. The measurements of one comparison alternate, so that a drift of the
//! machine's speed affects all of them. Only the ratios should be quoted. Whole programs are compared with whole
//! programs: for the engine, this benchmark is started again.
//!
//! Arguments: `--peers FOLDER` (with the programs of the peers in it), `--python FOLDER`, `--typescript FOLDER`,
//! `--rust FOLDER` (trees to compare on), `--grammars FOLDER` (a tree of many languages), `--scale` (the trees of 1,000
//! to 100,000 files: minutes). Without arguments: this repository, cold and warm.

mod child;
mod grammars;
mod peers;
mod scale;
mod timing;
mod warm;

use std::error::Error;
use std::path::{Path, PathBuf};

/// An error ends the benchmark.
type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    // cargo adds its own flags, such as --bench.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == child::FLAG) {
        return child::run(&arguments[1..]);
    }
    let folder = |flag: &str| {
        let at = arguments.iter().position(|one| one == flag)?;
        arguments.get(at + 1).map(PathBuf::from)
    };
    println!("{} threads\n", rayon::current_num_threads());
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let here = here.ok_or("this crate stands in a workspace")?;
    let mut missed = timing::MissedLimits::default();
    warm::measure("this repository", here, &mut missed)?;
    if let Some(tree) = folder("--python") {
        warm::measure("Python", &tree, &mut missed)?;
    }
    if let Some(programs) = folder("--peers") {
        for (language, limits) in peers::ALL {
            if let Some(tree) = folder(&format!("--{language}")) {
                peers::measure(language, limits, &programs, &tree, &mut missed)?;
            }
        }
    }
    if let Some(tree) = folder("--grammars") {
        grammars::measure(&tree, &mut missed)?;
    }
    if arguments.iter().any(|one| one == "--scale") {
        let tree = folder("--rust").ok_or("--scale needs --rust FOLDER to make its trees from")?;
        scale::measure(&tree, &mut missed)?;
    }
    missed.into_result()
}
