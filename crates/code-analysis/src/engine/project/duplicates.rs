//! Lines that occur more than once, counted by the windows that files share.

use serde::{Deserialize, Serialize};

use super::super::patterns::CodeLocation;
use super::SourceFile;
use super::role::{self, Role};

/// The most groups that an analysis names.
pub const CLONE_CAP: usize = 50;

/// Code that stands in more than one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloneGroup {
    /// Its length in tokens, comments and imports aside.
    pub tokens: u32,
    /// Its lines in the first place.
    pub lines: u32,
    /// Where it stands, in the order of the paths; two places or more.
    pub places: Vec<CodeLocation>,
}

/// The lines of `files` that belong to a window which occurs more than once.
pub(super) fn line_count(files: &[&SourceFile]) -> u32 {
    let compared = || {
        files
            .iter()
            .filter(|file| role::of(&file.path) != Role::Fixture)
    };
    let mut hashes: Vec<u64> = compared()
        .flat_map(|file| file.facts.windows.hashes().iter().copied())
        .collect();
    hashes.sort_unstable();
    // What remains is each hash that stands beside its equal, once.
    let mut repeated: Vec<u64> = hashes
        .windows(2)
        .filter(|pair| pair[0] == pair[1])
        .map(|pair| pair[0])
        .collect();
    repeated.dedup();
    drop(hashes);
    compared()
        .map(|file| {
            file.facts
                .windows
                .covered_lines(|hash| repeated.binary_search(&hash).is_ok())
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use crate::{Language, ProjectInput, SourceFile, file_analyze, project_summarize};

    fn file(path: &str, source: &str) -> SourceFile {
        let facts = file_analyze(path, Language::Python, source.as_bytes()).unwrap();
        SourceFile {
            path: path.to_owned(),
            blob: String::new(),
            language: Language::Python,
            facts,
        }
    }

    fn duplicated(files: Vec<SourceFile>) -> u32 {
        project_summarize(&ProjectInput {
            files,
            ..ProjectInput::default()
        })
        .metrics
        .duplicated_lines
    }

    const SEVEN: &str = "a = 1\nb = 2\nc = 3\nd = 4\ne = 5\nf = 6\ng = 7\n";

    #[test]
    fn a_run_of_lines_in_two_files_counts_in_both() {
        let other = format!("import os\nz = 0\n\n    \n{SEVEN}y = 9\n");
        assert_eq!(
            duplicated(vec![file("a.py", SEVEN), file("b.py", &other)]),
            14
        );
    }

    #[test]
    fn fewer_than_six_lines_alike_are_chance() {
        let other = "a = 1\nb = 2\nc = 3\nd = 4\ne = 5\nx = 6\ny = 7\n";
        assert_eq!(
            duplicated(vec![file("a.py", SEVEN), file("b.py", other)]),
            0
        );
    }

    #[test]
    fn fixtures_repeat_what_they_test_and_do_not_count() {
        assert_eq!(
            duplicated(vec![
                file("a.py", SEVEN),
                file("tests/fixtures/a.py", SEVEN)
            ]),
            0
        );
    }
}
