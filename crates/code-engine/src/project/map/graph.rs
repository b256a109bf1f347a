//! The graph of a project's definitions, and their ranks in it.

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::imports::ImportIndex;
use super::super::role::{self, Role};
use super::super::{EarlierResult, SourceFile};
use super::Node;
use super::kept::{EarlierEdges, KeptEdges, is_worth_storing, name_key};
use super::resolve::Resolver;

/// The probability that a reader follows a reference instead of opening a random definition, as in the paper.
const DAMPING: f64 = 0.85;

/// The iteration ends when the ranks change by less than this in total, or after the maximum number of rounds.
const SETTLED: f64 = 1e-6;
const ROUNDS_CAP: usize = 50;

/// The weight of a reference to a private definition: it is less informative about the project than one to an exported
/// definition.
const PRIVATE_WEIGHT: f64 = 0.3;

/// The maximum number of followed references, using 100 MB. Those of the first files by path are followed.
const EDGES_CAP: usize = 8 << 20;

/// The number of files whose references are followed in parallel before they are added.
const CHUNK: usize = 1024;

/// The definitions, and the references between them.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    /// The number of ranked items: definitions and files.
    count: usize,
    /// Each source with the number of its targets, in the order of `targets`.
    sources: Vec<(u32, u32)>,
    /// Each target with its share of the source's rank.
    targets: Vec<(u32, f32)>,
}

/// The edges of one file.
#[derive(Debug, Default)]
pub(super) struct FileEdges {
    /// As in [`Graph`].
    pub(super) sources: Vec<(u32, u32)>,
    pub(super) targets: Vec<(u32, f32)>,
    /// The definitions of other files that it refers to, each once.
    pub(super) used: Vec<u32>,
    /// The hashes of the names that it mentions, sorted, if the edges are kept.
    pub(super) mentions: Vec<u16>,
}

impl FileEdges {
    /// Follows the references of the file at `at`.
    fn new(resolver: &Resolver<'_>, at: usize, is_kept: bool) -> FileEdges {
        let mut found = FileEdges::default();
        if is_kept {
            found.mentions = mentions(resolver, at);
        }
        let file = resolver.files[at];
        let own = resolver.own(at);
        let around =
            EnclosingDefinitions::new(file, &resolver.nodes[own.start as usize..own.end as usize]);
        let of_file = resolver.node_of_file(at);
        let mut counts: FxHashMap<(u32, u32), f64> = FxHashMap::default();
        let mut targets: Vec<u32> = Vec::new();
        let mut used: FxHashSet<u32> = FxHashSet::default();
        let parts = resolver.parts(at);
        let sight = resolver.sight(at, &parts);
        for part in parts.iter().filter(|part| !part.reference.test) {
            resolver.resolve(at, part, &sight, &mut targets);
            if part.mention.before.is_none() && part.reference.local {
                // A variable hides what other files define. In its own file the definition may be the local one.
                targets.retain(|target| own.contains(target));
            }
            let share = 1.0 / targets.len().max(1) as f64;
            for target in &targets {
                if !own.contains(target) {
                    used.insert(*target);
                }
                for line in part.reference.lines() {
                    let from = around.line(line).map_or(of_file, |node| own.start + node);
                    if from != *target {
                        *counts.entry((from, *target)).or_default() += share;
                    }
                }
            }
        }
        found.used = used.into_iter().collect();
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
            found.sources.push((edges[0].0, edges.len() as u32));
            let shares = edges
                .iter()
                .map(|(_, to, weight)| (*to, (weight / sum) as f32));
            found.targets.extend(shares);
        }
        found
    }
}

impl Graph {
    /// Follows the references of all files, except where the edges of an earlier run are still true. The second result
    /// are the edges to be stored in their place.
    pub(super) fn new(
        files: &[&SourceFile],
        index: &ImportIndex,
        kept: EarlierResult<'_, KeptEdges>,
    ) -> (Graph, Option<KeptEdges>) {
        let resolver = Resolver::new(files, index);
        let mut graph = Graph {
            nodes: resolver.nodes.clone(),
            count: resolver.nodes.len() + files.len(),
            ..Graph::default()
        };
        let earlier = kept.flatten();
        let earlier = earlier.and_then(|kept| EarlierEdges::new(kept, &resolver));
        let follow = |at: usize| {
            let known = earlier.as_ref()?.of(&resolver, at);
            Some((known?, false))
        };
        let follow = |at: usize| {
            follow(at).unwrap_or_else(|| (FileEdges::new(&resolver, at, kept.is_some()), true))
        };
        let sources = files.iter().enumerate();
        let sources = sources.filter(|(_, file)| role::of(&file.path) == Role::Source);
        let sources: Vec<usize> = sources.map(|(at, _)| at).collect();
        let mut followed = 0;
        let mut all: Vec<(usize, FileEdges)> = Vec::new();
        for chunk in sources.chunks(CHUNK) {
            let found = chunk.par_iter().map(|at| follow(*at));
            let found: Vec<(FileEdges, bool)> = found.collect();
            for (at, (edges, is_new)) in chunk.iter().zip(found) {
                if graph.targets.len() >= EDGES_CAP {
                    return (graph, None);
                }
                graph.add(&edges);
                followed += usize::from(is_new);
                if kept.is_some() {
                    all.push((*at, edges));
                }
            }
        }
        let is_worth_it = kept.is_some() && is_worth_storing(followed, sources.len());
        let kept = is_worth_it.then(|| KeptEdges::new(&resolver, &all));
        (graph, kept)
    }

    fn add(&mut self, edges: &FileEdges) {
        for target in &edges.used {
            self.nodes[*target as usize].used_in += 1;
        }
        self.sources.extend_from_slice(&edges.sources);
        self.targets.extend_from_slice(&edges.targets);
    }

    /// The rank of each definition.
    pub(super) fn ranks(&self) -> Vec<f64> {
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
            // The rank of items without references is distributed over all items.
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

/// The hashes of the names that the file at `at` mentions, and of those that its definitions are in.
fn mentions(resolver: &Resolver<'_>, at: usize) -> Vec<u16> {
    let facts = &resolver.files[at].facts;
    let names = facts.references.iter();
    let names = names.flat_map(|reference| reference.path.split('.'));
    let parents = facts.definitions.iter();
    let parents = parents.filter_map(|one| one.parent.as_deref());
    let mut mentions: Vec<u16> = names.chain(parents).map(name_key).collect();
    mentions.sort_unstable();
    mentions.dedup();
    mentions
}

/// The innermost definition at each line of a file.
struct EnclosingDefinitions {
    /// By line, one plus the definition's index among the nodes of the file; 0 for none.
    lines: Vec<u32>,
}

impl EnclosingDefinitions {
    fn new(file: &SourceFile, nodes: &[Node]) -> EnclosingDefinitions {
        let mut lines = vec![0u32; file.facts.lines.total() as usize + 1];
        // Definitions are in the order of the source, so inner ones come after outer ones and overwrite them.
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
