//! Detects whether a worker on this machine is alive, without waiting until its lease expires: the time until which its
//! runs are reserved for it.
//!
//! A worker holds a lock on a file named after its id while its process lives. The system releases the lock when the
//! process ends, also when it is killed. So a lock that can be acquired proves that the worker is gone. A file from
//! another machine proves nothing, because not every shared file system supports locks across machines; there the lease
//! decides.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// The locked file of one worker.
pub(super) struct Presence {
    folder: PathBuf,
    worker: Uuid,
    machine: String,
    /// Locked until it is dropped.
    _file: File,
}

/// A worker whose lock was free, with its file, now locked by this process.
pub(super) struct DepartedWorker {
    pub worker: Uuid,
    /// Whether the file was written since this machine booted, so that the free lock proves that the worker is gone.
    pub is_proven: bool,
    path: PathBuf,
    _file: File,
}

impl DepartedWorker {
    /// Removes the file, after the worker's runs were recovered.
    pub fn forget(self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(%error, "the file of a worker that is gone could not be removed");
        }
    }
}

impl Presence {
    /// Creates the worker's file in the folder, and locks it. `None` if that fails: other workers then wait until its
    /// leases expire.
    pub fn begin(folder: &Path, worker: Uuid) -> Option<Self> {
        // The boot id changes with each boot. Containers on one machine share it, as they share the locks.
        let machine = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        match Self::file_make(folder, worker, &machine) {
            Ok(file) => Some(Self {
                folder: folder.to_owned(),
                worker,
                machine,
                _file: file,
            }),
            Err(error) => {
                tracing::warn!(%error, "this worker cannot create its presence file: if it is killed, its runs wait until their leases expire");
                None
            }
        }
    }

    fn file_make(folder: &Path, worker: Uuid, machine: &str) -> io::Result<File> {
        fs::create_dir_all(folder)?;
        let unnamed = folder.join(format!("{worker}.new"));
        let mut file = File::create(&unnamed)?;
        file.write_all(machine.as_bytes())?;
        file.lock()?;
        // The file gets its name only after it is locked, so that no worker finds it unlocked.
        fs::rename(&unnamed, path_of(folder, worker))?;
        Ok(file)
    }

    /// The workers whose locks can be acquired.
    pub fn departed(&self) -> Vec<DepartedWorker> {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return Vec::new();
        };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        paths.filter_map(|path| self.departed_at(path)).collect()
    }

    fn departed_at(&self, path: PathBuf) -> Option<DepartedWorker> {
        let name = path.file_name()?.to_str()?.strip_suffix(".lock")?;
        let worker = Uuid::parse_str(name).ok()?;
        if worker == self.worker {
            return None;
        }
        let mut file = File::open(&path).ok()?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return None,
            Err(TryLockError::Error(error)) => {
                tracing::debug!(%error, "the lock of a worker cannot be tried");
                return None;
            }
        }
        let mut machine = String::new();
        file.read_to_string(&mut machine).ok()?;
        Some(DepartedWorker {
            worker,
            is_proven: machine == self.machine,
            path,
            _file: file,
        })
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        // The file is missing if the folder was deleted.
        let _gone = fs::remove_file(path_of(&self.folder, self.worker));
    }
}

fn path_of(folder: &Path, worker: Uuid) -> PathBuf {
    folder.join(format!("{worker}.lock"))
}
