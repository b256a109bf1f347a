//! The source of the master key: the variable `NYXCORE_MASTER_KEY`, or else the file `master.key` in the data
//! directory.
//!
//! The file has one key per line in base64. The first key encrypts; the others decrypt secrets that are not
//! re-encrypted yet. More than one line means that a rotation is not finished. The file is replaced atomically, and
//! read only if no other account can read it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail};
use nyxcore_tenancy::secret::{KeySource, Keyring, MasterKey, MasterKeys};
use nyxcore_tenancy::{Error as StoreError, Result as StoreResult};

use crate::error::{Error, Result};
use crate::settings::Settings;

/// The name of the key file in the data directory.
pub const FILE: &str = "master.key";
/// The mode of a new key file: only its owner can read and write it.
const MODE: u32 = 0o600;
/// The maximum size of the key file, in bytes: hundreds of keys.
const FILE_BYTES_MAX: u64 = 16 * 1024;

/// The source of the master key.
#[derive(Clone)]
pub enum Source {
    /// The environment variable, which the operator manages.
    Variable(MasterKeys),
    /// The key file, which this program manages.
    File(KeyFile),
}

impl Source {
    /// Reads the source from the settings. No file is read or created yet.
    ///
    /// # Errors
    /// [`Error::SettingInvalid`] for a variable without a valid key.
    pub fn of(settings: &Settings, data_dir: &Path) -> Result<Self> {
        let previous = settings.master_key_previous.as_deref().unwrap_or_default();
        let previous = previous.split(',').filter(|key| !key.trim().is_empty());
        let previous: Vec<MasterKey> = previous
            .map(|key| key_read("NYXCORE_MASTER_KEY_PREVIOUS", key))
            .collect::<Result<_, Error>>()?;
        let current = settings.master_key.as_deref().unwrap_or_default();
        if !current.trim().is_empty() {
            let current = key_read("NYXCORE_MASTER_KEY", current)?;
            return Ok(Self::Variable(MasterKeys { current, previous }));
        }
        if !previous.is_empty() {
            bail!(Error::SettingInvalid(
                "NYXCORE_MASTER_KEY_PREVIOUS is set but NYXCORE_MASTER_KEY is not: set both, or neither to use the key file".into(),
            ));
        }
        Ok(Self::File(KeyFile::in_folder(data_dir)))
    }

    /// The keys of this source.
    pub fn keyring(&self) -> Keyring {
        match self {
            Self::Variable(keys) => Keyring::new(keys.clone()),
            Self::File(file) => Keyring::new(file.clone()),
        }
    }

    /// The current keys; `None` where the key file does not exist.
    ///
    /// # Errors
    /// The errors of [`KeyFile`].
    pub fn load(&self) -> Result<Option<MasterKeys>> {
        match self {
            Self::Variable(keys) => Ok(Some(keys.clone())),
            Self::File(file) => Ok(file.load()?),
        }
    }

    /// Reads the existing keys, so that an unusable file is reported before a key is needed.
    ///
    /// # Errors
    /// The errors of [`KeyFile`].
    pub fn check(&self) -> Result<()> {
        self.load().map(drop)
    }
}

fn key_read(variable: &str, text: &str) -> Result<MasterKey, Error> {
    MasterKey::parse(text).map_err(|_| {
        Error::SettingInvalid(format!(
            "{variable} must be 32 bytes in base64: generate one with `openssl rand -base64 32`"
        ))
    })
}

/// The file with the master keys.
#[derive(Clone)]
pub struct KeyFile {
    path: PathBuf,
    /// The number of secrets that are encrypted with a key that is not here. While it is not 0, no key is created.
    /// Clones share it.
    lost: Arc<AtomicU64>,
}

/// The exclusive lock for changes of the file.
pub struct KeyFileLock(#[expect(dead_code, reason = "held, and let go with the file")] File);

impl KeyFile {
    /// The key file of a data directory.
    pub fn in_folder(data_dir: &Path) -> Self {
        Self {
            path: data_dir.join(FILE),
            lost: Arc::default(),
        }
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records that secrets are encrypted with a missing key. From now on no new key is created.
    pub fn lost_secrets_record(&self, secrets: u64) {
        self.lost.store(secrets, Ordering::Relaxed);
    }

    /// The error for a missing file although secrets are encrypted with a key.
    pub fn missing(&self, secrets: u64) -> StoreError {
        let path = self.path.display();
        StoreError::MasterKey(format!(
            "{path} is missing, and {secrets} secrets are sealed with a master key: put the file back from its copy, or set \
             NYXCORE_MASTER_KEY as it is on the other machines. If the key is lost for good, begin with another \
             (`umask 077; openssl rand -base64 32 > {path}`) and enter the secrets anew"
        ))
    }

    /// Locks the file for changes by one process, until the returned lock is dropped.
    ///
    /// # Errors
    /// [`Error::RotationUnderWay`]; the folder cannot be written.
    pub fn lock(&self) -> Result<KeyFileLock> {
        let failed = "locking the key file failed";
        let lock = self.lock_open().context(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(KeyFileLock(lock)),
            Err(TryLockError::WouldBlock) => Err(Error::RotationUnderWay.into()),
            Err(TryLockError::Error(error)) => Err(error).context(failed),
        }
    }

    fn lock_open(&self) -> io::Result<File> {
        private_options().open(self.path.with_extension("key.lock"))
    }

    /// Replaces the file atomically: a reader finds either the old or the new keys, even after a power failure.
    ///
    /// # Errors
    /// [`StoreError::MasterKey`] where the folder cannot be written.
    pub fn replace(&self, keys: &MasterKeys, _lock: &KeyFileLock) -> StoreResult<()> {
        self.write(keys)
            .map_err(|error| self.refused("written", &error))
    }

    /// Creates the file with a new key, unless another process has created it meanwhile.
    fn make(&self) -> StoreResult<()> {
        let keys = MasterKeys::one(MasterKey::generate()?);
        let make = || {
            let lock = self.lock_open()?;
            lock.lock()?;
            if self.path.try_exists()? {
                return Ok(());
            }
            self.write(&keys)?;
            tracing::info!(path = %self.path.display(), "made a master key for secrets: keep a copy of this file, apart from the database's");
            Ok(())
        };
        make().map_err(|error| self.refused("written", &error))
    }

    /// Writes a new file, flushes it to the disk, and renames it. Only one process at a time may do this.
    fn write(&self, keys: &MasterKeys) -> io::Result<()> {
        let aside = self.path.with_extension("key.new");
        let write = || {
            let mut file = private_options().truncate(true).open(&aside)?;
            for key in std::iter::once(&keys.current).chain(&keys.previous) {
                file.write_all(key.to_base64().as_bytes())?;
                file.write_all(b"\n")?;
            }
            file.sync_all()?;
            fs::rename(&aside, &self.path)
        };
        if let Err(error) = write() {
            // An incomplete file is removed.
            let _gone = fs::remove_file(&aside);
            return Err(error);
        }
        self.folder_sync()
    }

    fn folder_sync(&self) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }

    fn refused(&self, what: &str, error: &io::Error) -> StoreError {
        StoreError::MasterKey(format!("{} cannot be {what}: {error}", self.path.display()))
    }
}

impl KeySource for KeyFile {
    fn load(&self) -> StoreResult<Option<MasterKeys>> {
        let refused = |error: io::Error| self.refused("read", &error);
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(refused(error)),
        };
        // The mode of the opened file is checked: the path may name another file by now.
        let found = file.metadata().map_err(refused)?;
        if found.permissions().mode() & 0o077 != 0 {
            return Err(StoreError::MasterKey(format!(
                "others on this machine may read the master key: run `chmod 600 {}`, and think of a new one (`nyxcore secrets rotate`)",
                self.path.display()
            )));
        }
        if found.len() > FILE_BYTES_MAX {
            return Err(StoreError::MasterKey(format!(
                "{} is too large for a key file",
                self.path.display()
            )));
        }
        let text = zeroize::Zeroizing::new(io::read_to_string(file).map_err(refused)?);
        let mut keys = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            keys.push(MasterKey::parse(line).map_err(|_| {
                let place = self.path.display();
                StoreError::MasterKey(format!(
                    "{place} must have one key per line, 32 bytes in base64"
                ))
            })?);
        }
        if keys.is_empty() {
            return Err(StoreError::MasterKey(format!(
                "{} is empty: put the key back from its copy",
                self.path.display()
            )));
        }
        let current = keys.remove(0);
        Ok(Some(MasterKeys {
            current,
            previous: keys,
        }))
    }

    fn load_or_make(&self) -> StoreResult<MasterKeys> {
        if let Some(keys) = self.load()? {
            return Ok(keys);
        }
        match self.lost.load(Ordering::Relaxed) {
            0 => self.make()?,
            lost => return Err(self.missing(lost)),
        }
        let nothing = || self.refused("read", &ErrorKind::NotFound.into());
        self.load()?.ok_or_else(nothing)
    }
}

fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(MODE);
    options
}

#[cfg(test)]
mod tests {
    use crate::error::code_of;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_key_file_is_created_on_first_use_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::in_folder(folder.path());
        assert!(file.load().unwrap().is_none());
        let made = file.load_or_make().unwrap();
        assert_eq!(mode(file.path()), MODE);
        assert!(file.load_or_make().unwrap() == made);
        let rotated = MasterKeys {
            current: MasterKey::generate().unwrap(),
            previous: vec![made.current],
        };
        file.replace(&rotated, &file.lock().unwrap()).unwrap();
        assert!(file.load().unwrap() == Some(rotated));
        assert_eq!(mode(file.path()), MODE);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            2,
            "the key and its lock"
        );
    }

    #[test]
    fn of_many_that_need_it_first_at_once_all_get_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::in_folder(folder.path());
        let keys: Vec<MasterKeys> = std::thread::scope(|scope| {
            let make = || scope.spawn(|| file.load_or_make());
            let threads: Vec<_> = (0..8).map(|_| make()).collect();
            let made = threads.into_iter().map(|thread| thread.join().unwrap());
            made.map(StoreResult::unwrap).collect()
        });
        let kept = file.load().unwrap().unwrap();
        assert_eq!(keys, vec![kept; 8]);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::in_folder(folder.path());
        file.load_or_make().unwrap();
        for open in [0o640, 0o604, 0o660] {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(open)).unwrap();
            let StoreError::MasterKey(reason) = file.load().unwrap_err() else {
                panic!("another error");
            };
            assert!(reason.contains("chmod 600"), "{reason}");
        }
    }

    #[test]
    fn what_is_no_key_file_is_not_replaced_by_a_new_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::in_folder(folder.path());
        for text in ["", "\n", "c2hvcnQ=\n", "garbled"] {
            let mut options = private_options();
            let mut written = options.truncate(true).open(file.path()).unwrap();
            written.write_all(text.as_bytes()).unwrap();
            assert!(file.load_or_make().is_err(), "{text:?}");
            assert_eq!(fs::read_to_string(file.path()).unwrap(), text);
        }
    }

    #[test]
    fn no_key_is_made_where_another_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::in_folder(folder.path());
        file.clone().lost_secrets_record(3);
        assert!(file.load_or_make().is_err() && !file.path().exists());
        KeyFile::in_folder(folder.path()).load_or_make().unwrap();
        assert!(file.load_or_make().is_ok(), "the key was put back");
    }

    #[test]
    fn one_rotation_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::in_folder(folder.path());
        let lock = file.lock().unwrap();
        let second = file.lock().map(drop).unwrap_err();
        assert_eq!(code_of(&second), "ROTATION_UNDER_WAY");
        drop(lock);
        assert!(file.lock().is_ok());
    }
}
