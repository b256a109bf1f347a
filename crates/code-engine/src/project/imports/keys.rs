//! Keys of the imports between files: equal keys mean equal imports.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use super::super::SourceFile;
use super::ImportIndex;

impl ImportIndex {
    /// A key of the files and of the imports between them, without the lines of the imports.
    pub(crate) fn key(&self, files: &[&SourceFile]) -> u64 {
        let mut hasher = FxHasher::default();
        for (at, file) in (0u32..).zip(files) {
            (&file.path, file.language, self.unit(at)).hash(&mut hasher);
            for edge in self.imports(at) {
                (edge.to, edge.kind as u8).hash(&mut hasher);
            }
        }
        hasher.finish()
    }

    /// A key of one file's imports and their lines.
    pub(crate) fn key_of(&self, file: u32) -> u64 {
        let mut hasher = FxHasher::default();
        for edge in self.imports(file) {
            (edge.to, edge.kind as u8, edge.line).hash(&mut hasher);
        }
        hasher.finish()
    }
}
