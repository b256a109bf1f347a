//! Which file of a project imports which, what layers that makes, and where it goes round in a circle.

use serde::{Deserialize, Serialize};

/// The imports of a project among its own files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportGraph {
    /// Files that import, or are imported by, another file of the project.
    pub files: u32,
    /// Imports from one file of the project to another, each pair once.
    pub edges: u32,
    /// Imports that look like the project's own and lead to no file that was analysed.
    pub unresolved: u32,
    /// The folders that make up the project's parts, by how far they are from what depends on nothing: level 0 imports no other part, level 1
    /// only those of level 0, and so on. Parts of a circle share a level.
    pub layers: Vec<Layer>,
    /// Circles of files that import each other, largest first.
    pub cycles: Vec<Cycle>,
}

/// The parts of one level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// The level, from 0.
    pub level: u32,
    /// Its folders.
    pub folders: Vec<String>,
}

/// Files that import each other in a circle: a strongly connected component (R. Tarjan, "Depth-first search and linear graph algorithms",
/// SIAM Journal on Computing 1, 1972).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycle {
    /// How many files are in it.
    pub size: u32,
    /// One way around: each imports the next, the last the first; a shortest one.
    pub path: Vec<CycleStep>,
}

/// One import of a circle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleStep {
    /// The file that imports.
    pub file: String,
    /// The line of the import, 1-based.
    pub line: u32,
}
