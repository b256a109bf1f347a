//! Rust: `crate::`, `super::` and `self::` paths, child modules, and workspace crates by name. A re-exported name
//! resolves to its definition.

use std::cell::RefCell;

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::SourceFile;
use super::super::manifest::Manifest;
use super::{ImportEdge, ImportKind, Tree, Verdict, folder_of, name_of, path_join};
use crate::facts::{DefinitionKind, Import, ImportStyle};
use crate::language::Language;

/// The maximum number of re-exports that are followed for a name.
const HOPS_MAX: u32 = 4;

/// The maximum number of wildcard re-exports per file that are searched for a name.
const WILDCARDS_MAX: usize = 16;

/// The maximum depth of a module path.
const DEPTH_MAX: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Resolver<'a> {
    /// Folders of crate roots, each with its root file if that is known.
    roots: FxHashMap<String, Option<u32>>,
    /// Root files of crates.
    root_files: FxHashSet<u32>,
    /// The root files of the workspace's libraries, by their names in code.
    libraries: FxHashMap<String, u32>,
    passed: RefCell<FxHashMap<u32, ModuleNames<'a>>>,
}

/// The names in a module: its own definitions, and its imports.
#[derive(Debug, Default)]
struct ModuleNames<'a> {
    defined: FxHashSet<&'a str>,
    /// For each name, its import with the rest of the path.
    imported: FxHashMap<&'a str, (&'a Import, &'a str)>,
    wildcards: Vec<&'a Import>,
}

/// A position in the module tree of a crate.
struct Place<'a> {
    root: &'a str,
    module: Vec<&'a str>,
}

/// Where a path is written, and how many re-exports were followed to get there.
#[derive(Debug, Clone, Copy)]
struct PathOrigin {
    file: u32,
    line: u32,
    hops: u32,
}

impl PathOrigin {
    fn new(file: u32, line: u32) -> PathOrigin {
        PathOrigin {
            file,
            line,
            hops: 0,
        }
    }
}

impl<'a> Resolver<'a> {
    pub(super) fn new(tree: &Tree<'a>, manifests: &[Manifest]) -> Self {
        let mut resolver = Self::default();
        if tree.of_languages(&[Language::Rust]).next().is_none() {
            return resolver;
        }
        for manifest in manifests
            .iter()
            .filter(|one| name_of(&one.path) == "Cargo.toml")
        {
            resolver.package(tree, manifest);
        }
        for (at, file) in tree.of_languages(&[Language::Rust]) {
            let (folder, name) = (folder_of(&file.path), name_of(&file.path));
            match name {
                "lib.rs" if !resolver.roots.contains_key(folder) => resolver.root(folder, at),
                "main.rs" if is_target_folder(folder) => resolver.root(folder, at),
                _ if is_target_folder(&file.path) => {
                    resolver.root_files.insert(at);
                    resolver.roots.entry(folder.to_owned()).or_insert(None);
                }
                _ => {}
            }
        }
        resolver
    }

    fn root(&mut self, folder: &str, file: u32) {
        self.root_files.insert(file);
        self.roots
            .entry(folder.to_owned())
            .or_insert(None)
            .get_or_insert(file);
    }

    fn package(&mut self, tree: &Tree<'_>, manifest: &Manifest) {
        let Ok(table) = manifest.text.parse::<toml::Table>() else {
            return;
        };
        let Some(name) = table
            .get("package")
            .and_then(|package| package.get("name")?.as_str())
        else {
            return;
        };
        let folder = folder_of(&manifest.path);
        let library = table.get("lib");
        let text = |key: &str| library.and_then(|library| library.get(key)?.as_str());
        let path = text("path").unwrap_or("src/lib.rs");
        if let Some(file) = path_join(folder, path).and_then(|path| tree.file(&path)) {
            let name = text("name").map_or_else(|| name.replace('-', "_"), str::to_owned);
            self.root(folder_of(tree.path(file)), file);
            self.libraries.entry(name).or_insert(file);
        }
        let targets = ["bin", "test", "example", "bench"];
        let targets = targets
            .iter()
            .filter_map(|kind| table.get(*kind)?.as_array())
            .flatten();
        let named = targets.filter_map(|target| target.get("path")?.as_str());
        for path in named.chain(["src/main.rs", "build.rs"]) {
            if let Some(file) = path_join(folder, path).and_then(|path| tree.file(&path)) {
                self.root(folder_of(tree.path(file)), file);
            }
        }
    }

    pub(super) fn resolve(
        &self,
        tree: &Tree<'a>,
        from: u32,
        import: &'a Import,
        to: &mut Vec<u32>,
    ) -> Verdict {
        let mut verdict = Verdict::Elsewhere;
        for path in paths_of(&import.module, &import.names) {
            match self.path_resolve(tree, PathOrigin::new(from, import.line), &path) {
                Ok(file) => {
                    to.push(file);
                    if verdict == Verdict::Elsewhere {
                        verdict = Verdict::Own;
                    }
                }
                Err(Verdict::Missing) => verdict = Verdict::Missing,
                Err(_) => {}
            }
        }
        verdict
    }

    /// Resolves full paths at the place of their use: `crate::a::b()`.
    pub(super) fn paths_resolve(
        &self,
        tree: &Tree<'a>,
        from: u32,
        file: &SourceFile,
        edges: &mut Vec<ImportEdge>,
    ) {
        for reference in file.facts.references.iter() {
            if !(reference.path.starts_with("crate.") || reference.path.starts_with("super.")) {
                continue;
            }
            let path: Vec<&str> = reference.path.split('.').collect();
            let line = reference.line();
            if let Ok(to) = self.path_resolve(tree, PathOrigin::new(from, line), &path) {
                let kind = if reference.test {
                    ImportKind::Test
                } else {
                    ImportKind::Loaded
                };
                edges.push(ImportEdge { to, line, kind });
            }
        }
    }

    /// The file that a path leads to from its origin, or the verdict if there is none.
    fn path_resolve(
        &self,
        tree: &Tree<'a>,
        from: PathOrigin,
        path: &[&str],
    ) -> Result<u32, Verdict> {
        let place = self.place(tree, from.file);
        let root_file = self.root_file(place.root, from.file);
        let first = path.first().copied().unwrap_or_default();
        let mut module = place.module;
        match first {
            "crate" | "$crate" => {
                self.follow(tree, place.root, root_file, &[], &path[1..], from.hops)
            }
            "self" | "super" => {
                if let Some(file) = tree.files.get(from.file as usize) {
                    module.extend(modules_around(file, from.line));
                }
                let ups = path.iter().take_while(|part| **part == "super").count();
                module.truncate(module.len().saturating_sub(ups));
                self.follow(
                    tree,
                    place.root,
                    root_file,
                    &module,
                    &path[ups.max(1)..],
                    from.hops,
                )
            }
            _ if module_file(tree, place.root, &[module.as_slice(), &[first]].concat())
                .is_some() =>
            {
                self.follow(tree, place.root, root_file, &module, path, from.hops)
            }
            _ => {
                let library = *self.libraries.get(first).ok_or(Verdict::Elsewhere)?;
                let root = folder_of(tree.path(library));
                self.follow(tree, root, Some(library), &[], &path[1..], from.hops)
            }
        }
    }

    /// The file that a path below a root leads to: the definition of its first name that is not a module, following
    /// re-exports.
    fn follow(
        &self,
        tree: &Tree<'a>,
        root: &str,
        root_file: Option<u32>,
        module: &[&str],
        rest: &[&str],
        hops: u32,
    ) -> Result<u32, Verdict> {
        let path: Vec<&str> = module.iter().chain(rest).copied().take(DEPTH_MAX).collect();
        let found = (1..=path.len())
            .rev()
            .find_map(|depth| Some((module_file(tree, root, &path[..depth])?, depth)));
        let (file, depth) = match (found, root_file) {
            (Some(found), _) => found,
            (None, Some(file)) => (file, 0),
            (None, None) => return Err(Verdict::Missing),
        };
        // A module with its body in another file has no re-exports that are known here.
        if hops >= HOPS_MAX || depth < module.len() {
            return Ok(file);
        }
        let Some((name, after)) = path.get(depth..).and_then(<[_]>::split_first) else {
            return Ok(file);
        };
        Ok(self
            .passed_on(tree, file, name, after, hops)
            .unwrap_or(file))
    }

    /// The file that a module imports a name from.
    fn passed_on(
        &self,
        tree: &Tree<'a>,
        file: u32,
        name: &str,
        after: &[&str],
        hops: u32,
    ) -> Option<u32> {
        let (import, wildcards) = {
            let mut cache = self.passed.borrow_mut();
            let passed = cache
                .entry(file)
                .or_insert_with(|| ModuleNames::new(tree, file));
            if passed.defined.contains(name) {
                return None;
            }
            let import = passed.imported.get(name).copied();
            let wildcards: Vec<&Import> = passed
                .wildcards
                .iter()
                .take(WILDCARDS_MAX)
                .copied()
                .collect();
            (import, wildcards)
        };
        let from = |import: &Import| PathOrigin {
            file,
            line: import.line,
            hops: hops + 1,
        };
        if let Some((import, inside)) = import {
            let mut path = paths_of(&import.module, inside).next()?;
            path.extend(after);
            return self.path_resolve(tree, from(import), &path).ok();
        }
        wildcards.into_iter().find_map(|import| {
            let path = paths_of(&import.module, "").next()?;
            let found = self.path_resolve(tree, from(import), &path).ok()?;
            let mut cache = self.passed.borrow_mut();
            let passed = cache
                .entry(found)
                .or_insert_with(|| ModuleNames::new(tree, found));
            passed.defined.contains(name).then_some(found)
        })
    }

    fn root_file(&self, root: &str, from: u32) -> Option<u32> {
        if self.root_files.contains(&from) {
            return Some(from);
        }
        self.roots.get(root).copied().flatten()
    }

    fn place(&self, tree: &Tree<'a>, file: u32) -> Place<'a> {
        let path = tree.path(file);
        let mut root = folder_of(path);
        while !root.is_empty() && !self.roots.contains_key(root) {
            root = folder_of(root);
        }
        let module = if self.root_files.contains(&file) {
            Vec::new()
        } else {
            let below = path
                .get(root.len()..)
                .unwrap_or_default()
                .trim_start_matches('/');
            let below = below.strip_suffix(".rs").unwrap_or(below);
            let below = below.strip_suffix("/mod").unwrap_or(below);
            below.split('/').collect()
        };
        Place { root, module }
    }
}

impl<'a> ModuleNames<'a> {
    fn new(tree: &Tree<'a>, file: u32) -> ModuleNames<'a> {
        let mut passed = ModuleNames::default();
        let Some(file) = tree.files.get(file as usize) else {
            return passed;
        };
        let definitions = file
            .facts
            .definitions
            .iter()
            .filter(|one| one.parent.is_none());
        passed
            .defined
            .extend(definitions.map(|one| one.name.as_str()));
        for import in file.facts.imports.iter().filter(|import| !import.test) {
            if import.style == ImportStyle::Wildcard
                || (import.style == ImportStyle::ReExport && import.names.is_empty())
            {
                passed.wildcards.push(import);
            }
            let last = |path: &'a str| path.rsplit("::").next().unwrap_or(path);
            if import.names.is_empty() {
                passed
                    .imported
                    .entry(last(&import.module))
                    .or_insert((import, ""));
            }
            for path in import.names.split(',').filter(|path| !path.is_empty()) {
                passed.imported.entry(last(path)).or_insert((import, path));
            }
        }
        passed
    }
}

/// The paths of an import: its module with each of its names.
fn paths_of<'i>(module: &'i str, names: &'i str) -> impl Iterator<Item = Vec<&'i str>> {
    let parts = |path: &'i str| {
        path.split("::")
            .map(str::trim)
            .filter(|part| !part.is_empty() && *part != "*")
    };
    let clean = |part: &'i str| part.strip_prefix("r#").unwrap_or(part);
    names.split(',').map(move |name| {
        let mut path: Vec<&str> = parts(module).map(clean).collect();
        path.extend(parts(name).map(clean).filter(|part| *part != "self"));
        path
    })
}

/// The inline modules around a line of a file, outermost first.
fn modules_around(file: &SourceFile, line: u32) -> impl Iterator<Item = &str> {
    let modules = file
        .facts
        .definitions
        .iter()
        .filter(|one| one.kind == DefinitionKind::Module);
    modules
        .filter(move |one| one.start_line < line && line <= one.end_line)
        .map(|one| one.name.as_str())
}

fn module_file(tree: &Tree<'_>, root: &str, module: &[&str]) -> Option<u32> {
    let mut path = root.to_owned();
    for part in module {
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(part);
    }
    tree.with_ending(&path, &[".rs", "/mod.rs"])
}

/// Whether Cargo finds a target at the path without a declaration: `tests/a.rs`, `src/bin/b`.
fn is_target_folder(path: &str) -> bool {
    let folder = folder_of(path);
    matches!(
        name_of(folder),
        "tests" | "examples" | "benches" | "bin" | "fuzz_targets"
    ) || name_of(path) == "src"
}
