//! How often each file changed. Only commits and trees are read, so a partial clone needs nothing more; renames are not
//! followed, because that takes contents.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use gix::{ObjectId, revision::walk::Sorting, traverse::commit::simple::CommitTimeOrder};
use tokio_util::sync::CancellationToken;

use super::{
    GitError, RepositoryReader, ScanPath,
    reader::{OBJECT_CACHE_BYTES, blocking, cancel_check, commit_tree},
    walk::TreeWalk,
};

/// Which part of the history is looked at.
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
    /// How many commits at most, newest first; merges are not among them.
    pub commits_max: usize,
    /// The present.
    pub now: DateTime<Utc>,
}

impl HistoryQuery {
    /// A year, and at most 10,000 commits: what hotspots are made of.
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

/// The result of counting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryChurn {
    /// Sorted by path. Files that are gone by now are among them.
    pub paths: Vec<PathChurn>,
    /// Commits that were looked at.
    pub commits: usize,
    /// Whether only what came after `from` was counted, to be added to the earlier counts. When `from` is not an ancestor
    /// of `to` (history was rewritten) this is false, and the counts replace the earlier ones.
    pub incremental: bool,
}

impl RepositoryReader {
    /// Counts the commits that touch each file: those within the window before `now` or, when the newest commit is older
    /// than that, within the window before the newest commit.
    ///
    /// # Errors
    /// [`GitError::CommitNotFound`] for `to`, [`GitError::MirrorDamaged`], [`GitError::RepositoryTooLarge`], [`GitError::Cancelled`].
    pub async fn history_churn(
        &self,
        query: &HistoryQuery,
        cancel: &CancellationToken,
    ) -> Result<HistoryChurn, GitError> {
        let (repository, query, cancel) = (self.repository.clone(), query.clone(), cancel.clone());
        blocking(move || {
            let mut repository = repository.to_thread_local();
            repository.object_cache_size(OBJECT_CACHE_BYTES);
            churn_count(&repository, &query, &cancel)
        })
        .await
    }
}

fn damaged(error: &dyn std::fmt::Display) -> GitError {
    GitError::MirrorDamaged {
        detail: format!("history: {error}"),
    }
}

fn churn_count(
    repository: &gix::Repository,
    query: &HistoryQuery,
    cancel: &CancellationToken,
) -> Result<HistoryChurn, GitError> {
    commit_tree(repository, &query.to)?;
    let to = ObjectId::from_hex(query.to.as_bytes()).map_err(|error| damaged(&error))?;
    let newest = repository
        .find_commit(to)
        .and_then(|commit| commit.time())
        .map_err(|error| damaged(&error))?
        .seconds;
    let window = Duration::days(i64::from(query.window_days)).num_seconds();
    let end = if newest < query.now.timestamp() - window {
        newest
    } else {
        query.now.timestamp()
    };

    let from = query
        .from
        .as_deref()
        .and_then(|from| ObjectId::from_hex(from.as_bytes()).ok());
    let from = from.filter(|from| is_ancestor(repository, *from, to));
    let commits = repository
        .rev_walk([to])
        .sorting(Sorting::ByCommitTimeCutoff {
            order: CommitTimeOrder::NewestFirst,
            seconds: end - window,
        })
        .with_hidden(from)
        .all()
        .map_err(|error| damaged(&error))?;

    let mut churn = HistoryChurn {
        incremental: from.is_some(),
        ..HistoryChurn::default()
    };
    let mut counts: HashMap<String, u32> = HashMap::new();
    let mut walk = TreeWalk::new(repository, cancel);
    for commit in commits {
        cancel_check(cancel)?;
        if churn.commits >= query.commits_max {
            break;
        }
        let commit = commit
            .map_err(|error| damaged(&error))?
            .object()
            .map_err(|error| damaged(&error))?;
        let mut parents = commit.parent_ids();
        let parent = match (parents.next(), parents.next()) {
            (_, Some(_)) => continue,
            (None, None) => None,
            (Some(parent), None) => match parent.object() {
                Ok(parent) => Some(parent.into_commit()),
                // The edge of a shallow clone: what this commit changed cannot be known.
                Err(_) => continue,
            },
        };
        let tree = |commit: &gix::Commit<'_>| {
            commit
                .tree_id()
                .map(gix::Id::detach)
                .map_err(|error| damaged(&error))
        };
        walk.limit_reset();
        let new = folder(&mut walk, tree(&commit)?, &query.scan_path)?;
        let old = match &parent {
            Some(parent) => folder(&mut walk, tree(parent)?, &query.scan_path)?,
            None => None,
        };
        churn.commits += 1;
        walk.compare(
            query.scan_path.as_str(),
            old,
            new,
            &mut |path, _, _| match counts.get_mut(path) {
                Some(count) => *count += 1,
                None => {
                    counts.insert(path.to_owned(), 1);
                }
            },
        )?;
    }
    churn.paths = counts
        .into_iter()
        .map(|(path, commits)| PathChurn { path, commits })
        .collect();
    churn.paths.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(churn)
}

/// Where the scan path was no folder at that time, it had no files.
fn folder(
    walk: &mut TreeWalk<'_>,
    root: ObjectId,
    scan_path: &ScanPath,
) -> Result<Option<ObjectId>, GitError> {
    match walk.folder_find(root, scan_path) {
        Err(GitError::ScanPathInvalid { .. }) => Ok(None),
        found => found,
    }
}

fn is_ancestor(repository: &gix::Repository, from: ObjectId, to: ObjectId) -> bool {
    repository
        .merge_base(from, to)
        .is_ok_and(|base| base.is_some_and(|base| base.detach() == from))
}
