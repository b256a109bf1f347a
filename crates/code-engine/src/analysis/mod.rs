//! Computes the analysis of a project from the facts of all files. It is pure: no disk, no clock, and the order of the
//! input does not matter.

mod places;
mod results;
mod step;

use std::convert::Infallible;

use serde::{Deserialize, Serialize};

use super::patterns::{self, AnalysisInput, Pattern};
use super::project::duplicates::Duplicates;
use super::project::imports::ImportIndex;
use super::project::{
    CloneGroup, CoChange, DeadCode, HistoryWindow, Hotspot, ImportGraph, Ownership, ProjectCommand,
    ProjectInput, ProjectMetrics, RankedDefinition, SourceFile, Technology, commands, dead_code,
    duplicates, history, hotspots, import_graph, map, metrics, stack,
};
use super::rules::RuleReport;
use super::windows::Windows;
use step::Steps;

pub use places::Place;
pub(crate) use results::{EarlierResults, NewResults};
pub use step::Step;

/// The analysis of a project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProjectAnalysis {
    /// Languages, most lines first, each followed by the frameworks found for it, most used first.
    pub stack: Vec<Technology>,
    /// Counts.
    pub metrics: ProjectMetrics,
    /// The habits of its code: the most informative first, and equally informative ones by confidence.
    pub patterns: Vec<Pattern>,
    /// How the project is built, tested and checked.
    pub commands: Vec<ProjectCommand>,
    /// The part of the history that hotspots, co-changes and ownership are of; `None` where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<HistoryWindow>,
    /// Files that are complex and change often, highest score first; empty without a history.
    pub hotspots: Vec<Hotspot>,
    /// Files that change together, closest first; empty without a history.
    pub co_changes: Vec<CoChange>,
    /// How the changes of each folder are distributed over people, the project itself first; empty without a history.
    pub ownership: Vec<Ownership>,
    /// How its files import each other.
    pub imports: ImportGraph,
    /// Duplicated code, largest first.
    pub duplicates: Vec<CloneGroup>,
    /// Definitions that may be unused.
    pub dead_code: Vec<DeadCode>,
    /// The definitions that most of the project depends on, highest rank first.
    pub map: Vec<RankedDefinition>,
    /// Steps that failed: their results are missing here. Empty unless the engine has a defect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Step>,
    /// The findings of the project's own rules, and the errors of rules that could not be applied.
    pub rules: RuleReport,
}

/// Analyses a project from the facts of its files.
///
/// The path decides the role of a file: fixtures and vendored code show no habits of the project, and tests and
/// examples show only habits of tests and examples.
#[must_use]
pub fn project_summarize(input: &ProjectInput) -> ProjectAnalysis {
    project_summarize_known(input, EarlierResults::default()).0
}

/// Runs what nothing stops.
fn never_stops<T>(
    work: impl FnOnce(&Steps<fn() -> Result<(), Infallible>>) -> Result<T, Infallible>,
) -> T {
    let Ok(found) = work(&Steps::new(|| Ok(())));
    found
}

/// Like [`project_summarize`], with a check between the steps whether to continue, called from several threads, because
/// a large project takes seconds. A failed step is listed in [`ProjectAnalysis::failed`], and the others are not
/// affected.
///
/// # Errors
/// The error of `check`.
pub fn project_summarize_checked<E: Send>(
    input: &ProjectInput,
    check: impl Fn() -> Result<(), E> + Sync,
) -> Result<ProjectAnalysis, E> {
    let (analysis, _) = summarize(input, EarlierResults::default(), None, &Steps::new(check))?;
    Ok(analysis)
}

/// Like [`project_summarize`], for a caller that knows something of an earlier run, and keeps the findings for the next
/// one.
pub(crate) fn project_summarize_known(
    input: &ProjectInput,
    known: EarlierResults<'_>,
) -> (ProjectAnalysis, NewResults) {
    never_stops(|steps| summarize(input, known, None, steps))
}

/// Like [`project_summarize_known`], in less memory: the steps that take much of it run one after another, and the
/// windows of the files are released once the duplicates are found.
pub(crate) fn project_summarize_released(
    input: &mut ProjectInput,
    known: EarlierResults<'_>,
) -> (ProjectAnalysis, NewResults) {
    never_stops(|steps| {
        let clones = steps.take(Step::Duplicates, || {
            duplicates::find(&by_path(input), None).0
        })?;
        for file in &mut input.files {
            file.facts.windows = Windows::default();
        }
        summarize(input, known, Some(clones), steps)
    })
}

/// The files by path, each path once.
fn by_path(input: &ProjectInput) -> Vec<&SourceFile> {
    let mut files: Vec<&SourceFile> = input.files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup_by(|a, b| a.path == b.path);
    files
}

/// Computes the analysis. If the duplicates are already known as `clones`, the steps run one after another.
fn summarize<E: Send>(
    input: &ProjectInput,
    earlier: EarlierResults<'_>,
    clones: Option<Duplicates>,
    steps: &Steps<impl Fn() -> Result<(), E> + Sync>,
) -> Result<(ProjectAnalysis, NewResults), E> {
    let files = by_path(input);
    steps.check()?;
    let mut metrics = metrics(&files);
    let check = || steps.check();
    // Independent steps run in parallel: first those that need only the files, then those that need the import graph.
    let ((index, resolved), ((stack, commands), (hotspots, co_changes, ownership))) = both(
        false,
        || {
            steps.take_checked(Step::Imports, || {
                ImportIndex::build(&files, &input.manifests, earlier.imports, check)
            })
        },
        || {
            both(
                false,
                || {
                    let stack = steps.take(Step::Stack, || {
                        stack::find(&files, &metrics.languages, &input.manifests)
                    })?;
                    let commands = steps.take(Step::Commands, || {
                        commands::find(&input.manifests, &metrics.languages)
                    })?;
                    Ok((stack, commands))
                },
                || {
                    let hotspots =
                        steps.take(Step::Hotspots, || hotspots(&files, &input.history))?;
                    let co_changes = steps.take(Step::CoChanges, || {
                        history::co_changes(&files, &input.changes)
                    })?;
                    let ownership = steps.take(Step::Ownership, || {
                        history::ownership(&files, &input.changes)
                    })?;
                    Ok((hotspots, co_changes, ownership))
                },
            )
        },
    )?;
    let known = AnalysisInput {
        files: &files,
        manifests: &input.manifests,
        imports: Some(&index),
        co_changes: &co_changes,
        changes: &input.changes,
        rules: Some(&input.rules),
        commit: input.window.as_ref().map(|window| window.commit.as_str()),
    };
    let apart = clones.is_some();
    let (((map, edges), ((clones, repeats), dead_code)), (imports, patterns)) = both(
        apart,
        || {
            both(
                apart,
                || steps.take(Step::Map, || map::find(&files, &index, earlier.edges)),
                || {
                    both(
                        apart,
                        || match clones {
                            Some(clones) => Ok((clones, None)),
                            None => steps.take(Step::Duplicates, || {
                                duplicates::find(&files, earlier.repeats)
                            }),
                        },
                        || {
                            steps.take(Step::DeadCode, || {
                                dead_code::find(&files, input, earlier.uses)
                            })
                        },
                    )
                },
            )
        },
        || {
            both(
                apart,
                || {
                    steps.take(Step::Imports, || {
                        import_graph::find(&files, &index, &input.manifests)
                    })
                },
                || steps.take_checked(Step::Patterns, || patterns::find(known, check)),
            )
        },
    )?;
    metrics.duplicated_lines = clones.lines;
    let analysis = ProjectAnalysis {
        stack,
        patterns,
        commands,
        window: input.window.clone(),
        duplicates: clones.groups,
        dead_code,
        map,
        hotspots,
        co_changes,
        ownership,
        imports,
        metrics,
        failed: steps.failed(),
        rules: input.rules.clone(),
    };
    let results = NewResults {
        edges,
        imports: resolved,
        repeats,
    };
    Ok((analysis, results))
}

/// Does two things, on two threads if the platform has threads, or one after the other.
fn both<A: Send, B: Send, E: Send>(
    apart: bool,
    a: impl FnOnce() -> Result<A, E> + Send,
    b: impl FnOnce() -> Result<B, E> + Send,
) -> Result<(A, B), E> {
    if apart {
        return Ok((a()?, b()?));
    }
    let (a, b) = rayon::join(a, b);
    Ok((a?, b?))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::super::language::Language;
    use super::super::project::FileHistory;
    use super::*;
    use crate::parse::file_analyze;

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
            // Other threads notice it at their next step: at most six steps are running, and one pattern per thread.
            let beside = 6 + rayon::current_num_threads() as u32;
            assert!(steps <= stop_at + beside, "{steps} steps, {stop_at} wanted");
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
    fn what_fixtures_mark_is_not_to_do() {
        let source = "# TODO: one\nx = 1\n";
        let files = vec![file("a.py", source), file("tests/corpus/a.py", source)];
        let input = ProjectInput {
            files,
            ..ProjectInput::default()
        };
        assert_eq!(project_summarize(&input).metrics.todos, 1);
    }

    #[test]
    fn releasing_what_is_not_needed_makes_no_difference() {
        let source =
            "def do_it(a, b):\n    if a.one(b) and b.two(a):\n        return a.three(b.four)\n";
        let files = (0..12).map(|n| file(&format!("src/m{n}.py"), &source.repeat(9)));
        let mut input = ProjectInput {
            files: files.collect(),
            ..ProjectInput::default()
        };
        let kept = project_summarize(&input);
        assert!(!kept.duplicates.is_empty() && !kept.map.is_empty());
        assert_eq!(
            project_summarize_released(&mut input, EarlierResults::default()).0,
            kept
        );
        assert!(input.files.iter().all(|file| file.facts.windows.is_empty()));
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
