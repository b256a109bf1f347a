//! Files that change together. A case is a commit that changed the file of the pair which changes less often. Lock
//! files are excluded because tools change them, and so are manifests that a release changes together, and pairs with a
//! deleted file.

use std::collections::BTreeMap;

use super::super::project::SourceFile;
use super::super::project::history::{CoChange, is_told};
use super::question::key;
use super::{CodeLocation, Context, MIN_CASES, MIN_SHARE, Pattern, wilson_lower_bound};
use crate::evidence::round4;

pub(crate) const KIND: &str = "co_change";

/// The maximum number of patterns: the complete list is the co-changes themselves.
const PAIR_CAP: usize = 10;

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let files: BTreeMap<&str, &SourceFile> = context
        .known
        .files
        .iter()
        .map(|file| (file.path.as_str(), *file))
        .collect();
    let mut found: Vec<Pattern> = context
        .known
        .co_changes
        .iter()
        .filter_map(|pair| pattern(pair, &files))
        .collect();
    found.sort_by(|a, b| {
        b.confidence
            .total_cmp(&a.confidence)
            .then_with(|| a.key.cmp(&b.key))
    });
    found.truncate(PAIR_CAP);
    found
}

fn pattern(pair: &CoChange, files: &BTreeMap<&str, &SourceFile>) -> Option<Pattern> {
    let seldom = usize::from(pair.commits[1] < pair.commits[0]);
    let (one, other) = (&pair.paths[seldom], &pair.paths[1 - seldom]);
    if !is_told(one, other) {
        return None;
    }
    let cases = pair.commits[seldom];
    let bound = wilson_lower_bound(pair.together, cases);
    let enough = cases >= MIN_CASES
        && f64::from(pair.together) >= MIN_SHARE * f64::from(cases)
        && bound > 0.5;
    if !enough {
        return None;
    }
    let place = |path: &str| {
        let file = files.get(path)?;
        Some(CodeLocation {
            source_id: None,
            path: file.path.clone(),
            start_line: 1,
            end_line: file.facts.lines.total().max(1),
            blob: file.blob.clone(),
        })
    };
    Some(Pattern {
        key: key(&format!("{KIND}/{one}+{other}")),
        kind: KIND.to_owned(),
        title: format!("`{one}` changes with `{other}`"),
        statement: format!(
            "When you change `{one}`, change `{other}` with it, or be sure that it need not change."
        ),
        stack: None,
        scope: None,
        support: pair.together,
        cases,
        confidence: round4(bound),
        exemplars: vec![place(one)?, place(other)?],
        counter_examples: Vec::new(),
        deviations: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::AnalysisInput;
    use super::super::fixture::{files, found_in};
    use crate::project::{CoChange, SourceFile};

    fn pair(paths: [&str; 2], together: u32, commits: [u32; 2]) -> CoChange {
        CoChange {
            source_ids: [None, None],
            paths: paths.map(str::to_owned),
            together,
            commits,
            degree: f64::from(together) / f64::from(commits[0].min(commits[1])),
        }
    }

    fn found(pairs: &[CoChange]) -> Vec<(String, u32, u32)> {
        let files = files(&[("a.rs", "fn a() {}\n"), ("b.rs", "fn b() {}\n")]);
        let files: Vec<&SourceFile> = files.iter().collect();
        let known = AnalysisInput {
            files: &files,
            co_changes: pairs,
            ..AnalysisInput::default()
        };
        found_in(super::KIND, known)
            .into_iter()
            .map(|one| (one.title, one.support, one.cases))
            .collect()
    }

    #[test]
    fn the_file_that_changes_less_often_draws_the_other_along() {
        let found = found(&[pair(["a.rs", "b.rs"], 18, [60, 20])]);
        assert_eq!(found, [("`b.rs` changes with `a.rs`".to_owned(), 18, 20)]);
    }

    #[test]
    fn chance_lock_files_and_files_that_are_no_more_are_no_pairs() {
        let pairs = [
            pair(["a.rs", "b.rs"], 4, [4, 9]),
            pair(["a.rs", "b.rs"], 10, [20, 30]),
            pair(["Cargo.lock", "a.rs"], 30, [30, 30]),
            pair(["a.rs", "gone.rs"], 30, [30, 30]),
            pair(["a/package.json", "b/package.json"], 30, [30, 30]),
        ];
        assert!(found(&pairs).is_empty());
    }
}
