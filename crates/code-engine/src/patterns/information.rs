//! How informative a habit is: how far the project deviates from other projects in its language.
//!
//! The priors were counted by this engine on public repositories; `data/priors.tsv` names each with its commit. A habit
//! of nearly every project in a language carries no information about this one; a rare habit carries much. The unit is
//! the bit: `-log2` of the share of projects with the habit.

use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::Pattern;

/// The threshold of a usual habit, in bits: two of three projects have it.
pub const USUAL_BITS: f64 = 0.6;

/// The additional bits of a habit that names something specific to the project: which file, word or folder it names
/// cannot be guessed from other projects.
const OWN_BITS: f64 = 1.0;

/// The maximum bits of a habit that the language's style guide recommends.
const STYLE_BITS: f64 = 0.5;

/// The kinds whose answers name something specific to the project. Their prior is the share of projects with any such
/// habit.
const OWN_KINDS: &[&str] = &[
    "commands",
    "companion",
    "co_change",
    "entry_function",
    "file_header",
    "front_matter",
    "import_direction",
    "module_wrapper",
    "name_prefix",
    "rule",
    "wrapper",
];

/// Kinds without a prior, and the bits of each of their habits. They need a history or a project's own rules, which
/// were not available.
const UNCOUNTED_KINDS: &[&str] = &["companion", "co_change", "rule"];
const UNCOUNTED_BITS: f64 = 3.0;

/// Habits that a language's style guide recommends, or to which its grammar leaves few alternatives, by the beginning
/// of their keys. If few projects in a language were counted, or few with any case, these guides are more reliable than
/// the counts, because the priors count a project without cases as one without the habit: PEP 8, "Exception Names" and
/// "Constants"; the Java Language Specification, 6.1; Rust's API guidelines, C-CASE; typescript-eslint's
/// `only-throw-error` and `await-thenable`; ESLint's `no-empty`; Checkstyle's `EmptyCatchBlock`;
/// <https://learn.microsoft.com/dotnet/csharp/fundamentals/coding-style/identifier-names>,
/// <https://kotlinlang.org/docs/coding-conventions.html>,
/// <https://www.swift.org/documentation/api-design-guidelines/>, <https://www.php-fig.org/psr/psr-1/>,
/// <https://rubystyle.guide/>, <https://google.github.io/styleguide/jsguide.html>.
const STYLE_GUIDES: &[&str] = &[
    "async_style/javascript/promises/await",
    "async_style/typescript/promises/await",
    "error_handling/java/catch-body/handled",
    "error_handling/javascript/catch-body/handled",
    "error_handling/javascript/throw/error-object",
    "error_handling/typescript/catch-body/handled",
    "error_handling/typescript/throw/error-object",
    "module_layout/ruby/file-names/snake",
    "module_layout/ruby/types-a-file/one",
    "naming/csharp/constants/PascalCase",
    "naming/csharp/files/PascalCase",
    "naming/csharp/functions/PascalCase",
    "naming/csharp/types/PascalCase",
    "naming/java/constants/",
    "naming/javascript/types/PascalCase",
    "naming/kotlin/constants/SCREAMING_SNAKE_CASE",
    "naming/kotlin/files/PascalCase",
    "naming/kotlin/functions/camelCase",
    "naming/kotlin/types/PascalCase",
    "naming/php/constants/SCREAMING_SNAKE_CASE",
    "naming/php/functions/camelCase",
    "naming/php/tests/one-word",
    "naming/php/types/PascalCase",
    "naming/python/constants/",
    "naming/python/exceptions/Error",
    "naming/ruby/constants/SCREAMING_SNAKE_CASE",
    "naming/ruby/files/snake_case",
    "naming/ruby/functions/snake_case",
    "naming/ruby/types/PascalCase",
    "naming/rust/constants/",
    "naming/swift/constants/camelCase",
    "naming/swift/functions/camelCase",
    "naming/swift/types/PascalCase",
];

const PRIORS: &str = include_str!("../../data/priors.tsv");

/// How informative one habit is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Information {
    /// Bits, to two places.
    pub bits: f64,
    /// How many of the counted projects have the habit.
    pub projects: u32,
    /// The counted projects of its language.
    pub of: u32,
}

impl Information {
    /// How informative the pattern is.
    #[must_use]
    pub fn of(pattern: &Pattern) -> Information {
        Information::of_commit(pattern, None)
    }

    /// How informative the pattern is for the project at this commit, in hexadecimal. If the project was counted at
    /// this commit, it is left out of the counts: a project says nothing about how rare its own habits are.
    #[must_use]
    pub fn of_commit(pattern: &Pattern, commit: Option<&str>) -> Information {
        static PRIORS_READ: LazyLock<Priors> = LazyLock::new(|| Priors::read(PRIORS));
        PRIORS_READ.of(pattern, commit)
    }

    /// Whether the habit is usual.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        self.bits < USUAL_BITS
    }

    /// Limits the bits if a style guide recommends the habit anyway.
    fn capped(self, key: &str, title: &str) -> Information {
        // The name `logger` for a logger is obvious, and so is a logger if nothing tells which one.
        let is_unnamed = key.ends_with("/channel/logger") && !title.contains('`');
        let is_plain = key.starts_with("logging/") && (is_unnamed || key.ends_with("/name/logger"));
        let is_asked_for = is_plain || STYLE_GUIDES.iter().any(|begin| key.starts_with(begin));
        Information {
            bits: if is_asked_for {
                self.bits.min(STYLE_BITS)
            } else {
                self.bits
            },
            ..self
        }
    }
}

/// Whether the pattern names something specific to the project, so that other projects can only have a similar one.
#[must_use]
pub(crate) fn is_own(pattern: &Pattern) -> bool {
    OWN_KINDS.contains(&pattern.kind.as_str())
}

/// The key under which a pattern is counted: without its folder, and without names specific to the project.
#[must_use]
pub fn prior_key(pattern: &Pattern) -> String {
    if OWN_KINDS.contains(&pattern.kind.as_str()) {
        let stack = pattern.stack.as_deref().unwrap_or("any");
        return format!("{}/{stack}", pattern.kind);
    }
    let scope = pattern.scope.as_deref().map(|scope| format!("@{scope}"));
    let key = scope.and_then(|scope| pattern.key.strip_suffix(&scope));
    key.unwrap_or(&pattern.key).to_owned()
}

/// For each key the projects with the habit, and for each language the number of counted projects.
#[derive(Debug, Default)]
struct Priors {
    /// The projects by their commits.
    commits: FxHashMap<&'static str, &'static str>,
    habits: FxHashMap<&'static str, FxHashSet<&'static str>>,
    projects: FxHashMap<&'static str, u32>,
    /// The languages in which a project has any habit. A project counts for these languages.
    spoken: FxHashSet<(&'static str, &'static str)>,
}

impl Priors {
    /// Reads the lines `project PROJECT NAME COMMIT`, `stack NAME COUNT` and `habit KEY PROJECT:SUPPORT/CASES ...`,
    /// separated by tabs.
    fn read(text: &'static str) -> Priors {
        let mut priors = Priors::default();
        for line in text.lines() {
            let mut words = line.split('\t');
            match (words.next(), words.next()) {
                (Some("project"), Some(project)) => {
                    if let Some(commit) = words.nth(1) {
                        priors.commits.insert(commit, project);
                    }
                }
                (Some("stack"), Some(name)) => {
                    let count = words.next().and_then(|count| count.parse().ok());
                    priors.projects.insert(name, count.unwrap_or(0));
                }
                (Some("habit"), Some(key)) => {
                    let projects = words.filter_map(|word| Some(word.split_once(':')?.0));
                    let projects: FxHashSet<&str> = projects.collect();
                    if let Some(stack) = key.split('/').nth(1) {
                        let spoken = projects.iter().map(|project| (*project, stack));
                        priors.spoken.extend(spoken);
                    }
                    priors.habits.insert(key, projects);
                }
                _ => {}
            }
        }
        priors
    }

    /// Whether the project counts for the language. Every project counts for `any` and `markdown`.
    fn is_counted(&self, project: &'static str, stack: &str) -> bool {
        matches!(stack, "any" | "markdown") || self.spoken.contains(&(project, stack))
    }

    fn of(&self, pattern: &Pattern, commit: Option<&str>) -> Information {
        if UNCOUNTED_KINDS.contains(&pattern.kind.as_str()) {
            return Information {
                bits: UNCOUNTED_BITS,
                projects: 0,
                of: 0,
            };
        }
        let key = prior_key(pattern);
        let itself = commit.and_then(|commit| self.commits.get(commit).copied());
        let have = self.habits.get(key.as_str()).into_iter().flatten();
        let others = have.filter(|project| itself != Some(**project)).count();
        let projects = u32::try_from(others).unwrap_or(0);
        let stack = pattern.stack.as_deref().unwrap_or("any");
        let own = itself.is_some_and(|project| self.is_counted(project, stack));
        let all = self.projects.get(stack).copied().unwrap_or(0);
        let of = all.saturating_sub(u32::from(own)).max(projects);
        // Half a project with the habit and one more project are added (smoothing): a habit that was never counted is
        // rare, not impossible.
        let share = (f64::from(projects) + 0.5) / (f64::from(of) + 1.0);
        let own = if OWN_KINDS.contains(&pattern.kind.as_str()) {
            OWN_BITS
        } else {
            0.0
        };
        let bits = own - share.log2();
        Information {
            bits: (bits * 100.0).round() / 100.0,
            projects,
            of,
        }
        .capped(&key, &pattern.title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(kind: &str, key: &str, stack: Option<&str>, scope: Option<&str>) -> Pattern {
        Pattern {
            key: key.to_owned(),
            kind: kind.to_owned(),
            title: String::new(),
            statement: String::new(),
            stack: stack.map(str::to_owned),
            scope: scope.map(str::to_owned),
            support: 9,
            cases: 9,
            confidence: 0.7,
            exemplars: Vec::new(),
            counter_examples: Vec::new(),
            deviations: Vec::new(),
        }
    }

    const TEXT: &str = "project\t0\ta/b\tabc\nstack\tpython\t9\nhabit\tnaming/python/functions/snake_case\t0:9/9\t1:8/9\t2:9/9\t\
                        3:9/9\t4:9/9\t5:9/9\t6:9/9\t7:9/9\t8:9/9\nhabit\tname_prefix/python\t3:5/6\n";

    #[test]
    fn what_every_project_does_says_nothing() {
        let priors = Priors::read(TEXT);
        let usual = priors.of(
            &pattern(
                "naming",
                "naming/python/functions/snake_case@a",
                Some("python"),
                Some("a"),
            ),
            None,
        );
        assert_eq!((usual.bits, usual.projects, usual.of), (0.07, 9, 9));
        assert!(usual.is_usual());
    }

    #[test]
    fn what_a_languages_guide_asks_for_goes_without_saying() {
        let key = "naming/csharp/constants/PascalCase";
        let priors = Priors::read("stack\tcsharp\t3\n");
        assert!(
            priors
                .of(&pattern("naming", key, Some("csharp"), None), None)
                .is_usual()
        );
        let other = "naming/csharp/constants/camelCase";
        assert!(
            !priors
                .of(&pattern("naming", other, Some("csharp"), None), None)
                .is_usual()
        );
    }

    #[test]
    fn a_logger_without_a_name_goes_without_saying() {
        let priors = Priors::read("stack\truby\t3\n");
        let key = "logging/ruby/channel/logger";
        let logs = |title: &str| Pattern {
            title: title.to_owned(),
            ..pattern("logging", key, Some("ruby"), None)
        };
        let is_usual = |title: &str| priors.of(&logs(title), None).is_usual();
        assert!(is_usual("Messages go to a logger"));
        assert!(!is_usual("Messages are logged through `logging`"));
    }

    #[test]
    fn what_no_other_project_does_says_most() {
        let priors = Priors::read(TEXT);
        let rare = priors.of(
            &pattern(
                "naming",
                "naming/python/functions/camelCase",
                Some("python"),
                None,
            ),
            None,
        );
        assert_eq!((rare.bits, rare.projects), (4.32, 0));
        let own = priors.of(
            &pattern(
                "name_prefix",
                "name_prefix/python/types/Zod",
                Some("python"),
                None,
            ),
            None,
        );
        assert_eq!((own.bits, own.projects), (3.74, 1));
        let unknown = priors.of(&pattern("commands", "commands/test/x", None, None), None);
        assert!(!unknown.is_usual());
    }

    #[test]
    fn a_counted_project_is_no_prior_of_its_own_habits() {
        let text = "project\t0\ta/b\tabc\nproject\t1\tc/d\tdef\nstack\tc\t4\nstack\tany\t66\n\
                    habit\tnaming/c/files/snake_case\t0:19/19\nhabit\tcommands/any\t0:5/5\t1:5/5\n";
        let priors = Priors::read(text);
        let files = pattern("naming", "naming/c/files/snake_case", Some("c"), None);
        let of = |pattern: &Pattern, commit: Option<&str>| {
            let found = priors.of(pattern, commit);
            (found.projects, found.of)
        };
        assert_eq!(of(&files, None), (1, 4));
        assert_eq!(of(&files, Some("abc")), (0, 3));
        // This project has no habit in C, so it is not one of those that were counted for C.
        assert_eq!(of(&files, Some("def")), (1, 4));
        let commands = pattern("commands", "commands/test/x", None, None);
        assert_eq!(of(&commands, Some("def")), (1, 65));
        assert_eq!(of(&commands, Some("never counted")), (2, 66));
    }

    #[test]
    fn what_a_style_guide_asks_for_goes_without_saying() {
        let priors = Priors::read(TEXT);
        let key = "naming/python/exceptions/Error@src";
        let asked = priors.of(&pattern("naming", key, Some("python"), Some("src")), None);
        assert!(asked.is_usual(), "{asked:?}");
    }

    #[test]
    fn the_shipped_priors_are_of_many_projects() {
        let projects = PRIORS
            .lines()
            .filter(|line| line.starts_with("project\t"))
            .count();
        assert!(projects >= 60, "{projects}");
        let priors = Priors::read(PRIORS);
        assert!(priors.projects.len() >= 12 && priors.habits.len() >= 100);
    }
}
