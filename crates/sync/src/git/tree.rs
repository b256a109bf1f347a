//! The files of a commit, and the changes between two commits.

use tokio_util::sync::CancellationToken;

use super::{
    GitError, RepositoryReader, ScanPath, SkippedEntries,
    reader::{OBJECT_CACHE_BYTES, blocking, commit_tree},
    walk::{FileRef, TreeWalk},
};

/// A file of a commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TreeEntry {
    /// From the repository's root, whatever the scan path.
    pub path: String,
    /// The blob's id, as hex.
    pub blob: String,
    /// Whether its mode is 100755.
    pub executable: bool,
}

/// The files of a commit below a scan path, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeListing {
    /// Sorted by path.
    pub entries: Vec<TreeEntry>,
    /// The skipped entries.
    pub skipped: SkippedEntries,
    /// The symbolic links in the listing, by path.
    pub links: Vec<String>,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was added. A symbolic link or folder that became a file was added too.
    Added,
    /// Its content or its executable bit changed.
    Modified,
    /// It was deleted, or is no longer a file.
    Deleted,
}

/// A file that differs between two commits. A rename is one `Deleted` and one `Added` with the same blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeChange {
    /// What happened.
    pub kind: ChangeKind,
    /// From the repository's root, whatever the scan path.
    pub path: String,
    /// The blob's id, as hex: the new one, or for `Deleted` the last one.
    pub blob: String,
    /// Whether the mode (of the same side as `blob`) is 100755.
    pub executable: bool,
}

/// The files that differ between two commits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeDiff {
    /// Sorted by path.
    pub changes: Vec<TreeChange>,
    /// The skipped entries among the new or changed ones.
    pub skipped: SkippedEntries,
    /// The first of the paths that are not UTF-8, with non-ASCII bytes written as `\xe9`.
    pub non_utf8_names: Vec<String>,
}

impl RepositoryReader {
    /// All files of `commit` below `scan_path`.
    ///
    /// # Errors
    /// [`GitError::CommitNotFound`], [`GitError::ScanPathNotFound`], [`GitError::ScanPathInvalid`] (it is a file),
    /// [`GitError::RepositoryTooLarge`], [`GitError::MirrorDamaged`], [`GitError::Cancelled`].
    pub async fn tree_list(
        &self,
        commit: &str,
        scan_path: &ScanPath,
        cancel: &CancellationToken,
    ) -> Result<TreeListing, GitError> {
        let (diff, links) = self
            .tree_compare(None, commit, scan_path, cancel, true)
            .await?;
        let entries = diff.changes.into_iter().map(|change| TreeEntry {
            path: change.path,
            blob: change.blob,
            executable: change.executable,
        });
        Ok(TreeListing {
            entries: entries.collect(),
            skipped: diff.skipped,
            links,
        })
    }

    /// The files below `scan_path` that differ between `from` (`None`: no commit, so all are added) and `to`. The cost
    /// depends on the number of folders that changed.
    ///
    /// # Errors
    /// As [`RepositoryReader::tree_list`]. [`GitError::CommitNotFound`] names `from` if history was rewritten and the
    /// commit is gone: use the listing of `to` then.
    pub async fn tree_diff(
        &self,
        from: Option<&str>,
        to: &str,
        scan_path: &ScanPath,
        cancel: &CancellationToken,
    ) -> Result<TreeDiff, GitError> {
        let compared = self
            .tree_compare(from, to, scan_path, cancel, false)
            .await?;
        Ok(compared.0)
    }

    /// Compares the trees. Collects the new side's links if they are requested.
    async fn tree_compare(
        &self,
        from: Option<&str>,
        to: &str,
        scan_path: &ScanPath,
        cancel: &CancellationToken,
        with_links: bool,
    ) -> Result<(TreeDiff, Vec<String>), GitError> {
        let (repository, cancel, scan_path) =
            (self.repository.clone(), cancel.clone(), scan_path.clone());
        let (from, to) = (from.map(str::to_owned), to.to_owned());
        let files_max = self.files_max;
        blocking(move || {
            let mut repository = repository.to_thread_local();
            repository.object_cache_size(OBJECT_CACHE_BYTES);
            let mut walk = TreeWalk::new(&repository, files_max, &cancel);
            walk.links = with_links.then(Vec::new);
            let new_root = commit_tree(&repository, &to)?;
            let Some(new) = walk.folder_find(new_root, &scan_path)? else {
                return Err(GitError::ScanPathNotFound {
                    path: scan_path.as_str().to_owned(),
                });
            };
            let old = match &from {
                None => None,
                Some(from) => {
                    let old_root = commit_tree(&repository, from)?;
                    // If the folder was a file before, everything in it is added.
                    walk.folder_find(old_root, &scan_path).or_else(|error| {
                        if matches!(error, GitError::ScanPathInvalid { .. }) {
                            Ok(None)
                        } else {
                            Err(error)
                        }
                    })?
                }
            };
            let mut changes = Vec::new();
            walk.compare(scan_path.as_str(), old, Some(new), &mut |path, old, new| {
                changes.extend(change(path, old, new))
            })?;
            changes.sort_unstable_by(|a, b| a.path.cmp(&b.path));
            let mut links = walk.links.unwrap_or_default();
            links.sort_unstable();
            let diff = TreeDiff {
                changes,
                skipped: walk.skipped,
                non_utf8_names: walk.non_utf8_names,
            };
            Ok((diff, links))
        })
        .await
    }
}

fn change(path: &str, old: Option<FileRef>, new: Option<FileRef>) -> Option<TreeChange> {
    let (kind, file) = match (old, new) {
        (None, Some(new)) => (ChangeKind::Added, new),
        (Some(_), Some(new)) => (ChangeKind::Modified, new),
        (Some(old), None) => (ChangeKind::Deleted, old),
        (None, None) => return None,
    };
    Some(TreeChange {
        kind,
        path: path.to_owned(),
        blob: file.id.to_string(),
        executable: file.executable,
    })
}
