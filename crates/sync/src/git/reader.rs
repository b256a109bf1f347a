//! Reads repositories: mirrors, and the current repository of a user, read-only. It never writes and never uses the
//! network. It uses gix, except for the history, which `git log` counts faster.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use gix::ThreadSafeRepository;
use tokio_util::sync::CancellationToken;

use super::{GitError, GitOptions};

/// The largest object that is loaded into memory, in bytes. The tree of a folder with a million files has about 40 MB.
const OBJECT_BYTES_MAX: &str = "gitoxide.objects.allocLimit=256m";

/// The size of the cache of decoded delta bases. Without a size gix caches 64 objects, and decodes each delta chain
/// from its start again and again: files of a history of 1,200 commits took ten times as long.
const DELTA_BASE_CACHE: &str = "core.deltaBaseCacheLimit=64m";

/// The size in bytes of the cache of decoded objects. A comparison of trees reads the same objects again and again.
pub(crate) const OBJECT_CACHE_BYTES: usize = 32 * 1024 * 1024;

/// A repository, open for reading. Cheap to clone; used from many threads.
#[derive(Clone)]
pub struct RepositoryReader {
    pub(crate) repository: ThreadSafeRepository,
    /// The options of the `git` command for reads.
    pub(crate) options: Arc<GitOptions>,
    pub(crate) files_max: u64,
}

impl std::fmt::Debug for RepositoryReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RepositoryReader").finish_non_exhaustive()
    }
}

impl RepositoryReader {
    /// Opens the git folder at `git_dir` (a bare repository, or a work tree's `.git`).
    ///
    /// # Errors
    /// [`GitError::NotARepository`], [`GitError::RepositoryFormatUnsupported`].
    pub fn repository_open(git_dir: &Path) -> Result<Self, GitError> {
        Ok(Self {
            repository: repository_open_at(git_dir)?,
            options: Arc::new(GitOptions::without_home()),
            files_max: u64::MAX,
        })
    }

    /// The same reader, with another `git` command.
    #[must_use]
    pub fn with_options(mut self, options: Arc<GitOptions>) -> Self {
        self.options = options;
        self
    }

    /// The same reader with a limit: a comparison fails if more files than that differ.
    #[must_use]
    pub fn with_files_max(mut self, files_max: u64) -> Self {
        self.files_max = files_max;
        self
    }

    /// Whether `commit` (hex) is in the repository and readable.
    ///
    /// # Errors
    /// [`GitError::Cancelled`] when the runtime shuts down.
    pub async fn commit_exists(&self, commit: &str) -> Result<bool, GitError> {
        let (repository, commit) = (self.repository.clone(), commit.to_owned());
        blocking(move || Ok(commit_tree(&repository.to_thread_local(), &commit).is_ok())).await
    }
}

/// A repository that was found around a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveredRepository {
    /// Its git folder, for [`RepositoryReader::repository_open`].
    pub git_dir: PathBuf,
    /// The root of its work tree; `None` for a bare repository.
    pub work_dir: Option<PathBuf>,
    /// The commit that HEAD points at; `None` before the first commit.
    pub head_commit: Option<String>,
    /// The branch that is checked out; `None` when HEAD is detached.
    pub branch: Option<String>,
    /// The URL of the remote `origin`, without any credential; `None` when there is none.
    pub origin_url: Option<String>,
}

/// Finds the repository that contains `path`, searching upwards. `None` if there is none.
///
/// # Errors
/// [`GitError::RepositoryFormatUnsupported`], or [`GitError::GitFailed`] for a repository that cannot be read.
pub async fn repository_discover(path: &Path) -> Result<Option<DiscoveredRepository>, GitError> {
    let path = path.to_owned();
    blocking(move || {
        let operation = "looking for a repository";
        let git_dir = match gix::discover::upwards(&path) {
            Ok((found, _trust)) => found.into_repository_and_work_tree_directories().0,
            Err(error) if error.classify().is_not_found() => return Ok(None),
            Err(error) => return Err(GitError::failed(operation, error)),
        };
        let git_dir = git_dir
            .canonicalize()
            .map_err(|error| GitError::storage(operation, &error))?;
        let repository = repository_open_at(&git_dir)?.to_thread_local();
        let head = repository
            .head()
            .map_err(|error| GitError::failed(operation, error))?;
        let branch = head
            .referent_name()
            .and_then(|name| std::str::from_utf8(name.shorten()).ok())
            .map(str::to_owned);
        let origin = repository.config_snapshot().string("remote.origin.url");
        Ok(Some(DiscoveredRepository {
            work_dir: repository.workdir().map(Path::to_owned),
            head_commit: head.id().map(|id| id.to_string()),
            branch,
            origin_url: origin.map(|url| credential_strip(&url.to_string())),
            git_dir,
        }))
    })
    .await
}

/// Turns `https://user:token@host/x` into `https://host/x`. An ssh address keeps its user, but not its password.
fn credential_strip(text: &str) -> String {
    match url::Url::parse(text) {
        Ok(mut url) => {
            // This fails only for URLs that cannot have a user, which need no stripping.
            let _ = url.set_password(None);
            if url.scheme() != "ssh" {
                let _ = url.set_username("");
            }
            url.to_string()
        }
        Err(_) => text.to_owned(),
    }
}

/// Opens `git_dir` with its own configuration only: no includes, no environment, no other file.
pub(crate) fn repository_open_at(git_dir: &Path) -> Result<ThreadSafeRepository, GitError> {
    let options = gix::open::Options::isolated()
        .with(gix::sec::Trust::Full)
        .open_path_as_is(true)
        .config_overrides([OBJECT_BYTES_MAX, DELTA_BASE_CACHE]);
    let repository = options.open(git_dir).map_err(|error| {
        let text = format!("{error:?}").to_lowercase();
        if text.contains("objectformat")
            || text.contains("sha256")
            || text.contains("extension")
            || text.contains("object format")
        {
            GitError::RepositoryFormatUnsupported
        } else {
            GitError::NotARepository
        }
    })?;
    if repository.to_thread_local().object_hash() != gix::hash::Kind::Sha1 {
        return Err(GitError::RepositoryFormatUnsupported);
    }
    Ok(repository)
}

/// The root tree of `commit`.
pub(crate) fn commit_tree(
    repository: &gix::Repository,
    commit: &str,
) -> Result<gix::ObjectId, GitError> {
    let missing = || GitError::CommitNotFound {
        commit: commit.chars().take(64).collect(),
    };
    let id = gix::ObjectId::from_hex(commit.as_bytes()).map_err(|_| missing())?;
    let commit = repository.find_commit(id).map_err(|_| missing())?;
    commit.tree_id().map(gix::Id::detach).map_err(|_| missing())
}

pub(crate) fn cancel_check(cancel: &CancellationToken) -> Result<(), GitError> {
    if cancel.is_cancelled() {
        Err(GitError::Cancelled)
    } else {
        Ok(())
    }
}

/// Runs file system and gix work on blocking threads. If the caller's future is dropped, `work` still runs to its end:
/// long work checks a [`CancellationToken`] between its steps.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, GitError> + Send + 'static,
) -> Result<T, GitError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) if error.is_cancelled() => Err(GitError::Cancelled),
        Err(error) => Err(GitError::failed("reading the repository", error)),
    }
}
