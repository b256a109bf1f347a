//! Compares the engine with other programs: whole processes on the same tree, with as many threads as each supports.

use std::path::Path;
use std::process::Command;

use crate::timing::{MissedLimits, median, program, ratio};
use crate::{Outcome, child};

const RUNS: usize = 3;

/// A peer, and how many times as fast as the peer the engine should be.
pub type Limit = (&'static str, f64);

/// The languages that are compared, each with its peers.
pub const ALL: [(&str, &[Limit]); 3] = [
    (
        "python",
        &[("lizard", 8.0), ("radon", 8.0), ("ast-grep", 2.0)],
    ),
    ("typescript", &[("ast-grep", 2.0)]),
    ("rust", &[("rust-code-analysis-cli", 2.0)]),
];

/// Measures one language.
///
/// # Errors
/// A peer does not run.
pub fn measure(
    language: &str,
    peers: &[Limit],
    programs: &Path,
    tree: &Path,
    missed: &mut MissedLimits,
) -> Outcome<()> {
    println!("{language}: {}, medians of {RUNS}", tree.display());
    let mut ours = Vec::new();
    let mut theirs = vec![Vec::new(); peers.len()];
    // An unmeasured run fills the operating system's file cache.
    child::analyze(tree, None)?;
    for _ in 0..RUNS {
        ours.push(child::analyze(tree, None)?.time);
        for ((peer, _), times) in peers.iter().zip(&mut theirs) {
            let scratch = tempfile::tempdir()?;
            times.push(program(&mut command(
                peer,
                language,
                programs,
                tree,
                scratch.path(),
            ))?);
        }
    }
    let ours = median(ours);
    println!("  nyxcore {:.3} s", ours.as_secs_f64());
    for ((peer, limit), times) in peers.iter().zip(theirs) {
        let time = median(times);
        println!("  {peer} {:.3} s", time.as_secs_f64());
        missed.at_least(
            &format!("{language}, {peer} / nyxcore"),
            ratio(time, ours),
            *limit,
            "x",
        );
    }
    println!();
    Ok(())
}

fn command(peer: &str, language: &str, programs: &Path, tree: &Path, scratch: &Path) -> Command {
    #[expect(
        clippy::disallowed_methods,
        reason = "a bench compares with other programs"
    )]
    let mut command = Command::new(programs.join("bin").join(peer));
    let threads = rayon::current_num_threads().to_string();
    match peer {
        "lizard" => command
            .args(["-l", language, "-t", &threads, "--csv"])
            .arg(tree),
        "radon" => command.args(["cc", "-s"]).arg(tree),
        "ast-grep" => {
            let kinds: &[&str] = match language {
                "python" => &["function_definition", "class_definition"],
                _ => &[
                    "function_declaration",
                    "method_definition",
                    "arrow_function",
                    "function_expression",
                    "class_declaration",
                    "interface_declaration",
                    "type_alias_declaration",
                    "enum_declaration",
                ],
            };
            let kinds: Vec<String> = kinds
                .iter()
                .map(|kind| format!("{{kind: {kind}}}"))
                .collect();
            let rule = format!(
                "{{id: definitions, language: {language}, rule: {{any: [{}]}}}}",
                kinds.join(", ")
            );
            command
                .args([
                    "scan",
                    "--json=stream",
                    "--threads",
                    &threads,
                    "--inline-rules",
                    &rule,
                ])
                .arg(tree)
        }
        _ => command
            .args(["-m", "-O", "json", "-j", &threads, "-p"])
            .arg(tree)
            .arg("-o")
            .arg(scratch),
    };
    command
}
