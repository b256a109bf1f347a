//! Repairs a mirror that a killed git left behind.

use std::{fs, io, path::Path};

use super::{MIRROR_REF, folder_remove};
use crate::git::{GitError, reader::repository_open_at};

/// The commit of the mirror's ref, if both are intact. A ref that cannot be read, or whose commit is missing, is
/// removed: the next fetch creates it again.
pub(super) fn head_read(path: &Path) -> Result<Option<gix::ObjectId>, GitError> {
    let repository = repository_open_at(path)?.to_thread_local();
    let head = match repository.try_find_reference(MIRROR_REF) {
        Ok(None) => return Ok(None),
        Ok(Some(reference)) => reference.try_id().map(gix::Id::detach),
        Err(_) => None,
    };
    match head {
        Some(id)
            if repository
                .find_commit(id)
                .and_then(|commit| commit.tree_id().map(|_| ()))
                .is_ok() =>
        {
            Ok(Some(id))
        }
        _ => {
            let storage = |error: io::Error| GitError::storage("repairing a mirror", &error);
            for file in [path.join(MIRROR_REF), path.join("packed-refs")] {
                match fs::remove_file(file) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(storage(error));
                    }
                    _ => {}
                }
            }
            Ok(None)
        }
    }
}

/// Removes what a killed git leaves: locks, half-written packs, quarantined objects, and the `.keep` files that protect
/// a pack from garbage collection. Only with the lock held: a running git owns such files.
pub(super) fn leftovers_clear(path: &Path) -> io::Result<()> {
    let mut folders = vec![path.to_owned(), path.join("refs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_folder = entry.file_type()?.is_dir();
            if is_folder && folder.starts_with(path.join("refs")) {
                folders.push(entry.path());
            } else if !is_folder && name.to_string_lossy().ends_with(".lock") {
                fs::remove_file(entry.path())?;
            }
        }
    }
    for folder in [path.join("objects"), path.join("objects/pack")] {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_folder = entry.file_type()?.is_dir();
            if is_folder && name.starts_with("tmp_objdir-") {
                folder_remove(&entry.path())?;
            } else if !is_folder
                && (name.starts_with("tmp_") || name.ends_with(".keep") || name.ends_with(".lock"))
            {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}
