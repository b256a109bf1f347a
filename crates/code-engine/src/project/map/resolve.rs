//! Finds the definitions that a name in a file means: those of the same file, or else of imported files and what they
//! pass on. Only where a language sees other files without an import are all definitions of the name meant.
//!
//! Longer than 450 lines: the rules of all languages decide together.

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::super::facts::{Definition, DefinitionKind, ImportStyle};
use super::super::super::language::Language;
use super::super::super::references::ReferenceKind;
use super::super::SourceFile;
use super::super::imports::{ImportIndex, ImportKind, folder_of};
use super::super::role::{self, Role};
use super::everyones::{is_everyones, is_rubys};
use super::{AMBIGUOUS, Node, family, is_node};

/// What finds the definitions that a name means.
pub(super) struct Resolver<'f> {
    pub(super) files: &'f [&'f SourceFile],
    index: &'f ImportIndex,
    pub(super) nodes: Vec<Node>,
    /// Where each file's nodes begin, and one more at the end.
    begins: Vec<u32>,
    /// What the nodes lie in: types, modules.
    parents: FxHashSet<&'f str>,
    /// The definitions of one name in one family of languages, at most one more than [`AMBIGUOUS`].
    names: FxHashMap<(Language, &'f str), Vec<u32>>,
}

/// How a name is mentioned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mention<'f> {
    pub(super) name: &'f str,
    /// The part of the path before it.
    pub(super) before: Option<&'f str>,
    pub(super) kind: ReferenceKind,
}

impl<'f> Resolver<'f> {
    pub(super) fn new(files: &'f [&'f SourceFile], index: &'f ImportIndex) -> Resolver<'f> {
        let mut resolver = Resolver {
            files,
            index,
            nodes: Vec::new(),
            begins: Vec::with_capacity(files.len() + 1),
            parents: FxHashSet::default(),
            names: FxHashMap::default(),
        };
        for (at, file) in (0u32..).zip(files) {
            resolver.begins.push(resolver.nodes.len() as u32);
            if role::of(&file.path) != Role::Source {
                continue;
            }
            let family = family(file.language);
            // What a function holds is its own affair.
            let mut function_end = 0u32;
            for (place, definition) in (0u32..).zip(&file.facts.definitions) {
                let is_local = definition.end_line <= function_end;
                if definition.metrics.is_some() && !is_local {
                    function_end = definition.end_line;
                }
                if is_local || !is_node(definition) {
                    continue;
                }
                let alike = resolver
                    .names
                    .entry((family, &definition.name))
                    .or_default();
                if alike.len() <= AMBIGUOUS {
                    alike.push(resolver.nodes.len() as u32);
                }
                resolver.parents.extend(definition.parent.as_deref());
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

    /// The nodes of a file.
    pub(super) fn own(&self, at: usize) -> Range<u32> {
        self.begins[at]..self.begins[at + 1]
    }

    pub(super) fn definition(&self, node: u32) -> Option<&'f Definition> {
        let node = self.nodes.get(node as usize)?;
        let file = self.files.get(node.file as usize)?;
        file.facts.definitions.get(node.definition as usize)
    }

    /// The units that the imports on these lines lead to.
    fn units_of(&self, at: usize, lines: &FxHashSet<u32>) -> FxHashSet<u32> {
        let edges = self.index.imports(at as u32).iter();
        edges
            .filter(|edge| lines.contains(&edge.line))
            .map(|edge| self.index.unit(edge.to))
            .collect()
    }

    /// The units that the file at `at` can mean by a name: those that it imports, and those that they pass on.
    pub(super) fn sight(&self, at: usize) -> Sight<'f> {
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
            // A path of Rust's ends with the name that it brings in.
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
        // What lies in a module or namespace is seen by what lies in it too.
        let around = file
            .facts
            .definitions
            .iter()
            .filter_map(|one| one.parent.as_deref());
        Sight {
            units,
            taken,
            aliases: aliases
                .map(|import| (import.alias.as_str(), import.line))
                .collect(),
            names: file
                .facts
                .references
                .iter()
                .flat_map(|one| one.path.split('.'))
                .chain(around)
                .filter(|name| self.parents.contains(name))
                .collect(),
        }
    }

    /// Whether the name before a member stands for the module that the node is in: by the file's or folder's name, or
    /// by the name that the import gives it.
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

    /// Finds the nodes that the file at `at` means with a name.
    pub(super) fn resolve(
        &self,
        at: usize,
        mention: Mention<'f>,
        sight: &Sight<'_>,
        targets: &mut Vec<u32>,
    ) {
        targets.clear();
        let key = (family(self.files[at].language), mention.name);
        let Some(alike) = self.names.get(&key).filter(|all| all.len() <= AMBIGUOUS) else {
            return;
        };
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
        // `Store.open` is the `open` of `Store`, wherever that is.
        targets.extend(alike.iter().copied().filter(of_parent));
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
                let is_ruby = language == Language::Ruby && !here;
                match (mention.kind, mention.before) {
                    _ if is_ruby && parent.is_some() && is_rubys(mention.name) => false,
                    // `config.redis` is not the `redis` of the module that everything is in.
                    (_, Some(_)) if is_ruby && is_method && !itself && self.is_of_module(node) => {
                        false
                    }
                    (_, None) if !here && !sight.taken.as_ref().is_none_or(is_taken) => false,
                    // What lies in a type is named with it, or where it is.
                    (_, None) if !here && !is_method && parent.is_some() && !is_named => false,
                    (_, Some(_)) if !is_function && parent.is_some() && !is_named => false,
                    // Every container has an `iterator`.
                    _ if !is_function && parent.is_some() && is_everyones(mention.name) => false,
                    (ReferenceKind::Type, Some(before)) if !here && !is_strict => {
                        !is_function && self.is_on_path(before, node)
                    }
                    (ReferenceKind::Type, _) => !is_function,
                    // By its name alone a method is called only where the language does not ask whose it is.
                    (_, None) if is_method => {
                        METHODS_ALONE.contains(&self.files[at].language)
                            && mention.kind == ReferenceKind::Call
                            && (here
                                || ((is_named || sees(node)) && !is_everyones(&definition.name)))
                    }
                    // A type of TypeScript is no value: `input` without a type's place is a variable.
                    (ReferenceKind::Name, None)
                        if !here
                            && language.stack() == Language::TypeScript
                            && matches!(definition.kind, DefinitionKind::Type)
                            && !mention.name.starts_with(char::is_uppercase) =>
                    {
                        false
                    }
                    // A name that is neither called nor in sight is a variable's.
                    (ReferenceKind::Name, None) => {
                        let is_plain = is_function || !mention.name.starts_with(char::is_uppercase);
                        here || !is_plain || (sees(node) && is_strict)
                    }
                    // What is read of a value and not called is a field, or the property of who knows what.
                    (ReferenceKind::Name, Some(_)) if is_method && !here && !itself => false,
                    // A method of a type that the file does not even name is another's of that name.
                    (_, Some(_)) if is_method && !here => {
                        is_named && (itself || !is_everyones(&definition.name))
                    }
                    (_, Some(_)) if is_method && !itself => !is_everyones(&definition.name),
                    // What is no method is a member of its module alone.
                    (_, Some(before)) if !is_method && !itself && is_strict => {
                        here || self.is_module_of(at, before, node, sight)
                    }
                    (_, Some(before)) if !is_method && !itself => self.is_on_path(before, node),
                    _ => true,
                }
            })
        };
        let alike = || alike.iter().copied().filter(may);
        targets.extend(alike().filter(|node| own.contains(node)));
        if targets.is_empty() {
            targets.extend(alike().filter(|node| sees(*node)));
        }
        // Where every name is imported, one that is not is the language's or a library's.
        if targets.is_empty() && !is_strict {
            targets.extend(alike());
        }
        self.nearest_keep(at, targets);
    }

    /// Whether a node is directly in a module or namespace of its file.
    fn is_of_module(&self, node: u32) -> bool {
        let parent = self.definition(node).and_then(|one| one.parent.as_deref());
        let file = self.nodes.get(node as usize).map(|node| node.file as usize);
        let file = file.and_then(|file| self.files.get(file));
        file.zip(parent).is_some_and(|(file, parent)| {
            let mut modules = file.facts.definitions.iter();
            modules.any(|one| one.kind == DefinitionKind::Module && one.name == parent)
        })
    }

    /// Whether two files lie in one folder.
    fn is_beside(&self, at: usize, file: u32) -> bool {
        let folder = |at: usize| self.files.get(at).map(|file| folder_of(&file.path));
        folder(at) == folder(file as usize)
    }

    /// Whether the name before a member is a folder or file on the way to the node: of a package or a namespace that
    /// is called as its folder is.
    fn is_on_path(&self, before: &str, node: u32) -> bool {
        let file = self.nodes.get(node as usize).map(|node| node.file as usize);
        let path = file
            .and_then(|file| self.files.get(file))
            .map(|file| file.path.as_str());
        path.is_some_and(|path| path.split(['/', '.']).any(|part| part == before))
    }

    /// Of types that are called the same, one for each platform, a file means the one beside it, or else the common
    /// one.
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

/// Languages in which a file imports whatever it names from others, so that a name without an import is no reference to
/// the project. In the others a folder, a module or a namespace is seen without it.
const NAMED_IMPORTS: &[Language] = &[
    Language::Go,
    Language::Java,
    Language::JavaScript,
    Language::Php,
    Language::Python,
    Language::Rust,
    Language::TypeScript,
];

/// Of these languages, those in which the files of a folder see each other without an import, as one package.
const BY_FOLDER: &[Language] = &[Language::Java, Language::Php];

/// How often what is imported may be passed on before it reaches the file that names it.
const PASSED_ON_MAX: usize = 3;

/// What the names of one file may mean.
pub(super) struct Sight<'f> {
    units: FxHashSet<u32>,
    /// The names that modules are imported by, each with the import's line.
    aliases: Vec<(&'f str, u32)>,
    /// What is imported by name, where the language lists the names.
    taken: Option<ImportedNames<'f>>,
    /// The names that the file mentions, of what nodes lie in.
    names: FxHashSet<&'f str>,
}

/// What a file may name without saying where it is from.
#[derive(Debug, Default)]
struct ImportedNames<'f> {
    /// What it imports by name.
    names: FxHashSet<&'f str>,
    /// What it imports all names of.
    units: FxHashSet<u32>,
}

/// The names that the imports of a file list.
fn names_of(file: &SourceFile) -> impl Iterator<Item = &str> {
    let imports = file.facts.imports.iter();
    imports.flat_map(|import| import.names.split(','))
}

/// Whether a name in a path of Rust's stands for a crate or a module that lies in these folders: `crate`, or a crate
/// that is called as its folder is, with or without a word of the project before it.
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

/// Whether a file stands for its folder, and passes on what lies in it.
fn is_barrel(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name, "__init__.py" | "__init__.pyi" | "mod.rs" | "lib.rs")
        || name.starts_with("index.")
}

/// Languages in which a method may be called by its name alone.
const METHODS_ALONE: &[Language] = &[
    Language::Java,
    Language::Kotlin,
    Language::Scala,
    Language::CSharp,
    Language::Cpp,
    Language::Ruby,
    Language::Swift,
];
