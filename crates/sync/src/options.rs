//! The operator's settings for syncs, and the location of mirrors.

use std::path::Path;

use nyxcore_projects::SourceId;
use nyxcore_tenancy::secret::Keyring;
use tokio_util::sync::CancellationToken;

use crate::git::{GitError, MirrorStore, SourcePolicy};

/// The default maximum size of one fetch: 5 GiB. Without large files, which are not fetched, the history of Linux is
/// half of that.
pub const FETCH_BYTES_MAX: u64 = 5 << 30;

/// The settings of syncs. [`SyncOptions::new`] gives the defaults; every field may be changed.
#[derive(Debug, Clone)]
pub struct SyncOptions {
    /// The mirrors, and the git that fills them.
    pub mirrors: MirrorStore,
    /// The allowed addresses of sources.
    pub policy: SourcePolicy,
    /// The size limit of files whose text is stored, in bytes. 1 MiB by default, which is also the limit of the
    /// analysis; larger files are mostly generated or data.
    pub blob_bytes_max: u64,
    /// The keys that decrypt the credentials of sources. Without them a source with a credential cannot be fetched.
    pub keyring: Option<Keyring>,
    /// The most bytes that one fetch may receive; [`FETCH_BYTES_MAX`] by default.
    pub fetch_bytes_max: Option<u64>,
    /// How many days of history are counted for each file. 365 by default.
    pub history_days: u32,
    /// The maximum number of commits that are counted, newest first. 10,000 by default.
    pub history_commits_max: usize,
    /// The maximum number of files of a source below its scan path. 200,000 by default, twice as many as the Linux
    /// kernel has: a comparison needs some 500 bytes of memory per file.
    pub files_max: u64,
    /// How many files are written in one transaction of `import` and `finalize`, so that no other writer waits long.
    /// 200 by default.
    pub batch_files: usize,
    /// The language of a file by its path, as it is stored and displayed. The program provides this function.
    pub language_of: fn(&str) -> Option<&'static str>,
}

impl SyncOptions {
    /// The defaults, with mirrors below `<data_dir>/mirrors`. Whatever the policy says, nothing below `data_dir` is a
    /// source.
    #[must_use]
    pub fn new(
        data_dir: &Path,
        policy: SourcePolicy,
        language_of: fn(&str) -> Option<&'static str>,
    ) -> Self {
        Self {
            mirrors: MirrorStore::new(data_dir),
            policy: SourcePolicy {
                data_dir: Some(data_dir.to_owned()),
                ..policy
            },
            blob_bytes_max: 1 << 20,
            keyring: None,
            fetch_bytes_max: Some(FETCH_BYTES_MAX),
            history_days: 365,
            history_commits_max: 10_000,
            files_max: 200_000,
            batch_files: 200,
            language_of,
        }
    }
}

/// Removes the mirror of a removed source. A missing mirror is no error.
///
/// # Errors
/// The data directory cannot be written.
pub async fn mirror_remove(options: &SyncOptions, source: SourceId) -> Result<(), GitError> {
    options
        .mirrors
        .mirror_delete(&mirror_name(source), &CancellationToken::new())
        .await
}

/// The name of a source's mirror.
pub(crate) fn mirror_name(source: SourceId) -> String {
    source.0.to_string()
}
