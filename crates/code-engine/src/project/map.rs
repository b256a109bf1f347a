//! The map of a project: its most referenced definitions by PageRank, as many as fit into a token budget.
//!
//! Every definition of the project's own source is a node, and every file is a node for its code outside of
//! definitions. A reference is an edge from the enclosing definition to the definitions of that name: those of the same
//! file, or else those of imported files and their re-exports. Only if a language sees other files without an import,
//! the edge leads to all definitions of the name, with the weight divided among them. A name with many definitions is
//! ignored. The idea of a ranked map is from aider (<https://aider.chat/docs/repomap.html>); the rank is that of S.
//! Brin and L. Page, "The anatomy of a large-scale hypertextual web search engine", WWW 1998.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::super::facts::{Definition, DefinitionKind};
use super::super::language::Language;
use super::imports::ImportIndex;
use super::{EarlierResult, SourceFile};

mod everyones;
mod graph;
mod kept;
mod resolve;

use graph::Graph;
pub(crate) use kept::KeptEdges;

/// The maximum number of definitions that an analysis ranks.
pub const MAP_CAP: usize = 500;

/// Bytes of text per token of a model: the usual ratio for English and code.
pub const TOKEN_BYTES: usize = 4;

/// A name with more definitions than this, in languages that see each other, is ignored.
const AMBIGUOUS: u32 = 12;

/// Shorter names, in bytes, are rarely informative.
const NAME_MIN: usize = 3;

/// A definition with its rank.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankedDefinition {
    /// Its rank among the project's definitions, to nine places; all of a project's ranks sum to 1.
    pub rank: f64,
    /// Its kind.
    pub kind: DefinitionKind,
    /// Its name, after its parent's and a `.` if it has a parent.
    pub name: String,
    /// The file it is in.
    pub path: String,
    /// The source that it is in, see [`Place`](crate::analysis::Place).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// Its first line, 1-based.
    pub start_line: u32,
    /// Its last line.
    pub end_line: u32,
    /// The number of other files that refer to it by its name.
    pub used_in: u32,
}

/// The name of a definition for people: its parent's before it.
pub(super) fn full_name(definition: &Definition) -> String {
    match &definition.parent {
        Some(parent) => format!("{parent}.{}", definition.name),
        None => definition.name.to_string(),
    }
}

/// The family of a language. Languages in one family can refer to each other's definitions.
pub(super) fn family(language: Language) -> Language {
    match language {
        Language::Tsx | Language::JavaScript => Language::TypeScript,
        Language::Cpp | Language::ObjectiveC => Language::C,
        Language::Kotlin | Language::Scala => Language::Java,
        other => other,
    }
}

/// The definitions that most of the project depends on, highest rank first. If the edges of all files are kept between
/// runs, `kept` is what an earlier run stored, and the second result replaces it.
pub(crate) fn find(
    files: &[&SourceFile],
    index: &ImportIndex,
    kept: EarlierResult<'_, KeptEdges>,
) -> (Vec<RankedDefinition>, Option<KeptEdges>) {
    let (graph, kept) = Graph::new(files, index, kept);
    let ranks = graph.ranks();
    let mut order: Vec<u32> = (0u32..).take(graph.nodes.len()).collect();
    // The sort is stable: definitions with equal ranks stay in the order of files and lines.
    order.sort_by(|a, b| ranks[*b as usize].total_cmp(&ranks[*a as usize]));
    let map = order
        .into_iter()
        .take(MAP_CAP)
        .filter_map(|place| {
            let node = graph.nodes.get(place as usize)?;
            let file = files.get(node.file as usize)?;
            let definition = file.facts.definitions.get(node.definition as usize)?;
            Some(RankedDefinition {
                source_id: None,
                rank: (ranks[place as usize] * 1e9).round() / 1e9,
                kind: definition.kind,
                name: full_name(definition),
                path: file.path.clone(),
                start_line: definition.start_line,
                end_line: definition.end_line,
                used_in: node.used_in,
            })
        })
        .collect();
    (map, kept)
}

/// A definition of the project's source.
#[derive(Debug, Clone, Copy)]
struct Node {
    file: u32,
    definition: u32,
    used_in: u32,
}

fn is_node(definition: &Definition) -> bool {
    !definition.test
        && definition.kind != DefinitionKind::Module
        && definition.name.len() >= NAME_MIN
        && !matches!(
            definition.name.as_str(),
            "self" | "cls" | "this" | "super" | "Self"
        )
        && !(definition.name.starts_with("__") && definition.name.ends_with("__"))
}

/// The map of an analysed project as text for a model, of at most `budget` tokens of [`TOKEN_BYTES`] bytes each. Files
/// are in the order of their best definitions; below each, its definitions are in the order of the source. The text
/// contains as many of the highest ranked definitions as fit; it is empty if none fits.
#[must_use]
pub fn repository_map(ranked: &[RankedDefinition], budget: usize) -> String {
    let bytes = budget.saturating_mul(TOKEN_BYTES);
    // The length of the text grows with the number of definitions, so a binary search works.
    let (mut fits, mut too_many) = (0usize, ranked.len() + 1);
    while fits + 1 < too_many {
        let middle = fits + (too_many - fits) / 2;
        if map_text(&ranked[..middle]).len() <= bytes {
            fits = middle;
        } else {
            too_many = middle;
        }
    }
    map_text(&ranked[..fits])
}

fn map_text(ranked: &[RankedDefinition]) -> String {
    type ByLine<'m> = BTreeMap<(u32, &'m str), DefinitionKind>;
    let mut files: Vec<(&str, ByLine<'_>)> = Vec::new();
    // Two sources may each have a file of that path.
    let mut places: FxHashMap<(&str, Option<&str>), usize> = FxHashMap::default();
    for one in ranked {
        let file = (one.path.as_str(), one.source_id.as_deref());
        let place = *places.entry(file).or_insert(files.len());
        if place == files.len() {
            files.push((&one.path, BTreeMap::new()));
        }
        files[place].1.insert((one.start_line, &one.name), one.kind);
    }
    let mut text = String::new();
    for (path, definitions) in files {
        let _ = writeln!(text, "{path}");
        for ((line, name), kind) in definitions {
            let _ = writeln!(text, "  {} {name} :{line}", kind.as_str());
        }
    }
    text
}

#[cfg(test)]
mod tests;
