//! Project-level results: technologies, imports, duplicates. Nothing here depends on patterns, which are computed from
//! these results; [`analysis`](crate::analysis) combines everything.

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
pub(crate) mod names;
pub(crate) mod role;
pub(crate) mod sample_apps;
pub(crate) mod stack;
mod suffixes;
mod versions;
mod words;

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;
use serde::{Deserialize, Serialize};

use super::evidence::share;
use super::facts::FileFacts;
use super::language::{Category, Language};
use super::references::Reference;
use super::rules::RuleReport;
use role::Role;

pub(crate) use conventions::{is_look_up, noted};
pub use dead_code::{DEAD_CODE_CAP, DeadCode};
pub use duplicates::{CLONE_CAP, CloneGroup, PLACES_CAP};
pub use history::{CO_CHANGE_CAP, Change, CoChange, HistoryWindow, OWNERSHIP_CAP, Ownership};
pub use import_graph::{CYCLE_CAP, Cycle, CycleStep, ImportGraph, Layer};
pub use manifest::Manifest;
pub use map::{MAP_CAP, RankedDefinition, TOKEN_BYTES, repository_map};
pub use role::is_for_tests;
pub use stack::{CommandPurpose, ProjectCommand, Technology, TechnologyKind};
pub(crate) use words::EarlierResult;

/// The maximum number of hotspots that an analysis reports.
pub const HOTSPOT_CAP: usize = 100;

/// The input of a project's analysis.
#[derive(Debug, Clone, Default)]
pub struct ProjectInput {
    /// The analysed files, without those that were skipped.
    pub files: Vec<SourceFile>,
    /// The manifests of build tools and package managers.
    pub manifests: Vec<Manifest>,
    /// How often each file was changed, in a time window that the caller chooses; empty if unknown.
    pub history: Vec<FileHistory>,
    /// The commits of that window, newest first; empty if unknown.
    pub changes: Vec<Change>,
    /// The window of `history` and `changes`; `None` if unknown.
    pub window: Option<HistoryWindow>,
    /// The results of the project's own rules; empty if it has none.
    pub rules: RuleReport,
    /// Folders with skipped source of the project (generated, too large, not parsed): its references are unknown, so
    /// nothing in these folders is reported as unused.
    pub unread_folders: Vec<String>,
}

/// One analysed file.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceFile {
    /// Its path relative to the project, with `/` as the separator.
    pub path: String,
    /// Git's id of its content, in hexadecimal.
    pub blob: String,
    /// Its language.
    pub language: Language,
    /// Its facts.
    pub facts: FileFacts,
}

impl SourceFile {
    /// A key of its content and language, for comparing them with those of an earlier run.
    fn content_key(&self) -> u64 {
        let mut hasher = FxHasher::default();
        (&self.blob, self.language).hash(&mut hasher);
        hasher.finish()
    }

    /// The references that some kind of pattern counts.
    pub(crate) fn noted(&self) -> impl Iterator<Item = Reference<'_>> {
        self.facts.noted(self.language).references.iter()
    }
}

/// How often one file was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHistory {
    /// Its path, as in [`SourceFile::path`].
    pub path: String,
    /// The number of commits that changed it.
    pub commits: u32,
}

/// Counts over a project's code. Prose and data (Markdown, JSON, YAML ...) are not code, see [`Category`], and the
/// outputs that tests expect were written by nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectMetrics {
    /// Analysed files of code.
    pub files: u32,
    /// Their lines with code, without comments and blank lines.
    pub lines_of_code: u32,
    /// Functions and methods that have a name and a body.
    pub functions: u32,
    /// By language, most lines first.
    pub languages: Vec<LanguageShare>,
    /// Lines with code that belong to any clone, see [`CloneGroup`]: a run of at least
    /// [`WINDOW_TOKENS`](crate::facts::WINDOW_TOKENS) tokens and five lines that occurs more than once. Each counts
    /// once; imports and test fixtures are left out.
    pub duplicated_lines: u32,
    /// Comments that mark something to do, see [`FileFacts::todos`]. Those of test fixtures are left out.
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

/// A file that is complex and changes often, so that a review is most worthwhile. The measure is from A. Tornhill,
/// "Your Code as a Crime Scene" (2015): change frequency times complexity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hotspot {
    /// Its path.
    pub path: String,
    /// The source that it is in, see [`Place`](crate::analysis::Place).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// Commits that changed it.
    pub commits: u32,
    /// The sum of the cyclomatic complexity of its functions.
    pub complexity: u32,
    /// `commits` times `complexity`, as a share of the project's maximum: above 0, at most 1.
    pub score: f64,
}

/// Counts over these files, which are sorted by path.
pub(crate) fn metrics(files: &[&SourceFile]) -> ProjectMetrics {
    let mut languages: BTreeMap<Language, LanguageShare> = BTreeMap::new();
    let mut metrics = ProjectMetrics::default();
    for file in files
        .iter()
        .filter(|file| file.language.category() == Category::Code)
        .filter(|file| !role::is_expected_output(&file.path))
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
        if role::of(&file.path) != Role::Fixture {
            metrics.todos += u32::try_from(file.facts.todos.len()).unwrap_or(u32::MAX);
        }
    }
    metrics.languages = languages.into_values().collect();
    metrics.languages.sort_by(|a, b| {
        b.lines_of_code
            .cmp(&a.lines_of_code)
            .then(a.language.cmp(&b.language))
    });
    metrics
}

/// The hotspots of these files, highest score first.
pub(crate) fn hotspots(files: &[&SourceFile], history: &[FileHistory]) -> Vec<Hotspot> {
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
