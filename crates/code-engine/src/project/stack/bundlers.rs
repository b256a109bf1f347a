//! Whether a bundler builds a project. Many are only there for another tool, or for tests of a bundle's size.

use std::collections::BTreeSet;

use super::super::SourceFile;
use super::super::frameworks::FRAMEWORKS;
use super::super::manifest::{Ecosystem, Manifest};
use super::super::role::{self, Role};
use super::Technology;

/// The first words of the names of scripts that build a package of JavaScript, start it or prepare its release.
const BUILDING: &[&str] = &[
    "build",
    "compile",
    "dev",
    "develop",
    "dist",
    "postinstall",
    "prebuild",
    "prepack",
    "prepare",
    "prepublish",
    "prepublishOnly",
    "preview",
    "serve",
    "start",
    "watch",
];

/// The words of the commands by which the packages are built: `rollup` of `tsc && rollup -c`.
pub(super) fn builders(manifests: &[&Manifest]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for manifest in manifests {
        if !manifest.path.ends_with("package.json") {
            continue;
        }
        let value: serde_json::Value = serde_json::from_str(&manifest.text).unwrap_or_default();
        let scripts = value.get("scripts").and_then(serde_json::Value::as_object);
        for (name, command) in scripts.into_iter().flatten() {
            let first = name.split([':', '-', '.']).next().unwrap_or(name);
            if let Some(command) = command.as_str().filter(|_| BUILDING.contains(&first)) {
                words.extend(command.split_whitespace().map(str::to_owned));
            }
        }
    }
    words
}

/// Whether a technology is no bundler, or one that a script builds with or a program in a folder of the source imports.
pub(super) fn is_of_stack(
    technology: &Technology,
    files: &[&SourceFile],
    builders: &BTreeSet<String>,
) -> bool {
    let bundler = FRAMEWORKS
        .iter()
        .find(|one| one.is_bundler() && one.name == technology.name);
    let Some(bundler) = bundler else {
        return true;
    };
    // A script at the top is a recipe or a trial.
    let is_program = |file: &&&SourceFile| {
        file.path.contains('/')
            && role::of(&file.path) == Role::Source
            && Ecosystem::of(file.language) == Some(bundler.ecosystem)
    };
    builders.contains(bundler.name)
        || files.iter().filter(is_program).any(|file| {
            let mut imports = file.facts.imports.iter();
            imports.any(|one| !one.test && bundler.is_imported_by(&one.module))
        })
}
