//! Files that accompany a change of the source: a change log, a manifest. A case is a commit that changes source.

use std::collections::BTreeMap;

use super::super::evidence::round4;
use super::super::language::Category;
use super::super::project::SourceFile;
use super::question::key;
use super::{CodeLocation, Context, Pattern, Role, role, wilson_lower_bound};

pub(super) const KIND: &str = "companion";

/// The minimum number of commits: fewer are not conclusive.
const COMMITS_MIN: u32 = 10;

/// The least share of commits with the file: below it most changes go without the file.
const SHARE_MIN: f64 = 0.5;

/// The maximum number of files of a commit: larger commits move or format everything.
const FILES_MAX: usize = 30;

/// The maximum number of patterns.
const TOLD_MAX: usize = 3;

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let known: BTreeMap<&str, &SourceFile> = context
        .known
        .files
        .iter()
        .map(|file| (file.path.as_str(), *file))
        .collect();
    let is_source = |path: &str| {
        role::of(path) == Role::Source
            && known
                .get(path)
                .is_some_and(|file| file.language.category() == Category::Code)
    };
    let (mut commits, mut with) = (0_u32, BTreeMap::<&str, u32>::new());
    for change in context
        .known
        .changes
        .iter()
        .filter(|one| one.paths.len() <= FILES_MAX)
    {
        if !change.paths.iter().any(|path| is_source(path)) {
            continue;
        }
        commits += 1;
        for path in change.paths.iter().filter(|path| !is_source(path)) {
            if let Some((path, file)) = known.get_key_value(path.as_str())
                && file.language.category() != Category::Code
            {
                *with.entry(path).or_default() += 1;
            }
        }
    }
    if commits < COMMITS_MIN {
        return Vec::new();
    }
    let mut found: Vec<Pattern> = with
        .into_iter()
        .filter(|(_, count)| f64::from(*count) >= SHARE_MIN * f64::from(commits))
        .filter_map(|(path, count)| Some(pattern(known.get(path)?, count, commits)))
        .collect();
    found.sort_by(|a, b| b.support.cmp(&a.support).then_with(|| a.key.cmp(&b.key)));
    found.truncate(TOLD_MAX);
    found
}

fn pattern(file: &SourceFile, support: u32, cases: u32) -> Pattern {
    let path = &file.path;
    Pattern {
        key: key(&format!("{KIND}/{path}")),
        kind: KIND.to_owned(),
        title: format!("`{path}` is changed together with the source"),
        statement: format!(
            "With a change of the source, change `{path}` too where it applies: {support} of {cases} commits do."
        ),
        stack: None,
        scope: None,
        support,
        cases,
        confidence: round4(wilson_lower_bound(support, cases)),
        exemplars: vec![CodeLocation {
            source_id: None,
            path: path.clone(),
            start_line: 1,
            end_line: 1,
            blob: file.blob.clone(),
        }],
        counter_examples: Vec::new(),
        deviations: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::AnalysisInput;
    use super::super::fixture::{files, found_in};
    use super::*;
    use crate::project::Change;

    fn of(with: usize) -> Vec<String> {
        let files = files(&[
            ("CHANGES.md", "# a\n"),
            ("src/a.py", "x = 1\n"),
            ("src/b.py", "x = 1\n"),
        ]);
        let files: Vec<&SourceFile> = files.iter().collect();
        let changes: Vec<Change> = (0..12)
            .map(|n| {
                let mut paths = vec![format!("src/{}.py", if n % 2 == 0 { "a" } else { "b" })];
                if n < with {
                    paths.push("CHANGES.md".to_owned());
                }
                Change {
                    author: "A".to_owned(),
                    paths,
                    committed_at: 0,
                }
            })
            .collect();
        let known = AnalysisInput {
            files: &files,
            changes: &changes,
            ..AnalysisInput::default()
        };
        let found = found_in(KIND, known);
        found
            .iter()
            .map(|one| format!("{} {}/{}", one.key, one.support, one.cases))
            .collect()
    }

    #[test]
    fn a_change_log_that_goes_with_most_changes_is_told() {
        assert_eq!(of(9), ["companion/CHANGES.md 9/12"]);
    }

    #[test]
    fn one_that_goes_with_few_is_not() {
        assert!(of(3).is_empty());
    }
}
