//! Counts the habits of many projects for `data/priors.tsv`. Standard input has a line `NAME<tab>COMMIT<tab>FOLDER` for
//! each project; the table is written to standard output. See the recipe `priors` of the justfile.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead as _;
use std::path::Path;

use nyxcore_code_engine::patterns::information::prior_key;
use nyxcore_code_engine::tree::{TreeOptions, TreeReport, tree_analyze};

/// The least share of a project's code, in percent, for the project to count for that language.
const LANGUAGE_PERCENT: u64 = 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut projects: Vec<(String, String)> = Vec::new();
    let mut stacks: BTreeMap<String, u32> = BTreeMap::new();
    let mut habits: BTreeMap<String, BTreeMap<usize, (u32, u32)>> = BTreeMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.split('\t');
        let (Some(name), Some(commit), Some(folder)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let report = tree_analyze(Path::new(folder), &TreeOptions::default(), |_progress| {})?;
        let languages = languages(&report);
        let number = projects.len();
        projects.push((name.to_owned(), commit.to_owned()));
        for pattern in &report.project.patterns {
            let stack = pattern.stack.as_deref().unwrap_or("any");
            if languages.contains(stack) {
                let of = habits.entry(prior_key(pattern)).or_default();
                of.entry(number).or_insert((pattern.support, pattern.cases));
            }
        }
        for language in languages {
            *stacks.entry(language).or_default() += 1;
        }
        eprintln!("{name}");
    }
    println!(
        "# Which habits the engine finds in public repositories: see patterns/information.rs and `just priors`."
    );
    for (number, (name, commit)) in projects.iter().enumerate() {
        println!("project\t{number}\t{name}\t{commit}");
    }
    for (stack, count) in &stacks {
        println!("stack\t{stack}\t{count}");
    }
    for (key, of) in &habits {
        let of = of
            .iter()
            .map(|(number, (support, cases))| format!("\t{number}:{support}/{cases}"));
        println!("habit\t{key}{}", of.collect::<String>());
    }
    Ok(())
}

/// The languages that the project counts for. Every project also counts for `any` and `markdown`.
fn languages(report: &TreeReport) -> BTreeSet<String> {
    let metrics = &report.project.metrics;
    let all = u64::from(metrics.lines_of_code);
    let mut lines: BTreeMap<&str, u64> = BTreeMap::new();
    for share in &metrics.languages {
        *lines.entry(share.language.stack().as_str()).or_default() +=
            u64::from(share.lines_of_code);
    }
    let own = lines
        .into_iter()
        .filter(|(_, lines)| lines * 100 >= all * LANGUAGE_PERCENT);
    let own = own.map(|(language, _)| language.to_owned());
    own.chain(["any".to_owned(), "markdown".to_owned()])
        .collect()
}
