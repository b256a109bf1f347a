//! Skipped files: the number by rule, the first paths, and the consequences for the analysis.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::language::Language;
use super::skip::{Skip, SkipRule};

/// The maximum number of listed files per rule.
pub const SKIPPED_NAMED: usize = 5;

/// Files that were skipped by one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedFiles {
    /// The reason.
    pub reason: Skip,
    /// The rule's stable name: the reason, and what the file was recognised by if there are several ways:
    /// `vendored/node_modules`, `generated/.pb.go`, `generated/header`, `minified/long-lines`, `does_not_parse`.
    pub rule: String,
    /// Their number.
    pub files: u32,
    /// The first of them, at most [`SKIPPED_NAMED`].
    pub paths: Vec<String>,
}

/// Collects the skipped files.
#[derive(Debug, Default)]
pub struct SkippedByRule {
    by_rule: BTreeMap<SkipRule, SkippedFiles>,
    unread_folders: BTreeSet<String>,
}

impl SkippedByRule {
    /// Adds a file, which is reported as `shown`. The first files of each rule are listed.
    pub fn add(&mut self, rule: SkipRule, path: &str, shown: &str) {
        // The target of a link is read at its own path.
        let is_own = !matches!(rule.reason, Skip::Vendored | Skip::Link);
        if is_own && Language::detect(path).is_some_and(Language::has_facts) {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            if !self.unread_folders.contains(folder) {
                self.unread_folders.insert(folder.to_owned());
            }
        }
        let those = self.by_rule.entry(rule).or_insert_with(|| SkippedFiles {
            reason: rule.reason,
            rule: rule.to_string(),
            files: 0,
            paths: Vec::new(),
        });
        those.files += 1;
        if those.paths.len() < SKIPPED_NAMED {
            those.paths.push(shown.to_owned());
        }
    }

    /// The files by their rules, in the order of the rules; and the folders with source of the project's own among
    /// them, see [`ProjectInput::unread_folders`](crate::project::ProjectInput::unread_folders).
    #[must_use]
    pub fn finish(self) -> (Vec<SkippedFiles>, Vec<String>) {
        (
            self.by_rule.into_values().collect(),
            self.unread_folders.into_iter().collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_with_skipped_own_sources_are_unread() {
        let mut skipped = SkippedByRule::default();
        for (reason, path) in [
            (Skip::TooDeep, "src/deep.py"),
            (Skip::DoesNotParse, "src/bad.py"),
            (Skip::Vendored, "vendor/a.py"),
            (Skip::Link, "lib/link.py"),
            (Skip::Binary, "docs/notes.txt"),
        ] {
            skipped.add(reason.into(), path, path);
        }
        let (files, folders) = skipped.finish();
        assert_eq!((files.len(), folders), (5, vec!["src".to_owned()]));
    }
}
