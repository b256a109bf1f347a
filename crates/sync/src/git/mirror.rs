//! Mirrors: one bare repository per source, below the data directory. A mirror is created in a temporary place and
//! moved, so it is never incomplete. Leftovers of a killed process are removed under the mirror's lock.

mod repair;

use std::{
    collections::BTreeSet,
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{
    GitError, GitOptions, HostResolver, RepositoryReader, SystemResolver,
    access::key_folder_remove, command::GitCommand, reader::blocking,
};
use repair::{head_read, leftovers_clear};

/// The only ref of a mirror, for every branch: branches whose names conflict as paths (`a`, then `a/b`) cannot clash.
pub(crate) const MIRROR_REF: &str = "refs/nyxcore/head";

/// The complete configuration: no remote or template can add anything. The remote's address is never stored; it is
/// passed with each command. `promisor` tells git that objects above the size limit are omitted on purpose.
const MIRROR_CONFIG: &str = "[core]\n\trepositoryformatversion = 1\n\tfilemode = true\n\tbare = true\n\
     [extensions]\n\tpartialClone = origin\n[remote \"origin\"]\n\tpromisor = true\n";

const MIRROR_HEAD: &str = "ref: refs/nyxcore/head\n";

/// The file in the mirror with the size limit: larger contents may be missing.
const BLOB_LIMIT_FILE: &str = "nyxcore-blob-limit";

/// The files beside a mirror, by suffix.
const BESIDE: &[&str] = &[".new", ".lock", ".ssh"];

/// The interval at which a lock held by another process is tried again.
const LOCK_RETRY: Duration = Duration::from_millis(50);

/// The location of the mirrors, and the git that fills them.
#[derive(Debug, Clone)]
pub struct MirrorStore {
    root: PathBuf,
    options: Arc<GitOptions>,
    resolver: Arc<dyn HostResolver>,
}

impl MirrorStore {
    /// Mirrors below `<data_dir>/mirrors`, with git's default options and the system's resolver.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        let options = GitOptions::new(data_dir.join("git-home"));
        Self {
            root: data_dir.join("mirrors"),
            options: Arc::new(options),
            resolver: Arc::new(SystemResolver),
        }
    }

    /// The same mirrors with other options.
    #[must_use]
    pub fn with_options(mut self, options: GitOptions) -> Self {
        self.options = Arc::new(options);
        self
    }

    /// The same mirrors with another resolver.
    #[must_use]
    pub fn with_resolver(mut self, resolver: Arc<dyn HostResolver>) -> Self {
        self.resolver = resolver;
        self
    }

    /// The mirror named `id`; the first fetch creates it if it is missing.
    ///
    /// # Errors
    /// [`GitError::GitFailed`] for an invalid name.
    pub fn mirror(&self, id: &str) -> Result<Mirror, GitError> {
        self.mirror_named(id)
    }

    /// Opens the mirror named `id` (a UUID: letters, digits and `-`), creates it if it is missing, and creates it
    /// again if it cannot be opened. Waits while another process uses it.
    ///
    /// # Errors
    /// [`GitError::DiskFull`], [`GitError::StorageReadOnly`], [`GitError::GitMissing`], [`GitError::Cancelled`].
    pub async fn mirror_open_or_create(
        &self,
        id: &str,
        cancel: &CancellationToken,
    ) -> Result<Mirror, GitError> {
        let mirror = self.mirror_named(id)?;
        let lock = mirror.lock(cancel).await?;
        mirror.make_usable(cancel).await?;
        drop(lock);
        Ok(mirror)
    }

    /// Removes the mirror named `id`; a missing mirror is no error.
    ///
    /// # Errors
    /// As [`MirrorStore::mirror_open_or_create`].
    pub async fn mirror_delete(
        &self,
        id: &str,
        cancel: &CancellationToken,
    ) -> Result<(), GitError> {
        let mirror = self.mirror_named(id)?;
        let _lock = mirror.lock(cancel).await?;
        mirror.remove().await
    }

    /// The ids of all mirrors on this disk, including those of which only a lock or another leftover exists. Other file
    /// names are ignored.
    ///
    /// # Errors
    /// As [`MirrorStore::mirror_open_or_create`].
    pub async fn mirror_ids(&self) -> Result<BTreeSet<String>, GitError> {
        let root = self.root.clone();
        blocking(move || {
            let entries = match fs::read_dir(&root) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(BTreeSet::new());
                }
                entries => entries.and_then(Iterator::collect::<io::Result<Vec<_>>>),
            };
            let entries =
                entries.map_err(|error| GitError::storage("listing the mirrors", &error))?;
            Ok(entries
                .iter()
                .filter_map(|entry| {
                    let name = entry.file_name().into_string().ok()?;
                    let id = BESIDE
                        .iter()
                        .find_map(|extension| name.strip_suffix(extension))
                        .unwrap_or(&name);
                    id_is_harmless(id).then(|| id.to_owned())
                })
                .collect())
        })
        .await
    }

    /// Removes the mirror named `id` with its lock, unless it is in use. Returns whether it did.
    ///
    /// # Errors
    /// As [`MirrorStore::mirror_open_or_create`].
    pub async fn mirror_delete_unused(&self, id: &str) -> Result<bool, GitError> {
        let mirror = self.mirror_named(id)?;
        let Some(_lock) = mirror.lock_try()? else {
            return Ok(false);
        };
        mirror.remove().await?;
        // A process that waits for this lock then sees that the lock file was replaced, and takes the new one.
        fs::remove_file(mirror.path.with_extension("lock"))
            .map_err(|error| GitError::storage("removing a mirror", &error))?;
        Ok(true)
    }

    /// Removes the leftovers of a killed process beside the mirror named `id`, unless it is in use.
    ///
    /// # Errors
    /// As [`MirrorStore::mirror_open_or_create`].
    pub async fn mirror_tidy_unused(&self, id: &str) -> Result<(), GitError> {
        let mirror = self.mirror_named(id)?;
        if !mirror.path_aside().exists() && !mirror.path_key().exists() {
            return Ok(());
        }
        let Some(_lock) = mirror.lock_try()? else {
            return Ok(());
        };
        let (new, key) = (mirror.path_aside(), mirror.path_key());
        blocking(move || {
            folder_remove(&new)
                .and_then(|()| key_folder_remove(&key))
                .map_err(|error| GitError::storage("tidying a mirror", &error))
        })
        .await
    }

    fn mirror_named(&self, id: &str) -> Result<Mirror, GitError> {
        if !id_is_harmless(id) {
            return Err(GitError::failed(
                "opening a mirror",
                "the mirror's id is not one",
            ));
        }
        Ok(Mirror {
            path: self.root.join(id),
            options: self.options.clone(),
            resolver: self.resolver.clone(),
        })
    }
}

/// The bare repository of one source.
#[derive(Debug, Clone)]
pub struct Mirror {
    pub(crate) path: PathBuf,
    pub(crate) options: Arc<GitOptions>,
    pub(crate) resolver: Arc<dyn HostResolver>,
}

impl Mirror {
    /// The repository's folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens it for reading.
    ///
    /// # Errors
    /// As [`RepositoryReader::repository_open`].
    pub fn reader(&self) -> Result<RepositoryReader, GitError> {
        let reader = RepositoryReader::repository_open(&self.path)?;
        Ok(reader.with_options(self.options.clone()))
    }

    /// The commit that was last fetched.
    ///
    /// # Errors
    /// [`GitError::MirrorDamaged`] when the mirror cannot be opened.
    pub async fn head_commit(&self) -> Result<Option<String>, GitError> {
        let path = self.path.clone();
        blocking(move || Ok(head_read(&path)?.map(|id| id.to_string()))).await
    }

    /// The size limit in bytes: larger contents may be missing, because the remote was asked to omit them. `None` if
    /// the limit is unknown.
    #[must_use]
    pub fn blob_limit(&self) -> Option<u64> {
        let text = fs::read_to_string(self.path.join(BLOB_LIMIT_FILE)).ok()?;
        text.trim().parse().ok()
    }

    /// Stores the size limit.
    ///
    /// # Errors
    /// [`GitError::DiskFull`], [`GitError::StorageReadOnly`].
    pub fn blob_limit_set(&self, bytes: u64) -> Result<(), GitError> {
        fs::write(self.path.join(BLOB_LIMIT_FILE), bytes.to_string())
            .map_err(|error| GitError::storage("writing to a mirror", &error))
    }

    pub(crate) fn command(
        &self,
        operation: &'static str,
        subcommand: &'static str,
    ) -> GitCommand<'_> {
        GitCommand::new(&self.options, operation, &self.path, subcommand)
    }

    fn path_aside(&self) -> PathBuf {
        self.path.with_extension("new")
    }

    /// The folder of an SSH key during a fetch.
    pub(crate) fn path_key(&self) -> PathBuf {
        self.path.with_extension("ssh")
    }

    /// Removes everything of the mirror except its lock. Call it with the lock held.
    async fn remove(&self) -> Result<(), GitError> {
        let (path, new, key) = (self.path.clone(), self.path_aside(), self.path_key());
        blocking(move || {
            folder_remove(&path)
                .and_then(|()| folder_remove(&new))
                .and_then(|()| key_folder_remove(&key))
                .map_err(|error| GitError::storage("removing a mirror", &error))
        })
        .await
    }

    /// Takes the lock, which is held while the mirror is written. The system releases it when the process ends in any
    /// way.
    pub(crate) async fn lock(&self, cancel: &CancellationToken) -> Result<File, GitError> {
        loop {
            if let Some(lock) = self.lock_try()? {
                return Ok(lock);
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(GitError::Cancelled),
                () = tokio::time::sleep(LOCK_RETRY) => {}
            }
        }
    }

    /// Takes the lock if it is free.
    fn lock_try(&self) -> Result<Option<File>, GitError> {
        let storage = |error: io::Error| GitError::storage("locking a mirror", &error);
        if let Some(root) = self.path.parent() {
            fs::create_dir_all(root).map_err(storage)?;
        }
        let path = self.path.with_extension("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(storage)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(storage(error)),
            Ok(()) => {
                // The lock file may have been removed with the mirror between the opening and the locking.
                let mine = file.metadata().map_err(storage)?;
                let there = fs::metadata(&path).ok();
                let same = there
                    .is_some_and(|there| (there.dev(), there.ino()) == (mine.dev(), mine.ino()));
                Ok(same.then_some(file))
            }
        }
    }

    /// Makes the mirror complete, creating it again if necessary. Call it with the lock held.
    pub(crate) async fn make_usable(&self, cancel: &CancellationToken) -> Result<(), GitError> {
        let (path, key) = (self.path.clone(), self.path_key());
        let usable = blocking(move || {
            let reads = |file: &str| fs::read_to_string(path.join(file)).unwrap_or_default();
            // Git appends the size limit to the configuration.
            let ours = reads("HEAD") == MIRROR_HEAD && reads("config").starts_with(MIRROR_CONFIG);
            let usable = ours && leftovers_clear(&path).is_ok() && head_read(&path).is_ok();
            key_folder_remove(&key)
                .map_err(|error| GitError::storage("tidying a mirror", &error))?;
            Ok(usable)
        });
        if usable.await? {
            Ok(())
        } else {
            self.make_anew(cancel).await
        }
    }

    /// Replaces the mirror with an empty one. Call it with the lock held.
    pub(crate) async fn make_anew(&self, cancel: &CancellationToken) -> Result<(), GitError> {
        let operation = "making a mirror";
        let (path, aside) = (self.path.clone(), self.path_aside());
        let storage = move |error: io::Error| GitError::storage(operation, &error);
        let cleared = aside.clone();
        blocking(move || {
            folder_remove(&cleared)
                .and_then(|()| fs::create_dir_all(&cleared))
                .map_err(storage)
        })
        .await?;
        GitCommand::new(&self.options, operation, &aside, "init")
            .flags(&[
                "--bare",
                "--quiet",
                "--template=",
                "--object-format=sha1",
                "--initial-branch=main",
            ])
            .run(cancel, &mut |_| ())
            .await?;
        blocking(move || mirror_place(&aside, &path).map_err(storage)).await
    }
}

/// Only letters, digits and `-`: no path out of the folder, and no option.
fn id_is_harmless(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= 64
        && !id.starts_with('-')
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn mirror_place(aside: &Path, path: &Path) -> io::Result<()> {
    fs::write(aside.join("config"), MIRROR_CONFIG)?;
    fs::write(aside.join("HEAD"), MIRROR_HEAD)?;
    folder_remove(path)?;
    fs::rename(aside, path)
}

/// Removes a folder with its contents; a missing one is no error.
fn folder_remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
