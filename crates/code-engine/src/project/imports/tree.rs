//! The files of a project by their paths, for finding what an import names.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::SourceFile;
use super::folder_of;
use crate::language::Language;

/// The files by their paths.
pub(super) struct Tree<'a> {
    pub(super) files: &'a [&'a SourceFile],
    by_path: FxHashMap<&'a str, u32>,
    /// Every folder with a parsed file in it or below it, without the root.
    pub(super) folders: FxHashSet<&'a str>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(files: &'a [&'a SourceFile]) -> Tree<'a> {
        let mut tree = Tree {
            files,
            by_path: FxHashMap::default(),
            folders: FxHashSet::default(),
        };
        for (at, file) in files.iter().enumerate() {
            if !is_imported(file.language) {
                continue;
            }
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            tree.by_path.insert(&file.path, at);
            let mut folder = folder_of(&file.path);
            while !folder.is_empty() && tree.folders.insert(folder) {
                folder = folder_of(folder);
            }
        }
        tree
    }

    pub(super) fn file(&self, path: &str) -> Option<u32> {
        self.by_path.get(path).copied()
    }

    pub(super) fn path(&self, file: u32) -> &'a str {
        self.files
            .get(file as usize)
            .map_or("", |file| file.path.as_str())
    }

    /// The file at the path with the first matching extension.
    pub(super) fn with_ending(&self, path: &str, endings: &[&str]) -> Option<u32> {
        let mut tried = String::with_capacity(path.len() + 16);
        endings.iter().find_map(|ending| {
            tried.clear();
            tried.push_str(path);
            tried.push_str(ending);
            self.file(&tried)
        })
    }

    pub(super) fn of_languages(
        &self,
        languages: &'static [Language],
    ) -> impl Iterator<Item = (u32, &'a SourceFile)> {
        let files = self.files.iter().enumerate();
        files
            .filter(move |(_, file)| languages.contains(&file.language))
            .map(|(at, file)| (u32::try_from(at).unwrap_or(u32::MAX), *file))
    }
}

/// Whether files of the language can be imported as code.
fn is_imported(language: Language) -> bool {
    use Language as L;
    language.has_facts()
        || matches!(
            language,
            L::C | L::Cpp
                | L::CSharp
                | L::Ruby
                | L::Php
                | L::Shell
                | L::Kotlin
                | L::Swift
                | L::Scala
                | L::Vue
                | L::Svelte
        )
}
