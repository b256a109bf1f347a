//! C and C++: `#include "..."` relative to the folder of the file, or the only file of the project with that path
//! suffix.

use rustc_hash::FxHashMap;

use super::super::SourceFile;
use super::{Tree, Verdict, ends_with_parts, folder_of, name_of, nearest, path_join};
use crate::facts::Import;
use crate::language::Language;

#[derive(Debug, Default)]
pub(super) struct Resolver<'a> {
    by_name: FxHashMap<&'a str, Vec<u32>>,
}

/// The maximum number of candidate files: more of them make a name ambiguous.
const CANDIDATES_MAX: usize = 64;

impl<'a> Resolver<'a> {
    pub(super) fn new(tree: &Tree<'a>) -> Self {
        let mut by_name: FxHashMap<&str, Vec<u32>> = FxHashMap::default();
        for (at, file) in tree.of_languages(&[Language::C, Language::Cpp]) {
            by_name.entry(name_of(&file.path)).or_default().push(at);
        }
        Self { by_name }
    }

    pub(super) fn resolve(
        &self,
        tree: &Tree<'_>,
        file: &SourceFile,
        import: &Import,
        to: &mut Vec<u32>,
    ) -> Verdict {
        let written = import.module.trim();
        let is_system = written.starts_with('<');
        let path = written.trim_matches(['"', '<', '>']);
        let is_quoted = written.starts_with('"');
        if !is_system
            && let Some(found) =
                path_join(folder_of(&file.path), path).and_then(|path| tree.file(&path))
        {
            to.push(found);
            return Verdict::Own;
        }
        let clean = path.trim_start_matches("../").trim_start_matches("./");
        let candidates: Vec<u32> = self
            .by_name
            .get(name_of(clean))
            .into_iter()
            .flatten()
            .copied()
            .filter(|file| ends_with_parts(tree.path(*file), clean))
            .take(CANDIDATES_MAX)
            .collect();
        // A bare name in angle brackets is a system header: `<string.h>`, even if the project has a `string.h`.
        let is_bare = is_system && !clean.contains('/');
        match candidates.as_slice() {
            _ if is_bare => Verdict::Elsewhere,
            [only] => {
                to.push(*only);
                Verdict::Own
            }
            [] if is_quoted => Verdict::Missing,
            [] => Verdict::Elsewhere,
            several => {
                to.extend(nearest(tree, &file.path, several));
                Verdict::Own
            }
        }
    }
}
