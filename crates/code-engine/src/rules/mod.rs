//! The project's own rules: `.nyxcore/rules/*.yml` in the format of ast-grep.
//!
//! Everyone with write access to the repository can write rules, so they are not trusted: files, patterns and matches
//! are limited, the work of a rule on a file is counted in steps, and its stack depth is measured. A rule that does
//! not parse or costs too much is reported in the [`RuleReport`] and does not stop the analysis.

#[cfg(feature = "rules")]
mod document;
#[cfg(feature = "rules")]
mod grammar;
#[cfg(feature = "rules")]
mod set;
#[cfg(test)]
#[cfg(feature = "rules")]
mod tests;

use serde::{Deserialize, Serialize};

use super::evidence::CodeLocation;
use super::language::Language;

#[cfg(feature = "rules")]
pub use set::{RULE_CAP, RULE_FILE_CAP, RuleHits, RuleSet, RuleTally};

/// The folder of a project that its rules lie in, at any depth below.
pub const RULE_FOLDER: &str = ".nyxcore/rules/";

/// The most matches of one rule that a [`RuleReport`] names the places of; all are counted.
pub const RULE_PLACES: usize = 100;

/// A file with rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFile {
    /// Its path relative to the project, with `/` between its parts.
    pub path: String,
    /// Its content.
    pub text: String,
}

impl RuleFile {
    /// Whether the file at `path`, relative to the project, holds rules.
    #[must_use]
    pub fn is_rule_file(path: &str) -> bool {
        path.starts_with(RULE_FOLDER) && (path.ends_with(".yml") || path.ends_with(".yaml"))
    }
}

/// What a project's own rules found. Empty where it has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleReport {
    /// The rules that were applied, by id.
    pub rules: Vec<RuleFinding>,
    /// What could not be applied, and why, in the order of the files.
    pub errors: Vec<RuleError>,
}

/// What one rule found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleFinding {
    /// Its `id`.
    pub id: String,
    /// The file that it stands in.
    pub path: String,
    /// The source that it is in, see [`Place`](crate::analysis::Place).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// The line of that file where its document begins, 1-based.
    pub line: u32,
    /// The language that it is about.
    pub language: Language,
    /// How grave a match is.
    pub severity: RuleSeverity,
    /// Its `message`; its id where it has none.
    pub title: String,
    /// Its `note`; its message where it has none.
    pub statement: String,
    /// Its `url`.
    pub url: Option<String>,
    /// How often it matches.
    pub matches: u32,
    /// In how many files.
    pub files: u32,
    /// Matches of the rule that `metadata.counter` names: the same thing done otherwise.
    pub counter_matches: u32,
    /// The first of its matches by path and line, at most [`RULE_PLACES`].
    pub places: Vec<CodeLocation>,
    /// The first matches of the rule that `metadata.counter` names.
    pub counter_places: Vec<CodeLocation>,
    /// Files in which it was given up because it took too many steps; their matches up to there are counted.
    pub given_up: u32,
}

/// How grave a match of a rule is. A rule that is `off` is not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleSeverity {
    /// A reminder; what a rule is that does not say.
    Hint,
    /// A suggestion.
    Info,
    /// Something that may be wrong.
    Warning,
    /// Something that is wrong.
    Error,
}

/// A rule, or a file of rules, that could not be applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleError {
    /// The file.
    pub path: String,
    /// The source that it is in, see [`Place`](crate::analysis::Place).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// The line, 1-based, where it is known.
    pub line: Option<u32>,
    /// Why.
    pub reason: String,
}
