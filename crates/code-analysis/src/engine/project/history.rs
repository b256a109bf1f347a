//! What the history of a project says: files that change together, and over how many people the knowledge of a folder is spread.

use serde::{Deserialize, Serialize};

/// The most pairs that an analysis names.
pub const CO_CHANGE_CAP: usize = 50;

/// One commit, as far as the analysis needs it. Merges are none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Who wrote it: the author's name, after the repository's mailmap.
    pub author: String,
    /// The files it changed, by their paths as in [`SourceFile::path`](super::SourceFile::path); those that are no more may be among them.
    pub paths: Vec<String>,
}

/// Two files that change together ("logical coupling": H. Gall, K. Hajek, M. Jazayeri, "Detection of logical coupling based on product
/// release history", ICSM 1998).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoChange {
    /// The two files, in the order of their paths.
    pub paths: [String; 2],
    /// Commits that changed both.
    pub together: u32,
    /// Commits that changed the one, and the other.
    pub commits: [u32; 2],
    /// `together` as a share of the commits of the one that changes less often: above 0, at most 1.
    pub degree: f64,
}

/// How the changes of a folder are spread over people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ownership {
    /// The folder; empty for the whole project.
    pub folder: String,
    /// Commits that changed something in it.
    pub commits: u32,
    /// People who wrote them.
    pub authors: u32,
    /// Who wrote most of them.
    pub main_author: String,
    /// That person's share of the commits: above 0, at most 1.
    pub main_share: f64,
}
