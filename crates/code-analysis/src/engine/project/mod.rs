//! From the facts of all files to what is worth saying of a project. Pure: no disk, no clock, and the same input in any
//! order gives the same analysis.

pub(crate) mod commands;
mod conventions;
pub(crate) mod dead_code;
pub(crate) mod duplicates;
pub(crate) mod frameworks;
pub(crate) mod history;
pub(crate) mod import_graph;
pub(crate) mod imports;
pub(crate) mod manifest;
pub(crate) mod map;
pub(crate) mod places;
pub(crate) mod role;
pub(crate) mod stack;
pub(crate) mod step;
mod suffixes;
mod versions;

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;

use serde::{Deserialize, Serialize};

use super::facts::FileFacts;
use super::language::{Category, Language};
use super::patterns::{self, Known, Pattern};
use super::rules::RuleReport;
use dead_code::DeadCode;
use duplicates::CloneGroup;
use history::{Change, CoChange, Ownership};
use import_graph::ImportGraph;
use imports::ImportIndex;
use manifest::Manifest;
use map::RankedDefinition;
use role::Role;
use stack::{ProjectCommand, Technology};
use step::{Step, Steps};

/// The most hotspots that an analysis names.
pub const HOTSPOT_CAP: usize = 100;

/// Everything that a project's analysis is made from.
#[derive(Debug, Clone, Default)]
pub struct ProjectInput {
    /// The analysed files. Those that were skipped are left out.
    pub files: Vec<SourceFile>,
    /// The manifests of build tools and package managers.
    pub manifests: Vec<Manifest>,
    /// How often each file was changed, over whatever window the caller looks at; empty where nothing is known.
    pub history: Vec<FileHistory>,
    /// The commits of that window, newest first; empty where nothing is known.
    pub changes: Vec<Change>,
    /// What the project's own rules found; empty where it has none.
    pub rules: RuleReport,
    /// Folders with the project's own source that was left out (generated, too large, not parsed): nobody knows what it mentions, so nothing
    /// in them is called unused.
    pub unread_folders: Vec<String>,
}

/// One analysed file.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceFile {
    /// Its path relative to the project, with `/` between its parts.
    pub path: String,
    /// Git's id of its content, in hexadecimal.
    pub blob: String,
    /// Its language.
    pub language: Language,
    /// Its facts.
    pub facts: FileFacts,
}

/// How often one file was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHistory {
    /// Its path, as in [`SourceFile::path`].
    pub path: String,
    /// The number of commits that changed it.
    pub commits: u32,
}

/// What is worth saying of a project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProjectAnalysis {
    /// Languages, most lines first, each followed by the frameworks found for it, most used first.
    pub stack: Vec<Technology>,
    /// Counts.
    pub metrics: ProjectMetrics,
    /// The habits of its code, surest first.
    pub patterns: Vec<Pattern>,
    /// How the project is built, tested and checked.
    pub commands: Vec<ProjectCommand>,
    /// Files that are complex and change often, highest score first; empty without a history.
    pub hotspots: Vec<Hotspot>,
    /// Files that change together, closest first; empty without a history.
    pub co_changes: Vec<CoChange>,
    /// Over how many people the changes of each folder are spread, the project itself first; empty without a history.
    pub ownership: Vec<Ownership>,
    /// How its files import each other.
    pub imports: ImportGraph,
    /// Code that stands in more than one place, largest first.
    pub duplicates: Vec<CloneGroup>,
    /// Definitions that may be unused.
    pub dead_code: Vec<DeadCode>,
    /// The definitions that most of the project leans on, highest rank first.
    pub map: Vec<RankedDefinition>,
    /// Steps that failed: what they would have found is missing here. Empty, but for a fault of the engine's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Step>,
    /// What the project's own rules found, and those that could not be applied.
    pub rules: RuleReport,
}

/// Counts over a project's code. Prose and data (Markdown, JSON, YAML ...) are not code, see [`Category`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectMetrics {
    /// Analysed files of code.
    pub files: u32,
    /// Their lines with code on them; neither comments nor blank lines.
    pub lines_of_code: u32,
    /// Functions and methods that have a name and a body.
    pub functions: u32,
    /// By language, most lines first.
    pub languages: Vec<LanguageShare>,
    /// Lines with code that belong to any clone, see [`CloneGroup`]: a run of at least [`WINDOW_TOKENS`](crate::WINDOW_TOKENS) tokens and five
    /// lines that occurs more than once. Each counts once; imports and test fixtures are left out.
    pub duplicated_lines: u32,
    /// Comments that say TODO or FIXME.
    pub todos: u32,
}

/// One language's part of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LanguageShare {
    /// The language.
    pub language: Language,
    /// Files.
    pub files: u32,
    /// Lines of code.
    pub lines_of_code: u32,
}

/// A file that is complex and changes often: where a look pays most. The measure is that of A. Tornhill, "Your Code as a
/// Crime Scene" (2015): change frequency times complexity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hotspot {
    /// Its path.
    pub path: String,
    /// The source that it is in, see [`Place`](crate::Place).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// Commits that changed it.
    pub commits: u32,
    /// The sum of the cyclomatic complexity of its functions.
    pub complexity: u32,
    /// `commits` times `complexity`, as a share of the project's greatest: above 0, at most 1.
    pub score: f64,
}

/// Analyses a project from the facts of its files.
///
/// Paths decide what a file is for: fixtures and vendored code show nobody's habits, and tests and examples only those
/// of tests and examples.
#[must_use]
pub fn project_summarize(input: &ProjectInput) -> ProjectAnalysis {
    match project_summarize_checked(input, || Ok::<(), Infallible>(())) {
        Ok(analysis) => analysis,
        Err(never) => match never {},
    }
}

/// As [`project_summarize`], asking between its steps whether to go on, from two threads: a large project takes seconds. A step that fails is
/// named in [`ProjectAnalysis::failed`], and the rest stands.
///
/// # Errors
/// What `check` answers with.
pub fn project_summarize_checked<E: Send>(
    input: &ProjectInput,
    check: impl Fn() -> Result<(), E> + Sync,
) -> Result<ProjectAnalysis, E> {
    let mut files: Vec<&SourceFile> = input.files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup_by(|a, b| a.path == b.path);
    check()?;
    let mut metrics = metrics(&files);
    let mut steps = Steps::new(&check);
    let index = steps.take_checked(Step::Imports, || {
        ImportIndex::build(&files, &input.manifests, &check)
    })?;
    let imports = steps.take(Step::Imports, || {
        import_graph::find(&files, &index, &input.manifests)
    })?;
    let stack = steps.take(Step::Stack, || {
        stack::find(&files, &metrics.languages, &input.manifests)
    })?;
    let commands = steps.take(Step::Commands, || commands::find(&input.manifests))?;
    let hotspots = steps.take(Step::Hotspots, || hotspots(&files, &input.history))?;
    let co_changes = steps.take(Step::CoChanges, || {
        history::co_changes(&files, &input.changes)
    })?;
    let ownership = steps.take(Step::Ownership, || {
        history::ownership(&files, &input.changes)
    })?;
    let known = Known {
        files: &files,
        manifests: &input.manifests,
        imports: Some(&index),
        co_changes: &co_changes,
        rules: Some(&input.rules),
    };
    // What takes longest, in two halves that need nothing of each other.
    let mut beside = Steps::new(&check);
    let (symbols, patterns) = rayon::join(
        || {
            let clones = steps.take(Step::Duplicates, || duplicates::find(&files))?;
            let dead_code = steps.take(Step::DeadCode, || dead_code::find(&files, input))?;
            let map = steps.take(Step::Map, || map::find(&files, &index))?;
            Ok((clones, dead_code, map))
        },
        || beside.take_checked(Step::Patterns, || patterns::find(known, &check)),
    );
    let ((clones, dead_code, map), patterns) = (symbols?, patterns?);
    metrics.duplicated_lines = clones.lines;
    let mut failed = steps.failed();
    failed.extend(beside.failed());
    failed.sort_unstable();
    Ok(ProjectAnalysis {
        stack,
        patterns,
        commands,
        duplicates: clones.groups,
        dead_code,
        map,
        hotspots,
        co_changes,
        ownership,
        imports,
        metrics,
        failed,
        rules: input.rules.clone(),
    })
}

fn metrics(files: &[&SourceFile]) -> ProjectMetrics {
    let mut languages: BTreeMap<Language, LanguageShare> = BTreeMap::new();
    let mut metrics = ProjectMetrics::default();
    for file in files
        .iter()
        .filter(|file| file.language.category() == Category::Code)
    {
        let share = languages.entry(file.language).or_insert(LanguageShare {
            language: file.language,
            files: 0,
            lines_of_code: 0,
        });
        share.files += 1;
        share.lines_of_code += file.facts.lines.code;
        metrics.files += 1;
        metrics.lines_of_code += file.facts.lines.code;
        metrics.functions += file.facts.function_count();
        metrics.todos += u32::try_from(file.facts.todos.len()).unwrap_or(u32::MAX);
    }
    metrics.languages = languages.into_values().collect();
    metrics.languages.sort_by(|a, b| {
        b.lines_of_code
            .cmp(&a.lines_of_code)
            .then(a.language.cmp(&b.language))
    });
    metrics
}

fn hotspots(files: &[&SourceFile], history: &[FileHistory]) -> Vec<Hotspot> {
    let commits: HashMap<&str, u32> = history
        .iter()
        .map(|one| (one.path.as_str(), one.commits))
        .collect();
    let mut found: Vec<(u64, Hotspot)> = files
        .iter()
        .filter(|file| role::of(&file.path) == Role::Source)
        .filter_map(|file| {
            let commits = *commits.get(file.path.as_str())?;
            let complexity = file.facts.complexity();
            let product = u64::from(commits) * u64::from(complexity);
            let hotspot = Hotspot {
                source_id: None,
                path: file.path.clone(),
                commits,
                complexity,
                score: 0.0,
            };
            (product > 0).then_some((product, hotspot))
        })
        .collect();
    found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.path.cmp(&b.1.path)));
    found.truncate(HOTSPOT_CAP);
    let top = found.first().map_or(1, |(product, _)| *product);
    found
        .into_iter()
        .map(|(product, hotspot)| Hotspot {
            score: share(product, top),
            ..hotspot
        })
        .collect()
}

/// `part` of `whole`, to four places, so that it reads well and is the same on every machine.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share needs no more than 53 bits"
)]
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    round4(part as f64 / whole.max(1) as f64)
}

/// Rounds to four places.
pub(crate) fn round4(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::file_analyze;

    #[test]
    fn who_is_told_to_stop_stops_at_the_next_step() {
        let steps = AtomicU32::new(0);
        let asked = |stop_at: u32| {
            steps.store(0, Ordering::Relaxed);
            let stopped = project_summarize_checked(&ProjectInput::default(), || {
                if steps.fetch_add(1, Ordering::Relaxed) + 1 >= stop_at {
                    Err(stop_at)
                } else {
                    Ok(())
                }
            });
            (stopped.err(), steps.load(Ordering::Relaxed))
        };
        let (stopped, all) = asked(u32::MAX);
        assert!(stopped.is_none() && all as usize > Pattern::kinds().count());
        for stop_at in 1..=all {
            let (stopped, steps) = asked(stop_at);
            assert_eq!(stopped, Some(stop_at));
            // The other half hears of it at its next step.
            assert!(steps <= stop_at + 1, "{steps} steps, {stop_at} wanted");
        }
    }

    fn file(path: &str, source: &str) -> SourceFile {
        let language = Language::detect(path).unwrap();
        let facts = file_analyze(path, language, source.as_bytes()).unwrap();
        SourceFile {
            path: path.to_owned(),
            blob: String::new(),
            language,
            facts,
        }
    }

    fn history(path: &str, commits: u32) -> FileHistory {
        FileHistory {
            path: path.to_owned(),
            commits,
        }
    }

    #[test]
    fn a_hotspot_scores_by_changes_times_complexity_against_the_top() {
        let simple = "fn a() {}\n";
        let branchy = "fn b(x: bool, y: bool) { if x && y {} }\n";
        let input = ProjectInput {
            files: vec![
                file("src/simple.rs", simple),
                file("src/branchy.rs", branchy),
                file("tests/t.rs", branchy),
            ],
            history: vec![
                history("src/simple.rs", 6),
                history("src/branchy.rs", 4),
                history("tests/t.rs", 100),
                history("gone.rs", 100),
            ],
            ..ProjectInput::default()
        };
        let hotspots = project_summarize(&input).hotspots;
        assert_eq!(
            hotspots
                .iter()
                .map(|h| (h.path.as_str(), h.complexity, h.score))
                .collect::<Vec<_>>(),
            [("src/branchy.rs", 3, 1.0), ("src/simple.rs", 1, 0.5)]
        );
    }

    #[test]
    fn prose_and_data_are_no_lines_of_code() {
        let files = vec![
            file("a.py", "x = 1\n# c\n"),
            file("README.md", "# t\n\nword\n"),
            file("q.sql", "select 1;\n"),
        ];
        let metrics = project_summarize(&ProjectInput {
            files,
            ..ProjectInput::default()
        })
        .metrics;
        assert_eq!((metrics.files, metrics.lines_of_code), (2, 2));
        assert_eq!(
            metrics
                .languages
                .iter()
                .map(|l| l.language)
                .collect::<Vec<_>>(),
            [Language::Python, Language::Sql]
        );
    }

    #[test]
    fn the_order_of_the_files_makes_no_difference() {
        let mut files: Vec<SourceFile> = (0..12)
            .map(|n| file(&format!("src/m{n}.py"), "def do_it():\n    '''Does.'''\n"))
            .collect();
        let forward = project_summarize(&ProjectInput {
            files: files.clone(),
            ..ProjectInput::default()
        });
        files.reverse();
        let backward = project_summarize(&ProjectInput {
            files,
            ..ProjectInput::default()
        });
        assert!(!forward.patterns.is_empty());
        assert_eq!(forward, backward);
    }
}
