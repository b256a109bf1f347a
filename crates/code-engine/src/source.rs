//! The origin of files: a folder, or any other implementation that lists and reads files.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ignore::{DirEntry, WalkBuilder, WalkState};
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use super::ignored::{self, Ignored};
use super::skip::Skip;
use super::tracked::tracked;
use super::tree::TreeError;

/// The files to analyse: a folder, a commit of a repository, an archive. A program implements it so that
/// [`files_analyze`](crate::tree::files_analyze) reads files from its own storage.
pub trait FileTree: Sync {
    /// A text that distinguishes this tree from others in one cache; it need not be readable. It must be the same in
    /// every run.
    fn identity(&self) -> String;

    /// The files of the tree, in any order. They may include vendored and generated files, and files that `.gitignore`
    /// and `.nyxcoreignore` ignore: the analysis skips them.
    ///
    /// # Errors
    /// Any error that makes an analysis impossible. A part that cannot be listed is left out.
    fn list(&self) -> Result<Vec<TreeFile>, TreeError>;

    /// The content of a listed file. It is called from several threads.
    ///
    /// # Errors
    /// The reason why there is no content to analyse; [`Skip::TooLarge`] if it has more than `bytes_max` bytes, which
    /// can be determined without reading it all.
    fn read(&self, file: &TreeFile, bytes_max: u64) -> Result<Vec<u8>, Skip>;

    /// A stamp that changes with the content of a file, if there is one that needs no reading.
    fn stamp(&self, _path: &str) -> Option<FileStamp> {
        None
    }

    /// The repository around the tree, if it is a folder of one.
    fn around(&self) -> Around {
        Around::default()
    }

    /// Whether git tracks all of the files, as in a commit. Then `.gitignore`, which only applies to untracked files,
    /// ignores none of them; `.nyxcoreignore` still applies.
    fn is_tracked(&self) -> bool {
        false
    }

    /// Whether [`list`](Self::list) has already left out ignored files.
    fn leaves_out_ignored(&self) -> bool {
        false
    }
}

/// The repository around a tree: its ignore lists and attributes hold for the tree too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Around {
    /// The tree's path from the root of the repository, with `/` as the separator; empty for the root itself.
    pub below: String,
    /// The lists in the folders above the tree, each with its path from the root and its text.
    pub lists: Vec<(String, String)>,
}

impl Around {
    /// The path of a file of the tree, from the root of the repository.
    pub(crate) fn path(&self, path: &str) -> String {
        match self.below.as_str() {
            "" => path.to_owned(),
            below => format!("{below}/{path}"),
        }
    }
}

/// A file of a [`FileTree`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TreeFile {
    /// Its path from the root of the tree, with `/` as the separator.
    pub path: String,
    /// Git's id of its content, in hexadecimal, if it is known without reading the content.
    pub blob: Option<String>,
    /// Whether it is a symbolic link, which is never followed.
    pub is_link: bool,
}

/// The metadata of a file that changes with its content, as in git's index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    /// The size in bytes.
    pub size: u64,
    /// The time of the last modification of the content, in nanoseconds since 1970.
    pub modified: i64,
    /// The time of the last change of content or metadata, in nanoseconds since 1970; 0 if the system does not provide
    /// it.
    pub changed: i64,
    /// Its inode number; 0 if the system does not provide it.
    pub inode: u64,
}

/// A folder on this machine.
#[derive(Debug)]
pub(crate) struct Folder<'r> {
    root: &'r Path,
    jobs: usize,
    /// The root of the enclosing repository, if any.
    repository: Option<PathBuf>,
}

impl<'r> Folder<'r> {
    pub fn new(root: &'r Path, jobs: usize) -> Result<Folder<'r>, TreeError> {
        if root.is_dir() {
            let full = root.canonicalize().ok();
            let mut around = full.iter().flat_map(|full| full.ancestors());
            let repository = around.find(|folder| folder.join(".git").exists());
            Ok(Folder {
                root,
                jobs,
                repository: repository.map(Path::to_owned),
            })
        } else {
            Err(TreeError::NotAFolder {
                path: root.to_owned(),
            })
        }
    }
}

impl FileTree for Folder<'_> {
    fn identity(&self) -> String {
        let root = self.root.canonicalize();
        let root = root.unwrap_or_else(|_| self.root.to_owned());
        format!("folder {}", root.display())
    }

    /// Links are listed and not followed; pipes, sockets and devices are not files. Names that are not UTF-8 are left
    /// out.
    fn list(&self) -> Result<Vec<TreeFile>, TreeError> {
        let files = Mutex::new(Vec::new());
        let root = self.root.to_owned();
        let walk = WalkBuilder::new(self.root)
            .follow_links(false)
            .hidden(false)
            .ignore(false)
            .git_global(false)
            .require_git(false)
            // Ignore lists above the root of a repository do not apply.
            .parents(self.repository.is_some())
            .add_custom_ignore_filename(".nyxcoreignore")
            .filter_entry(move |entry| is_wanted(&root, entry))
            .threads(self.jobs)
            .build_parallel();
        walk.run(|| {
            let mut found = FoundFiles {
                files: Vec::new(),
                all: &files,
            };
            Box::new(move |entry| {
                found.files.extend(file(self.root, entry));
                WalkState::Continue
            })
        });
        let mut files = files.into_inner().unwrap_or_default();
        let missed = self.tracked_add(&files);
        files.extend(missed);
        Ok(files)
    }

    fn read(&self, file: &TreeFile, bytes_max: u64) -> Result<Vec<u8>, Skip> {
        let path = self.root.join(&file.path);
        // A file that changed while it was read is read once more: editors and checkouts are quick.
        match read_steady(&path, bytes_max) {
            Err(Skip::Changed) => read_steady(&path, bytes_max),
            read => read,
        }
    }

    fn stamp(&self, path: &str) -> Option<FileStamp> {
        let metadata = self.root.join(path).symlink_metadata().ok()?;
        metadata.is_file().then(|| stamp(&metadata))
    }

    fn around(&self) -> Around {
        let full = self.root.canonicalize().ok();
        let (Some(repository), Some(full)) = (&self.repository, full) else {
            return Around::default();
        };
        let Some(below) = relative(repository, &full).filter(|below| !below.is_empty()) else {
            return Around::default();
        };
        let mut around = Around {
            below,
            lists: Vec::new(),
        };
        let above = full
            .ancestors()
            .skip(1)
            .take_while(|folder| folder.starts_with(repository));
        for folder in above {
            let path = folder.join(super::attributes::NAME);
            let text = read_steady(&path, LIST_CAP).ok();
            let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
            if let (Some(path), Some(text)) = (relative(repository, &path), text) {
                around.lists.push((path, text));
            }
        }
        around
    }

    fn leaves_out_ignored(&self) -> bool {
        true
    }
}

impl Folder<'_> {
    /// The tracked files that are not listed because a `.gitignore` matches them.
    fn tracked_add(&self, listed: &[TreeFile]) -> Vec<TreeFile> {
        let tracked = self.repository.as_deref().and_then(tracked);
        let below = self.around().below;
        let inside = |path: String| match below.as_str() {
            "" => Some(path),
            below => Some(path.strip_prefix(below)?.strip_prefix('/')?.to_owned()),
        };
        let known: FxHashSet<&str> = listed.iter().map(|file| file.path.as_str()).collect();
        let missed: Vec<TreeFile> = tracked
            .into_iter()
            .flatten()
            .filter_map(inside)
            .filter(|path| !known.contains(path.as_str()) && !ignored::is_hidden(path, false))
            .filter_map(|path| {
                let kind = self.root.join(&path).symlink_metadata().ok()?.file_type();
                (kind.is_file() || kind.is_symlink()).then(|| TreeFile {
                    is_link: kind.is_symlink(),
                    path,
                    blob: None,
                })
            })
            .collect();
        if missed.is_empty() {
            return missed;
        }
        let lists = self.own_lists(listed, &below);
        let lists = lists.iter();
        let mut own = Ignored::new(lists.map(|(path, text)| (path.as_str(), text.as_str())));
        let full = |path: &str| match below.as_str() {
            "" => path.to_owned(),
            below => format!("{below}/{path}"),
        };
        missed
            .into_iter()
            .filter(|file| !own.names(&full(&file.path)))
            .collect()
    }

    /// Every `.nyxcoreignore` in the tree and above it, by its path from the root of the repository.
    fn own_lists(&self, listed: &[TreeFile], below: &str) -> Vec<(String, String)> {
        let text = |path: &Path| String::from_utf8(read_steady(path, LIST_CAP).ok()?).ok();
        let inside = listed
            .iter()
            .filter(|file| ignored::is_own_list(&file.path) && !file.is_link);
        let mut lists: Vec<(String, String)> = inside
            .filter_map(|file| {
                let path = match below {
                    "" => file.path.clone(),
                    below => format!("{below}/{}", file.path),
                };
                Some((path, text(&self.root.join(&file.path))?))
            })
            .collect();
        let Some(repository) = &self.repository else {
            return lists;
        };
        let mut above = below;
        while !above.is_empty() {
            above = above.rsplit_once('/').map_or("", |(folder, _)| folder);
            let path = match above {
                "" => ignored::OWN_LIST.to_owned(),
                above => format!("{above}/{}", ignored::OWN_LIST),
            };
            lists.extend(text(&repository.join(&path)).map(|text| (path, text)));
        }
        lists
    }
}

/// The maximum size of an attributes file or an ignore list, in bytes.
const LIST_CAP: u64 = 1 << 20;

/// The files that one thread found. They are added to the others when the thread ends.
struct FoundFiles<'a> {
    files: Vec<TreeFile>,
    all: &'a Mutex<Vec<TreeFile>>,
}

impl Drop for FoundFiles<'_> {
    fn drop(&mut self) {
        if let Ok(mut all) = self.all.lock() {
            all.append(&mut self.files);
        }
    }
}

fn is_wanted(root: &Path, entry: &DirEntry) -> bool {
    let hidden = |entry: &DirEntry| {
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        relative(root, entry.path()).is_some_and(|path| ignored::is_hidden(&path, is_folder))
    };
    // Most names have no dot in front, and below the root's hidden folders are few files.
    entry.depth() == 0 || !hidden(entry)
}

fn file(root: &Path, entry: Result<DirEntry, ignore::Error>) -> Option<TreeFile> {
    let entry = entry.ok()?;
    let kind = entry.file_type()?;
    let is_link = kind.is_symlink();
    if entry.depth() == 0 || !(kind.is_file() || is_link) {
        return None;
    }
    Some(TreeFile {
        path: relative(root, entry.path())?,
        blob: None,
        is_link,
    })
}

fn relative(root: &Path, path: &Path) -> Option<String> {
    let path = path.strip_prefix(root).ok()?;
    if std::path::MAIN_SEPARATOR == '/' {
        return path.to_str().map(str::to_owned);
    }
    let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
    parts.map(|parts| parts.join("/"))
}

/// Reads a file that does not change in the meantime, up to the size limit of the analysis.
fn read_steady(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Skip> {
    let reason = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => Skip::Vanished,
        _ => Skip::Unreadable,
    };
    // The metadata is checked before opening: opening a pipe would wait for a writer.
    let listed = path.symlink_metadata().map_err(reason)?;
    if !listed.is_file() {
        return Err(Skip::Changed);
    }
    if listed.len() > bytes_max {
        return Err(Skip::TooLarge);
    }
    let mut file = File::open(path).map_err(reason)?;
    let mut content = Vec::with_capacity(usize::try_from(listed.len()).unwrap_or_default() + 1);
    let read = file.by_ref().take(bytes_max + 1).read_to_end(&mut content);
    read.map_err(reason)?;
    let after = file.metadata().map_err(reason)?;
    if stamp(&listed) != stamp(&after) || content.len() as u64 != after.len() {
        return Err(Skip::Changed);
    }
    Ok(content)
}

#[cfg(unix)]
fn stamp(metadata: &Metadata) -> FileStamp {
    use std::os::unix::fs::MetadataExt as _;
    let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000) + rest;
    FileStamp {
        size: metadata.len(),
        modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        inode: metadata.ino(),
    }
}

#[cfg(not(unix))]
fn stamp(metadata: &Metadata) -> FileStamp {
    let since = |time: std::time::SystemTime| {
        let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_nanos()).ok()
    };
    FileStamp {
        size: metadata.len(),
        modified: metadata.modified().ok().and_then(since).unwrap_or_default(),
        changed: 0,
        inode: 0,
    }
}

/// The stamp of the file at a path.
pub(crate) fn stamp_of(path: &Path) -> Option<FileStamp> {
    path.metadata().ok().map(|metadata| stamp(&metadata))
}

/// When a file was last modified, in nanoseconds since 1970, by the file system's own clock.
pub(crate) fn time_written(metadata: &Metadata) -> i64 {
    stamp(metadata).modified
}
