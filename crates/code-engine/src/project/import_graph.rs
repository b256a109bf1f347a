//! The import graph of a project: edges, layers and cycles.

use serde::{Deserialize, Serialize};

use super::SourceFile;
use super::imports::{
    Circle, ConstantUse, ImportIndex, ImportKind, Parts, components, constant_uses, declared_edges,
    parts_find, shortest_circles,
};
use super::manifest::Manifest;
use super::role::{self, Role};
use super::sample_apps::{is_in, sample_apps};
use super::stack::is_recipe;
use crate::language::Language;

/// The imports between files of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportGraph {
    /// Files that import, or are imported by, another file of the project.
    pub files: u32,
    /// Imports between files of the project, each pair once. A Go package or Swift target counts as one file.
    pub edges: u32,
    /// Imports that look like the project's own but resolve to no analysed file.
    pub unresolved: u32,
    /// The folders that form the project's parts, by level: level 0 imports no other part, level 1 only parts of level
    /// 0, and so on; what a part's build file declares counts as imported. Parts in a cycle share a level. Parts are
    /// packages; if one package is nearly everything, parts are its folders. `.` is the top.
    pub layers: Vec<Layer>,
    /// Cycles of files that import each other, largest first.
    pub cycles: Vec<Cycle>,
}

/// The parts of one level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// The level, from 0.
    pub level: u32,
    /// Its folders.
    pub folders: Vec<String>,
}

/// Files that import each other in a cycle: a strongly connected component (R. Tarjan, "Depth-first search and linear
/// graph algorithms", SIAM Journal on Computing 1, 1972).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycle {
    /// The number of files in it.
    pub size: u32,
    /// One cycle: each file imports the next, the last the first. It is a shortest one through any of the first files
    /// that were tried.
    pub path: Vec<CycleStep>,
}

/// One import of a cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleStep {
    /// The importing file.
    pub file: String,
    /// The line of the import, 1-based.
    pub line: u32,
    /// The source of the file, see [`Place`](crate::analysis::Place).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
}
/// The maximum number of cycles that an analysis reports.
pub const CYCLE_CAP: usize = 50;

/// Builds the report on the imports of files that are sorted by path. Tests, fixtures, examples, files that are only
/// imported as text, recipes and scripts at the top of a workspace, and imports for tests are excluded, and the layers
/// are without applications for trying a gem. Type-only imports, imports that run in a function and, in Rust,
/// re-exports form no cycle: none of them waits for the other file when it is loaded.
pub(crate) fn find(
    files: &[&SourceFile],
    index: &ImportIndex,
    manifests: &[Manifest],
) -> ImportGraph {
    let workspace = workspace(manifests);
    let is_source: Vec<bool> = (0u32..)
        .zip(files)
        .map(|(at, file)| {
            role::of(&file.path) == Role::Source
                && !index.is_text(at)
                && (file.path.contains('/') || !is_beside_source(file, workspace))
        })
        .collect();
    let counts = |file: u32| is_source.get(file as usize).copied().unwrap_or(false);
    let mut graph = ImportGraph::default();
    let mut takes_part: Vec<bool> = vec![false; files.len()];
    let mut loaded: Vec<Vec<u32>> = vec![Vec::new(); files.len()];
    let mut edges: Vec<(u32, u32)> = Vec::new();
    for (at, file) in files.iter().enumerate().filter(|(at, _)| is_source[*at]) {
        let from = u32::try_from(at).unwrap_or(u32::MAX);
        graph.unresolved += index.missing(from);
        for edge in index.imports(from) {
            if edge.kind == ImportKind::Test || !counts(edge.to) {
                continue;
            }
            graph.edges += 1;
            takes_part[at] = true;
            for member in index.members(&edge.to) {
                takes_part[*member as usize] = true;
            }
            edges.push((from, edge.to));
            let binds = match edge.kind {
                ImportKind::Loaded => true,
                ImportKind::PassedOn => file.language != Language::Rust,
                ImportKind::Deferred | ImportKind::Types | ImportKind::Test => false,
            };
            if binds {
                loaded[index.unit(from) as usize].push(edge.to);
            }
        }
    }
    graph.files =
        u32::try_from(takes_part.iter().filter(|part| **part).count()).unwrap_or(u32::MAX);
    for list in &mut loaded {
        list.sort_unstable();
        list.dedup();
    }
    graph.cycles = shortest_circles(&loaded)
        .into_iter()
        .take(CYCLE_CAP)
        .map(|circle| cycle(files, index, &circle))
        .collect();
    let constants = constant_uses(files, counts);
    graph.layers = layers(files, &edges, &constants, &takes_part, manifests);
    without_apps(&mut graph.layers, &sample_apps(manifests));
    graph
}

/// Removes the applications for trying a gem. Nothing imports them, so the levels of all others stay in their order.
fn without_apps(layers: &mut Vec<Layer>, apps: &[&str]) {
    for layer in layers.iter_mut() {
        let is_app = |folder: &str| apps.contains(&folder) || is_in(folder, apps);
        layer.folders.retain(|folder| !is_app(folder));
    }
    layers.retain(|layer| !layer.folders.is_empty());
    for (level, layer) in (0..).zip(layers) {
        layer.level = level;
    }
}

fn cycle(files: &[&SourceFile], index: &ImportIndex, circle: &Circle) -> Cycle {
    let next = circle.way.iter().skip(1).chain(circle.way.first());
    let steps = circle.way.iter().zip(next).map(|(from, to)| {
        // Of a unit of several files, the first that imports the next unit.
        let importing = index.members(from).iter().find_map(|file| {
            let edge = index.imports(*file).iter().find(|edge| edge.to == *to)?;
            Some((*file, edge.line))
        });
        let (file, line) = importing.unwrap_or((*from, 1));
        CycleStep {
            source_id: None,
            file: files[file as usize].path.clone(),
            line,
        }
    });
    Cycle {
        size: u32::try_from(circle.size).unwrap_or(u32::MAX),
        path: steps.collect(),
    }
}

/// The manifest at the top of a workspace of JavaScript: folders below are packages too.
fn workspace(manifests: &[Manifest]) -> Option<&str> {
    let of_package = |one: &&Manifest| {
        one.path.ends_with("/package.json") && role::of(&one.path) == Role::Source
    };
    manifests.iter().find(of_package)?;
    let top = manifests.iter().find(|one| one.path == "package.json");
    Some(top.map_or("", |one| one.text.as_str()))
}

/// Whether a file at the top is for those who develop the project: a recipe of Ruby, or a script that lies around the
/// packages of a workspace.
fn is_beside_source(file: &SourceFile, workspace: Option<&str>) -> bool {
    // The manifest names the entry points of its own package.
    let is_entry = |text: &str| {
        [format!("\"{}\"", file.path), format!("\"./{}\"", file.path)]
            .iter()
            .any(|name| text.contains(name.as_str()))
    };
    match file.language.stack() {
        Language::Ruby => is_recipe(&file.path),
        Language::TypeScript | Language::JavaScript => {
            workspace.is_some_and(|text| !is_entry(text))
        }
        _ => false,
    }
}

/// The part of a file that uses a constant, and the one part that defines it.
fn constant_part(one: &ConstantUse, parts: &Parts) -> Option<(u32, u32)> {
    let mut to = one.defined_in.iter().map(|file| parts.of.get(file));
    let first = to.next()??;
    let is_alone = to.all(|part| part.is_none_or(|part| part == first));
    is_alone.then_some((*parts.of.get(&one.from)?, *first))
}

/// The parts that import another part or are imported by one, each on a level above all its imports.
fn layers(
    files: &[&SourceFile],
    edges: &[(u32, u32)],
    constants: &[ConstantUse],
    takes_part: &[bool],
    manifests: &[Manifest],
) -> Vec<Layer> {
    let wanted = takes_part.iter().enumerate().filter(|(_, part)| **part);
    let wanted: Vec<u32> = wanted
        .filter_map(|(at, _)| u32::try_from(at).ok())
        .collect();
    let parts = parts_find(files, &wanted, manifests);
    let mut graph: Vec<Vec<u32>> = vec![Vec::new(); parts.folders.len()];
    let mut is_joined = vec![false; parts.folders.len()];
    let imported = edges.iter().filter_map(|(from, to)| {
        let (from, to) = (parts.of.get(from)?, parts.of.get(to)?);
        Some((*from, *to))
    });
    let named = constants
        .iter()
        .filter_map(|one| constant_part(one, &parts));
    let declared = declared_edges(manifests)
        .into_iter()
        .filter_map(|(from, to)| {
            let part =
                |folder: &String| u32::try_from(parts.folders.binary_search(folder).ok()?).ok();
            Some((part(&from)?, part(&to)?))
        });
    for (from, to) in imported.chain(named).chain(declared) {
        if from != to {
            graph[from as usize].push(to);
            is_joined[from as usize] = true;
            is_joined[to as usize] = true;
        }
    }
    for list in &mut graph {
        list.sort_unstable();
        list.dedup();
    }
    let mut level_of: Vec<u32> = vec![0; parts.folders.len()];
    // A component comes after those that it depends on, so their levels are known.
    for members in components(&graph) {
        let below = members.iter().flat_map(|part| &graph[*part as usize]);
        let below = below.filter(|to| members.binary_search(to).is_err());
        let level = below
            .map(|to| level_of[*to as usize] + 1)
            .max()
            .unwrap_or(0);
        for part in &members {
            level_of[*part as usize] = level;
        }
    }
    let mut layers: Vec<Layer> = Vec::new();
    let joined = (0..parts.folders.len()).filter(|part| is_joined[*part]);
    let mut sorted: Vec<(u32, &String)> = joined
        .map(|part| (level_of[part], &parts.folders[part]))
        .collect();
    sorted.sort_unstable();
    for (level, folder) in sorted {
        match layers.last_mut() {
            Some(layer) if layer.level == level => layer.folders.push(folder.clone()),
            _ => layers.push(Layer {
                level,
                folders: vec![folder.clone()],
            }),
        }
    }
    layers
}
