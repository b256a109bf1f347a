//! The part of a file's facts that the steps of a project read repeatedly, selected once.
//!
//! A file refers to hundreds of names, and most steps look for a few of them. The names that any step may look for are
//! selected in one pass, on all cores, and kept next to the facts: they depend only on the content and the language.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::facts::FileFacts;
use super::language::Language;
use super::references::References;
use super::texts::Texts;

/// The selected part of the facts of one file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct NotedReferences {
    /// The references that some kind of pattern counts, and those that look up names at run time.
    pub references: References,
    /// The words of string literals that names may be composed of.
    pub texts: Texts,
    /// The total number of references.
    pub occurrences: u32,
}

impl NotedReferences {
    /// Selects from the facts of a file in this language.
    pub fn new(language: Language, facts: &FileFacts) -> NotedReferences {
        NotedReferences {
            references: super::patterns::noted(language, facts),
            texts: super::project::noted(language, facts),
            occurrences: facts.references.iter().map(|one| one.count()).sum(),
        }
    }
}

/// The noted part of facts, once it is known. It is derived from the facts, so comparisons ignore it.
#[derive(Debug, Clone, Default)]
pub(crate) struct NotedCell(OnceLock<Box<NotedReferences>>);

impl NotedCell {
    pub fn get(&self, language: Language, facts: &FileFacts) -> &NotedReferences {
        self.0
            .get_or_init(|| Box::new(NotedReferences::new(language, facts)))
    }

    /// Stores the result of an earlier [`get`](Self::get) for the same facts.
    pub fn set(&self, noted: NotedReferences) {
        // A known value is the same, so a failure to set it does not matter.
        let _ = self.0.set(Box::new(noted));
    }
}

impl PartialEq for NotedCell {
    fn eq(&self, _: &NotedCell) -> bool {
        true
    }
}

impl Eq for NotedCell {}
