//! The resolved imports of each file, kept between runs.
//!
//! What an import resolves to depends on the paths and languages of all files, on the manifests, and on the content of
//! the file itself. Only in Rust, and in the languages whose imports name packages that files declare, it depends on
//! the contents of other files too: the imports of all files of such a group are resolved again if one of them changed.

use super::super::super::blob::sum;
use super::super::words::{self, list_read, list_write, long_read, long_write, number_read};
use super::{FileImports, ImportEdge, ImportKind, Manifest, SourceFile};
use crate::language::Language;

/// The imports are stored again if more than one file in so many was resolved anew.
const RESOLVED_SHARE: usize = 16;

/// The words of an edge.
const EDGE_WORDS: usize = 3;

/// The imports of every file, as they are stored.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct KeptImports {
    words: Vec<u32>,
}

impl KeptImports {
    /// Decodes the result of [`bytes`](Self::bytes).
    pub fn read(bytes: &[u8]) -> Option<KeptImports> {
        words::from_bytes(bytes).map(|words| KeptImports { words })
    }

    /// Encodes the imports.
    pub fn bytes(&self) -> Vec<u8> {
        words::to_bytes(&self.words)
    }

    /// The imports of a run.
    pub(super) fn new(
        files: &[&SourceFile],
        manifests: &[Manifest],
        imports: &[FileImports],
    ) -> KeptImports {
        let mut words = Vec::new();
        long_write(key(files, manifests), &mut words);
        for (file, imports) in files.iter().zip(imports) {
            long_write(file.content_key(), &mut words);
            words.push(imports.missing);
            list_write(&mut words, |words| words.extend(&imports.texts));
            list_write(&mut words, |words| {
                for edge in &imports.edges {
                    words.extend([edge.to, edge.line, edge.kind as u32]);
                }
            });
        }
        KeptImports { words }
    }
}

/// The imports of an earlier run with the same paths and manifests.
pub(super) struct EarlierImports<'k> {
    /// By the index of the file; `None` if it changed, or if its imports depend on a file that changed.
    files: Vec<Option<EarlierFile<'k>>>,
}

struct EarlierFile<'k> {
    missing: u32,
    texts: &'k [u32],
    edges: &'k [u32],
}

impl<'k> EarlierImports<'k> {
    /// `None` if the paths or manifests are others, or the imports are damaged.
    pub fn new(
        kept: &'k KeptImports,
        files: &[&SourceFile],
        manifests: &[Manifest],
    ) -> Option<EarlierImports<'k>> {
        let mut rest = kept.words.as_slice();
        if long_read(&mut rest)? != key(files, manifests) {
            return None;
        }
        let mut earlier = Vec::with_capacity(files.len());
        let mut changed: Vec<Language> = Vec::new();
        for file in files {
            let content = long_read(&mut rest)?;
            let found = EarlierFile {
                missing: number_read(&mut rest)?,
                texts: list_read(&mut rest)?,
                edges: list_read(&mut rest)?,
            };
            let is_same = content == file.content_key();
            if !is_same && !changed.contains(&group(file.language)) {
                changed.push(group(file.language));
            }
            earlier.push(is_same.then_some(found));
        }
        for (file, earlier) in files.iter().zip(&mut earlier) {
            let group = group(file.language);
            if is_joint(group) && changed.contains(&group) {
                *earlier = None;
            }
        }
        Some(EarlierImports { files: earlier })
    }

    /// The imports of a file, if they are still true.
    pub fn of(&self, at: usize) -> Option<FileImports> {
        let earlier = self.files.get(at)?.as_ref()?;
        let edges = earlier.edges.chunks_exact(EDGE_WORDS).map(|edge| {
            let kind = KINDS.into_iter().find(|kind| *kind as u32 == edge[2])?;
            let (to, line) = (edge[0], edge[1]);
            let is_file = (to as usize) < self.files.len();
            is_file.then_some(ImportEdge { to, line, kind })
        });
        Some(FileImports {
            edges: edges.collect::<Option<_>>()?,
            texts: earlier.texts.to_vec(),
            missing: earlier.missing,
        })
    }
}

const KINDS: [ImportKind; 5] = [
    ImportKind::Loaded,
    ImportKind::PassedOn,
    ImportKind::Deferred,
    ImportKind::Types,
    ImportKind::Test,
];

/// Whether so many of the files were resolved anew that their imports are worth storing.
pub(super) fn is_worth_storing(resolved: usize, files: usize) -> bool {
    resolved * RESOLVED_SHARE > files
}

/// A key of the paths, languages and manifests.
fn key(files: &[&SourceFile], manifests: &[Manifest]) -> u64 {
    let mut sums: Vec<u8> = Vec::with_capacity(files.len() * 10 + manifests.len() * 16);
    for file in files {
        sums.extend(sum(file.path.as_bytes()).to_le_bytes());
        sums.extend(format!("{:?}", file.language).bytes());
    }
    for one in manifests {
        sums.extend(sum(one.path.as_bytes()).to_le_bytes());
        sums.extend(sum(one.text.as_bytes()).to_le_bytes());
    }
    sum(&sums)
}

/// The languages that import each other's files.
fn group(language: Language) -> Language {
    match language {
        Language::Kotlin | Language::Scala | Language::CSharp => Language::Java,
        other => other,
    }
}

/// Whether what the imports of a file resolve to depends on the contents of other files of its group.
fn is_joint(group: Language) -> bool {
    matches!(group, Language::Rust | Language::Java)
}
