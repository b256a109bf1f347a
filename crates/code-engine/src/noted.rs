//! What the steps of a project read of a file again and again, picked out of its facts once.
//!
//! A file refers to hundreds of names, and most steps look for a few of them. What any of them may look for is picked
//! out in one pass, on all cores, and kept beside the facts: it follows from the content and the language alone.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::facts::FileFacts;
use super::language::Language;
use super::references::References;
use super::texts::Texts;

/// What is picked out of the facts of one file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Noted {
    /// The references that some kind of pattern counts, and those that find names at run time.
    pub references: References,
    /// The words of string literals that names may be made of.
    pub texts: Texts,
    /// How many references there are in all.
    pub occurrences: u32,
}

impl Noted {
    /// Picks out of these facts, which are of a file of the language.
    pub fn new(language: Language, facts: &FileFacts) -> Noted {
        Noted {
            references: super::patterns::noted(language, facts),
            texts: super::project::noted(language, facts),
            occurrences: facts.references.iter().map(|one| one.count()).sum(),
        }
    }
}

/// What was noted of facts, once it is known. It is no part of them, and makes none differ.
#[derive(Debug, Clone, Default)]
pub(crate) struct NotedCell(OnceLock<Box<Noted>>);

impl NotedCell {
    pub fn get(&self, language: Language, facts: &FileFacts) -> &Noted {
        self.0.get_or_init(|| Box::new(Noted::new(language, facts)))
    }

    /// Remembers what [`get`](Self::get) gave for the same facts before.
    pub fn set(&self, noted: Noted) {
        // What is known already is the same.
        let _ = self.0.set(Box::new(noted));
    }
}

impl PartialEq for NotedCell {
    fn eq(&self, _: &NotedCell) -> bool {
        true
    }
}

impl Eq for NotedCell {}
