//! The map of a project: its most referred-to definitions, by PageRank, as much of them as fits a budget of tokens.

use serde::{Deserialize, Serialize};

use super::super::facts::DefinitionKind;

/// The most definitions that an analysis ranks.
pub const MAP_CAP: usize = 500;

/// A definition with its rank.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankedDefinition {
    /// Its rank among the project's definitions: above 0; all of a project's ranks sum to 1.
    pub rank: f64,
    /// Its kind.
    pub kind: DefinitionKind,
    /// Its name, with its parent's before a `.` where it has one.
    pub name: String,
    /// The file it is in.
    pub path: String,
    /// Its first line, 1-based.
    pub start_line: u32,
    /// Its last line.
    pub end_line: u32,
    /// Files that refer to it by its name, its own aside.
    pub used_in: u32,
}
