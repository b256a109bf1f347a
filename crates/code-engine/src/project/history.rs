//! Statistics of the history: files that change together, and the distribution of commits over authors per folder.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::SourceFile;
use super::role::{self, Role};
use crate::evidence::{share, wilson_lower_bound};
use crate::language::Category;

/// The maximum number of pairs that an analysis reports.
pub const CO_CHANGE_CAP: usize = 50;

/// The maximum number of folders whose ownership an analysis reports.
pub const OWNERSHIP_CAP: usize = 100;

/// The maximum number of files of a commit. Larger ones move, format or rename everything and relate no files. The
/// number is from T. Zimmermann et al., "Mining version histories to guide software changes" (ICSE 2004).
const COMMIT_FILES_MAX: usize = 30;

/// The minimum number of commits that changed both files of a pair. The other condition is [`CO_CHANGE_DEGREE_MIN`], as
/// a share of the rarer file's commits.
const TOGETHER_MIN: u32 = 5;
const CO_CHANGE_DEGREE_MIN: f64 = 0.5;

/// Lock files, which tools write.
const LOCK_FILES: [&str; 12] = [
    "Cargo.lock",
    "Gemfile.lock",
    "Pipfile.lock",
    "composer.lock",
    "go.sum",
    "gradle.lockfile",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "poetry.lock",
    "uv.lock",
    "yarn.lock",
];

/// Files that a release changes together, because they contain its version.
const RELEASE_FILES: [&str; 9] = [
    "CHANGELOG.md",
    "Cargo.toml",
    "build.gradle",
    "build.gradle.kts",
    "composer.json",
    "gradle.properties",
    "package.json",
    "pom.xml",
    "pyproject.toml",
];

/// Whether a co-change of two files is informative. Tools change lock files, releases change all manifests, and tests
/// change with the code they test and with each other.
pub(crate) fn is_told(one: &str, other: &str) -> bool {
    let is_of = |list: &[&str], path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        list.contains(&name)
    };
    let is_written = [one, other].iter().any(|path| is_of(&LOCK_FILES, path));
    let is_released = [one, other].iter().all(|path| is_of(&RELEASE_FILES, path));
    let is_tested = [one, other].iter().any(|path| role::of(path) == Role::Test);
    !is_written && !is_released && !is_tested
}

/// The minimum number of commits of a folder for reporting its ownership.
const OWNED_COMMITS_MIN: u32 = 5;

/// The maximum folder depth for ownership.
const OWNED_LEVELS: usize = 2;

/// The part of a commit that the analysis needs. Merges are not included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The author's name, after applying the repository's mailmap.
    pub author: String,
    /// The changed files, by their paths as in [`SourceFile::path`](super::SourceFile::path), possibly including
    /// deleted files.
    pub paths: Vec<String>,
}

/// The part of the history that the analysis covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryWindow {
    /// The analysed commit, in hexadecimal: the newest that counts.
    pub commit: String,
    /// The start of the window, as a date in UTC: `2025-11-28`.
    pub since: String,
    /// The date of the commit in UTC, where the window ends.
    pub until: String,
}

impl HistoryWindow {
    /// The window for people: `2025-11-28 to 2026-11-28`.
    #[must_use]
    pub fn dates(&self) -> String {
        format!("{} to {}", self.since, self.until)
    }
}

/// Two files that change together ("logical coupling": H. Gall, K. Hajek, M. Jazayeri, "Detection of logical coupling
/// based on product release history", ICSM 1998).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoChange {
    /// The two files, in the order of their paths.
    pub paths: [String; 2],
    /// The sources of the two files, see [`Place`](crate::analysis::Place).
    #[serde(default, skip_serializing_if = "are_unknown")]
    pub source_ids: [Option<String>; 2],
    /// Commits that changed both.
    pub together: u32,
    /// The number of commits that changed each file. Like `together`, without commits of more than 30 files.
    pub commits: [u32; 2],
    /// `together` as a share of the commits of the one that changes less often: above 0, at most 1.
    pub degree: f64,
}

/// How the changes of a folder are distributed over people, without bots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ownership {
    /// The folder; empty for the whole project.
    pub folder: String,
    /// The source that all of its files are in, see [`Place`](crate::analysis::Place).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// Commits that changed something in it.
    pub commits: u32,
    /// The number of people who wrote them.
    pub authors: u32,
    /// The person who wrote most of them.
    pub main_author: String,
    /// That person's share of the commits: above 0, at most 1.
    pub main_share: f64,
}

fn are_unknown(source_ids: &[Option<String>; 2]) -> bool {
    source_ids.iter().all(Option::is_none)
}

/// The pairs of files that change together, closest first: by the lower bound of the Wilson interval of their degree,
/// so that forty of forty-five precede five of five. Text for people is excluded, because a changelog changes with
/// everything, and so are fixtures.
pub(crate) fn co_changes(files: &[&SourceFile], changes: &[Change]) -> Vec<CoChange> {
    let number: FxHashMap<&str, u32> = (0..)
        .zip(files)
        .filter(|(_, file)| {
            file.language.category() != Category::Prose && role::of(&file.path) != Role::Fixture
        })
        .map(|(at, file)| (file.path.as_str(), at))
        .collect();
    let mut commits = vec![0_u32; files.len()];
    let telling = || {
        changes
            .iter()
            .filter(|change| change.paths.len() <= COMMIT_FILES_MAX)
    };
    let numbers = |change: &Change, into: &mut Vec<u32>| {
        into.clear();
        into.extend(
            change
                .paths
                .iter()
                .filter_map(|path| number.get(path.as_str())),
        );
        into.sort_unstable();
        into.dedup();
    };
    let mut changed: Vec<u32> = Vec::new();
    for change in telling() {
        numbers(change, &mut changed);
        for file in &changed {
            commits[*file as usize] += 1;
        }
    }
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    for change in telling() {
        numbers(change, &mut changed);
        changed.retain(|file| commits[*file as usize] >= TOGETHER_MIN);
        for (at, one) in changed.iter().enumerate() {
            pairs.extend(changed[at + 1..].iter().map(|other| (*one, *other)));
        }
    }
    pairs.sort_unstable();
    let mut found: Vec<(f64, CoChange)> = pairs
        .chunk_by(|a, b| a == b)
        .filter_map(|same| {
            let ((one, other), together) = (*same.first()?, u32::try_from(same.len()).ok()?);
            let both = [commits[one as usize], commits[other as usize]];
            let rarer = both[0].min(both[1]);
            let degree = share(together.into(), rarer.into());
            let pair = CoChange {
                source_ids: [None, None],
                paths: [one, other].map(|file| files[file as usize].path.clone()),
                together,
                commits: both,
                degree,
            };
            let is_pair = together >= TOGETHER_MIN && degree >= CO_CHANGE_DEGREE_MIN;
            is_pair.then(|| (wilson_lower_bound(together, rarer), pair))
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.paths.cmp(&b.1.paths)));
    found.truncate(CO_CHANGE_CAP);
    found.into_iter().map(|(_, pair)| pair).collect()
}

/// The ownership of each existing folder: the project itself first, then the folders with most commits.
pub(crate) fn ownership(files: &[&SourceFile], changes: &[Change]) -> Vec<Ownership> {
    let known: FxHashSet<&str> = files
        .iter()
        .flat_map(|file| folders_of(&file.path))
        .collect();
    let mut commits: BTreeMap<&str, FxHashMap<&str, u32>> = BTreeMap::new();
    let mut touched: Vec<&str> = Vec::new();
    let people = People::new(changes);
    for change in changes.iter().filter(|change| !is_bot(&change.author)) {
        touched.clear();
        touched.extend(change.paths.iter().flat_map(|path| folders_of(path)));
        touched.sort_unstable();
        touched.dedup();
        for folder in touched.iter().filter(|folder| known.contains(*folder)) {
            *commits
                .entry(folder)
                .or_default()
                .entry(people.name_of(&change.author))
                .or_default() += 1;
        }
    }
    let mut found: Vec<Ownership> = commits
        .into_iter()
        .filter_map(|(folder, authors)| {
            let all: u32 = authors.values().sum();
            let most = authors
                .iter()
                .max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0)))?;
            let ownership = Ownership {
                source_id: None,
                folder: folder.to_owned(),
                commits: all,
                authors: u32::try_from(authors.len()).unwrap_or(u32::MAX),
                main_author: (*most.0).to_owned(),
                main_share: share((*most.1).into(), all.into()),
            };
            (all >= OWNED_COMMITS_MIN).then_some(ownership)
        })
        .collect();
    found.sort_by(|a, b| {
        let order = |one: &Ownership| (!one.folder.is_empty(), std::cmp::Reverse(one.commits));
        order(a)
            .cmp(&order(b))
            .then_with(|| a.folder.cmp(&b.folder))
    });
    found.truncate(OWNERSHIP_CAP);
    found
}

/// People, by the common part of the spellings of their names: `Ada Lovelace` also commits as `adalovelace`.
struct People<'c> {
    spellings: FxHashMap<String, &'c str>,
}

impl<'c> People<'c> {
    fn new(changes: &'c [Change]) -> People<'c> {
        let mut spellings: FxHashMap<String, &'c str> = FxHashMap::default();
        for change in changes {
            let name = change.author.as_str();
            let known = spellings.entry(letters(name)).or_insert(name);
            // The spelling with spaces is used as the name.
            if name.contains(' ') && !known.contains(' ') {
                *known = name;
            }
        }
        People { spellings }
    }

    fn name_of(&self, author: &'c str) -> &'c str {
        self.spellings
            .get(&letters(author))
            .copied()
            .unwrap_or(author)
    }
}

/// The letters and digits of a name in lower case, and all characters outside of ASCII.
fn letters(name: &str) -> String {
    let letters = name
        .chars()
        .filter(|c| c.is_alphanumeric() || !c.is_ascii());
    letters.flat_map(char::to_lowercase).collect()
}

/// The project, and the folders of a path, down to the maximum depth for ownership.
fn folders_of(path: &str) -> impl Iterator<Item = &str> {
    let ends = path.match_indices('/').map(|(at, _)| at).take(OWNED_LEVELS);
    std::iter::once("").chain(ends.map(|end| &path[..end]))
}

/// Whether the author is a program: `dependabot[bot]`, `renovate-bot`.
fn is_bot(author: &str) -> bool {
    let author = author.trim().to_ascii_lowercase();
    author.contains("[bot]")
        || author.ends_with("-bot")
        || author == "github-actions"
        || author == "dependabot"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::FileFacts;
    use crate::language::Language;

    fn files(paths: &[&str]) -> Vec<SourceFile> {
        let mut paths: Vec<&str> = paths.to_vec();
        paths.sort_unstable();
        let file = |path: &&str| SourceFile {
            path: (*path).to_owned(),
            blob: String::new(),
            language: Language::detect(path).unwrap(),
            facts: FileFacts::default(),
        };
        paths.iter().map(file).collect()
    }

    fn change(author: &str, paths: &[&str]) -> Change {
        Change {
            author: author.to_owned(),
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        }
    }

    #[test]
    fn co_changes_ignore_commits_that_touch_every_file() {
        let files = files(&[
            "src/a.rs",
            "src/b.rs",
            "src/c.rs",
            "CHANGELOG.md",
            "tests/fixtures/x.rs",
        ]);
        let files: Vec<&SourceFile> = files.iter().collect();
        let mut changes: Vec<Change> = (0..6)
            .map(|_| {
                change(
                    "A",
                    &[
                        "src/a.rs",
                        "src/b.rs",
                        "CHANGELOG.md",
                        "gone.rs",
                        "tests/fixtures/x.rs",
                    ],
                )
            })
            .collect();
        changes.extend((0..4).map(|_| change("A", &["src/a.rs", "src/c.rs"])));
        changes.push(change("A", &["src/b.rs", "src/b.rs"]));
        let many: Vec<String> = (0..40).map(|n| format!("src/f{n}.rs")).collect();
        let many: Vec<&str> = ["src/a.rs", "src/b.rs", "src/c.rs"]
            .into_iter()
            .chain(many.iter().map(String::as_str))
            .collect();
        changes.extend((0..9).map(|_| change("A", &many)));
        let found = co_changes(&files, &changes);
        assert_eq!(
            found.len(),
            1,
            "four times is too few, forty files are too many"
        );
        let pair = &found[0];
        assert_eq!(pair.paths, ["src/a.rs", "src/b.rs"]);
        assert_eq!(
            (pair.together, pair.commits, pair.degree),
            (6, [10, 7], 0.8571)
        );
    }

    #[test]
    fn co_changes_are_ordered_and_need_half_of_the_commits() {
        let files = files(&["a.rs", "b.rs", "c.rs", "d.rs", "e.rs", "f.rs"]);
        let files: Vec<&SourceFile> = files.iter().collect();
        let mut changes = Vec::new();
        let mut add =
            |times: usize, paths: &[&str]| changes.extend((0..times).map(|_| change("A", paths)));
        add(5, &["a.rs", "b.rs"]);
        add(40, &["c.rs", "d.rs"]);
        add(5, &["c.rs"]);
        add(2, &["d.rs"]);
        add(6, &["e.rs", "f.rs"]);
        add(7, &["e.rs"]);
        add(7, &["f.rs"]);
        let found: Vec<String> = co_changes(&files, &changes)
            .into_iter()
            .map(|pair| pair.paths.join(" "))
            .collect();
        assert_eq!(found, ["c.rs d.rs", "a.rs b.rs"]);
    }

    #[test]
    fn a_person_with_two_spellings_is_one() {
        let files = files(&["src/a.rs"]);
        let files: Vec<&SourceFile> = files.iter().collect();
        let mut changes: Vec<Change> = (0..3)
            .map(|_| change("adalovelace", &["src/a.rs"]))
            .collect();
        changes.extend((0..2).map(|_| change("Ada Lovelace", &["src/a.rs"])));
        let told = ownership(&files, &changes);
        assert_eq!((told[0].commits, told[0].authors), (5, 1));
        assert_eq!(told[0].main_author, "Ada Lovelace");
    }

    #[test]
    fn a_folder_belongs_to_who_changes_it_most_and_bots_are_nobody() {
        let files = files(&["src/web/a.rs", "src/web/deep/b.rs", "docs/c.md"]);
        let files: Vec<&SourceFile> = files.iter().collect();
        let mut changes: Vec<Change> = (0..3)
            .map(|_| change("Ann", &["src/web/a.rs", "src/web/deep/b.rs"]))
            .collect();
        changes.extend((0..3).map(|_| change("Bob", &["src/web/a.rs", "gone/x.rs"])));
        changes.extend((0..2).map(|_| change("Bob", &["docs/c.md"])));
        changes.extend((0..9).map(|_| change("dependabot[bot]", &["src/web/a.rs"])));
        let told: Vec<(String, u32, u32, String, f64)> = ownership(&files, &changes)
            .into_iter()
            .map(|one| {
                (
                    one.folder,
                    one.commits,
                    one.authors,
                    one.main_author,
                    one.main_share,
                )
            })
            .collect();
        let is = |folder: &str, commits, author: &str, share| {
            (folder.to_owned(), commits, 2, author.to_owned(), share)
        };
        assert_eq!(
            told,
            [
                is("", 8, "Bob", 0.625),
                is("src", 6, "Ann", 0.5),
                is("src/web", 6, "Ann", 0.5)
            ]
        );
    }
}
