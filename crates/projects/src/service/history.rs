//! The commits of a source that syncs have read: authors and changed files. One row per source, so that a sync needs
//! one statement, not one per commit.

use std::collections::HashMap;
use std::sync::Arc;

use nyxcore_tenancy::{Access, Error, ReadWrite, Result, Scoped};
use sea_orm::ActiveValue::Set;
use sea_orm::ColumnTrait;
use serde::{Deserialize, Serialize};

use crate::entity::source_history as table;
use crate::model::SourceId;

/// The most commits that are stored of a source: as many as the sync reads for its counts.
pub const HISTORY_COMMITS_MAX: usize = 10_000;

/// The most paths that the stored commits name in all. It limits the row to some megabytes, however large the history
/// of a repository is.
const PATHS_MAX: usize = 500_000;

/// The most bytes of distinct paths and names.
const NAMES_MAX: usize = 4 << 20;

/// One commit of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCommit {
    /// The author's name, by the repository's mailmap.
    pub author: Arc<str>,
    /// When it was committed, in seconds since 1970.
    pub committed_at: i64,
    /// The files it changed, from the repository's root; only the first of them where there are very many.
    pub paths: Vec<Arc<str>>,
}

/// Which of the stored commits are kept when new ones are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryRetention {
    /// None: the history was read from its beginning.
    Nothing,
    /// Those at or after that second, below the new ones.
    Since(i64),
}

/// The stored form of commits: every name and path occurs once.
#[derive(Debug, Default, Serialize, Deserialize)]
struct StoredHistory {
    names: Vec<String>,
    paths: Vec<String>,
    commits: Vec<StoredCommit>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredCommit {
    author: u32,
    committed_at: i64,
    paths: Vec<u32>,
}

/// Stores commits of a source, newest first, before those that are already stored. Keeps at most
/// [`HISTORY_COMMITS_MAX`], and only the newest ones where the commits name too many paths together.
///
/// # Errors
/// The database fails.
pub async fn source_history_keep(
    scoped: &Scoped<ReadWrite>,
    source: SourceId,
    commits: &[SourceCommit],
    kept: HistoryRetention,
) -> Result<()> {
    let before = match kept {
        HistoryRetention::Nothing => Vec::new(),
        HistoryRetention::Since(oldest) => {
            if commits.is_empty() {
                return Ok(());
            }
            let mut before = source_history(scoped, source).await?;
            before.retain(|commit| commit.committed_at >= oldest);
            before
        }
    };
    let stored = pack(commits.iter().chain(&before));
    let bytes = postcard::to_stdvec(&stored)
        .map_err(|error| Error::Invalid(format!("commits that cannot be kept: {error}")))?;
    let row = table::ActiveModel {
        source_id: Set(source),
        commits: Set(bytes),
        ..Default::default()
    };
    let key = [table::Column::SourceId];
    scoped
        .upsert_all(vec![row], &key, &[table::Column::Commits])
        .await
}

/// The stored commits of a source, newest first; empty if no history was read.
///
/// # Errors
/// The database fails.
pub async fn source_history<A: Access>(
    scoped: &Scoped<A>,
    source: SourceId,
) -> Result<Vec<SourceCommit>> {
    let row = scoped
        .find::<table::Entity>()
        .filter(table::Column::SourceId.eq(source))
        .one()
        .await?;
    // A row in the format of another version is ignored: the next sync that reads the whole history writes it again.
    let stored = row.and_then(|row| postcard::from_bytes::<StoredHistory>(&row.commits).ok());
    Ok(stored.map(unpack).unwrap_or_default())
}

fn pack<'c>(commits: impl Iterator<Item = &'c SourceCommit>) -> StoredHistory {
    let mut stored = StoredHistory::default();
    let (mut names, mut paths) = (Numbers::default(), Numbers::default());
    let mut in_all = 0;
    for commit in commits.take(HISTORY_COMMITS_MAX) {
        in_all += commit.paths.len();
        if in_all > PATHS_MAX || names.bytes + paths.bytes > NAMES_MAX {
            break;
        }
        stored.commits.push(StoredCommit {
            author: names.number(&commit.author),
            committed_at: commit.committed_at,
            paths: commit.paths.iter().map(|path| paths.number(path)).collect(),
        });
    }
    stored.names = names.texts;
    stored.paths = paths.texts;
    stored
}

fn unpack(stored: StoredHistory) -> Vec<SourceCommit> {
    let StoredHistory {
        names,
        paths,
        commits,
    } = stored;
    let shared =
        |texts: Vec<String>| -> Vec<Arc<str>> { texts.into_iter().map(Arc::from).collect() };
    let (names, paths) = (shared(names), shared(paths));
    let text = |texts: &[Arc<str>], number: u32| texts.get(number as usize).cloned();
    commits
        .into_iter()
        .filter_map(|commit| {
            Some(SourceCommit {
                author: text(&names, commit.author)?,
                committed_at: commit.committed_at,
                paths: commit
                    .paths
                    .into_iter()
                    .filter_map(|path| text(&paths, path))
                    .collect(),
            })
        })
        .collect()
}

/// An interner: numbers the texts in the order of their first occurrence.
#[derive(Default)]
struct Numbers {
    texts: Vec<String>,
    known: HashMap<Arc<str>, u32>,
    bytes: usize,
}

impl Numbers {
    fn number(&mut self, text: &Arc<str>) -> u32 {
        if let Some(number) = self.known.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.as_ref().to_owned());
        self.known.insert(Arc::clone(text), number);
        self.bytes += text.len();
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(author: &str, committed_at: i64, paths: &[&str]) -> SourceCommit {
        SourceCommit {
            author: author.into(),
            committed_at,
            paths: paths.iter().map(|path| (*path).into()).collect(),
        }
    }

    #[test]
    fn what_is_packed_is_what_comes_out_with_every_path_once() {
        let commits = vec![
            commit("Ann", 3, &["a", "b"]),
            commit("Bob", 2, &["b"]),
            commit("Ann", 1, &[]),
        ];
        let stored = pack(commits.iter());
        assert_eq!((stored.names.len(), stored.paths.len()), (2, 2));
        let bytes = postcard::to_stdvec(&stored).unwrap();
        assert_eq!(unpack(postcard::from_bytes(&bytes).unwrap()), commits);
    }

    #[test]
    fn of_a_history_without_end_the_newest_commits_are_kept() {
        let many = vec![commit("Ann", 1, &["a"]); HISTORY_COMMITS_MAX + 5];
        assert_eq!(pack(many.iter()).commits.len(), HISTORY_COMMITS_MAX);
        let wide = vec!["a"; PATHS_MAX / 2];
        let wide = vec![commit("Ann", 1, &wide); 3];
        assert_eq!(pack(wide.iter()).commits.len(), 2);
        let long: Vec<SourceCommit> = (0..4)
            .map(|n| commit(&format!("{n}").repeat(NAMES_MAX / 2 + 1), 1, &[]))
            .collect();
        assert_eq!(pack(long.iter()).commits.len(), 2);
    }
}
