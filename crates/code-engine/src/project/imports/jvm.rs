//! Java, Kotlin, Scala and C#: packages and namespaces by folder, and by the definitions in their files.

use std::cell::OnceCell;

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::SourceFile;
use super::{Tree, Verdict, ends_with_parts, folder_of, name_of};
use crate::facts::{DefinitionKind, Import, ImportStyle, Name};
use crate::language::Language;

const LANGUAGES: &[Language] = &[
    Language::Java,
    Language::Kotlin,
    Language::Scala,
    Language::CSharp,
];

/// The maximum number of candidate files or folders: more of them make a name ambiguous.
const CANDIDATES_MAX: usize = 64;

/// How many parts at the end of an import may be members or nested classes.
const MEMBERS_MAX: usize = 3;

#[derive(Debug, Default)]
pub(super) struct Resolver<'a> {
    /// Files by the last part of their folder and their name without the extension.
    by_tail: FxHashMap<(&'a str, &'a str), Vec<u32>>,
    /// Folders with files in them, by their last part.
    folders: FxHashMap<&'a str, Vec<&'a str>>,
    /// The files that define a name at the top level, in languages where file names are free.
    by_definition: FxHashMap<&'a str, Vec<u32>>,
    /// The namespaces of C#, as written, and their files.
    namespaces: FxHashMap<&'a str, FxHashSet<u32>>,
}

/// Whether a package at the end of a folder would begin above the source root: the package `kotlin` of the standard
/// library is not the folder `src/main/kotlin`.
fn is_across_root(folder: &str, package: &str) -> bool {
    let above = folder.len() - package.len();
    let names: Vec<&str> = folder.split('/').collect();
    let root = names.windows(3).rposition(|part| {
        part[0] == "src" && matches!(part[2], "java" | "kotlin" | "scala" | "groovy")
    });
    root.is_some_and(|at| {
        let to_root: usize = names[..at + 3].iter().map(|name| name.len() + 1).sum();
        above + 1 < to_root
    })
}

/// Of several files the nearest by its folders. Of the source sets of one module, the one that all platforms share.
fn nearest_set(tree: &Tree<'_>, path: &str, candidates: &[u32]) -> Option<u32> {
    let near = |file: &u32| {
        let other = tree.path(*file);
        let shared = path
            .split('/')
            .zip(other.split('/'))
            .take_while(|(a, b)| a == b)
            .count();
        (
            shared,
            other.contains("/commonMain/"),
            std::cmp::Reverse(*file),
        )
    };
    candidates.iter().copied().max_by_key(near)
}

/// The names that the code of a Java or Kotlin file uses. Comments may name further types, for which tools that format
/// the documentation need imports.
pub(super) struct UsedNames<'f> {
    file: &'f SourceFile,
    names: OnceCell<FxHashSet<&'f str>>,
}

impl<'f> UsedNames<'f> {
    pub(super) fn new(file: &'f SourceFile) -> Self {
        Self {
            file,
            names: OnceCell::new(),
        }
    }

    /// Whether the code uses what an import brings. It is assumed for functions, which operators and delegates call
    /// without naming them, and where the file did not parse as a whole.
    pub(super) fn contain(&self, import: &Import) -> bool {
        let name = import.module.rsplit('.').next().unwrap_or_default();
        let name = match import.alias.as_str() {
            "" => name.trim_matches('`'),
            alias => alias,
        };
        !matches!(self.file.language, Language::Java | Language::Kotlin)
            || import.style != ImportStyle::Names
            || !name.starts_with(char::is_uppercase)
            || self.file.facts.syntax_errors > 0
            || self.names.get_or_init(|| self.read()).contains(name)
    }

    fn read(&self) -> FxHashSet<&'f str> {
        let facts = &self.file.facts;
        let imported: FxHashSet<u32> = facts.imports.iter().map(|one| one.line).collect();
        let used = facts.references.iter();
        let used = used.filter(|one| one.lines().any(|line| !imported.contains(&line)));
        let decorators = facts.definitions.iter().flat_map(|one| &one.decorators);
        used.map(|one| one.path)
            .chain(decorators.map(Name::as_str))
            .flat_map(|path| path.split('.'))
            .collect()
    }
}

impl<'a> Resolver<'a> {
    pub(super) fn new(tree: &Tree<'a>) -> Self {
        let mut resolver = Self::default();
        let mut seen: FxHashSet<&str> = FxHashSet::default();
        for (at, file) in tree.of_languages(LANGUAGES) {
            let (folder, name) = (folder_of(&file.path), name_of(&file.path));
            let stem = name.split('.').next().unwrap_or(name);
            resolver
                .by_tail
                .entry((name_of(folder), stem))
                .or_default()
                .push(at);
            if seen.insert(folder) {
                resolver
                    .folders
                    .entry(name_of(folder))
                    .or_default()
                    .push(folder);
            }
            if file.language == Language::Java {
                continue;
            }
            for definition in &file.facts.definitions {
                if definition.kind == DefinitionKind::Module {
                    resolver
                        .namespaces
                        .entry(&definition.name)
                        .or_default()
                        .insert(at);
                } else if definition.kind != DefinitionKind::Method {
                    let files = resolver.by_definition.entry(&definition.name).or_default();
                    if files.last() != Some(&at) && files.len() < CANDIDATES_MAX {
                        files.push(at);
                    }
                }
            }
        }
        resolver
    }

    pub(super) fn resolve(
        &self,
        tree: &Tree<'a>,
        file: &SourceFile,
        import: &Import,
        to: &mut Vec<u32>,
    ) -> Verdict {
        let written = import
            .module
            .trim_start_matches("_root_.")
            .trim_end_matches(['.', '_', '*']);
        let path = written.replace(['.', '\\'], "/").replace('`', "");
        if file.language == Language::CSharp {
            return self.namespace(file, written, to);
        }
        let mut class = path.as_str();
        for _ in 0..MEMBERS_MAX {
            if let Some(found) = self.class(tree, file, class) {
                to.push(found);
                return Verdict::Own;
            }
            class = folder_of(class);
        }
        let is_whole = import.style == ImportStyle::Wildcard;
        let package = if is_whole {
            path.as_str()
        } else {
            folder_of(&path)
        };
        if is_whole && self.is_package(package) {
            self.named(
                file,
                |name| self.class(tree, file, &format!("{package}/{name}")),
                to,
            );
            return Verdict::Own;
        }
        if package.contains('/') && self.is_package(package) {
            return Verdict::Missing;
        }
        Verdict::Elsewhere
    }

    /// The file of a class: by its path, or the nearest that defines it in a folder that the package ends with.
    fn class(&self, tree: &Tree<'_>, file: &SourceFile, class: &str) -> Option<u32> {
        let (package, name) = class.rsplit_once('/')?;
        let by_path = self.by_tail.get(&(name_of(package), name));
        let mut candidates: Vec<u32> = by_path
            .into_iter()
            .flatten()
            .copied()
            .filter(|one| {
                let folder = folder_of(tree.path(*one));
                ends_with_parts(folder, package) && !is_across_root(folder, package)
            })
            .take(CANDIDATES_MAX)
            .collect();
        if candidates.is_empty() {
            // Kotlin and Scala may omit the common part of all packages, and name files freely.
            let by_definition = self.by_definition.get(name).into_iter().flatten().copied();
            let in_package = |one: &u32| {
                let folder = folder_of(tree.path(*one));
                name_of(folder) == name_of(package)
                    && tree.files[*one as usize].language != Language::CSharp
            };
            candidates.extend(by_definition.filter(in_package));
        }
        nearest_set(tree, &file.path, &candidates)
    }

    fn is_package(&self, package: &str) -> bool {
        let folders = self.folders.get(name_of(package)).into_iter().flatten();
        folders
            .take(CANDIDATES_MAX)
            .any(|folder| ends_with_parts(folder, package))
    }

    /// `using A.B`: of the files in that namespace, those that define a name which the file uses.
    fn namespace(&self, file: &SourceFile, written: &str, to: &mut Vec<u32>) -> Verdict {
        let written = written
            .trim_start_matches("global::")
            .trim_start_matches("static ");
        let written = written
            .rsplit_once('=')
            .map_or(written, |(_, name)| name.trim());
        if let Some(class) = self.class_in_namespace(written) {
            to.push(class);
            return Verdict::Own;
        }
        let Some(inside) = self.namespaces.get(written) else {
            return Verdict::Elsewhere;
        };
        let defines = |name: &str| {
            let files = self.by_definition.get(name)?;
            files.iter().copied().find(|one| inside.contains(one))
        };
        self.named(file, defines, to);
        Verdict::Own
    }

    fn class_in_namespace(&self, written: &str) -> Option<u32> {
        let (namespace, class) = written.rsplit_once('.')?;
        let inside = self.namespaces.get(namespace)?;
        let files = self.by_definition.get(class)?;
        files.iter().copied().find(|one| inside.contains(one))
    }

    /// Adds the results of `find` for the capitalised names that the file uses.
    fn named(&self, file: &SourceFile, find: impl Fn(&str) -> Option<u32>, to: &mut Vec<u32>) {
        let mut asked: FxHashSet<&str> = FxHashSet::default();
        for reference in file.facts.references.iter() {
            let name = reference.path.split('.').next().unwrap_or_default();
            if name.starts_with(char::is_uppercase) && asked.insert(name) {
                to.extend(find(name));
            }
        }
        to.sort_unstable();
        to.dedup();
    }
}
