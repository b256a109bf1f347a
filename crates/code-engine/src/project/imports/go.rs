//! Go, whose packages are folders below a module path, and Swift, whose targets are folders below `Sources`. The first
//! file of a folder represents the folder.

use rustc_hash::FxHashMap;

use super::super::manifest::Manifest;
use super::super::role::{self, Role};
use super::{Tree, Verdict, folder_of, name_of};
use crate::facts::Import;
use crate::language::Language;

#[derive(Debug, Default)]
pub(super) struct Resolver<'a> {
    /// The modules' paths and folders, longest path first.
    modules: Vec<(String, &'a str)>,
    /// The first file of each package's folder.
    packages: FxHashMap<&'a str, u32>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(
        tree: &Tree<'a>,
        manifests: &'a [Manifest],
        units: &mut Vec<Vec<u32>>,
    ) -> Self {
        let manifests = manifests
            .iter()
            .filter(|one| name_of(&one.path) == "go.mod");
        let mut modules: Vec<(String, &str)> = manifests
            .filter_map(|one| Some((module_path(&one.text)?, folder_of(&one.path))))
            .collect();
        modules.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        let mut packages: FxHashMap<&str, u32> = FxHashMap::default();
        let mut unit_of: FxHashMap<&str, usize> = FxHashMap::default();
        for (at, file) in tree.of_languages(&[Language::Go]) {
            // Test files belong to a package, but cannot be imported.
            if role::of(&file.path) == Role::Test && file.path.ends_with("_test.go") {
                continue;
            }
            let folder = folder_of(&file.path);
            packages.entry(folder).or_insert(at);
            unit_add(folder, at, units, &mut unit_of);
        }
        Self { modules, packages }
    }

    pub(super) fn resolve(&self, import: &Import, to: &mut Vec<u32>) -> Verdict {
        for (module, folder) in &self.modules {
            let Some(rest) = import.module.strip_prefix(module.as_str()) else {
                continue;
            };
            if !(rest.is_empty() || rest.starts_with('/')) {
                continue;
            }
            let rest = rest.trim_start_matches('/');
            let package = match (folder.is_empty(), rest.is_empty()) {
                (true, _) => rest.to_owned(),
                (false, true) => (*folder).to_owned(),
                (false, false) => format!("{folder}/{rest}"),
            };
            return match self.packages.get(package.as_str()) {
                Some(file) => {
                    to.push(*file);
                    Verdict::Own
                }
                None => Verdict::Missing,
            };
        }
        Verdict::Elsewhere
    }
}

/// The module path in a `go.mod`.
pub(super) fn module_path(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let line = line.split("//").next().unwrap_or(line).trim();
        let path = line.strip_prefix("module")?;
        let path = path.strip_prefix([' ', '\t'])?.trim().trim_matches('"');
        (!path.is_empty()).then(|| path.to_owned())
    })
}

fn unit_add<'f>(
    folder: &'f str,
    file: u32,
    units: &mut Vec<Vec<u32>>,
    unit_of: &mut FxHashMap<&'f str, usize>,
) {
    let unit = *unit_of.entry(folder).or_insert_with(|| {
        units.push(Vec::new());
        units.len() - 1
    });
    if let Some(files) = units.get_mut(unit) {
        files.push(file);
    }
}

/// The targets of Swift packages.
#[derive(Debug, Default)]
pub(super) struct Targets<'a> {
    targets: FxHashMap<&'a str, u32>,
}

impl<'a> Targets<'a> {
    pub(super) fn new(tree: &Tree<'a>, units: &mut Vec<Vec<u32>>) -> Self {
        let mut targets: FxHashMap<&str, u32> = FxHashMap::default();
        let mut unit_of: FxHashMap<&str, usize> = FxHashMap::default();
        for (at, file) in tree.of_languages(&[Language::Swift]) {
            let Some(folder) = target_folder(&file.path) else {
                continue;
            };
            targets.entry(name_of(folder)).or_insert(at);
            unit_add(folder, at, units, &mut unit_of);
        }
        Self { targets }
    }

    pub(super) fn resolve(&self, import: &Import, to: &mut Vec<u32>) -> Verdict {
        let target = import.module.split('.').next().unwrap_or_default();
        match self.targets.get(target) {
            Some(file) => {
                to.push(*file);
                Verdict::Own
            }
            None => Verdict::Elsewhere,
        }
    }
}

/// The folder of a target: `Sources/App` of `Sources/App/main.swift`.
fn target_folder(path: &str) -> Option<&str> {
    let at = if path.starts_with("Sources/") {
        0
    } else {
        path.find("/Sources/")? + 1
    };
    let begins = at + "Sources/".len();
    let ends = path[begins..].find('/')?;
    path.get(..begins + ends)
}
