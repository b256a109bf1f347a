//! Compares two trees, folder by folder, and skips equal folders. Trees are not trusted: the walk has no recursion,
//! checks every name, and stops at a limit, so that a tree that nests itself a billion times ends too.

use std::cmp::Ordering;

use gix::{
    ObjectId,
    objs::{
        FindExt as _, TreeRefIter,
        tree::{EntryKind, name_order},
    },
};
use tokio_util::sync::CancellationToken;

use super::{GitError, ScanPath, reader::cancel_check};

/// The longest accepted path, in bytes: Linux' `PATH_MAX`.
const PATH_BYTES_MAX: usize = 4096;

/// The maximum number of entries (files and folders) of a tree: twice a million files.
const ENTRIES_MAX: u64 = 2_000_000;

/// The maximum number of reported names that are not UTF-8.
const NAMES_TOLD_MAX: usize = 5;

/// The error for a source with too many files.
pub(crate) fn files_too_many() -> GitError {
    GitError::RepositoryTooLarge {
        reason: "it has more files than this server accepts; choose a scan path",
    }
}

/// The skipped entries of a listing or a comparison, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SkippedEntries {
    /// Symbolic links: never followed.
    pub symlinks: u64,
    /// Submodules: other repositories.
    pub submodules: u64,
    /// Files whose path is not UTF-8.
    pub non_utf8_paths: u64,
    /// Files and folders whose path is longer than 4,096 bytes.
    pub long_paths: u64,
    /// Names that no honest repository has: `.`, `..`, `.git`, with a slash, or twice in one folder.
    pub unsafe_names: u64,
}

impl SkippedEntries {
    /// The total number.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.symlinks + self.submodules + self.non_utf8_paths + self.long_paths + self.unsafe_names
    }
}

/// A file on one side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileRef {
    pub id: ObjectId,
    pub executable: bool,
}

/// A callback with a path and the file on the old and on the new side.
pub(crate) type FileVisit<'a> = dyn FnMut(&str, Option<FileRef>, Option<FileRef>) + 'a;

struct Entry {
    name: Vec<u8>,
    kind: EntryKind,
    id: ObjectId,
}

impl Entry {
    fn is_tree(&self) -> bool {
        self.kind == EntryKind::Tree
    }

    fn file(&self) -> Option<FileRef> {
        match self.kind {
            EntryKind::Blob => Some(FileRef {
                id: self.id,
                executable: false,
            }),
            EntryKind::BlobExecutable => Some(FileRef {
                id: self.id,
                executable: true,
            }),
            _ => None,
        }
    }
}

struct Folder {
    path: Vec<u8>,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
}

/// One comparison of trees.
pub(crate) struct TreeWalk<'a> {
    repository: &'a gix::Repository,
    cancel: &'a CancellationToken,
    buffer: Vec<u8>,
    entries: u64,
    files: u64,
    files_max: u64,
    /// The skipped entries on the new side.
    pub skipped: SkippedEntries,
    /// Some of the paths that are not UTF-8, as far as they can be written.
    pub non_utf8_names: Vec<String>,
    /// The symbolic links of the new side, if requested.
    pub links: Option<Vec<String>>,
}

impl<'a> TreeWalk<'a> {
    /// A walk that fails after that many files.
    pub fn new(
        repository: &'a gix::Repository,
        files_max: u64,
        cancel: &'a CancellationToken,
    ) -> Self {
        Self {
            repository,
            cancel,
            buffer: Vec::new(),
            entries: 0,
            files: 0,
            files_max,
            skipped: SkippedEntries::default(),
            non_utf8_names: Vec::new(),
            links: None,
        }
    }

    /// The folder at `scan_path` below `root`; `None` if it does not exist.
    ///
    /// # Errors
    /// [`GitError::ScanPathInvalid`] if it is a file.
    pub fn folder_find(
        &mut self,
        root: ObjectId,
        scan_path: &ScanPath,
    ) -> Result<Option<ObjectId>, GitError> {
        let mut folder = root;
        for segment in scan_path.segments() {
            match self
                .tree_read(folder)?
                .into_iter()
                .find(|entry| entry.name == segment.as_bytes())
            {
                None => return Ok(None),
                Some(entry) if entry.is_tree() => folder = entry.id,
                Some(_) => {
                    return Err(GitError::ScanPathInvalid {
                        reason: "is a file, not a folder",
                    });
                }
            }
        }
        Ok(Some(folder))
    }

    /// Calls `visit` with every file that differs between `old` and `new` below `prefix`, in no particular order.
    pub fn compare(
        &mut self,
        prefix: &str,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
        visit: &mut FileVisit<'_>,
    ) -> Result<(), GitError> {
        let mut open = vec![Folder {
            path: prefix.as_bytes().to_vec(),
            old,
            new,
        }];
        while let Some(folder) = open.pop() {
            cancel_check(self.cancel)?;
            if folder.old == folder.new {
                continue;
            }
            let old = folder
                .old
                .map(|id| self.tree_read(id))
                .transpose()?
                .unwrap_or_default();
            let mut new = folder
                .new
                .map(|id| self.tree_read(id))
                .transpose()?
                .unwrap_or_default();
            let all = new.len();
            let old = names_unique(old);
            new = names_unique(new);
            self.skipped.unsafe_names += (all - new.len()) as u64;
            let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
            loop {
                let order = match (old.peek(), new.peek()) {
                    (None, None) => break,
                    (Some(_), None) => Ordering::Less,
                    (None, Some(_)) => Ordering::Greater,
                    (Some(a), Some(b)) => name_order(&a.name, a.is_tree(), &b.name, b.is_tree()),
                };
                let before = if order.is_le() { old.next() } else { None };
                let after = if order.is_ge() { new.next() } else { None };
                self.pair_compare(&folder.path, before, after, &mut open, visit);
                if self.files > self.files_max {
                    return Err(files_too_many());
                }
            }
        }
        Ok(())
    }

    /// Compares two entries of one name, or one that the other side lacks.
    fn pair_compare(
        &mut self,
        folder: &[u8],
        old: Option<Entry>,
        new: Option<Entry>,
        open: &mut Vec<Folder>,
        visit: &mut FileVisit<'_>,
    ) {
        if let (Some(a), Some(b)) = (&old, &new)
            && a.kind == b.kind
            && a.id == b.id
        {
            return;
        }
        let Some(name) = old
            .as_ref()
            .or(new.as_ref())
            .map(|entry| entry.name.as_slice())
        else {
            return;
        };
        let on_new_side = u64::from(new.is_some());
        if !name_is_safe(name) {
            self.skipped.unsafe_names += on_new_side;
            return;
        }
        let mut path = folder.to_vec();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        if path.len() > PATH_BYTES_MAX {
            self.skipped.long_paths += on_new_side;
            return;
        }
        match new.as_ref().map(|entry| entry.kind) {
            Some(EntryKind::Link) => {
                self.skipped.symlinks += 1;
                if let (Some(links), Ok(path)) = (&mut self.links, std::str::from_utf8(&path)) {
                    links.push(path.to_owned());
                }
            }
            Some(EntryKind::Commit) => self.skipped.submodules += 1,
            _ => {}
        }
        let (old_file, new_file) = (
            old.as_ref().and_then(Entry::file),
            new.as_ref().and_then(Entry::file),
        );
        if old_file.is_some() || new_file.is_some() {
            self.files += 1;
            match std::str::from_utf8(&path) {
                Ok(path) => visit(path, old_file, new_file),
                Err(_) if new_file.is_some() => {
                    self.skipped.non_utf8_paths += 1;
                    if self.non_utf8_names.len() < NAMES_TOLD_MAX {
                        self.non_utf8_names.push(path.escape_ascii().to_string());
                    }
                }
                Err(_) => {}
            }
        }
        let tree = |entry: Option<Entry>| entry.filter(Entry::is_tree).map(|entry| entry.id);
        let (old, new) = (tree(old), tree(new));
        if old.is_some() || new.is_some() {
            open.push(Folder { path, old, new });
        }
    }

    fn tree_read(&mut self, id: ObjectId) -> Result<Vec<Entry>, GitError> {
        let damaged = |error: gix::Error| GitError::MirrorDamaged {
            detail: format!("tree {id}: {error}"),
        };
        let data = self
            .repository
            .objects
            .find_tree_iter(&id, &mut self.buffer)
            .map_err(damaged)?;
        let entries = tree_entries(data).map_err(damaged)?;
        self.entries += entries.len() as u64 + 1;
        if self.entries > ENTRIES_MAX {
            return Err(GitError::RepositoryTooLarge {
                reason: "it has more than two million files and folders; choose a scan path",
            });
        }
        Ok(entries)
    }
}

fn tree_entries(data: TreeRefIter<'_>) -> Result<Vec<Entry>, gix::Error> {
    data.map(|entry| {
        entry.map(|entry| Entry {
            name: entry.filename.to_vec(),
            kind: entry.mode.kind(),
            id: entry.oid.to_owned(),
        })
    })
    .collect()
}

/// Sorts the entries in git's order, and keeps the first of the entries with one name. An honest tree is sorted and
/// unique already. A duplicate path would be counted twice and stored once.
fn names_unique(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by(|a, b| name_order(&a.name, a.is_tree(), &b.name, b.is_tree()));
    entries.dedup_by(|b, a| a.name == b.name && a.is_tree() == b.is_tree());
    entries
}

fn name_is_safe(name: &[u8]) -> bool {
    !name.is_empty()
        && name != b"."
        && name != b".."
        && !name.eq_ignore_ascii_case(b".git")
        && !name.contains(&b'/')
}
