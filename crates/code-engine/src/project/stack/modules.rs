//! The modules of a project, and which of them are optional: a technology of one of those is not the project's.

use std::collections::{BTreeMap, BTreeSet};

use super::super::SourceFile;
use super::super::imports::{declared_edges, folder_of, is_package};
use super::super::manifest::{Ecosystem, Manifest};
use super::super::role::{self, Role};

/// So many modules next to each other that nothing depends on are a family of which users choose one.
const FAMILY: usize = 5;

/// An optional module has less than this share of the source files, in percent.
const OPTIONAL_PERCENT: u64 = 10;

/// The modules with source files, by their folders.
#[derive(Debug, Default)]
pub(super) struct Modules<'a> {
    folders: BTreeSet<&'a str>,
    /// The source files of each module in each ecosystem.
    files: BTreeMap<(Ecosystem, &'a str), u64>,
    /// The modules that another one declares as a dependency.
    needed: BTreeSet<String>,
}

impl<'a> Modules<'a> {
    pub(super) fn new(files: &[&'a SourceFile], manifests: &'a [Manifest]) -> Modules<'a> {
        let is_source = |path: &str| role::of(path) == Role::Source;
        let own = manifests
            .iter()
            .filter(|one| is_source(&one.path) && is_package(one));
        let edges = declared_edges(manifests).into_iter();
        let of_source = edges.filter(|(from, _)| is_source(&format!("{from}/_")));
        let mut modules = Modules {
            folders: own.map(|one| folder_of(&one.path)).collect(),
            files: BTreeMap::new(),
            needed: of_source.map(|(_, to)| to).collect(),
        };
        for file in files.iter().filter(|file| is_source(&file.path)) {
            if let Some(ecosystem) = Ecosystem::of(file.language) {
                let key = (ecosystem, modules.of(&file.path));
                *modules.files.entry(key).or_default() += 1;
            }
        }
        modules
    }

    /// The folder of the module that a file belongs to; empty for the top.
    pub(super) fn of(&self, path: &'a str) -> &'a str {
        let mut folder = folder_of(path);
        while !folder.is_empty() && !self.folders.contains(folder) {
            folder = folder_of(folder);
        }
        folder
    }

    /// Whether these are one module, small and one of a family that no other module needs.
    pub(super) fn is_optional(&self, ecosystem: Ecosystem, users: &BTreeSet<&str>) -> bool {
        let (Some(user), 1) = (users.first(), users.len()) else {
            return false;
        };
        let sizes = || {
            self.files
                .iter()
                .filter(move |((of, _), _)| *of == ecosystem)
        };
        let all: u64 = sizes().map(|(_, files)| *files).sum();
        let own = self.files.get(&(ecosystem, *user)).copied().unwrap_or(0);
        let family = sizes().filter(|((_, folder), _)| {
            folder_of(folder) == folder_of(user) && !self.needed.contains(*folder)
        });
        user.contains('/')
            && !self.needed.contains(*user)
            && own * 100 < all * OPTIONAL_PERCENT
            && family.count() >= FAMILY
    }
}
