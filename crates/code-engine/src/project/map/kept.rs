//! The edges of each file, kept between runs.
//!
//! A file's edges depend on its own content, on what it imports, and on the nodes with the names that it mentions. So
//! they stay true while the file is unchanged, the imports between all files are the same, and none of those names is
//! defined anew, moved within its file or removed. Names are compared by 16 bits of a hash: two names with the same
//! bits only cost following a file's references once more.
//!
//! Everything is one list of numbers of 32 bits, because most of it is copied from run to run.

use super::super::super::blob::sum;
use super::super::super::facts::DefinitionKind;
use super::super::words::{self, list_read, list_write, long_read, long_write, number_read};
use super::graph::FileEdges;
use super::resolve::Resolver;

/// The source of edges outside of definitions: the file itself.
const FILE: u32 = u32::MAX;

/// No node: it was changed or removed.
pub(super) const GONE: u32 = u32::MAX;

/// The words of a node: the hash of what others see of it, and the hashes of its name and of its parent's.
const NODE_WORDS: usize = 3;

/// If more names changed, all references are followed: nearly every file mentions one of them.
const NAMES_CAP: usize = 256;

/// The edges are stored again if more than one file in so many was followed anew.
const FOLLOWED_SHARE: usize = 16;

/// The edges of every file, as they are stored.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct KeptEdges {
    words: Vec<u32>,
}

impl KeptEdges {
    /// Decodes the result of [`bytes`](Self::bytes).
    pub fn read(bytes: &[u8]) -> Option<KeptEdges> {
        words::from_bytes(bytes).map(|words| KeptEdges { words })
    }

    /// Encodes the edges.
    pub fn bytes(&self) -> Vec<u8> {
        words::to_bytes(&self.words)
    }

    /// The edges of a run: the index of each file that has some, in order, and its edges.
    pub(super) fn new(resolver: &Resolver<'_>, edges: &[(usize, FileEdges)]) -> KeptEdges {
        let mut words = Vec::new();
        long_write(resolver.index().key(resolver.files), &mut words);
        words.push(resolver.files.len() as u32);
        let mut edges = edges.iter().peekable();
        let nothing = FileEdges::default();
        for (at, file) in resolver.files.iter().enumerate() {
            let of_file = match edges.next_if(|(other, _)| *other == at) {
                Some((_, edges)) => edges,
                None => &nothing,
            };
            long_write(file.content_key(), &mut words);
            long_write(resolver.index().key_of(at as u32), &mut words);
            let own = resolver.own(at);
            list_write(&mut words, |words| nodes_write(resolver, at, words));
            list_write(&mut words, |words| {
                for (from, count) in &of_file.sources {
                    words.push(if own.contains(from) {
                        from - own.start
                    } else {
                        FILE
                    });
                    words.push(*count);
                }
            });
            list_write(&mut words, |words| {
                for (to, share) in &of_file.targets {
                    words.extend([*to, share.to_bits()]);
                }
            });
            list_write(&mut words, |words| words.extend(&of_file.used));
            list_write(&mut words, |words| {
                let pairs = of_file.mentions.chunks(2);
                words.extend(pairs.map(|pair| {
                    // The last of an odd number stands twice.
                    u32::from(pair[0]) | u32::from(*pair.last().unwrap_or(&pair[0])) << 16
                }));
            });
        }
        KeptEdges { words }
    }
}

/// The edges of the previous run, in the numbers of the nodes of this run.
pub(super) struct EarlierEdges<'k> {
    files: Vec<EarlierFile<'k>>,
    /// For each node of the previous run, its number in this one, or [`GONE`].
    nodes: Vec<u32>,
    /// The hashes of the names whose nodes changed, sorted.
    names: Vec<u16>,
}

/// What is stored of a file.
struct EarlierFile<'k> {
    content: u64,
    imports: u64,
    nodes: &'k [u32],
    sources: &'k [u32],
    targets: &'k [u32],
    used: &'k [u32],
    mentions: &'k [u32],
}

impl<'k> EarlierEdges<'k> {
    /// `None` if the imports are others, too many names changed, or the edges are damaged.
    pub fn new(kept: &'k KeptEdges, resolver: &Resolver<'_>) -> Option<EarlierEdges<'k>> {
        let mut rest = kept.words.as_slice();
        let is_same = long_read(&mut rest)? == resolver.index().key(resolver.files)
            && number_read(&mut rest)? as usize == resolver.files.len();
        if !is_same {
            return None;
        }
        let mut files = Vec::with_capacity(resolver.files.len());
        for _ in resolver.files {
            files.push(EarlierFile {
                content: long_read(&mut rest)?,
                imports: long_read(&mut rest)?,
                nodes: list_read(&mut rest)?,
                sources: list_read(&mut rest)?,
                targets: list_read(&mut rest)?,
                used: list_read(&mut rest)?,
                mentions: list_read(&mut rest)?,
            });
        }
        let mut earlier = EarlierEdges {
            files,
            nodes: Vec::new(),
            names: Vec::new(),
        };
        earlier.compare(resolver)?;
        Some(earlier)
    }

    /// Numbers the nodes and collects the changed names.
    fn compare(&mut self, resolver: &Resolver<'_>) -> Option<()> {
        let mut own = Vec::new();
        for (at, (file, earlier)) in resolver.files.iter().zip(&self.files).enumerate() {
            let (new, old) = (resolver.own(at), earlier.nodes.len() / NODE_WORDS);
            if file.content_key() == earlier.content {
                if old != new.len() {
                    return None;
                }
                self.nodes.extend(new);
                continue;
            }
            own.clear();
            nodes_write(resolver, at, &mut own);
            let (old, new_nodes): (Vec<&[u32]>, Vec<&[u32]>) = (
                earlier.nodes.chunks_exact(NODE_WORDS).collect(),
                own.chunks_exact(NODE_WORDS).collect(),
            );
            // Nodes keep their order, so that sums over them are made in the same order.
            let same = |(a, b): &(&&[u32], &&[u32])| a == b;
            let before = old.iter().zip(&new_nodes).take_while(same).count();
            let (old_rest, new_rest) = (&old[before..], &new_nodes[before..]);
            let pairs = old_rest.iter().rev().zip(new_rest.iter().rev());
            let after = pairs.take_while(same).count();
            let changed = old_rest.len() - after;
            self.nodes.extend((new.start..).take(before));
            self.nodes.extend((0..changed).map(|_| GONE));
            self.nodes.extend(new.end - after as u32..new.end);
            let changed = old_rest[..changed].iter();
            let changed = changed.chain(&new_rest[..new_rest.len() - after]);
            for node in changed {
                self.names.extend(halves(node[2]));
            }
        }
        self.names.sort_unstable();
        self.names.dedup();
        (self.names.len() <= NAMES_CAP).then_some(())
    }

    /// The edges of a file, if they are still true.
    pub fn of(&self, resolver: &Resolver<'_>, at: usize) -> Option<FileEdges> {
        let (file, earlier) = (resolver.files.get(at)?, self.files.get(at)?);
        let is_same = file.content_key() == earlier.content
            && resolver.index().key_of(at as u32) == earlier.imports;
        if !is_same || self.mentions_changed(earlier.mentions) {
            return None;
        }
        let node = |node: &u32| self.nodes.get(*node as usize).copied();
        let node = |old: &u32| node(old).filter(|new| *new != GONE);
        let own = resolver.own(at);
        let sources = earlier.sources.chunks_exact(2).map(|pair| {
            let from = match pair[0] {
                FILE => resolver.node_of_file(at),
                from => own.start.checked_add(from).filter(|from| *from < own.end)?,
            };
            Some((from, pair[1]))
        });
        let targets = earlier.targets.chunks_exact(2);
        let targets = targets.map(|pair| Some((node(&pair[0])?, f32::from_bits(pair[1]))));
        let sources: Vec<(u32, u32)> = sources.collect::<Option<_>>()?;
        let targets: Vec<(u32, f32)> = targets.collect::<Option<_>>()?;
        let used = earlier.used.iter().map(node).collect::<Option<_>>()?;
        let count: u64 = sources.iter().map(|(_, count)| u64::from(*count)).sum();
        (count == targets.len() as u64).then(|| FileEdges {
            sources,
            targets,
            used,
            mentions: earlier
                .mentions
                .iter()
                .flat_map(|word| halves(*word))
                .collect(),
        })
    }

    /// Whether one of these hashes, which are sorted, is that of a changed name.
    fn mentions_changed(&self, mentions: &[u32]) -> bool {
        self.names.iter().any(|name| {
            let after = mentions.partition_point(|word| halves(*word)[1] < *name);
            let word = mentions.get(after).map(|word| halves(*word));
            word.is_some_and(|pair| pair.contains(name))
        })
    }
}

/// Whether so many of the files were followed anew that their edges are worth storing.
pub(super) fn is_worth_storing(followed: usize, files: usize) -> bool {
    followed * FOLLOWED_SHARE > files
}

/// The 16 bits by which a name is compared.
pub(super) fn name_key(name: &str) -> u16 {
    (sum(name.as_bytes()) >> 48) as u16
}

/// Writes what other files see of the nodes of a file.
fn nodes_write(resolver: &Resolver<'_>, at: usize, words: &mut Vec<u32>) {
    for node in resolver.own(at) {
        let Some(definition) = resolver.definition(node) else {
            continue;
        };
        let parent = definition.parent.as_deref();
        let traits = [
            kind_number(definition.kind),
            u8::from(definition.exported),
            u8::from(parent.is_some()),
            u8::from(resolver.is_of_module(node)),
        ];
        let mut text = Vec::from(traits);
        text.extend_from_slice(definition.name.as_bytes());
        text.push(0);
        text.extend_from_slice(parent.unwrap_or_default().as_bytes());
        long_write(sum(&text), words);
        let name = name_key(&definition.name);
        let parent = parent.map_or(name, name_key);
        words.push(u32::from(name) | u32::from(parent) << 16);
    }
}

fn kind_number(kind: DefinitionKind) -> u8 {
    kind as u8
}

fn halves(word: u32) -> [u16; 2] {
    [word as u16, (word >> 16) as u16]
}
