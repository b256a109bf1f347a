//! The data directory: created if missing, made private, tested before use, and removed again if its first use failed.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Error;

/// The result of an operation on the data directory.
type Result<T> = std::result::Result<T, Error>;
use crate::master_key;
use crate::private_files::{close, contents_close, is_open};

/// The free space that is needed at the start, in bytes: less than the smallest database and its log take.
const ROOM: usize = 1 << 20;
/// The free space below which the disk counts as full, in bytes: a page or two of the database's log.
const ROOM_LEFT: u64 = 64 << 10;
/// How often the free space is checked.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The temporary file that tests whether the directory can be written.
const PROBE: &str = ".nyxcore-probe";
/// A folder with one of these entries counts as a data directory.
const MARKS: &[&str] = &["nyxcore.sqlite", "mirrors", "master.key", "git-home"];
/// The mode bit of a folder that many accounts use, such as `/tmp`.
const STICKY: u32 = 0o1000;

/// The data directory, which can be written.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// The topmost folder that was created for it.
    made: Option<PathBuf>,
}

impl DataDir {
    /// Creates it if it does not exist, and tests that it can be written. A refusal leaves nothing behind.
    ///
    /// If other accounts can read it, their access is removed, from it and from everything in it.
    ///
    /// # Errors
    /// [`Error::DataDirReadOnly`], [`Error::DataDirInvalid`], [`Error::DiskFull`], [`Error::DataDirOpen`].
    pub fn prepare(path: &Path) -> Result<Self> {
        let refused = |error: io::Error| refusal(path, &error);
        let absolute = std::path::absolute(path).map_err(refused)?;
        let made = topmost_missing(&absolute);
        let directory = Self {
            path: absolute,
            made,
        };
        // New folders are accessible to their owner only: the database contains data that others must not read.
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory.path);
        if let Err(error) = made {
            directory.remove_if_made();
            return Err(refused(error));
        }
        if directory.made.is_none() {
            privacy_ensure(&directory.path)?;
        }
        if let Err(error) = probe(&directory.path) {
            directory.remove_if_made();
            return Err(refused(error));
        }
        // If the directory is within a repository, git must neither commit it nor list it as untracked.
        let ignore = directory.path.join(".gitignore");
        if directory.made.is_some() && !ignore.exists() {
            fs::write(ignore, "*\n").map_err(refused)?;
        }
        Ok(directory)
    }

    /// The absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether this process has created it.
    pub fn is_new(&self) -> bool {
        self.made.is_some()
    }

    /// Resolves when the disk has no space left. A database that cannot be written does not end the program by itself.
    pub async fn full(&self) -> Error {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if room(&self.path).is_some_and(|room| room < ROOM_LEFT) {
                return Error::DiskFull(self.path.clone());
            }
        }
    }

    /// Removes the folders that were created for it. Does nothing if the directory existed before.
    pub fn remove_if_made(&self) {
        if let Some(made) = &self.made {
            // A file that cannot be removed was not created here, or belongs to somebody else by now.
            let _left = fs::remove_dir_all(made);
        }
    }
}

/// Removes other accounts' access to a data directory. A folder that is not a data directory yet and has other entries
/// is left alone: it may be somebody's home, or `/tmp`.
fn privacy_ensure(path: &Path) -> Result<()> {
    let failed = |error: io::Error| refusal(path, &error);
    let found = fs::metadata(path).map_err(failed)?;
    if is_open(&found) {
        directory_close(path, &found)?;
    }
    // A key that others could read is refused, and its mode is kept: they may have read it already.
    match contents_close(path, master_key::FILE) {
        Ok(0) => {}
        Ok(closed) => tracing::warn!(
            path = %path.display(),
            closed,
            "removed other accounts' access to files of the data directory"
        ),
        // Other accounts cannot reach these files, because the directory itself is closed to them.
        Err(error) => tracing::warn!(
            path = %path.display(),
            %error,
            "some files of the data directory belong to another account and keep their mode"
        ),
    }
    Ok(())
}

fn directory_close(path: &Path, found: &Metadata) -> Result<()> {
    let mode = found.mode() & 0o7777;
    let open = |remedy: &str| Error::DataDirOpen {
        path: path.to_owned(),
        mode,
        remedy: remedy.into(),
    };
    let is_empty = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    let is_marked = MARKS.iter().any(|mark| path.join(mark).exists());
    if mode & STICKY != 0 || !(is_empty || is_marked) {
        return Err(open(
            "it contains other files, so its mode is not changed automatically; choose a dedicated folder with --data-dir, or `chmod 700` it",
        ));
    }
    close(path, found).map_err(|error| {
        open(&format!(
            "its mode cannot be changed ({error}); `chmod 700` it as its owner, or choose a folder below it with --data-dir"
        ))
    })?;
    tracing::warn!(path = %path.display(), "removed other accounts' access to the data directory (mode was {mode:o})");
    Ok(())
}

/// Tests whether a folder can be written and has space.
///
/// # Errors
/// The error of the system.
pub fn probe(folder: &Path) -> io::Result<()> {
    let file = folder.join(format!("{PROBE}-{}", std::process::id()));
    let written = fs::write(&file, vec![0; ROOM]).and_then(|()| fs::File::open(&file)?.sync_all());
    let removed = fs::remove_file(&file);
    written.and(removed)
}

/// The free space for this user in a folder, in bytes.
pub fn room(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    found.f_bavail.checked_mul(found.f_frsize)
}

/// Converts an error of the system into one about the data directory.
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
    use std::os::unix::fs::PermissionsExt;

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
    fn a_data_directory_that_others_can_read_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        let database = data.join("nyxcore.sqlite");
        fs::write(&database, "rows").unwrap();
        for (path, mode) in [(&data, 0o755), (&database, 0o644)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        DataDir::prepare(&data).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&data), mode(&database)), (0o700, 0o600));
    }

    #[test]
    fn a_folder_with_other_things_in_it_is_not_closed_but_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
        for mode in [0o755, 0o1777] {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
            let error = DataDir::prepare(folder.path()).unwrap_err();
            assert!(error.code() == "DATA_DIR_OPEN" && error.to_string().contains("--data-dir"));
            assert_eq!(fs::metadata(folder.path()).unwrap().mode() & 0o7777, mode);
        }
    }

    #[test]
    fn a_full_disk_and_a_read_only_one_have_codes_of_their_own() {
        let code = |kind: ErrorKind| refusal(Path::new("d"), &kind.into()).code().to_owned();
        assert_eq!(code(ErrorKind::StorageFull), "DISK_FULL");
        assert_eq!(code(ErrorKind::ReadOnlyFilesystem), "DATA_DIR_READ_ONLY");
        assert_eq!(code(ErrorKind::PermissionDenied), "DATA_DIR_READ_ONLY");
    }
}
