//! The phase `scan`: compares the stored files with the files of the commit. It reads trees but no contents.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use nyxcore_projects::{
    FILE_PATH_MAX, FileChanges, NewFile, ScanPath, SourceFileList, StoredFile, files_by_path,
};
use nyxcore_runs::Level;
use nyxcore_tenancy::ChildList as _;

use super::{Failure, Job};
use crate::git::{
    ChangeKind, GitError, HistoryChurn, HistoryQuery, RepositoryReader, SkippedEntries, TreeChange,
    files_too_many,
};

/// The changes that a sync is going to make.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The target commit of the files.
    pub to: String,
    /// The changed files.
    pub changes: FileChanges,
    /// Contents that files no longer use after the sync.
    pub replaced: Vec<String>,
    /// Contents that are stored without text and may get one, because the size limit was raised.
    pub refill: BTreeSet<String>,
    /// The history of the files, unless the commit is the same.
    pub churn: Option<HistoryChurn>,
    /// Entries of the tree that are skipped.
    pub left_out: SkippedEntries,
    /// Some of the skipped names that are not UTF-8.
    pub non_utf8_names: Vec<String>,
    /// Files without text, known after the import.
    pub textless: Textless,
}

/// Files that are added, updated or moved and have no text.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Textless {
    pub binary: u64,
    pub too_large: u64,
    /// Pointers to contents that Git LFS keeps elsewhere.
    pub lfs: u64,
}

impl Textless {
    pub fn total(self) -> u64 {
        self.binary + self.too_large + self.lfs
    }
}

impl Plan {
    /// The files that are added, updated or moved, in their new state.
    pub fn written(&self) -> impl Iterator<Item = &NewFile> {
        let FileChanges {
            added,
            updated,
            renamed,
            ..
        } = &self.changes;
        let renamed = renamed.iter().map(|renamed| &renamed.file);
        added.iter().chain(updated).chain(renamed)
    }

    pub fn written_mut(&mut self) -> impl Iterator<Item = &mut NewFile> {
        let FileChanges {
            added,
            updated,
            renamed,
            ..
        } = &mut self.changes;
        let renamed = renamed.iter_mut().map(|renamed| &mut renamed.file);
        added.iter_mut().chain(updated).chain(renamed)
    }

    /// All changed paths.
    pub fn paths(&self) -> BTreeSet<String> {
        let left = self.changes.renamed.iter().map(|renamed| &renamed.from);
        let written = self.written().map(|file| &file.path);
        let gone = self.changes.deleted.iter().chain(left);
        written.chain(gone).cloned().collect()
    }

    /// The contents of the written files with their sizes, without duplicates.
    pub fn blobs(&self) -> BTreeMap<&str, i64> {
        self.written()
            .map(|file| (file.blob.as_str(), file.size))
            .collect()
    }

    /// The ids of these contents, without duplicates, in the order of the files, which is their order in git's packs.
    pub fn blob_ids(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        self.written()
            .map(|file| file.blob.as_str())
            .filter(|blob| seen.insert(*blob))
            .map(str::to_owned)
            .collect()
    }

    /// The paths of the written files with their sizes.
    pub fn written_sizes(&self) -> Vec<(String, i64)> {
        self.written()
            .map(|file| (file.path.clone(), file.size))
            .collect()
    }
}

impl Job<'_> {
    /// Compares the commit with the stored files: by the trees of two commits if the stored one still exists,
    /// otherwise by all files.
    pub(super) async fn plan(&self, reader: &RepositoryReader, to: &str) -> Result<Plan, Failure> {
        let cancel = self.context.cancelled();
        let scan_path = ScanPath::parse(&self.source.scan_path).map_err(GitError::from)?;
        // A change of URL, branch or scan path clears the head commit; a rewritten history may have lost it.
        let head = match &self.source.head_commit {
            Some(head) if reader.commit_exists(head).await? => Some(head.as_str()),
            _ => None,
        };
        let from = head.filter(|_| !self.limit_raised());
        let diff = reader.tree_diff(from, to, &scan_path, cancel).await?;
        let stored = self.stored_files(from.is_some(), &diff.changes).await?;
        let mut plan = Plan {
            to: to.to_owned(),
            left_out: diff.skipped,
            non_utf8_names: diff.non_utf8_names,
            ..Plan::default()
        };
        self.changes_sort(&mut plan, diff.changes, &stored, from.is_none());
        self.files_bound(&plan).await?;
        self.sizes_fill(reader, &mut plan).await?;
        self.renames_find(reader, &mut plan, &stored).await?;
        if head != Some(to) {
            let query = HistoryQuery {
                from: head.map(str::to_owned),
                to: to.to_owned(),
                scan_path,
                window_days: self.options.history_days,
                commits_max: self.options.history_commits_max,
                now: self.context.store().env().now(),
            };
            plan.churn = self.history_counted(reader, &query).await?;
        }
        Ok(plan)
    }

    /// Counts the history. A failure does not prevent the import: the counts then stay unchanged.
    async fn history_counted(
        &self,
        reader: &RepositoryReader,
        query: &HistoryQuery,
    ) -> Result<Option<HistoryChurn>, Failure> {
        let counted = reader.history_churn(query, self.context.cancelled()).await;
        let error = match counted {
            Ok(churn) => return Ok(Some(churn)),
            Err(
                error @ (GitError::RepositoryTooLarge { .. }
                | GitError::Timeout { .. }
                | GitError::GitFailed { .. }),
            ) => error,
            Err(error) => return Err(error.into()),
        };
        tracing::warn!(detail = error.detail(), %error, "a history was not counted");
        let text = format!("the history was not read, so hotspots may be missing: {error}");
        self.context.message(Level::Warning, text).await?;
        Ok(None)
    }

    /// Checks the number of files of the source. A comparison of two commits sees only the changed ones.
    async fn files_bound(&self, plan: &Plan) -> Result<(), Failure> {
        let (added, deleted) = (plan.changes.added.len(), plan.changes.deleted.len());
        if added <= deleted {
            return Ok(());
        }
        let scoped = self.context.read().await?;
        let files = SourceFileList::default()
            .count(&scoped, self.source.id)
            .await?;
        if files + (added - deleted) as u64 > self.options.files_max {
            return Err(files_too_many().into());
        }
        Ok(())
    }

    /// The stored files that a comparison of two commits names, or all stored files.
    async fn stored_files(
        &self,
        named: bool,
        changes: &[TreeChange],
    ) -> Result<HashMap<String, StoredFile>, Failure> {
        if named && changes.is_empty() {
            return Ok(HashMap::new());
        }
        let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
        let scoped = self.context.read().await?;
        let paths = named.then_some(paths.as_slice());
        Ok(files_by_path(&scoped, self.source.id, paths).await?)
    }

    /// Compares the changes of the trees with the stored files, so that a retry changes nothing.
    fn changes_sort(
        &self,
        plan: &mut Plan,
        changes: Vec<TreeChange>,
        stored: &HashMap<String, StoredFile>,
        all: bool,
    ) {
        let mut kept: HashSet<String> = HashSet::new();
        for change in changes {
            if change.kind == ChangeKind::Deleted {
                if let Some(old) = stored.get(&change.path) {
                    plan.replaced.push(old.blob.clone());
                    plan.changes.deleted.push(change.path);
                }
                continue;
            }
            if change.path.len() > FILE_PATH_MAX {
                plan.left_out.long_paths += 1;
                continue;
            }
            if all {
                kept.insert(change.path.clone());
            }
            let file = NewFile {
                language: (self.options.language_of)(&change.path).map(str::to_owned),
                path: change.path,
                blob: change.blob,
                size: 0,
            };
            match stored.get(&file.path) {
                None => plan.changes.added.push(file),
                Some(old) if old.blob == file.blob => {
                    if self.may_be_read_now(old) {
                        plan.refill.insert(old.blob.clone());
                        plan.changes.updated.push(file);
                    }
                }
                Some(old) => {
                    plan.replaced.push(old.blob.clone());
                    plan.changes.updated.push(file);
                }
            }
        }
        if all {
            for (path, old) in stored.iter().filter(|(path, _)| !kept.contains(*path)) {
                plan.replaced.push(old.blob.clone());
                plan.changes.deleted.push(path.clone());
            }
        }
        plan.replaced.sort_unstable();
        plan.replaced.dedup();
    }

    /// Whether a file was too large for the previous sync and may be small enough now. A file that was left at the
    /// remote is recorded with its minimum size.
    fn may_be_read_now(&self, old: &StoredFile) -> bool {
        let before = self.before.as_ref();
        before.is_some_and(|sync| old.size > sync.blob_bytes_max) && old.size <= self.limit()
    }

    /// Fills in the sizes from the objects' headers. A file that was left at the remote for its size has no object
    /// here: it is recorded as one byte larger than the limit, which is its minimum size.
    pub(super) async fn sizes_fill(
        &self,
        reader: &RepositoryReader,
        plan: &mut Plan,
    ) -> Result<(), Failure> {
        let blobs = plan.blob_ids();
        let sizes = reader
            .blob_sizes(blobs.clone(), self.context.cancelled())
            .await?;
        let least = self.options.blob_bytes_max.saturating_add(1);
        let sizes: HashMap<String, i64> = blobs
            .into_iter()
            .zip(sizes)
            .map(|(blob, size)| {
                (
                    blob,
                    i64::try_from(size.unwrap_or(least)).unwrap_or(i64::MAX),
                )
            })
            .collect();
        for file in plan.written_mut() {
            file.size = sizes.get(&file.blob).copied().unwrap_or_default();
        }
        Ok(())
    }
}
