//! Resolves a revision to a commit, and reads its contents from many threads.

use std::sync::Mutex;

use chrono::{DateTime, Utc};
use gix::ThreadSafeRepository;

use super::{
    GitError, RepositoryReader,
    blob::{BlobBytes, blob_take},
    reader::{OBJECT_CACHE_BYTES, blocking},
};

/// Reads the bytes of blobs from any thread. [`RepositoryReader::blobs_read`] streams them for the database; this type
/// serves many cores.
pub struct BlobReader {
    repository: ThreadSafeRepository,
    /// One repository handle for each thread that reads at the same time: each has its own cache of delta bases.
    idle: Mutex<Vec<gix::Repository>>,
}

impl std::fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobReader").finish_non_exhaustive()
    }
}

impl BlobReader {
    /// The bytes of the blob `id` (hex), if there are at most `bytes_max`, which is checked before reading. It blocks.
    ///
    /// # Errors
    /// [`GitError::MirrorDamaged`] for a blob that exists and cannot be decoded.
    pub fn blob_bytes(&self, id: &str, bytes_max: u64) -> Result<BlobBytes, GitError> {
        let idle = self.idle.lock().ok().and_then(|mut idle| idle.pop());
        let repository = idle.unwrap_or_else(|| {
            let mut repository = self.repository.to_thread_local();
            repository.object_cache_size(OBJECT_CACHE_BYTES);
            repository
        });
        let bytes = blob_take(&repository, id, bytes_max);
        if let Ok(mut idle) = self.idle.lock() {
            idle.push(repository);
        }
        bytes
    }
}

impl RepositoryReader {
    /// Contents of blobs, for reading from many threads.
    #[must_use]
    pub fn blob_reader(&self) -> BlobReader {
        BlobReader {
            repository: self.repository.clone(),
            idle: Mutex::new(Vec::new()),
        }
    }

    /// When the commit (hex) was made, by its committer's clock.
    ///
    /// # Errors
    /// [`GitError::RevisionNotFound`] if there is no such commit, or its time is invalid.
    pub async fn commit_time(&self, commit: &str) -> Result<DateTime<Utc>, GitError> {
        let (repository, commit) = (self.repository.clone(), commit.to_owned());
        blocking(move || {
            let repository = repository.to_thread_local();
            let seconds = gix::ObjectId::from_hex(commit.as_bytes())
                .ok()
                .and_then(|id| repository.find_commit(id).ok())
                .and_then(|commit| Some(commit.time().ok()?.seconds));
            seconds
                .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
                .ok_or_else(|| GitError::RevisionNotFound {
                    revision: commit.chars().take(64).collect(),
                })
        })
        .await
    }

    /// The id (hex) of the commit that `revision` names, as git understands it: a branch, a tag, an id or its prefix,
    /// `HEAD~3`.
    ///
    /// # Errors
    /// [`GitError::RevisionNotFound`] if it names no commit, or more than one.
    pub async fn commit_resolve(&self, revision: &str) -> Result<String, GitError> {
        let (repository, revision) = (self.repository.clone(), revision.to_owned());
        blocking(move || {
            let repository = repository.to_thread_local();
            let found = repository
                .rev_parse_single(revision.as_str())
                .ok()
                .and_then(|id| id.object().ok())
                .and_then(|object| object.peel_to_kind(gix::objs::Kind::Commit).ok());
            found
                .map(|commit| commit.id.to_string())
                .ok_or_else(|| GitError::RevisionNotFound {
                    revision: revision.chars().take(64).collect(),
                })
        })
        .await
    }
}
