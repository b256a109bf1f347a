//! Habits of a code base, each with the places that show it and those that do not.
//!
//! A pattern kind is one module. It asks [`Question`]s: which of several [`Answer`]s does the code give, case by case?
//! This module decides which answers are habits. One is, when
//!
//! - there are at least [`MIN_CASES`] cases,
//! - at least [`MIN_SHARE`] of them answer alike, and
//! - it is a majority with 95 % confidence: the lower bound of the Wilson interval is above one half.
//!
//! A question that the whole project answers both ways may have an answer in one folder; then the pattern has that
//! scope. Where no answer is a habit, nothing is said.

mod documentation;
mod error_handling;
mod import_style;
mod naming;
mod test_layout;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::language::Language;
use super::project::role::{self, Role};
use super::project::{SourceFile, round4};

/// Fewer cases than this are no habit.
pub const MIN_CASES: u32 = 5;

/// The least share of the cases that a habit holds in. Below it, a reader who opens three places at random would more
/// likely than not meet an exception.
pub const MIN_SHARE: f64 = 0.75;

/// A pattern of one folder needs more cases: there are more folders to find a coincidence in.
const MIN_CASES_SCOPED: u32 = 10;

/// The most folders that one question is answered for.
const SCOPE_CAP: usize = 3;

/// Exemplars, and counter-examples, of one pattern.
const EXAMPLES: usize = 3;

/// A habit of the code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pattern {
    /// The same from run to run while the rule is the same: `naming/python/functions/snake_case`, with `@folder` where it
    /// has a scope.
    pub key: String,
    /// Its kind: `naming`, `error_handling`, `test_layout`, `documentation`, `import_style`.
    pub kind: String,
    /// The habit in a few words: "Functions are snake_case".
    pub title: String,
    /// A rule that somebody could follow.
    pub statement: String,
    /// The language it is about.
    pub stack: Option<String>,
    /// The folder it is about; `None` for the whole project.
    pub scope: Option<String>,
    /// The cases that follow it: the n of "n of m".
    pub support: u32,
    /// All cases: the m.
    pub cases: u32,
    /// How sure it is: the lower bound of the Wilson interval at 95 % on `support` of `cases`, to four places.
    pub confidence: f64,
    /// Two or three places that show it, from different files where there are such.
    pub exemplars: Vec<CodeLocation>,
    /// Up to three places that do not follow it.
    pub counter_examples: Vec<CodeLocation>,
}

/// A place in the code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CodeLocation {
    /// The file's path.
    pub path: String,
    /// Its first line, 1-based.
    pub start_line: u32,
    /// Its last line.
    pub end_line: u32,
    /// Git's id of the content that the lines are of.
    pub blob: String,
}

/// Something that code does in one way or another.
#[derive(Debug)]
struct Question<'a> {
    /// What it is about, for the key: `functions`.
    subject: &'static str,
    stack: Language,
    /// The ways, in a fixed order.
    answers: Vec<Answer>,
    cases: Vec<Case<'a>>,
}

/// One way of doing it.
#[derive(Debug, Clone)]
struct Answer {
    /// For the key: `snake_case`.
    slug: &'static str,
    /// The title and the rule; `None` where the way, common as it may be, is nothing to follow.
    rule: Option<(String, String)>,
}

impl Answer {
    fn rule(slug: &'static str, title: impl Into<String>, statement: impl Into<String>) -> Answer {
        Answer {
            slug,
            rule: Some((title.into(), statement.into())),
        }
    }

    /// A way that is counted and not recommended.
    fn other(slug: &'static str) -> Answer {
        Answer { slug, rule: None }
    }
}

/// One place where the question arises.
#[derive(Debug, Clone, Copy)]
struct Case<'a> {
    file: &'a SourceFile,
    start_line: u32,
    end_line: u32,
    /// Which of the question's answers is given here.
    answer: usize,
}

impl<'a> Case<'a> {
    fn line(file: &'a SourceFile, line: u32, answer: usize) -> Case<'a> {
        Case {
            file,
            start_line: line,
            end_line: line,
            answer,
        }
    }

    fn location(&self) -> CodeLocation {
        CodeLocation {
            path: self.file.path.clone(),
            start_line: self.start_line,
            end_line: self.end_line,
            blob: self.file.blob.clone(),
        }
    }
}

/// The files that patterns are found in, by what they are for.
struct Files<'a> {
    source: Vec<&'a SourceFile>,
    tests: Vec<&'a SourceFile>,
}

impl<'a> Files<'a> {
    /// The source files of the languages that share a stack.
    fn source(&self, stack: Language) -> impl Iterator<Item = &'a SourceFile> {
        self.source
            .iter()
            .copied()
            .filter(move |file| file.language.stack() == stack)
    }
}

/// The languages whose habits are looked for.
const STACKS: [Language; 6] = [
    Language::Rust,
    Language::TypeScript,
    Language::JavaScript,
    Language::Python,
    Language::Go,
    Language::Java,
];

/// Finds the patterns of files that are in the order of their paths; surest first.
pub(crate) fn find<E>(
    files: &[&SourceFile],
    check: impl Fn() -> Result<(), E>,
) -> Result<Vec<Pattern>, E> {
    let of = |wanted: Role| {
        files
            .iter()
            .copied()
            .filter(move |file| role::of(&file.path) == wanted)
            .collect()
    };
    let files = Files {
        source: of(Role::Source),
        tests: of(Role::Test),
    };
    let mut patterns: Vec<Pattern> = Vec::new();
    let mut decide = |kind, questions: Vec<Question<'_>>| {
        let decided = questions.iter().flat_map(|question| question.decide(kind));
        patterns.extend(decided);
        check()
    };
    decide(naming::KIND, naming::questions(&files))?;
    decide(error_handling::KIND, error_handling::questions(&files))?;
    decide(test_layout::KIND, test_layout::questions(&files))?;
    decide(documentation::KIND, documentation::questions(&files))?;
    decide(import_style::KIND, import_style::questions(&files))?;
    patterns.sort_by(|a, b| {
        b.confidence
            .total_cmp(&a.confidence)
            .then_with(|| a.key.cmp(&b.key))
    });
    Ok(patterns)
}

impl Question<'_> {
    fn decide(&self, kind: &'static str) -> Vec<Pattern> {
        if let Some(winner) = self.habit(self.cases.iter(), MIN_CASES) {
            return self
                .pattern(kind, winner, None, &self.cases)
                .into_iter()
                .collect();
        }
        let mut by_folder: BTreeMap<&str, Vec<Case<'_>>> = BTreeMap::new();
        for case in &self.cases {
            for folder in scopes(&case.file.path) {
                by_folder.entry(folder).or_default().push(*case);
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
            if found.len() == SCOPE_CAP || found.iter().any(inside) {
                continue;
            }
            if let Some(winner) = self.habit(cases.iter(), MIN_CASES_SCOPED) {
                found.extend(self.pattern(kind, winner, Some(folder), &cases));
            }
        }
        found
    }

    /// The answer that is a habit, if one is.
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
            key: format!("{kind}/{}/{}/{}{at}", self.stack, self.subject, answer.slug),
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
        })
    }
}

/// Up to three cases, from the files that have the most of them: one from each while there are files.
fn examples(cases: &[Case<'_>]) -> Vec<CodeLocation> {
    let mut by_file: BTreeMap<&str, Vec<&Case<'_>>> = BTreeMap::new();
    for case in cases {
        by_file.entry(&case.file.path).or_default().push(case);
    }
    let mut files: Vec<Vec<&Case<'_>>> = by_file.into_values().collect();
    // Among equals the shallower path: it is nearer to the heart of a project.
    files.sort_by_key(|cases| {
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

/// The folders that may be the scope of a pattern: the first, and the first two.
fn scopes(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').take(2).map(|(at, _)| &path[..at])
}

fn is_inside(folder: &str, outer: &str) -> bool {
    folder
        .strip_prefix(outer)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// The lower bound of the Wilson score interval at 95 % on `support` of `cases`, between 0 and 1.
///
/// E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
/// Statistical Association 22 (1927), 209-212. Unlike the plain share it knows that 5 of 5 is less than 500 of 500.
#[must_use]
pub fn wilson_lower_bound(support: u32, cases: u32) -> f64 {
    if cases == 0 {
        return 0.0;
    }
    // The 97.5th percentile of the normal distribution.
    const Z: f64 = 1.959_964;
    let n = f64::from(cases);
    let share = f64::from(support) / n;
    let centre = share + Z * Z / (2.0 * n);
    let spread = Z * ((share * (1.0 - share) + Z * Z / (4.0 * n)) / n).sqrt();
    ((centre - spread) / (1.0 + Z * Z / n)).max(0.0)
}

#[cfg(test)]
pub(crate) mod fixture {
    //! Small projects for the tests of the pattern kinds.
    use super::*;
    use crate::file_analyze;

    /// Analyses sources by path.
    pub(crate) fn files(sources: &[(&str, &str)]) -> Vec<SourceFile> {
        sources
            .iter()
            .map(|(path, source)| {
                let language = Language::detect(path).unwrap();
                let facts = file_analyze(path, language, source.as_bytes()).unwrap();
                SourceFile {
                    path: (*path).to_owned(),
                    blob: format!("blob-of-{path}"),
                    language,
                    facts,
                }
            })
            .collect()
    }

    /// The patterns of one kind in those files, as "key n/m".
    pub(crate) fn found(kind: &str, sources: &[(&str, &str)]) -> Vec<String> {
        patterns(kind, sources)
            .iter()
            .map(|p| format!("{} {}/{}", p.key, p.support, p.cases))
            .collect()
    }

    /// The patterns of one kind in those files.
    pub(crate) fn patterns(kind: &str, sources: &[(&str, &str)]) -> Vec<Pattern> {
        let files = files(sources);
        let mut files: Vec<&SourceFile> = files.iter().collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let Ok(found) = find(&files, || Ok::<_, std::convert::Infallible>(()));
        found
            .into_iter()
            .filter(|pattern| pattern.kind == kind)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wilson_bound_agrees_with_published_values() {
        // The smaller root of (share - p)^2 = z^2 p (1 - p) / n, found by bisection.
        for (support, cases, bound) in [
            (5, 5, 0.5655),
            (41, 44, 0.8177),
            (0, 10, 0.0),
            (50, 100, 0.4038),
        ] {
            assert_eq!(
                round4(wilson_lower_bound(support, cases)),
                bound,
                "{support} of {cases}"
            );
        }
        assert_eq!(wilson_lower_bound(0, 0), 0.0);
    }

    #[test]
    fn four_cases_are_no_pattern_and_five_are() {
        let four = "def a_b(): pass\ndef c_d(): pass\ndef e_f(): pass\ndef g_h(): pass\n";
        assert_eq!(
            fixture::found("naming", &[("m.py", four)]),
            Vec::<String>::new()
        );
        let five = format!("{four}def i_j(): pass\n");
        assert_eq!(
            fixture::found("naming", &[("m.py", &five)]),
            ["naming/python/functions/snake_case 5/5"]
        );
    }

    #[test]
    fn a_project_of_two_minds_has_the_habits_of_its_folders() {
        let snake: String = (0..10)
            .map(|n| format!("def snake_{n}(): pass\n"))
            .collect();
        let camel: String = (0..12)
            .map(|n| format!("def camelCase{n}(): pass\n"))
            .collect();
        assert_eq!(
            fixture::found("naming", &[("new/a.py", &snake), ("old/b.py", &camel)]),
            [
                "naming/python/functions/camelCase@old 12/12",
                "naming/python/functions/snake_case@new 10/10"
            ]
        );
    }

    #[test]
    fn examples_come_from_different_files_and_name_their_blob() {
        let snake = "def a_b(): pass\ndef c_d(): pass\ndef e_f(): pass\n";
        let sources = [
            ("a.py", snake),
            ("b.py", snake),
            ("c.py", "def e_f(): pass\n"),
            ("d.py", "def camelCase(): pass\n"),
        ];
        let patterns = fixture::patterns("naming", &sources);
        assert_eq!(
            patterns[0]
                .exemplars
                .iter()
                .map(|e| e.path.as_str())
                .collect::<Vec<_>>(),
            ["a.py", "b.py", "c.py"]
        );
        let counter = CodeLocation {
            path: "d.py".into(),
            start_line: 1,
            end_line: 1,
            blob: "blob-of-d.py".into(),
        };
        assert_eq!(patterns[0].counter_examples, [counter]);
    }

    #[test]
    fn fixtures_and_examples_show_nothing() {
        let snake: String = (0..9).map(|n| format!("def snake_{n}(): pass\n")).collect();
        assert!(
            fixture::found(
                "naming",
                &[("tests/fixtures/a.py", &snake), ("examples/b.py", &snake)]
            )
            .is_empty()
        );
    }
}
