//! Makes the files of the data directory private: new files at their creation, and existing files of an older version
//! or a copy.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;

/// The mode bits for other accounts than the owner.
const OTHERS: u32 = 0o077;

/// The umask with which the process was started.
#[derive(Debug, Clone, Copy)]
pub struct UserMask(Mode);

impl UserMask {
    /// The mode of a new file that others may read, as the user's own programs would create it.
    pub fn file_mode(self) -> u32 {
        0o666 & !self.0.bits()
    }
}

/// Makes all new files of this process and its child processes private: git writes the mirrors, SQLite its log. Returns
/// the user's umask.
pub fn umask_close() -> UserMask {
    UserMask(rustix::process::umask(Mode::RWXG | Mode::RWXO))
}

/// The entries of a data directory that others can access: the directory itself, then its direct entries. Whoever has
/// no access to the directory cannot reach anything below them.
///
/// # Errors
/// The directory cannot be read.
pub fn open_to_others(directory: &Path) -> io::Result<Vec<(PathBuf, u32)>> {
    let mut open = Vec::new();
    let mut add = |path: PathBuf, found: &Metadata| {
        if is_open(found) {
            open.push((path, found.mode() & 0o7777));
        }
    };
    add(directory.to_owned(), &fs::metadata(directory)?);
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        add(entry.path(), &entry.metadata()?);
    }
    Ok(open)
}

/// Removes other accounts' access to everything in a directory, recursively. Returns the number of changed entries. A
/// folder that is already private is skipped: this program creates only private files in it, and others cannot reach
/// them. A folder is closed after its contents, so that the next call completes an interrupted one. Symbolic links are
/// not followed. The file `left_alone` keeps its mode.
///
/// # Errors
/// Something cannot be read or changed.
pub fn contents_close(directory: &Path, left_alone: &str) -> io::Result<usize> {
    let mut closed = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_name() == left_alone {
            continue;
        }
        match fs::symlink_metadata(&path) {
            Ok(found) if is_open(&found) => {
                if found.is_dir() {
                    closed += contents_close(&path, left_alone)?;
                }
                closed += usize::from(close(&path, &found)?);
            }
            Ok(_) => {}
            // Another process removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(closed)
}

/// Removes other accounts' access to a file or folder. Returns whether it still existed.
///
/// # Errors
/// It belongs to another account.
pub fn close(path: &Path, found: &Metadata) -> io::Result<bool> {
    let mode = found.mode() & 0o7777 & !OTHERS;
    match fs::set_permissions(path, Permissions::from_mode(mode)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether other accounts have any access to it. A symbolic link has no mode of its own.
pub fn is_open(found: &Metadata) -> bool {
    !found.is_symlink() && found.mode() & OTHERS != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o7777
    }

    fn open(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn everything_below_is_closed_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (data, outside) = (folder.path().join("data"), folder.path().join("outside"));
        let deep = data.join("mirrors/a/objects");
        fs::create_dir_all(&deep).unwrap();
        fs::write(&outside, "another's").unwrap();
        fs::write(deep.join("pack"), "code").unwrap();
        fs::write(data.join("nyxcore.sqlite"), "rows").unwrap();
        fs::write(data.join("master.key"), "key").unwrap();
        open(&data.join("master.key"), 0o644);
        std::os::unix::fs::symlink(&outside, data.join("link")).unwrap();
        for (path, mode) in [
            (&outside, 0o644),
            (&deep.join("pack"), 0o444),
            (&data.join("nyxcore.sqlite"), 0o664),
            (&deep, 0o755),
            (&data.join("mirrors/a"), 0o2775),
            (&data.join("mirrors"), 0o755),
        ] {
            open(path, mode);
        }
        assert_eq!(contents_close(&data, "master.key").unwrap(), 5);
        let modes = [
            mode(&outside),
            mode(&deep.join("pack")),
            mode(&data.join("nyxcore.sqlite")),
            mode(&deep),
            mode(&data.join("mirrors/a")),
            mode(&data.join("mirrors")),
        ];
        assert_eq!(modes, [0o644, 0o400, 0o600, 0o700, 0o2700, 0o700]);
        assert_eq!(
            contents_close(&data, "master.key").unwrap(),
            0,
            "a second time nothing is left"
        );
    }

    #[test]
    fn what_others_reach_is_listed_with_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "").unwrap();
        open(&folder.path().join("a"), 0o640);
        open(folder.path(), 0o750);
        let listed = open_to_others(folder.path()).unwrap();
        let expected = [
            (folder.path().to_owned(), 0o750),
            (folder.path().join("a"), 0o640),
        ];
        assert_eq!(listed, expected);
    }
}
