//! Definitions that nothing in the project refers to: candidates, each with the reasons why it may be in use all the same.

use serde::{Deserialize, Serialize};

use super::super::facts::DefinitionKind;
use super::super::patterns::CodeLocation;

/// The most candidates that an analysis names.
pub const DEAD_CODE_CAP: usize = 100;

/// A definition that may be unused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadCode {
    /// Its kind.
    pub kind: DefinitionKind,
    /// Its name, with its parent's before a `.` where it has one.
    pub name: String,
    /// Where it is.
    pub location: CodeLocation,
    /// Whether only tests refer to it.
    pub tests_only: bool,
    /// Why it may be in use all the same, each a sentence.
    pub caveats: Vec<String>,
}
