//! Detects whether a worker on this machine is alive, without waiting for its lease to expire.
//!
//! A worker locks a file with its id while its process lives. The system releases the lock when the process ends, also
//! when it is killed. So a lock that can be taken proves that the worker is gone. A file of another machine proves
//! nothing, because not every shared file system supports locks across machines; there the lease decides.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// The file of one worker, locked.
pub(super) struct Presence {
    folder: PathBuf,
    worker: Uuid,
    machine: String,
    /// Locked until it is dropped.
    _file: File,
}

/// A worker that is gone, with its locked file.
pub(super) struct DepartedWorker {
    pub worker: Uuid,
    /// Whether it was of this start of this machine, so that the lock proves it gone.
    pub is_proven: bool,
    path: PathBuf,
    _file: File,
}

impl DepartedWorker {
    /// Removes its file after its runs were recovered.
    pub fn forget(self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(%error, "the file of a worker that is gone could not be removed");
        }
    }
}

impl Presence {
    /// Makes the worker's file in the folder, and locks it. `None` where that cannot be had: others then wait for its
    /// leases.
    pub fn begin(folder: &Path, worker: Uuid) -> Option<Self> {
        // It changes with each start of the machine, and containers on one machine share it as they share its locks.
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
        // It has its name only once it is locked: nobody finds it free.
        fs::rename(&unnamed, path_of(folder, worker))?;
        Ok(file)
    }

    /// The workers whose locks can be had.
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
        // It is gone already where the folder is.
        let _gone = fs::remove_file(path_of(&self.folder, self.worker));
    }
}

fn path_of(folder: &Path, worker: Uuid) -> PathBuf {
    folder.join(format!("{worker}.lock"))
}
