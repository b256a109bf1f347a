//! Patterns: conventions of a code base, each with places that follow it and places that do not.
//!
//! A pattern kind is one module, and one line of `KINDS`; `docs/patterns.md` describes how to add one. It defines
//! `Question`s: which of several answers does the code give in each case? `question` decides which answers are
//! conventions. An answer is a convention if
//!
//! - there are at least [`MIN_CASES`] cases,
//! - at least [`MIN_SHARE`] of them have the same answer, and
//! - it is a majority with 95 % confidence: the lower bound of the Wilson interval is above one half.
//!
//! If the project as a whole has no convention for a question, one of its folders may have one; then the pattern has
//! that scope. If no answer is a convention, nothing is reported.

mod async_style;
pub(crate) mod co_change;
pub(crate) mod commands;
mod companion;
mod decorators;
mod dependency_wiring;
mod documentation;
mod entry_function;
mod error_handling;
mod file_header;
mod file_opening;
mod front_matter;
mod import_alias;
pub(crate) mod import_direction;
mod import_style;
pub mod information;
mod logging;
mod module_layout;
mod module_wrapper;
mod name_prefix;
mod naming;
mod noted;
mod private_members;
mod question;
mod rule;
mod test_imports;
mod test_layout;
mod type_annotations;
mod validation;
mod wrapper;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::evidence::{CodeLocation, wilson_lower_bound};
use super::language::Language;
use super::project::SourceFile;
use super::project::history::{Change, CoChange};
use super::project::imports::ImportIndex;
use super::project::manifest::Manifest;
use super::project::role::{self, Role};
use super::project::sample_apps::{is_in, sample_apps};
use super::references::{Reference, ReferenceKind};
use super::rules::RuleReport;
pub(crate) use noted::noted;

use information::Information;
use question::{Answer, Case, Question};

/// The minimum number of cases of a habit.
pub const MIN_CASES: u32 = 5;

/// The least share of cases that follow a habit. Below it, a reader who opens three places at random would more likely
/// than not find an exception.
pub const MIN_SHARE: f64 = 0.75;

/// A habit of the code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pattern {
    /// The key. It is the same from run to run while the rule is the same: `naming/python/functions/snake_case`, with
    /// `@folder` if the pattern has a scope.
    pub key: String,
    /// Its kind: one of [`Pattern::kinds`].
    pub kind: String,
    /// The habit in a few words: "Functions are snake_case".
    pub title: String,
    /// The convention, stated as a rule.
    pub statement: String,
    /// The language it is about; `None` if it is about none.
    pub stack: Option<String>,
    /// The folder it is about; `None` for the whole project.
    pub scope: Option<String>,
    /// The cases that follow it: the n of "n of m".
    pub support: u32,
    /// All cases: the m.
    pub cases: u32,
    /// The confidence: the lower bound of the Wilson interval at 95 % for `support` of `cases`, to four places.
    pub confidence: f64,
    /// Two or three places that show it, from different files if possible.
    pub exemplars: Vec<CodeLocation>,
    /// Up to three places that do not follow it.
    pub counter_examples: Vec<CodeLocation>,
    /// All places that do not follow it; empty where there are more than [`DEVIATIONS_MAX`]. Not part of the report's
    /// JSON.
    #[serde(skip)]
    pub deviations: Vec<CodeLocation>,
}

/// The maximum number of listed deviations of a habit; more are only counted.
pub const DEVIATIONS_MAX: usize = 500;

/// One kind of pattern: its name, and the function that finds it.
type Kind = (&'static str, fn(&Context<'_>) -> Vec<Pattern>);

/// Every kind.
const KINDS: &[Kind] = &[
    (async_style::KIND, async_style::find),
    (co_change::KIND, co_change::find),
    (commands::KIND, commands::find),
    (companion::KIND, companion::find),
    (decorators::KIND, decorators::find),
    (dependency_wiring::KIND, dependency_wiring::find),
    (documentation::KIND, documentation::find),
    (entry_function::KIND, entry_function::find),
    (error_handling::KIND, error_handling::find),
    (file_header::KIND, file_header::find),
    (file_opening::KIND, file_opening::find),
    (front_matter::KIND, front_matter::find),
    (import_alias::KIND, import_alias::find),
    (import_direction::KIND, import_direction::find),
    (import_style::KIND, import_style::find),
    (logging::KIND, logging::find),
    (module_layout::KIND, module_layout::find),
    (module_wrapper::KIND, module_wrapper::find),
    (name_prefix::KIND, name_prefix::find),
    (naming::KIND, naming::find),
    (private_members::KIND, private_members::find),
    (rule::KIND, rule::find),
    (test_imports::KIND, test_imports::find),
    (test_layout::KIND, test_layout::find),
    (type_annotations::KIND, type_annotations::find),
    (validation::KIND, validation::find),
    (wrapper::KIND, wrapper::find),
];

impl Pattern {
    /// The names of every kind of pattern, in order.
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|(name, _)| *name)
    }

    /// Whether it is about tests: their layout, imports or names.
    #[must_use]
    pub fn is_of_tests(&self) -> bool {
        let subject = || self.key.split('/').nth(2);
        match self.kind.as_str() {
            test_imports::KIND | test_layout::KIND => true,
            naming::KIND => subject() == Some("tests"),
            _ => false,
        }
    }

    /// Whether it concerns only its exemplars, such as "change one with the other", and not other files.
    #[must_use]
    pub fn is_of_its_files(kind: &str) -> bool {
        kind == co_change::KIND
    }
}

/// The input of the pattern search. Everything except the files may be empty.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AnalysisInput<'a> {
    /// The files, in the order of their paths.
    pub files: &'a [&'a SourceFile],
    pub manifests: &'a [Manifest],
    /// `None` if the imports were not resolved.
    pub imports: Option<&'a ImportIndex>,
    pub co_changes: &'a [CoChange],
    /// The commits, newest first.
    pub changes: &'a [Change],
    /// The results of the project's own rules; `None` if there are none.
    pub rules: Option<&'a RuleReport>,
    /// The analysed commit, in hexadecimal; `None` if unknown.
    pub commit: Option<&'a str>,
}

/// The context of a pattern kind: the input, and the files by role.
struct Context<'a> {
    known: AnalysisInput<'a>,
    /// The role of each file.
    roles: Vec<Role>,
    source: Vec<&'a SourceFile>,
    tests: Vec<&'a SourceFile>,
    fixtures: Vec<&'a SourceFile>,
    /// The source files and the test files by the languages that share a stack: most kinds ask for each stack.
    source_by: FxHashMap<Language, Vec<&'a SourceFile>>,
    tests_by: FxHashMap<Language, Vec<&'a SourceFile>>,
}

impl<'a> Context<'a> {
    fn new(known: AnalysisInput<'a>) -> Context<'a> {
        let apps = sample_apps(known.manifests);
        let role_of = |path: &str| match is_in(path, &apps) {
            true => Role::Aside,
            false => role::of(path),
        };
        let roles = known.files.iter().map(|file| role_of(&file.path));
        let mut context = Context {
            known,
            roles: roles.collect(),
            source: Vec::new(),
            tests: Vec::new(),
            fixtures: Vec::new(),
            source_by: FxHashMap::default(),
            tests_by: FxHashMap::default(),
        };
        for (file, role) in known.files.iter().zip(&context.roles) {
            match role {
                Role::Source => {
                    context.source.push(file);
                    let alike = context.source_by.entry(file.language.stack());
                    alike.or_default().push(file);
                }
                Role::Test => {
                    context.tests.push(file);
                    let alike = context.tests_by.entry(file.language.stack());
                    alike.or_default().push(file);
                }
                Role::Fixture => context.fixtures.push(file),
                Role::Aside => {}
            }
        }
        context
    }

    /// The source files, each with its index among all files.
    fn source_at(&self) -> impl Iterator<Item = (u32, &'a SourceFile)> {
        let files = (0u32..).zip(self.known.files).zip(&self.roles);
        files
            .filter(|(_, role)| **role == Role::Source)
            .map(|((at, file), _)| (at, *file))
    }

    /// The source files of the languages that share a stack.
    fn source(&self, stack: Language) -> impl Iterator<Item = &'a SourceFile> {
        self.source_by.get(&stack).into_iter().flatten().copied()
    }

    /// The test files of a stack.
    fn tests(&self, stack: Language) -> impl Iterator<Item = &'a SourceFile> {
        self.tests_by.get(&stack).into_iter().flatten().copied()
    }
}

/// The [noted] calls of a file: those in its tests if `test`, else all others.
fn calls(file: &SourceFile, test: bool) -> impl Iterator<Item = Reference<'_>> {
    let references = file.noted();
    references.filter(move |one| one.kind == ReferenceKind::Call && one.test == test)
}

/// Whether an import is of a module, or of something in it.
fn is_module(import: &str, module: &str) -> bool {
    let rest = import.strip_prefix(module);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '/', ':', '\\']))
}

/// The folder of a path; empty for the root.
fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The file name of a path.
fn name_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The file name of a path, up to its first dot.
fn stem_of(path: &str) -> &str {
    let name = name_of(path);
    name.split_once('.')
        .map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem })
}

/// Decides the questions and returns their patterns.
fn decide(kind: &'static str, questions: &[Question<'_>]) -> Vec<Pattern> {
    let decided = questions.iter().flat_map(|question| question.decide(kind));
    decided.collect()
}

/// The languages in which habits are searched.
const STACKS: [Language; 15] = [
    Language::Rust,
    Language::TypeScript,
    Language::JavaScript,
    Language::Python,
    Language::Go,
    Language::Java,
    Language::C,
    Language::Cpp,
    Language::CSharp,
    Language::Kotlin,
    Language::Php,
    Language::Ruby,
    Language::Scala,
    Language::Shell,
    Language::Swift,
];

/// Drops patterns that a wrapper module contradicts: if everything logs through `app.logging`, a pattern about the
/// library's `logging` is wrong.
fn contradictions_drop(patterns: &mut Vec<Pattern>) {
    let wrapped: Vec<(Option<String>, String)> = patterns
        .iter()
        .filter(|one| one.kind == module_wrapper::KIND)
        .filter_map(|one| Some((one.stack.clone(), one.key.split('/').nth(2)?.to_owned())))
        .collect();
    patterns.retain(|one| {
        let says = |name: &str| one.statement.contains(&format!("`{name}`"));
        one.kind != logging::KIND
            || !wrapped
                .iter()
                .any(|(stack, name)| *stack == one.stack && says(name))
    });
}

/// Drops the pattern for component files if all files of the language follow the same naming.
fn echoes_drop(patterns: &mut Vec<Pattern>) {
    let echo_of = |one: &Pattern| {
        let answer = one.key.strip_prefix("naming/typescript/component-files/")?;
        Some(format!("naming/typescript/files/{answer}"))
    };
    let known: Vec<String> = patterns.iter().map(|one| one.key.clone()).collect();
    patterns.retain(|one| !echo_of(one).is_some_and(|key| known.contains(&key)));
}

/// Finds the patterns: the most informative first, and equally informative ones by confidence.
pub(crate) fn find<E: Send>(
    known: AnalysisInput<'_>,
    check: impl Fn() -> Result<(), E> + Sync,
) -> Result<Vec<Pattern>, E> {
    let context = Context::new(known);
    let kinds = KINDS.par_iter().map(|(_, find)| {
        let found = find(&context);
        check().map(|()| found)
    });
    let found: Vec<Vec<Pattern>> = kinds.collect::<Result<_, E>>()?;
    let mut patterns: Vec<Pattern> = found.into_iter().flatten().collect();
    contradictions_drop(&mut patterns);
    echoes_drop(&mut patterns);
    patterns.sort_by_cached_key(|one| {
        let bits = (Information::of_commit(one, known.commit).bits * 100.0) as i64;
        let sure = (one.confidence * 10_000.0) as i64;
        (std::cmp::Reverse((bits, sure)), one.key.clone())
    });
    patterns.dedup_by(|a, b| a.key == b.key);
    Ok(patterns)
}

#[cfg(test)]
pub(crate) mod fixture {
    //! Small projects for the tests of the pattern kinds.
    use super::*;
    use crate::parse::file_analyze;

    /// Analyses sources by path.
    pub(crate) fn files(sources: &[(&str, &str)]) -> Vec<SourceFile> {
        sources
            .iter()
            .map(|(path, source)| {
                let language = Language::detect(path).unwrap();
                let facts = file_analyze(path, language, source.as_bytes()).unwrap();
                SourceFile {
                    path: (*path).to_owned(),
                    blob: format!("blob-of-{path}"),
                    language,
                    facts,
                }
            })
            .collect()
    }

    /// The patterns of one kind in those files, as "key n/m".
    pub(crate) fn found(kind: &str, sources: &[(&str, &str)]) -> Vec<String> {
        found_with(kind, sources, &[])
    }

    /// As [`found`], with these manifests.
    pub(crate) fn found_with(
        kind: &str,
        sources: &[(&str, &str)],
        manifests: &[Manifest],
    ) -> Vec<String> {
        patterns_with(kind, sources, manifests)
            .iter()
            .map(|p| format!("{} {}/{}", p.key, p.support, p.cases))
            .collect()
    }

    /// The patterns of one kind in those files.
    pub(crate) fn patterns(kind: &str, sources: &[(&str, &str)]) -> Vec<Pattern> {
        patterns_with(kind, sources, &[])
    }

    fn patterns_with(kind: &str, sources: &[(&str, &str)], manifests: &[Manifest]) -> Vec<Pattern> {
        let files = files(sources);
        let mut files: Vec<&SourceFile> = files.iter().collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let check = || Ok::<_, std::convert::Infallible>(());
        let Ok((imports, _)) = ImportIndex::build(&files, manifests, None, check);
        let known = AnalysisInput {
            files: &files,
            manifests,
            imports: Some(&imports),
            ..AnalysisInput::default()
        };
        found_in(kind, known)
    }

    /// The patterns of one kind in the input.
    pub(crate) fn found_in(kind: &str, known: AnalysisInput<'_>) -> Vec<Pattern> {
        let Ok(found) = find(known, || Ok::<_, std::convert::Infallible>(()));
        found
            .into_iter()
            .filter(|pattern| pattern.kind == kind)
            .collect()
    }
}

#[cfg(test)]
mod tests;
