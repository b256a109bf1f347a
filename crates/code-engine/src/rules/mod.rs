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

/// The folder of a project with its rules, including subfolders.
pub const RULE_FOLDER: &str = ".nyxcore/rules/";

/// The maximum number of places of one rule in a [`RuleReport`]; all matches are counted.
pub const RULE_PLACES: usize = 100;

/// A file with rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFile {
    /// Its path relative to the project, with `/` as the separator.
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

/// The results of a project's own rules. Empty if it has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleReport {
    /// The rules that were applied, by id.
    pub rules: Vec<RuleFinding>,
    /// The rules that could not be applied, with reasons, in the order of the files.
    pub errors: Vec<RuleError>,
}

/// The results of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleFinding {
    /// Its `id`.
    pub id: String,
    /// The file that contains the rule.
    pub path: String,
    /// The source of the file, see [`Place`](crate::analysis::Place).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// The line of that file where the rule's document begins, 1-based.
    pub line: u32,
    /// The language of the rule.
    pub language: Language,
    /// The severity of a match.
    pub severity: RuleSeverity,
    /// Its `message`, or its id if it has none.
    pub title: String,
    /// Its `note`, or its message if it has none.
    pub statement: String,
    /// Its `url`.
    pub url: Option<String>,
    /// The number of its matches.
    pub matches: u32,
    /// The number of files with matches.
    pub files: u32,
    /// Matches of the rule that `metadata.counter` names: the alternative way.
    pub counter_matches: u32,
    /// The first of its matches by path and line, at most [`RULE_PLACES`].
    pub places: Vec<CodeLocation>,
    /// The first matches of the rule that `metadata.counter` names.
    pub counter_places: Vec<CodeLocation>,
    /// The number of files in which the rule was stopped because it took too many steps; matches before that are
    /// counted.
    pub given_up: u32,
}

/// The severity of a rule's matches. A rule that is `off` is not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleSeverity {
    /// A reminder; the default severity.
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
    /// The source of the file, see [`Place`](crate::analysis::Place).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// The line, 1-based, where it is known.
    pub line: Option<u32>,
    /// The reason.
    pub reason: String,
}
