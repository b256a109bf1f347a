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

/// The age in seconds, before the newest commit, from which the last common commit of a pair is too old: half a year. A
/// refactoring that has ended, or a file that is only kept for others, says nothing about the next change.
const ENDED_SECONDS: i64 = 183 * 24 * 60 * 60;

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
    /// When it was committed, in seconds since 1970; 0 if unknown.
    #[serde(default)]
    pub committed_at: i64,
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
/// everything, and so are fixtures. A pair whose last common commit is half a year older than the newest has ended.
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
    let newest = changes.iter().map(|change| change.committed_at).max();
    let goes_on = |at: i64| newest.is_none_or(|newest| newest.saturating_sub(at) < ENDED_SECONDS);
    // Each pair of a commit, and whether the commit is recent enough for the pair to go on.
    let mut pairs: Vec<(u32, u32, bool)> = Vec::new();
    for change in telling() {
        numbers(change, &mut changed);
        changed.retain(|file| commits[*file as usize] >= TOGETHER_MIN);
        let is_recent = goes_on(change.committed_at);
        for (at, one) in changed.iter().enumerate() {
            let others = changed[at + 1..].iter();
            pairs.extend(others.map(|other| (*one, *other, is_recent)));
        }
    }
    pairs.sort_unstable();
    let mut found: Vec<(f64, CoChange)> = pairs
        .chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
        .filter(|same| same.iter().any(|(_, _, is_recent)| *is_recent))
        .filter_map(|same| {
            let ((one, other, _), together) = (*same.first()?, u32::try_from(same.len()).ok()?);
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
mod tests;
