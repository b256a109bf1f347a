//! The map of a project: its most referenced definitions by PageRank, as many as fit into a token budget.
//!
//! Every definition of the project's own source is a node, and every file is a node for its code outside of
//! definitions. A reference is an edge from the enclosing definition to the definitions of that name: those of the
//! same file, or else of imported files and what they pass on. Only where a language sees other files without an import
//! are all definitions of the name meant, with the weight divided among them. A name with many definitions is ignored.
//! The idea of a ranked map is from aider (<https://aider.chat/docs/repomap.html>); the rank is that of S. Brin and
//! L. Page, "The anatomy of a large-scale hypertextual web search engine", WWW 1998.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::super::facts::{Definition, DefinitionKind};
use super::super::language::Language;
use super::super::references::ReferenceKind;
use super::SourceFile;
use super::imports::ImportIndex;
use super::role::{self, Role};

mod everyones;
mod resolve;

use resolve::{Mention, Resolver};

/// The most definitions that an analysis ranks.
pub const MAP_CAP: usize = 500;

/// Bytes of text that count as one token of a model: what English and code come to with the usual vocabularies.
pub const TOKEN_BYTES: usize = 4;

/// The chance that a reader follows a reference instead of opening any definition, as in the paper.
const DAMPING: f64 = 0.85;

/// The ranks are settled when they change by less than this in all, or after so many rounds.
const SETTLED: f64 = 1e-6;
const ROUNDS_CAP: usize = 50;

/// A name with more definitions than this, in languages that see each other, is ignored.
const AMBIGUOUS: usize = 12;

/// Names shorter than this, in bytes, are seldom worth a place.
const NAME_MIN: usize = 3;

/// What a reference to a private definition weighs: it says less of the project than one to what others may use.
const PRIVATE_WEIGHT: f64 = 0.3;

/// The most references that are followed, those of the first files in the order of their paths: 100 MB of them.
const EDGES_CAP: usize = 8 << 20;

/// A definition with its rank.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankedDefinition {
    /// Its rank among the project's definitions, to nine places; all of a project's ranks sum to 1.
    pub rank: f64,
    /// Its kind.
    pub kind: DefinitionKind,
    /// Its name, with its parent's before a `.` where it has one.
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
    /// Files that refer to it by its name, its own aside.
    pub used_in: u32,
}

/// The name of a definition for people: its parent's before it.
pub(super) fn full_name(definition: &Definition) -> String {
    match &definition.parent {
        Some(parent) => format!("{parent}.{}", definition.name),
        None => definition.name.clone(),
    }
}

/// Languages that can refer to each other's definitions have the same.
pub(super) fn family(language: Language) -> Language {
    match language {
        Language::Tsx | Language::JavaScript => Language::TypeScript,
        Language::Cpp | Language::ObjectiveC => Language::C,
        Language::Kotlin | Language::Scala => Language::Java,
        other => other,
    }
}

/// The definitions that most of the project leans on, highest rank first.
pub(crate) fn find(files: &[&SourceFile], index: &ImportIndex) -> Vec<RankedDefinition> {
    let graph = Graph::new(files, index);
    let ranks = graph.ranks();
    let mut order: Vec<u32> = (0u32..).take(graph.nodes.len()).collect();
    // Nodes are in the order of files and lines, which decides among equals.
    order.sort_by(|a, b| ranks[*b as usize].total_cmp(&ranks[*a as usize]));
    order
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
        .collect()
}

/// A definition of the project's source.
#[derive(Debug, Clone, Copy)]
struct Node {
    file: u32,
    definition: u32,
    used_in: u32,
}

#[derive(Debug, Default)]
struct Graph {
    nodes: Vec<Node>,
    /// Nodes and files: what has a rank.
    count: usize,
    /// From where, in order, how many targets follow.
    sources: Vec<(u32, u32)>,
    /// Where to, and the share of the source's rank.
    targets: Vec<(u32, f32)>,
}

impl Graph {
    fn new(files: &[&SourceFile], index: &ImportIndex) -> Graph {
        let resolver = Resolver::new(files, index);
        let mut graph = Graph {
            nodes: resolver.nodes.clone(),
            count: resolver.nodes.len() + files.len(),
            ..Graph::default()
        };
        for (at, file) in files.iter().enumerate() {
            if role::of(&file.path) == Role::Source && graph.targets.len() < EDGES_CAP {
                graph.file_add(&resolver, at);
            }
        }
        graph
    }

    /// Adds the references of one file.
    fn file_add(&mut self, resolver: &Resolver<'_>, at: usize) {
        let file = resolver.files[at];
        let own = resolver.own(at);
        let around =
            EnclosingDefinitions::new(file, &self.nodes[own.start as usize..own.end as usize]);
        let of_file = (self.nodes.len() + at) as u32;
        let mut counts: FxHashMap<(u32, u32), f64> = FxHashMap::default();
        let mut used: FxHashSet<u32> = FxHashSet::default();
        let mut targets: Vec<u32> = Vec::new();
        let sight = resolver.sight(at);
        for reference in file.facts.references.iter().filter(|one| !one.test) {
            let mut before = None;
            let mut parts = reference.path.split('.').peekable();
            while let Some(name) = parts.next() {
                let kind = match parts.peek() {
                    None => reference.kind,
                    Some(_) => ReferenceKind::Name,
                };
                let mention = Mention { name, before, kind };
                before = Some(name);
                resolver.resolve(at, mention, &sight, &mut targets);
                let share = 1.0 / targets.len().max(1) as f64;
                for target in &targets {
                    if !own.contains(target) {
                        used.insert(*target);
                    }
                    for line in reference.lines() {
                        let from = around.line(line).map_or(of_file, |node| own.start + node);
                        if from != *target {
                            *counts.entry((from, *target)).or_default() += share;
                        }
                    }
                }
            }
        }
        for target in used {
            self.nodes[target as usize].used_in += 1;
        }
        let mut edges: Vec<(u32, u32, f64)> = counts
            .into_iter()
            .map(|((from, to), count)| {
                let exported = resolver.definition(to).is_some_and(|one| one.exported);
                let weight = if exported { 1.0 } else { PRIVATE_WEIGHT };
                (from, to, count.sqrt() * weight)
            })
            .collect();
        edges.sort_unstable_by_key(|(from, to, _)| (*from, *to));
        for edges in edges.chunk_by(|a, b| a.0 == b.0) {
            let sum: f64 = edges.iter().map(|(_, _, weight)| weight).sum();
            self.sources.push((edges[0].0, edges.len() as u32));
            let shares = edges
                .iter()
                .map(|(_, to, weight)| (*to, (weight / sum) as f32));
            self.targets.extend(shares);
        }
    }

    /// The rank of each definition.
    fn ranks(&self) -> Vec<f64> {
        let nodes = self.nodes.len();
        if nodes == 0 {
            return Vec::new();
        }
        let each = 1.0 / self.count as f64;
        let mut ranks = vec![each; self.count];
        let mut next = vec![0.0; self.count];
        for _ in 0..ROUNDS_CAP {
            next.fill(0.0);
            let mut passed_on = 0.0;
            let mut targets = self.targets.iter();
            for (source, count) in &self.sources {
                let rank = ranks[*source as usize];
                passed_on += rank;
                for (target, share) in targets.by_ref().take(*count as usize) {
                    next[*target as usize] += rank * f64::from(*share);
                }
            }
            // What refers to nothing leads anywhere.
            let total: f64 = ranks.iter().sum();
            let anywhere = (1.0 - DAMPING + DAMPING * (total - passed_on)) * each;
            let mut change = 0.0;
            for (rank, next) in ranks.iter_mut().zip(&next) {
                let settled = anywhere + DAMPING * next;
                change += (settled - *rank).abs();
                *rank = settled;
            }
            if change < SETTLED {
                break;
            }
        }
        ranks.truncate(nodes);
        let sum: f64 = ranks.iter().sum();
        for rank in &mut ranks {
            *rank /= sum;
        }
        ranks
    }
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

/// For each line of a file the innermost definition around it.
struct EnclosingDefinitions {
    /// By line, one more than the node's place among the file's; 0 for none.
    lines: Vec<u32>,
}

impl EnclosingDefinitions {
    fn new(file: &SourceFile, nodes: &[Node]) -> EnclosingDefinitions {
        let mut lines = vec![0u32; file.facts.lines.total() as usize + 1];
        // Definitions come in the order of the source, so what is within comes after what is around.
        for (place, node) in (1u32..).zip(nodes) {
            let Some(definition) = file.facts.definitions.get(node.definition as usize) else {
                continue;
            };
            let last = (definition.end_line as usize + 1).min(lines.len());
            if let Some(span) = lines.get_mut(definition.start_line as usize..last) {
                span.fill(place);
            }
        }
        EnclosingDefinitions { lines }
    }

    fn line(&self, line: u32) -> Option<u32> {
        self.lines.get(line as usize)?.checked_sub(1)
    }
}

/// The map of an analysed project as text for a model, of at most `budget` tokens, a token counted as [`TOKEN_BYTES`]
/// bytes: its files in the order of their best definitions, and below each its definitions in the order of the source.
/// As many of the highest ranked definitions as fit, in whole lines; nothing where not even one fits.
#[must_use]
pub fn repository_map(ranked: &[RankedDefinition], budget: usize) -> String {
    let bytes = budget.saturating_mul(TOKEN_BYTES);
    // More definitions never make a shorter text.
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
