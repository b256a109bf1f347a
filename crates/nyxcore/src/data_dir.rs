//! The data directory: made where it is not there, tried before anything is kept in it, and taken away again where the very first
//! use of it came to nothing.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};

/// Room that must be there to begin with, in bytes: less than the smallest database and its log take.
const ROOM: usize = 1 << 20;
/// Less room than this is none, in bytes: a page or two of the database's log.
const ROOM_LEFT: u64 = 64 << 10;
/// How often it is looked whether there is room left.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The file that tries whether there is room.
const PROBE: &str = ".nyxcore-probe";

/// The data directory, writable.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// The topmost folder that had to be made for it.
    made: Option<PathBuf>,
}

impl DataDir {
    /// Makes it if need be, and tries to write into it. A refusal leaves nothing behind.
    ///
    /// # Errors
    /// [`Error::DataDirReadOnly`], [`Error::DataDirInvalid`], [`Error::DiskFull`].
    pub fn prepare(path: &Path) -> Result<Self> {
        let refused = |error: io::Error| refusal(path, &error);
        let absolute = std::path::absolute(path).map_err(refused)?;
        let made = topmost_missing(&absolute);
        let directory = Self {
            path: absolute,
            made,
        };
        // What is made is its owner's alone: the database holds what others must not read.
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory.path);
        if let Err(error) = made.and_then(|()| probe(&directory.path)) {
            directory.remove_if_made();
            return Err(refused(error));
        }
        // Who keeps it within a repository does not want to commit it, nor see it as untracked.
        let ignore = directory.path.join(".gitignore");
        if directory.made.is_some() && !ignore.exists() {
            fs::write(ignore, "*\n").map_err(refused)?;
        }
        Ok(directory)
    }

    /// Where it is, from the root.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it was made by this program just now.
    pub fn is_new(&self) -> bool {
        self.made.is_some()
    }

    /// Resolves when there is no room left in it: a database that cannot be written ends nothing by itself.
    pub async fn full(&self) -> Error {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if room(&self.path).is_some_and(|room| room < ROOM_LEFT) {
                return Error::DiskFull(self.path.clone());
            }
        }
    }

    /// Takes away what was made for it; nothing where it was there before.
    pub fn remove_if_made(&self) {
        if let Some(made) = &self.made {
            // What cannot be removed was not made, or is somebody else's by now.
            let _left = fs::remove_dir_all(made);
        }
    }
}

/// Tries whether a folder can be written and has room.
///
/// # Errors
/// What the system says.
pub fn probe(folder: &Path) -> io::Result<()> {
    let file = folder.join(format!("{PROBE}-{}", std::process::id()));
    let written = fs::write(&file, vec![0; ROOM]).and_then(|()| fs::File::open(&file)?.sync_all());
    let removed = fs::remove_file(&file);
    written.and(removed)
}

/// Bytes that are free for this user in a folder.
pub fn room(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    found.f_bavail.checked_mul(found.f_frsize)
}

/// What an error of the system means for the data directory.
pub fn refusal(path: &Path, error: &io::Error) -> Error {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Error::DataDirReadOnly(path.to_owned())
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::DiskFull(path.to_owned()),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => Error::DataDirInvalid {
            path: path.to_owned(),
            reason: "a file is in its place".into(),
        },
        _ => Error::DataDirInvalid {
            path: path.to_owned(),
            reason: error.to_string(),
        },
    }
}

fn topmost_missing(path: &Path) -> Option<PathBuf> {
    let missing = path
        .ancestors()
        .take_while(|folder| folder.symlink_metadata().is_err());
    missing.last().map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_taken_away_and_what_was_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/data");
        let made = DataDir::prepare(&deep).unwrap();
        assert!(made.is_new() && deep.join(".gitignore").is_file());
        let again = DataDir::prepare(&deep).unwrap();
        again.remove_if_made();
        assert!(!again.is_new() && deep.is_dir());
        made.remove_if_made();
        assert!(folder.path().is_dir() && !folder.path().join("a").exists());
    }

    #[test]
    fn a_file_in_its_place_is_told_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "mine").unwrap();
        for path in [file.clone(), file.join("below")] {
            let error = DataDir::prepare(&path).unwrap_err();
            assert_eq!(error.code(), "DATA_DIR_INVALID");
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    }

    #[test]
    fn a_full_disk_and_a_read_only_one_have_codes_of_their_own() {
        let code = |kind: ErrorKind| refusal(Path::new("d"), &kind.into()).code().to_owned();
        assert_eq!(code(ErrorKind::StorageFull), "DISK_FULL");
        assert_eq!(code(ErrorKind::ReadOnlyFilesystem), "DATA_DIR_READ_ONLY");
        assert_eq!(code(ErrorKind::PermissionDenied), "DATA_DIR_READ_ONLY");
    }
}
