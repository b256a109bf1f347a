//! The folders that form the parts of a project: its packages, and the folders of a package that contains nearly
//! everything.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::SourceFile;
use super::super::manifest::Manifest;
use super::{folder_of, is_below, name_of};

/// Folders that contain parts, but are not parts themselves.
const CONTAINERS: &[&str] = &[
    "src", "lib", "libs", "internal", "pkg", "pkgs", "cmd", "app", "apps", "crates", "packages",
    "modules", "plugins", "services", "Sources",
];

/// A package with more than this share of the files, in percent, is divided into its folders.
const WHOLE_PERCENT: usize = 90;

/// The number of files from which a folder with one file is not a part of its own.
const FOLDED_FROM: usize = 20;

/// The parts, and the part of each file.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// The folders of the parts, sorted; `.` for the top.
    pub folders: Vec<String>,
    /// The part of each requested file.
    pub of: FxHashMap<u32, u32>,
}

/// Divides the files by the package of each, or by folders if one package is nearly everything.
pub(crate) fn parts_find(files: &[&SourceFile], wanted: &[u32], manifests: &[Manifest]) -> Parts {
    let packages: FxHashSet<&str> = manifests
        .iter()
        .filter(|one| is_package(one))
        .map(|one| folder_of(&one.path))
        .collect();
    let mut groups: FxHashMap<&str, Vec<u32>> = FxHashMap::default();
    for file in wanted {
        let mut folder = folder_of(&files[*file as usize].path);
        while !folder.is_empty() && !packages.contains(folder) {
            folder = folder_of(folder);
        }
        groups.entry(folder).or_default().push(*file);
    }
    let mut groups: Vec<(&str, Vec<u32>)> = groups.into_iter().collect();
    groups.sort_unstable();
    let mut label_of: Vec<(u32, String)> = Vec::with_capacity(wanted.len());
    for (package, members) in &groups {
        let common = folder_common(files, members);
        let is_whole =
            members.len() * 100 > wanted.len() * WHOLE_PERCENT || by_folders(files, members);
        if is_whole {
            folders_below(files, members, common, &mut label_of);
        } else {
            // For the package at the top, the name of its folder is more informative. Scripts next to its source are
            // not part of the source: they may import other packages.
            let label = |file: u32| match (*package, common) {
                ("", "") => folder_top(&files[file as usize].path),
                ("", common) => common,
                (package, _) => package,
            };
            label_of.extend(members.iter().map(|file| (*file, label(*file).to_owned())));
        }
    }
    let mut folders: Vec<String> = label_of.iter().map(|(_, label)| label.clone()).collect();
    folders.sort_unstable();
    folders.dedup();
    let number = |label: &String| {
        folders
            .binary_search(label)
            .ok()
            .and_then(|at| u32::try_from(at).ok())
    };
    let of = label_of
        .iter()
        .filter_map(|(file, label)| Some((*file, number(label)?)))
        .collect();
    Parts { folders, of }
}

/// Whether the manifest makes its folder a package.
pub(crate) fn is_package(manifest: &Manifest) -> bool {
    let name = name_of(&manifest.path);
    match name {
        "Cargo.toml" => manifest.text.lines().any(|line| line.trim() == "[package]"),
        "package.json" | "go.mod" | "pyproject.toml" | "setup.py" | "composer.json"
        | "build.gradle" | "build.gradle.kts" | "pom.xml" | "Package.swift" => true,
        _ => name.ends_with(".csproj") || name.ends_with(".gemspec"),
    }
}

/// Whether most of the files are in a language whose packages are folders, so that one manifest does not show the
/// parts.
fn by_folders(files: &[&SourceFile], members: &[u32]) -> bool {
    use crate::language::Language;
    let is_by_folder = |file: &&u32| {
        matches!(
            files[**file as usize].language,
            Language::Go | Language::Python
        )
    };
    members.iter().filter(is_by_folder).count() * 2 > members.len()
}

/// The first folder of a path; `.` for a file at the top.
fn folder_top(path: &str) -> &str {
    path.split_once('/').map_or(".", |(first, _)| first)
}

/// The deepest folder that contains all the files.
fn folder_common<'a>(files: &[&'a SourceFile], members: &[u32]) -> &'a str {
    let mut folders = members
        .iter()
        .map(|file| folder_of(&files[*file as usize].path));
    let mut common = folders.next().unwrap_or_default();
    for folder in folders {
        while folder != common && !is_below(folder, common) {
            common = folder_of(common);
        }
    }
    common
}

fn folders_below(
    files: &[&SourceFile],
    members: &[u32],
    common: &str,
    labels: &mut Vec<(u32, String)>,
) {
    let below = |file: u32| {
        let path = files[file as usize].path.as_str();
        path.get(common.len()..)
            .unwrap_or_default()
            .trim_start_matches('/')
    };
    let folders: FxHashSet<&str> = members
        .iter()
        .filter_map(|file| part_folder(below(*file)))
        .collect();
    let mut of_folder: FxHashMap<&str, Vec<u32>> = FxHashMap::default();
    for file in members {
        let inside = below(*file);
        let folder = part_folder(inside).or_else(|| {
            // `a.rs` next to the folder `a` belongs to that part.
            let stem = inside.rsplit_once('.').map_or(inside, |(stem, _)| stem);
            folders.get(stem).copied()
        });
        of_folder
            .entry(folder.unwrap_or_default())
            .or_default()
            .push(*file);
    }
    // In a project of many files, a folder with one file is not a part.
    if members.len() >= FOLDED_FROM {
        let lone: Vec<&str> = of_folder
            .iter()
            .filter(|(folder, inside)| !folder.is_empty() && inside.len() == 1)
            .map(|(folder, _)| *folder)
            .collect();
        for folder in lone {
            // The file moves only to an existing part: that of the folder around.
            let outer = folder_of(folder);
            if of_folder.contains_key(outer) {
                let inside = of_folder.remove(folder).unwrap_or_default();
                of_folder.entry(outer).or_default().extend(inside);
            }
        }
    }
    for (folder, inside) in of_folder {
        // A folder that contains nearly everything is not a part, but divided further.
        let is_whole = !folder.is_empty() && inside.len() * 100 > members.len() * WHOLE_PERCENT;
        let label = match (common.is_empty(), folder.is_empty()) {
            (true, false) => folder.to_owned(),
            (false, false) => format!("{common}/{folder}"),
            (true, true) => ".".to_owned(),
            (false, true) => common.to_owned(),
        };
        // Only files inside the folder are divided again. With a file next to it, the common folder would stay the
        // same, and the recursion would not end.
        let (within, beside): (Vec<u32>, Vec<u32>) = inside
            .into_iter()
            .partition(|file| is_whole && part_folder(below(*file)) == Some(folder));
        if !within.is_empty() {
            folders_below(files, &within, folder_common(files, &within), labels);
        }
        labels.extend(beside.into_iter().map(|file| (file, label.clone())));
    }
}

/// The folder of a file's part, relative to the common folder: the first level, or the second if the first only
/// contains parts.
fn part_folder(inside: &str) -> Option<&str> {
    let (first, rest) = inside.split_once('/')?;
    match rest.find('/').filter(|_| CONTAINERS.contains(&first)) {
        Some(second) => inside.get(..first.len() + 1 + second),
        None => Some(first),
    }
}
