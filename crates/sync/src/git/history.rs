//! Counts the commits of each file. Only commits and trees are read, so a partial clone is enough. Renames are not
//! followed, because that would require contents.
//!
//! `git log` does the counting: over 49,000 commits of a repository with 5,000 files it took 4.5 s, a walk with gix
//! and this crate's own tree comparison 15 s; over a year (580 commits) 0.1 s and 0.5 s.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use gix::ObjectId;
use tokio_util::sync::CancellationToken;

use super::{
    GitError, RepositoryReader, ScanPath,
    command::GitCommand,
    failure::failure_is_corruption,
    reader::{blocking, commit_tree},
};

/// The maximum number of edges of a shallow clone that are passed to git; a clone has a handful.
const SHALLOW_COMMITS_MAX: usize = 1000;

/// The maximum number of counted paths. Linux has had some 140,000 over its whole history; a hostile history of a few
/// kilobytes may have any number.
const PATHS_MAX: usize = 500_000;
/// The number of stored paths per commit. A larger commit changes everything, so the missing paths make no difference.
const COMMIT_PATHS_MAX: usize = 300;
/// The number of stored paths of all commits together; older commits only add to the counts.
const CHANGES_PATHS_MAX: usize = 500_000;
/// The number of stored characters of an author's name.
const AUTHOR_MAX: usize = 100;
/// The timeout of counting: well below the ten minutes after which a run without progress is stalled.
const HISTORY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5 * 60);

/// The start of a commit in git's output, before its time and author. Ordinary paths cannot begin with it.
const COMMIT_MARK: u8 = b'\x01';

/// The part of the history to read.
#[derive(Debug, Clone)]
pub struct HistoryQuery {
    /// The last commit that was counted before; `None` to count all.
    pub from: Option<String>,
    /// The newest commit.
    pub to: String,
    /// The folder whose files count.
    pub scan_path: ScanPath,
    /// How many days back.
    pub window_days: u32,
    /// The maximum number of commits, newest first, without merges.
    pub commits_max: usize,
    /// The present.
    pub now: DateTime<Utc>,
}

impl HistoryQuery {
    /// A year, and at most 10,000 commits: the input of the hotspots.
    #[must_use]
    pub fn year_before(now: DateTime<Utc>, to: &str) -> Self {
        Self {
            from: None,
            to: to.to_owned(),
            scan_path: ScanPath::default(),
            window_days: 365,
            commits_max: 10_000,
            now,
        }
    }
}

/// How many commits touched a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathChurn {
    /// From the repository's root.
    pub path: String,
    /// Commits that added, changed or deleted it.
    pub commits: u32,
}

/// One commit: who changed what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitChange {
    /// The author's name, mapped by the mailmap of the newest commit.
    pub author: Arc<str>,
    /// When it was committed, in seconds since 1970.
    pub committed_at: i64,
    /// The paths that it added, changed or deleted, from the repository's root; at most 300.
    pub paths: Vec<Arc<str>>,
}

/// The result of counting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryChurn {
    /// Sorted by path. Deleted files are included.
    pub paths: Vec<PathChurn>,
    /// The number of examined commits.
    pub commits: usize,
    /// The commits that changed something in the folder, newest first, up to the limit.
    pub changes: Vec<CommitChange>,
    /// Where the window begins, in seconds since 1970.
    pub oldest_seconds: i64,
    /// Whether only the commits after `from` were counted, to be added to the earlier counts. If `from` is not an
    /// ancestor of `to` (history was rewritten), this is false, and the counts replace the earlier ones.
    pub incremental: bool,
}

impl RepositoryReader {
    /// Counts the commits that touch each file. The window ends at `now`, or at the newest commit if that is older than
    /// the window. The boundary commits of a shallow clone are skipped, because their changes are unknown.
    ///
    /// # Errors
    /// [`GitError::CommitNotFound`] for `to`, [`GitError::MirrorDamaged`], [`GitError::GitMissing`],
    /// [`GitError::Cancelled`], [`GitError::Timeout`] after the options' `fetch_timeout` or five minutes,
    /// [`GitError::RepositoryTooLarge`] for more paths than can be counted.
    pub async fn history_churn(
        &self,
        query: &HistoryQuery,
        cancel: &CancellationToken,
    ) -> Result<HistoryChurn, GitError> {
        let (repository, asked) = (self.repository.clone(), query.clone());
        let range = blocking(move || history_range(&repository.to_thread_local(), &asked)).await?;
        let command = GitCommand::new(
            &self.options,
            "counting the history",
            self.repository.path(),
            "log",
        )
        .flags(&[
            "--format=tformat:%x01%ct %aE%x09%aN",
            "-z",
            "--name-only",
            "--no-renames",
            "--no-merges",
            // A user's git configuration could turn this on.
            "--no-show-signature",
            "--no-ext-diff",
            "--no-textconv",
            "--no-notes",
            "--no-color",
            "--no-relative",
            "-O/dev/null",
        ])
        .flag_with("--max-age", range.oldest_seconds)
        .flag_with("--max-count", query.commits_max)
        .config("log.showRoot", "true")
        // The mailmap of that commit, and no other file. If a partial clone lacks its content, names are not mapped.
        .config("mailmap.blob", format!("{}:.mailmap", query.to))
        .timeout(self.options.fetch_timeout.min(HISTORY_TIMEOUT))
        .operands(range.revisions.iter().map(String::as_str).chain(["--"]));
        let mut counter = ChurnCounter::new(&query.scan_path);
        let mut sink = |bytes: &[u8]| {
            counter.take(bytes);
            if counter.counts.len() > PATHS_MAX {
                let reason = "its history has more paths than this server counts";
                return Err(GitError::RepositoryTooLarge { reason });
            }
            Ok(())
        };
        let counted = command.run_piped(cancel, &mut |_| (), &mut sink).await;
        counted.map_err(|error| match error {
            GitError::GitFailed { detail, .. }
                if failure_is_corruption(&GitError::failed("", &detail)) =>
            {
                GitError::MirrorDamaged { detail }
            }
            error => error,
        })?;
        counter.changes.retain(|change| !change.paths.is_empty());
        let mut paths: Vec<PathChurn> = counter
            .counts
            .into_iter()
            .map(|(path, commits)| PathChurn {
                path: path.as_ref().to_owned(),
                commits,
            })
            .collect();
        paths.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(HistoryChurn {
            paths,
            commits: counter.commits,
            changes: counter.changes,
            oldest_seconds: range.oldest_seconds,
            incremental: range.incremental,
        })
    }
}

/// The commits to examine, as git's arguments.
struct HistoryRange {
    revisions: Vec<String>,
    oldest_seconds: i64,
    incremental: bool,
}

fn history_range(
    repository: &gix::Repository,
    query: &HistoryQuery,
) -> Result<HistoryRange, GitError> {
    let damaged = |error: gix::Error| GitError::MirrorDamaged {
        detail: format!("history: {error}"),
    };
    commit_tree(repository, &query.to)?;
    let to = ObjectId::from_hex(query.to.as_bytes()).map_err(damaged)?;
    let newest = repository.find_commit(to).and_then(|commit| commit.time());
    let newest = newest.map_err(damaged)?.seconds;
    let window = Duration::days(i64::from(query.window_days)).num_seconds();
    let now = query.now.timestamp();
    let end = if newest < now - window { newest } else { now };

    let from = query
        .from
        .as_deref()
        .and_then(|from| ObjectId::from_hex(from.as_bytes()).ok());
    let from = from.filter(|from| is_ancestor(repository, *from, to));
    let shallow = repository.shallow_commits().map_err(damaged)?;
    let edges = shallow
        .iter()
        .flat_map(|commits| commits.iter())
        .take(SHALLOW_COMMITS_MAX);
    let mut revisions = vec![to.to_string()];
    revisions.extend(from.iter().chain(edges).map(|id| format!("^{id}")));
    Ok(HistoryRange {
        revisions,
        // Git reads a negative number as a time far in the future.
        oldest_seconds: (end - window).max(0),
        incremental: from.is_some(),
    })
}

fn is_ancestor(repository: &gix::Repository, from: ObjectId, to: ObjectId) -> bool {
    let base = repository.merge_base(from, to);
    base.is_ok_and(|base| base.is_some_and(|base| base.detach() == from))
}

/// Reads git's output piece by piece: names between NUL bytes, a mark for each commit, a line break before its first
/// name.
struct ChurnCounter {
    folder: String,
    counts: HashMap<Arc<str>, u32>,
    commits: usize,
    changes: Vec<CommitChange>,
    /// The names of authors, by their e-mail address if it is personal, or else by the name itself.
    authors: HashMap<String, Arc<str>>,
    /// The number of paths in `changes`.
    kept: usize,
    name: Vec<u8>,
    after_mark: bool,
}

impl ChurnCounter {
    fn new(scan_path: &ScanPath) -> Self {
        let folder = if scan_path.is_root() {
            String::new()
        } else {
            format!("{}/", scan_path.as_str())
        };
        Self {
            folder,
            counts: HashMap::new(),
            commits: 0,
            changes: Vec::new(),
            authors: HashMap::new(),
            kept: 0,
            name: Vec::new(),
            after_mark: false,
        }
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|byte| *byte == 0) {
            self.name.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            self.name_end();
        }
        self.name.extend_from_slice(bytes);
    }

    fn name_end(&mut self) {
        let name = std::mem::take(&mut self.name);
        if let Some((&COMMIT_MARK, about)) = name.split_first() {
            self.commits += 1;
            self.after_mark = true;
            self.commit_begin(about);
            return;
        }
        let path = match name.strip_prefix(b"\n") {
            Some(rest) if self.after_mark => rest,
            _ => &name,
        };
        self.after_mark = false;
        let Ok(path) = std::str::from_utf8(path) else {
            return;
        };
        if path.is_empty() || !path.starts_with(&self.folder) {
            return;
        }
        let path = match self.counts.get_key_value(path) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::from(path),
        };
        if let Some(change) = self.changes.last_mut()
            && change.paths.len() < COMMIT_PATHS_MAX
            && self.kept < CHANGES_PATHS_MAX
        {
            change.paths.push(Arc::clone(&path));
            self.kept += 1;
        }
        *self.counts.entry(path).or_default() += 1;
    }

    /// Begins a commit. `about` is the time, a space, and the author's e-mail address and name with a tab between them.
    /// Who commits with one address is one person, by the newest name: the newest commit comes first.
    fn commit_begin(&mut self, about: &[u8]) {
        let about = String::from_utf8_lossy(about);
        let (seconds, author) = about.split_once(' ').unwrap_or((&about, ""));
        let (address, name) = author.split_once('\t').unwrap_or(("", author));
        let name: String = name
            .chars()
            .filter(|c| !c.is_control())
            .take(AUTHOR_MAX)
            .collect();
        let person = match is_personal(address) {
            true => address.to_ascii_lowercase(),
            false => name.clone(),
        };
        let author = self.authors.entry(person).or_insert_with(|| name.into());
        self.changes.push(CommitChange {
            author: Arc::clone(author),
            committed_at: seconds.parse().unwrap_or_default(),
            paths: Vec::new(),
        });
    }
}

/// Whether an e-mail address is that of one person: it has a domain, and is not that of a service for all its users.
fn is_personal(address: &str) -> bool {
    let domain = address.rsplit_once('@').map(|(_, domain)| domain);
    domain.is_some_and(|domain| domain.contains('.')) && !address.starts_with("noreply@")
}
