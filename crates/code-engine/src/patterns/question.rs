//! Questions: which of several alternatives the code uses in each case, and whether one of them is a convention.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::super::evidence::round4;
use super::super::language::Language;
use super::super::project::SourceFile;
use super::{CodeLocation, DEVIATIONS_MAX, MIN_CASES, MIN_SHARE, Pattern, wilson_lower_bound};

/// A pattern of one folder needs more cases: with many folders, coincidences are more likely.
const MIN_CASES_SCOPED: u32 = 10;

/// The maximum number of folders with a pattern for one question.
const SCOPE_CAP: usize = 3;

/// Folders of scripts around the project: their habits do not count as the project's.
const TOOL_FOLDERS: &[&str] = &["build", "ci", "hack", "script", "scripts", "tool", "tools"];

/// The maximum number of exemplars, and of counter-examples, of one pattern.
pub(super) const EXAMPLES: usize = 3;

/// The end of a longer key, in bytes, is replaced by a hash: keys are stored in a database index.
const KEY_CAP: usize = 400;

/// A question about something that code does in one of several ways.
#[derive(Debug)]
pub(super) struct Question<'a> {
    /// The subject, as a part of the key: `functions`.
    pub subject: Cow<'static, str>,
    pub stack: Language,
    /// The possible answers, in a fixed order.
    pub answers: Vec<Answer>,
    pub cases: Vec<Case<'a>>,
}

/// One possible answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// The answer as a part of the key: `snake_case`.
    slug: Cow<'static, str>,
    /// The title and the rule; `None` if the answer is never recommended, even if it is common.
    rule: Option<(String, String)>,
}

impl Answer {
    pub(super) fn rule(
        slug: impl Into<Cow<'static, str>>,
        title: impl Into<String>,
        statement: impl Into<String>,
    ) -> Answer {
        Answer {
            slug: slug.into(),
            rule: Some((title.into(), statement.into())),
        }
    }

    /// Creates an answer that is counted but not recommended.
    pub(super) fn other(slug: impl Into<Cow<'static, str>>) -> Answer {
        Answer {
            slug: slug.into(),
            rule: None,
        }
    }
}

/// One place where the question arises.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    pub file: &'a SourceFile,
    pub start_line: u32,
    pub end_line: u32,
    /// The index of the answer that this place gives.
    pub answer: usize,
}

impl<'a> Case<'a> {
    pub(super) fn line(file: &'a SourceFile, line: u32, answer: usize) -> Case<'a> {
        Case {
            file,
            start_line: line,
            end_line: line,
            answer,
        }
    }

    pub(super) fn location(&self) -> CodeLocation {
        CodeLocation {
            source_id: None,
            path: self.file.path.clone(),
            start_line: self.start_line,
            end_line: self.end_line,
            blob: self.file.blob.clone(),
        }
    }
}

impl Question<'_> {
    pub(super) fn decide(&self, kind: &'static str) -> Vec<Pattern> {
        if let Some(winner) = self.habit(self.cases.iter(), MIN_CASES) {
            return self
                .pattern(kind, winner, None, &self.cases)
                .into_iter()
                .collect();
        }
        let mut by_folder: BTreeMap<&str, Vec<Case<'_>>> = BTreeMap::new();
        for cases in by_file(&self.cases) {
            for folder in scopes(&cases[0].file.path) {
                by_folder
                    .entry(folder)
                    .or_default()
                    .extend_from_slice(cases);
            }
        }
        let mut found: Vec<Pattern> = Vec::new();
        let mut scoped: Vec<(&str, Vec<Case<'_>>)> = by_folder.into_iter().collect();
        scoped.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then(a.0.cmp(b.0)));
        for (folder, cases) in scoped {
            let inside = |pattern: &Pattern| {
                pattern
                    .scope
                    .as_deref()
                    .is_some_and(|outer| is_inside(folder, outer))
            };
            let says_nothing = TOOL_FOLDERS.contains(&folder) || is_of_one_file(&cases);
            if found.len() == SCOPE_CAP || found.iter().any(inside) || says_nothing {
                continue;
            }
            if let Some(winner) = self.habit(cases.iter(), MIN_CASES_SCOPED) {
                found.extend(self.pattern(kind, winner, Some(folder), &cases));
            }
        }
        found
    }

    /// Like [`decide`](Self::decide), but without patterns of folders.
    pub(super) fn decide_whole(&self, kind: &'static str) -> Option<Pattern> {
        let winner = self.habit(self.cases.iter(), MIN_CASES)?;
        self.pattern(kind, winner, None, &self.cases)
    }

    /// Returns the answer that is a habit, if any.
    fn habit<'c, 'a: 'c>(
        &self,
        cases: impl Iterator<Item = &'c Case<'a>>,
        least: u32,
    ) -> Option<usize> {
        let mut counts = vec![0u32; self.answers.len()];
        for case in cases {
            counts[case.answer] += 1;
        }
        let all: u32 = counts.iter().sum();
        let (winner, support) = counts
            .into_iter()
            .enumerate()
            .max_by_key(|(answer, count)| (*count, std::cmp::Reverse(*answer)))?;
        let enough = all >= least && f64::from(support) >= MIN_SHARE * f64::from(all);
        (enough && wilson_lower_bound(support, all) > 0.5).then_some(winner)
    }

    fn pattern(
        &self,
        kind: &str,
        winner: usize,
        scope: Option<&str>,
        cases: &[Case<'_>],
    ) -> Option<Pattern> {
        let answer = &self.answers[winner];
        let (title, statement) = answer.rule.clone()?;
        let (with, without): (Vec<Case<'_>>, Vec<Case<'_>>) =
            cases.iter().partition(|case| case.answer == winner);
        let support = u32::try_from(with.len()).unwrap_or(u32::MAX);
        let all = u32::try_from(cases.len()).unwrap_or(u32::MAX);
        let at = scope.map_or_else(String::new, |scope| format!("@{scope}"));
        Some(Pattern {
            key: key(&format!(
                "{kind}/{}/{}/{}{at}",
                self.stack, self.subject, answer.slug
            )),
            kind: kind.to_owned(),
            title,
            statement,
            stack: Some(self.stack.as_str().to_owned()),
            scope: scope.map(str::to_owned),
            support,
            cases: all,
            confidence: round4(wilson_lower_bound(support, all)),
            exemplars: examples(&with),
            counter_examples: examples(&without),
            deviations: if without.len() <= DEVIATIONS_MAX {
                without.iter().map(Case::location).collect()
            } else {
                Vec::new()
            },
        })
    }
}

/// The runs of cases in the same file, none of them empty. Most cases of a file follow one another, and to look up
/// each by its path would take longer than to find it.
fn by_file<'c, 'a>(cases: &'c [Case<'a>]) -> impl Iterator<Item = &'c [Case<'a>]> {
    cases.chunk_by(|one, next| std::ptr::eq(one.file, next.file))
}

/// Whether nearly all cases are in one file: it shows a habit of the file and not of the folder.
fn is_of_one_file(cases: &[Case<'_>]) -> bool {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for cases in by_file(cases) {
        *counts.entry(&cases[0].file.path).or_default() += cases.len();
    }
    let most = counts.into_values().max().unwrap_or(0);
    most as f64 > MIN_SHARE * cases.len() as f64
}

/// Returns up to three cases, from the files of the source with most of them, and from different files if possible.
pub(super) fn examples(cases: &[Case<'_>]) -> Vec<CodeLocation> {
    let mut paths: BTreeMap<&str, Vec<&Case<'_>>> = BTreeMap::new();
    for cases in by_file(cases) {
        paths.entry(&cases[0].file.path).or_default().extend(cases);
    }
    let mut files: Vec<Vec<&Case<'_>>> = paths.into_values().collect();
    // A script beside the source is nothing to learn from, if there is anything else.
    if files.iter().any(|cases| !is_script(&cases[0].file.path)) {
        files.retain(|cases| !is_script(&cases[0].file.path));
    }
    // Of files with equal counts, the one with the shallower path is more central to the project.
    files.sort_by_cached_key(|cases| {
        (
            std::cmp::Reverse(cases.len()),
            cases[0].file.path.matches('/').count(),
        )
    });
    let mut chosen = BTreeSet::new();
    for round in 0..EXAMPLES {
        for file in &files {
            if let Some(case) = file.get(round) {
                chosen.insert(case.location());
                if chosen.len() == EXAMPLES {
                    return chosen.into_iter().collect();
                }
            }
        }
    }
    chosen.into_iter().collect()
}

/// Whether the file is a script beside the project's source.
fn is_script(path: &str) -> bool {
    let first = path.split_once('/').map_or("", |(first, _)| first);
    first == "bin" || TOOL_FOLDERS.contains(&first)
}

/// Returns a key that fits into an index: the end of a longer key is replaced by a hash.
pub(super) fn key(written: &str) -> String {
    if written.len() <= KEY_CAP {
        return written.to_owned();
    }
    let mut end = KEY_CAP - 41;
    while !written.is_char_boundary(end) {
        end -= 1;
    }
    let hash = super::super::blob::blob_id(written.as_bytes());
    format!("{}~{hash}", &written[..end])
}

/// The folders that may be the scope of a pattern: the first, and the first two.
fn scopes(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').take(2).map(|(at, _)| &path[..at])
}

fn is_inside(folder: &str, outer: &str) -> bool {
    folder
        .strip_prefix(outer)
        .is_some_and(|rest| rest.starts_with('/'))
}
