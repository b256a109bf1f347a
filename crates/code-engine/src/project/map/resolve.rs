//! Finds the definitions that a name in a file refers to: those of the same file, or else those of imported files and
//! their re-exports. Only if a language sees other files without an import, all definitions of the name count.
//!
//! Longer than 450 lines: the rules of all languages depend on each other.

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::super::facts::{Definition, DefinitionKind, Import, ImportStyle};
use super::super::super::language::Language;
use super::super::super::references::{Reference, ReferenceKind};
use super::super::SourceFile;
use super::super::imports::{ImportIndex, ImportKind, ends_with_parts, folder_of, name_of};
use super::super::role::{self, Role};
use super::everyones::{is_everyones, is_rubys};
use super::{AMBIGUOUS, Node, family, is_node};

/// Resolves names to definitions.
pub(super) struct Resolver<'f> {
    pub(super) files: &'f [&'f SourceFile],
    index: &'f ImportIndex,
    pub(super) nodes: Vec<Node>,
    /// The index of each file's first node, and one more at the end.
    begins: Vec<u32>,
    /// What one name means in one family of languages.
    names: FxHashMap<(Language, &'f str), Namesakes>,
    /// For each node, the next of the same name; [`LAST`] for the last.
    next: Vec<u32>,
    /// The scripts in Ruby that no file loads: what they define is their own.
    scripts: FxHashSet<u32>,
}

/// The nodes of one name, in order, linked through [`Resolver::next`]: most names have one, and each would be an
/// allocation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Namesakes {
    first: u32,
    last: u32,
    count: u32,
    /// Whether a type or module of this name contains nodes.
    is_parent: bool,
}

impl Namesakes {
    const NONE: Namesakes = Namesakes {
        first: LAST,
        last: LAST,
        count: 0,
        is_parent: false,
    };
}

/// A part of a reference, with the nodes of its name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'f, 'r> {
    pub(super) reference: Reference<'f>,
    pub(super) mention: Mention<'f>,
    alike: &'r Namesakes,
}

/// No further node.
const LAST: u32 = u32::MAX;

/// A mention of a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mention<'f> {
    pub(super) name: &'f str,
    /// The part of the path before it.
    pub(super) before: Option<&'f str>,
    pub(super) kind: ReferenceKind,
    /// Whether it names something at the top level: `::Rails` in Ruby.
    pub(super) top: bool,
}

impl<'f> Resolver<'f> {
    pub(super) fn new(files: &'f [&'f SourceFile], index: &'f ImportIndex) -> Resolver<'f> {
        let mut resolver = Resolver {
            files,
            index,
            nodes: Vec::new(),
            begins: Vec::with_capacity(files.len() + 1),
            names: FxHashMap::default(),
            next: Vec::new(),
            scripts: scripts_of(files, index),
        };
        for (at, file) in (0u32..).zip(files) {
            resolver.begins.push(resolver.nodes.len() as u32);
            if role::of(&file.path) != Role::Source {
                continue;
            }
            let family = family(file.language);
            // Definitions inside a function are local to it.
            let mut function_end = 0u32;
            for (place, definition) in (0u32..).zip(&file.facts.definitions) {
                let is_local = definition.end_line <= function_end;
                if definition.metrics.is_some() && !is_local {
                    function_end = definition.end_line;
                }
                if is_local || !is_node(definition) {
                    continue;
                }
                let node = resolver.nodes.len() as u32;
                let alike = resolver.names.entry((family, &definition.name));
                let alike = alike.or_insert(Namesakes::NONE);
                match resolver.next.get_mut(alike.last as usize) {
                    Some(next) => *next = node,
                    None => alike.first = node,
                }
                alike.last = node;
                alike.count += 1;
                resolver.next.push(LAST);
                if let Some(parent) = definition.parent.as_deref() {
                    let parent = resolver.names.entry((family, parent));
                    parent.or_insert(Namesakes::NONE).is_parent = true;
                }
                resolver.nodes.push(Node {
                    file: at,
                    definition: place,
                    used_in: 0,
                });
            }
        }
        resolver.begins.push(resolver.nodes.len() as u32);
        resolver
    }

    /// The imports between the files.
    pub(super) fn index(&self) -> &'f ImportIndex {
        self.index
    }

    /// The number of the node that stands for the code of a file outside of its definitions.
    pub(super) fn node_of_file(&self, at: usize) -> u32 {
        (self.nodes.len() + at) as u32
    }

    /// The nodes of a file.
    pub(super) fn own(&self, at: usize) -> Range<u32> {
        self.begins[at]..self.begins[at + 1]
    }

    pub(super) fn definition(&self, node: u32) -> Option<&'f Definition> {
        let node = self.nodes.get(node as usize)?;
        let file = self.files.get(node.file as usize)?;
        file.facts.definitions.get(node.definition as usize)
    }

    /// The units that the imports on these lines resolve to.
    fn units_of(&self, at: usize, lines: &FxHashSet<u32>) -> FxHashSet<u32> {
        let edges = self.index.imports(at as u32).iter();
        edges
            .filter(|edge| lines.contains(&edge.line))
            .map(|edge| self.index.unit(edge.to))
            .collect()
    }

    /// The parts of the references of the file at `at` that are names of nodes or of what contains them, in order.
    pub(super) fn parts(&self, at: usize) -> Vec<Part<'f, '_>> {
        let file = self.files[at];
        let family = family(file.language);
        let mut parts = Vec::new();
        for reference in file.facts.references.iter() {
            let mut before = None;
            let mut names = reference.path.split('.').peekable();
            while let Some(name) = names.next() {
                if let Some(alike) = self.names.get(&(family, name)) {
                    let kind = match names.peek() {
                        None => reference.kind,
                        Some(_) => ReferenceKind::Name,
                    };
                    let mention = Mention {
                        name,
                        before,
                        kind,
                        top: before.is_none() && reference.top,
                    };
                    parts.push(Part {
                        reference,
                        mention,
                        alike,
                    });
                }
                before = Some(name);
            }
        }
        parts
    }

    /// The units that the file at `at` can refer to: those that it imports, and their re-exports. `parts` are those of
    /// its references.
    pub(super) fn sight(&self, at: usize, parts: &[Part<'f, '_>]) -> Sight<'f> {
        let from = at as u32;
        let mut units: FxHashSet<u32> = FxHashSet::from_iter([self.index.unit(from)]);
        let mut passing: Vec<u32> = Vec::new();
        for edge in self.index.imports(from) {
            units.insert(self.index.unit(edge.to));
            passing.extend_from_slice(self.index.members(&edge.to));
        }
        for _ in 0..PASSED_ON_MAX {
            let mut next = Vec::new();
            for file in passing.drain(..) {
                let path = self
                    .files
                    .get(file as usize)
                    .map_or("", |file| file.path.as_str());
                let passes_all = is_barrel(path);
                for edge in self.index.imports(file) {
                    let passes = passes_all || edge.kind == ImportKind::PassedOn;
                    if passes && units.insert(self.index.unit(edge.to)) {
                        next.extend_from_slice(self.index.members(&edge.to));
                    }
                }
            }
            passing = next;
        }
        let file = self.files[at];
        let aliases = file
            .facts
            .imports
            .iter()
            .filter(|import| !import.alias.is_empty());
        let wildcards = file.facts.imports.iter().filter(|import| {
            let is_all = import.style == ImportStyle::Wildcard
                || import.names.split(',').any(|name| name.ends_with("::*"));
            is_all && !import.test
        });
        let wildcards: FxHashSet<u32> = wildcards.map(|import| import.line).collect();
        let taken = match file.language {
            Language::Python if wildcards.is_empty() => Some(ImportedNames {
                names: names_of(file).collect(),
                ..ImportedNames::default()
            }),
            // The last part of a Rust path is the imported name.
            Language::Rust => {
                let modules = file
                    .facts
                    .imports
                    .iter()
                    .map(|import| import.module.as_str());
                let last = modules.filter_map(|module| module.rsplit("::").next());
                let names = names_of(file).filter_map(|name| name.rsplit("::").next());
                Some(ImportedNames {
                    names: last.chain(names).collect(),
                    units: self.units_of(at, &wildcards),
                })
            }
            _ => None,
        };
        let names = parts.iter().filter(|part| part.alike.is_parent);
        let names = names.map(|part| part.mention.name);
        // Code inside a module or namespace also sees its other members.
        let around = file.facts.definitions.iter();
        let around = around.filter_map(|one| one.parent.as_deref());
        let family = family(file.language);
        let around = around.filter(|name| {
            let alike = self.names.get(&(family, *name));
            alike.is_some_and(|alike| alike.is_parent)
        });
        let names = names.chain(around).collect();
        let open = match file.language {
            Language::Ruby => open_names(file).collect(),
            _ => FxHashSet::default(),
        };
        let by_name = BY_PACKAGE.contains(&file.language);
        let mut imported: FxHashMap<&str, Vec<&Import>> = FxHashMap::default();
        for import in file.facts.imports.iter().filter(|_| by_name) {
            if let Some((_, name)) = import.module.rsplit_once(['.', '\\'])
                && import.style != ImportStyle::Wildcard
            {
                imported.entry(name).or_default().push(import);
            }
        }
        Sight {
            units,
            taken,
            open,
            imported,
            aliases: aliases
                .map(|import| (import.alias.as_str(), import.line))
                .collect(),
            names,
        }
    }

    /// Whether the name before a member means the module of the node: by the file's or folder's name, or by the
    /// import's alias.
    fn is_module_of(&self, at: usize, before: &str, node: u32, sight: &Sight<'_>) -> bool {
        let Some(to) = self.nodes.get(node as usize).map(|node| node.file) else {
            return false;
        };
        let path = self
            .files
            .get(to as usize)
            .map_or("", |file| file.path.as_str());
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let stem = name.split('.').next().unwrap_or(name);
        let folder = folders.rsplit('/').next().unwrap_or_default();
        if before == stem
            || (before == folder && (is_barrel(path) || self.files[at].language == Language::Go))
            || (self.files[at].language == Language::Rust && is_rust_place(before, folders))
        {
            return true;
        }
        sight.aliases.iter().any(|(alias, line)| {
            *alias == before
                && self.index.imports(at as u32).iter().any(|edge| {
                    edge.line == *line
                        && (edge.to == to || self.index.unit(edge.to) == self.index.unit(to))
                })
        })
    }

    /// Finds the nodes that a mention in the file at `at` refers to.
    pub(super) fn resolve(
        &self,
        at: usize,
        part: &Part<'f, '_>,
        sight: &Sight<'_>,
        targets: &mut Vec<u32>,
    ) {
        targets.clear();
        let (mention, alike) = (part.mention, *part.alike);
        if alike.count > AMBIGUOUS {
            return;
        }
        let after = |node: &u32| self.next.get(*node as usize).copied();
        let alike = || std::iter::successors(Some(alike.first), after).take(alike.count as usize);
        let own = self.own(at);
        let of_parent = |node: &u32| {
            let parent = self.definition(*node).and_then(|one| one.parent.as_deref());
            parent.is_some() && parent == mention.before
        };
        let language = self.files[at].language;
        let sees = |node: u32| {
            let file = self
                .nodes
                .get(node as usize)
                .map_or(u32::MAX, |node| node.file);
            sight.units.contains(&self.index.unit(file))
                || (BY_FOLDER.contains(&language) && self.is_beside(at, file))
        };
        let is_strict = NAMED_IMPORTS.contains(&language.stack());
        // `Store.open` is the `open` of `Store`, in any file.
        targets.extend(alike().filter(of_parent));
        targets.retain(|node| !is_strict || own.contains(node) || sees(*node));
        if !targets.is_empty() {
            return;
        }
        let itself = matches!(
            mention.before,
            Some("self" | "this" | "cls" | "Self" | "super")
        );
        let may = |node: &u32| {
            let (here, node) = (own.contains(node), *node);
            self.definition(node).is_some_and(|definition| {
                let is_method = definition.kind == DefinitionKind::Method;
                let is_function = is_method || definition.kind == DefinitionKind::Function;
                let is_taken = |taken: &ImportedNames<'_>| {
                    let unit = self
                        .nodes
                        .get(node as usize)
                        .map(|node| self.index.unit(node.file));
                    taken.names.contains(mention.name)
                        || unit.is_some_and(|unit| taken.units.contains(&unit))
                };
                let parent = definition.parent.as_deref();
                let is_named = parent.is_some_and(|parent| sight.names.contains(parent));
                let is_open = parent.is_some_and(|parent| sight.open.contains(parent));
                let is_ruby = language == Language::Ruby && !here;
                let is_constant = mention.name.starts_with(char::is_uppercase);
                match (mention.kind, mention.before) {
                    _ if mention.top && parent.is_some() => false,
                    _ if is_ruby && self.is_of_script(node) => false,
                    // Ruby looks for a bare constant in the open modules and in the base classes.
                    (_, None) if is_ruby && is_constant && parent.is_some() && !is_open => false,
                    _ if is_ruby && parent.is_some() && is_rubys(mention.name) => false,
                    // `config.redis` is not the `redis` of the module that everything is in.
                    (_, Some(_)) if is_ruby && is_method && !itself && self.is_of_module(node) => {
                        false
                    }
                    (_, None) if !here && !sight.taken.as_ref().is_none_or(is_taken) => false,
                    // A member of a type is only used together with the type, or in the same file.
                    (_, None) if !here && !is_method && parent.is_some() && !is_named => false,
                    (_, Some(_)) if !is_function && parent.is_some() && !is_named => false,
                    // Every container has an `iterator`.
                    _ if !is_function && parent.is_some() && is_everyones(mention.name) => false,
                    (ReferenceKind::Type, Some(before)) if !here && !is_strict => {
                        !is_function && self.is_on_path(before, node)
                    }
                    (ReferenceKind::Type, _) => !is_function,
                    // A method is called by its bare name only in languages with an implicit receiver.
                    (_, None) if is_method => {
                        METHODS_ALONE.contains(&self.files[at].language)
                            && mention.kind == ReferenceKind::Call
                            && (here
                                || ((is_named || sees(node)) && !is_everyones(&definition.name)))
                    }
                    // A TypeScript type is not a value: outside of a type position, `input` is a variable.
                    (ReferenceKind::Name, None)
                        if !here
                            && language.stack() == Language::TypeScript
                            && matches!(definition.kind, DefinitionKind::Type)
                            && !mention.name.starts_with(char::is_uppercase) =>
                    {
                        false
                    }
                    // A name that is neither called nor visible is a variable.
                    (ReferenceKind::Name, None) => {
                        let is_plain = is_function || !mention.name.starts_with(char::is_uppercase);
                        here || !is_plain || (sees(node) && is_strict)
                    }
                    // A member of a value that is read and not called is a field, or the property of an unknown type.
                    (ReferenceKind::Name, Some(_)) if is_method && !here && !itself => false,
                    // If the file does not mention the type, the method belongs to another type.
                    (_, Some(_)) if is_method && !here => {
                        is_named && (itself || !is_everyones(&definition.name))
                    }
                    (_, Some(_)) if is_method && !itself => !is_everyones(&definition.name),
                    // A definition that is not a method is only a member of its module.
                    (_, Some(before)) if !is_method && !itself && is_strict => {
                        here || self.is_module_of(at, before, node, sight)
                    }
                    (_, Some(before)) if !is_method && !itself => self.is_on_path(before, node),
                    _ => true,
                }
            })
        };
        let alike = || alike().filter(may);
        targets.extend(alike().filter(|node| own.contains(node)));
        if targets.is_empty() {
            targets.extend(alike().filter(|node| sees(*node)));
        }
        // In languages that import every name, other names belong to the language or a library.
        if targets.is_empty() && !is_strict {
            targets.extend(alike());
        }
        self.imported_keep(at, mention, sight, targets);
        self.nearest_keep(at, targets);
    }

    /// Of definitions with one name, keeps those of the package that the file imports the name from. A name that is
    /// imported from the package of a library means none of the project.
    fn imported_keep(
        &self,
        at: usize,
        mention: Mention<'_>,
        sight: &Sight<'_>,
        targets: &mut Vec<u32>,
    ) {
        let language = self.files[at].language;
        if targets.is_empty() || !BY_PACKAGE.contains(&language) {
            return;
        }
        let own = self.own(at);
        if let Some(package) = mention.before {
            let is_in = |node: &u32| name_of(self.folder(*node)) == package;
            if targets.iter().any(is_in) {
                targets.retain(is_in);
            }
            return;
        }
        let Some(imports) = sight.imported.get(mention.name) else {
            return;
        };
        let keep = |targets: &mut Vec<u32>, is_from: &dyn Fn(&Import, u32) -> bool| {
            let is_kept = |node: &u32| {
                own.contains(node) || imports.iter().any(|import| is_from(import, *node))
            };
            let any = targets.iter().any(is_kept);
            if any {
                targets.retain(is_kept);
            }
            any
        };
        let package = |import: &Import| {
            let path = import.module.replace(['.', '\\'], "/");
            package_of(language, &path).to_owned()
        };
        let is_whole = |import: &Import, node| ends_with_parts(self.folder(node), &package(import));
        let is_last =
            |import: &Import, node| name_of(self.folder(node)) == name_of(&package(import));
        let is_edge = |import: &Import, node: u32| {
            let file = self.nodes.get(node as usize).map(|node| node.file);
            let mut edges = self.index.imports(at as u32).iter();
            edges.any(|edge| edge.line == import.line && Some(edge.to) == file)
        };
        if keep(targets, &is_whole) || keep(targets, &is_edge) || keep(targets, &is_last) {
            return;
        }
        // The folders of the other languages are not their packages, and the root of the source is no package.
        if matches!(language, Language::Java | Language::Kotlin) {
            targets.retain(|node| SOURCE_ROOTS.contains(&name_of(self.folder(*node))));
        }
    }

    /// The folder of a node's file.
    fn folder(&self, node: u32) -> &'f str {
        let file = self.nodes.get(node as usize).map(|node| node.file as usize);
        let file = file.and_then(|file| self.files.get(file));
        file.map_or("", |file| folder_of(&file.path))
    }

    fn is_of_script(&self, node: u32) -> bool {
        let node = self.nodes.get(node as usize);
        node.is_some_and(|node| self.scripts.contains(&node.file))
    }

    /// Whether a node is directly in a module or namespace of its file.
    pub(super) fn is_of_module(&self, node: u32) -> bool {
        let parent = self.definition(node).and_then(|one| one.parent.as_deref());
        let file = self.nodes.get(node as usize).map(|node| node.file as usize);
        let file = file.and_then(|file| self.files.get(file));
        file.zip(parent).is_some_and(|(file, parent)| {
            let mut modules = file.facts.definitions.iter();
            modules.any(|one| one.kind == DefinitionKind::Module && one.name == parent)
        })
    }

    /// Whether two files are in the same folder.
    fn is_beside(&self, at: usize, file: u32) -> bool {
        let folder = |at: usize| self.files.get(at).map(|file| folder_of(&file.path));
        folder(at) == folder(file as usize)
    }

    /// Whether the name before a member is a folder or file in the node's path, as for a package or namespace that is
    /// named after its folder.
    fn is_on_path(&self, before: &str, node: u32) -> bool {
        let file = self.nodes.get(node as usize).map(|node| node.file as usize);
        let path = file
            .and_then(|file| self.files.get(file))
            .map(|file| file.path.as_str());
        path.is_some_and(|path| path.split(['/', '.']).any(|part| part == before))
    }

    /// Of types with one name, one for each platform, a file refers to the one next to it, or else to the common one.
    fn nearest_keep(&self, at: usize, targets: &mut Vec<u32>) {
        let is_type = |node: &u32| {
            self.definition(*node).is_some_and(|one| {
                !matches!(one.kind, DefinitionKind::Method | DefinitionKind::Function)
            })
        };
        if targets.len() < 2
            || self.files[at].language != Language::Kotlin
            || !targets.iter().all(is_type)
        {
            return;
        }
        let here = self.files[at].path.as_str();
        let near = |node: &u32| {
            let file = self
                .nodes
                .get(*node as usize)
                .map(|node| node.file as usize);
            let path = file
                .and_then(|file| self.files.get(file))
                .map_or("", |file| file.path.as_str());
            let shared = here
                .split('/')
                .zip(path.split('/'))
                .take_while(|(a, b)| a == b)
                .count();
            (
                shared,
                path.contains("/commonMain/"),
                std::cmp::Reverse(*node),
            )
        };
        if let Some(nearest) = targets.iter().copied().max_by_key(near) {
            targets.clear();
            targets.push(nearest);
        }
    }
}

/// Languages in which a file imports every name that it uses from others, so a name without an import does not refer to
/// the project. In the other languages a folder, a module or a namespace is visible without an import.
const NAMED_IMPORTS: &[Language] = &[
    Language::Go,
    Language::Java,
    Language::JavaScript,
    Language::Php,
    Language::Python,
    Language::Rust,
    Language::TypeScript,
];

/// The languages among these in which files of a folder see each other without an import, as one package.
const BY_FOLDER: &[Language] = &[Language::Java, Language::Php];

/// The languages in which an import names its package and the name in it, and packages are folders.
const BY_PACKAGE: &[Language] = &[
    Language::Java,
    Language::Kotlin,
    Language::Php,
    Language::Scala,
];

/// Folders that contain packages and are none.
const SOURCE_ROOTS: &[&str] = &["", "app", "java", "kotlin", "main", "src", "test"];

/// The package of an imported path: the folders before its types and its last name. Packages of PHP are named like
/// types.
fn package_of(language: Language, path: &str) -> &str {
    let mut package = folder_of(path);
    while language != Language::Php
        && name_of(package).starts_with(char::is_uppercase)
        && package.contains('/')
    {
        package = folder_of(package);
    }
    package
}

/// The maximum number of re-exports between a definition and the file that uses it.
const PASSED_ON_MAX: usize = 3;

/// The definitions that are visible in one file.
pub(super) struct Sight<'f> {
    units: FxHashSet<u32>,
    /// The aliases of imported modules, each with the import's line.
    aliases: Vec<(&'f str, u32)>,
    /// The names that are imported explicitly, if the language lists them.
    taken: Option<ImportedNames<'f>>,
    /// The mentioned names of types and modules that contain nodes.
    names: FxHashSet<&'f str>,
    /// In Ruby, the names of the classes and modules that the file opens, and of those that it derives from.
    open: FxHashSet<&'f str>,
    /// The imports by the name that they import from a package.
    imported: FxHashMap<&'f str, Vec<&'f Import>>,
}

/// The names that a file may use without a qualifier.
#[derive(Debug, Default)]
struct ImportedNames<'f> {
    /// The names that it imports.
    names: FxHashSet<&'f str>,
    /// The units from which it imports all names.
    units: FxHashSet<u32>,
}

/// The classes and modules whose constants a file in Ruby may name without them.
fn open_names(file: &SourceFile) -> impl Iterator<Item = &str> {
    use DefinitionKind::{Class, Module, Struct};
    let own = file.facts.definitions.iter();
    let own = own.filter(|one| matches!(one.kind, Class | Module | Struct));
    let bases = file.facts.references.iter();
    let bases = bases.filter(|one| one.kind == ReferenceKind::Type);
    own.map(|one| one.name.as_str())
        .chain(bases.map(|one| one.name()))
}

/// Folders of scripts that a person runs.
const SCRIPT_FOLDERS: &[&str] = &["bin", "exe", "script", "scripts"];

/// The scripts in Ruby that no other file loads.
fn scripts_of(files: &[&SourceFile], index: &ImportIndex) -> FxHashSet<u32> {
    let is_script = |file: &SourceFile| {
        let (folders, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        let mut folders = folders.split('/');
        file.language == Language::Ruby
            && (!name.contains('.') || folders.any(|folder| SCRIPT_FOLDERS.contains(&folder)))
    };
    let scripts = (0u32..).zip(files).filter(|(_, file)| is_script(file));
    let mut scripts: FxHashSet<u32> = scripts.map(|(at, _)| at).collect();
    if !scripts.is_empty() {
        for (at, _) in (0u32..).zip(files) {
            for edge in index.imports(at) {
                scripts.remove(&edge.to);
            }
        }
    }
    scripts
}

/// The names in the imports of a file.
fn names_of(file: &SourceFile) -> impl Iterator<Item = &str> {
    let imports = file.facts.imports.iter();
    imports.flat_map(|import| import.names.split(','))
}

/// Whether a name in a Rust path means a crate or module in these folders: `crate`, or a crate that is named after its
/// folder, with or without a prefix of the project.
fn is_rust_place(before: &str, folders: &str) -> bool {
    if matches!(before, "crate" | "super" | "self") {
        return true;
    }
    let dashed = before.replace('_', "-");
    folders.split('/').any(|folder| {
        folder.len() > 2
            && folder != "src"
            && dashed
                .strip_suffix(&folder.replace('_', "-"))
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('-'))
    })
}

/// Whether a file represents its folder, and re-exports the content of the folder.
fn is_barrel(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name, "__init__.py" | "__init__.pyi" | "mod.rs" | "lib.rs")
        || name.starts_with("index.")
}

/// Languages in which a method may be called by its bare name.
const METHODS_ALONE: &[Language] = &[
    Language::Java,
    Language::Kotlin,
    Language::Scala,
    Language::CSharp,
    Language::Cpp,
    Language::Ruby,
    Language::Swift,
];
