//! Resolves the imports of each language to files of the project.
//!
//! Other modules use [`ImportIndex`]; [`import_graph`](super::import_graph) reports on it. Paths are numbered once,
//! and each import is resolved once.

mod constants;
mod cycles;
mod declared;
mod go;
mod jvm;
mod kept;
mod keys;
mod native;
mod parts;
mod python;
mod rust;
mod script;
mod scripting;
mod spans;
mod tree;

use rustc_hash::FxHashSet;

pub(crate) use constants::{ConstantUse, constant_uses};
pub(crate) use cycles::{Circle, components, shortest_circles};
pub(crate) use declared::declared_edges;
pub(crate) use kept::KeptImports;
pub(crate) use parts::{Parts, is_package, parts_find};

use super::manifest::Manifest;
use super::{EarlierResult, SourceFile};
use crate::facts::{Import, ImportStyle};
use crate::language::Language;
use kept::{EarlierImports, is_worth_storing};
use spans::Spans;
use tree::Tree;

/// The number of files between two checks whether to continue.
const CHECK_EVERY: usize = 4096;

/// How one file imports another. If it does so in several ways, the first in this order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ImportKind {
    /// When it is loaded, for its own use.
    Loaded,
    /// As a re-export: `pub use`, `export ... from`.
    PassedOn,
    /// When a function runs: an import in a function, `import("...")`.
    Deferred,
    /// For type checkers alone: `import type`, below `if TYPE_CHECKING`.
    Types,
    /// In test code inside the file.
    Test,
}

/// One file that another imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ImportEdge {
    /// The index of the imported file; [`ImportIndex::members`] returns the files that it represents.
    pub to: u32,
    /// The first line with an import of this `kind`, 1-based.
    pub line: u32,
    /// How it is imported.
    pub kind: ImportKind,
}

/// The imports between files, by the index of each file in the input. Files of tests and examples are included: the
/// caller decides by their roles.
///
/// In languages that import folders and not files (Go's packages, Swift's targets), the first file of a folder
/// represents the whole folder.
#[derive(Debug, Default)]
pub(crate) struct ImportIndex {
    edges: Vec<ImportEdge>,
    /// For each file, where its edges begin; one more at the end.
    starts: Vec<u32>,
    /// For each file, the unit that it belongs to; `u32::MAX` if it is a unit by itself.
    unit_of: Vec<u32>,
    units: Vec<Vec<u32>>,
    /// For each file, the number of its imports that look like the project's own but resolve to no file.
    missing: Vec<u32>,
    /// The files that others import as text (`?raw`), and none as code.
    texts: FxHashSet<u32>,
}

impl ImportIndex {
    /// The imported files, in the order of their paths, each once, without the file itself.
    pub(crate) fn imports(&self, file: u32) -> &[ImportEdge] {
        let at = |index: usize| self.starts.get(index).map_or(0, |at| *at as usize);
        let file = file as usize;
        self.edges.get(at(file)..at(file + 1)).unwrap_or(&[])
    }

    /// The files that an edge's `to` represents: all files of the imported unit, or that one file.
    pub(crate) fn members<'s>(&'s self, to: &'s u32) -> &'s [u32] {
        let unit = self.unit_of.get(*to as usize).copied().unwrap_or(u32::MAX);
        match self.units.get(unit as usize) {
            Some(files) => files,
            None => std::slice::from_ref(to),
        }
    }

    /// The file that represents the unit of this one: itself, if it is a unit by itself.
    pub(crate) fn unit(&self, file: u32) -> u32 {
        let unit = self.unit_of.get(file as usize).copied().unwrap_or(u32::MAX);
        let first = self
            .units
            .get(unit as usize)
            .and_then(|files| files.first());
        first.copied().unwrap_or(file)
    }

    /// The number of the file's imports that look like the project's own but resolve to no file.
    pub(crate) fn missing(&self, file: u32) -> u32 {
        self.missing.get(file as usize).copied().unwrap_or(0)
    }

    /// Whether the file is only imported as text: for the file that imports it, it is data.
    pub(crate) fn is_text(&self, file: u32) -> bool {
        self.texts.contains(&file)
    }

    /// Resolves the imports of files that are sorted by path, except those that an earlier run resolved. If imports are
    /// kept between runs, `kept` is what that run stored, and the second result replaces it. Calls `check` regularly.
    /// The time is linear in the number of imports.
    ///
    /// # Errors
    /// The error of `check`.
    pub(crate) fn build<E>(
        files: &[&SourceFile],
        manifests: &[Manifest],
        kept: EarlierResult<'_, KeptImports>,
        check: impl Fn() -> Result<(), E>,
    ) -> Result<(ImportIndex, Option<KeptImports>), E> {
        let tree = Tree::new(files);
        let mut resolvers = Resolvers::new(&tree, manifests);
        let mut index = ImportIndex {
            unit_of: vec![u32::MAX; files.len()],
            units: std::mem::take(&mut resolvers.units),
            ..ImportIndex::default()
        };
        for (unit, members) in index.units.iter().enumerate() {
            for member in members {
                index.unit_of[*member as usize] = u32::try_from(unit).unwrap_or(u32::MAX);
            }
        }
        let earlier = kept.flatten();
        let earlier = earlier.and_then(|kept| EarlierImports::new(kept, files, manifests));
        let mut resolved = 0;
        let mut all: Vec<FileImports> = Vec::new();
        for (at, file) in files.iter().enumerate() {
            if at % CHECK_EVERY == 0 && at > 0 {
                check()?;
            }
            let from = u32::try_from(at).unwrap_or(u32::MAX);
            index
                .starts
                .push(index.edges.len().try_into().unwrap_or(u32::MAX));
            let known = earlier.as_ref().and_then(|earlier| earlier.of(at));
            let found = known.unwrap_or_else(|| {
                resolved += 1;
                let mut found = resolvers.resolve(&tree, from, file);
                let own = index.unit(from);
                found.edges.retain(|edge| edge.to != from && edge.to != own);
                found
                    .edges
                    .sort_unstable_by_key(|edge| (edge.to, edge.kind, edge.line));
                found.edges.dedup_by_key(|edge| edge.to);
                found
            });
            index.missing.push(found.missing);
            index.texts.extend(&found.texts);
            index.edges.extend_from_slice(&found.edges);
            if kept.is_some() {
                all.push(found);
            }
        }
        index
            .starts
            .push(index.edges.len().try_into().unwrap_or(u32::MAX));
        for edge in &index.edges {
            index.texts.remove(&edge.to);
        }
        let is_worth_it = kept.is_some() && is_worth_storing(resolved, files.len());
        let kept = is_worth_it.then(|| KeptImports::new(files, manifests, &all));
        Ok((index, kept))
    }
}

/// What the imports of one file resolve to.
#[derive(Debug, Default)]
struct FileImports {
    edges: Vec<ImportEdge>,
    /// The files that it imports as text.
    texts: Vec<u32>,
    /// The number of imports that look like the project's own, but resolve to no file.
    missing: u32,
}

/// The result of resolving an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The import resolves to files of the project.
    Own,
    /// The import is of a library.
    Elsewhere,
    /// The import looks like the project's own, but resolves to no file.
    Missing,
}

struct Resolvers<'a> {
    rust: rust::Resolver<'a>,
    python: python::Resolver<'a>,
    script: script::Resolver<'a>,
    go: go::Resolver<'a>,
    swift: go::Targets<'a>,
    jvm: jvm::Resolver<'a>,
    native: native::Resolver<'a>,
    scripting: scripting::Resolver<'a>,
    units: Vec<Vec<u32>>,
}

impl<'a> Resolvers<'a> {
    fn new(tree: &Tree<'a>, manifests: &'a [Manifest]) -> Self {
        let mut units = Vec::new();
        Self {
            rust: rust::Resolver::new(tree, manifests),
            python: python::Resolver::new(tree, manifests),
            script: script::Resolver::new(tree, manifests),
            go: go::Resolver::new(tree, manifests, &mut units),
            swift: go::Targets::new(tree, &mut units),
            jvm: jvm::Resolver::new(tree),
            native: native::Resolver::new(tree),
            scripting: scripting::Resolver::new(tree, manifests),
            units,
        }
    }

    fn resolve(&self, tree: &Tree<'a>, from: u32, file: &'a SourceFile) -> FileImports {
        let functions = Spans::functions(file);
        let used = jvm::UsedNames::new(file);
        let mut found = FileImports::default();
        let mut to: Vec<u32> = Vec::new();
        for import in &file.facts.imports {
            to.clear();
            let verdict = self.import(tree, from, file, import, &mut to);
            found.missing += u32::from(verdict == Verdict::Missing);
            if script::is_text(&import.module) {
                found.texts.extend(&to);
                continue;
            }
            // An import for links in comments alone is no dependency.
            if !to.is_empty() && !used.contain(import) {
                continue;
            }
            let kind = kind_of(file.language, import, &functions);
            found.edges.extend(to.iter().map(|to| ImportEdge {
                to: *to,
                line: import.line,
                kind,
            }));
        }
        if file.language == Language::Rust {
            self.rust.paths_resolve(tree, from, file, &mut found.edges);
        }
        found
    }

    fn import(
        &self,
        tree: &Tree<'a>,
        from: u32,
        file: &'a SourceFile,
        import: &'a Import,
        to: &mut Vec<u32>,
    ) -> Verdict {
        use Language as L;
        match file.language {
            L::Rust => self.rust.resolve(tree, from, import, to),
            L::Python => self.python.resolve(tree, file, import, to),
            L::TypeScript | L::Tsx | L::JavaScript | L::Vue | L::Svelte => {
                self.script.resolve(tree, file, import, to)
            }
            L::Go => self.go.resolve(import, to),
            L::Swift => self.swift.resolve(import, to),
            L::Java | L::Kotlin | L::Scala | L::CSharp => self.jvm.resolve(tree, file, import, to),
            L::C | L::Cpp => self.native.resolve(tree, file, import, to),
            L::Ruby | L::Php | L::Shell => self.scripting.resolve(tree, file, import, to),
            _ => Verdict::Elsewhere,
        }
    }
}

fn kind_of(language: Language, import: &Import, functions: &Spans) -> ImportKind {
    // In compiled languages the position of an import makes no difference.
    let is_run = matches!(
        language.stack(),
        Language::Python
            | Language::TypeScript
            | Language::JavaScript
            | Language::Ruby
            | Language::Php
    );
    match import.style {
        _ if import.test => ImportKind::Test,
        ImportStyle::Types => ImportKind::Types,
        ImportStyle::Dynamic => ImportKind::Deferred,
        _ if is_run && functions.contain(import.line) => ImportKind::Deferred,
        ImportStyle::ReExport => ImportKind::PassedOn,
        _ => ImportKind::Loaded,
    }
}

/// The folder of a path; empty for files at the top.
pub(crate) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The last part of a path.
pub(crate) fn name_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The path relative to a folder, with `.` and `..` resolved. `None` if it leaves the project.
fn path_join(folder: &str, relative: &str) -> Option<String> {
    let mut joined = String::with_capacity(folder.len() + relative.len() + 1);
    joined.push_str(folder);
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." if joined.is_empty() => return None,
            ".." => joined.truncate(joined.rfind('/').unwrap_or(0)),
            part => {
                if !joined.is_empty() {
                    joined.push('/');
                }
                joined.push_str(part);
            }
        }
    }
    Some(joined)
}

/// Whether the path is below the folder; every path is below the empty one.
pub(crate) fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a folder ends with these parts: `src/a/b` with `a/b`.
pub(crate) fn ends_with_parts(folder: &str, parts: &str) -> bool {
    parts.is_empty()
        || folder
            .strip_suffix(parts)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

/// Of several files, the one whose path shares the longest prefix with `path`; the first of equals.
fn nearest(tree: &Tree<'_>, path: &str, candidates: &[u32]) -> Option<u32> {
    let common = |other: &str| {
        path.bytes()
            .zip(other.bytes())
            .take_while(|(a, b)| a == b)
            .count()
    };
    candidates
        .iter()
        .copied()
        .max_by_key(|file| (common(tree.path(*file)), std::cmp::Reverse(*file)))
}

#[cfg(test)]
mod tests;
