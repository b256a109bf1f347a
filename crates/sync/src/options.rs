//! The operator's settings for syncs, and the location of mirrors.

use std::path::Path;

use nyxcore_projects::SourceId;
use nyxcore_tenancy::secret::Keyring;
use tokio_util::sync::CancellationToken;

use crate::git::{GitError, MirrorStore, SourcePolicy};

/// The default maximum size of one fetch: 5 GiB. Without large files, which are not fetched, the history of Linux is
/// half of that.
pub const FETCH_BYTES_MAX: u64 = 5 << 30;

/// How syncs are carried out. [`SyncOptions::new`] gives the defaults; every field may be changed.
#[derive(Debug, Clone)]
pub struct SyncOptions {
    /// The mirrors, and the git that fills them.
    pub mirrors: MirrorStore,
    /// Where sources may come from.
    pub policy: SourcePolicy,
    /// The greatest file whose text is kept, in bytes. 1 MiB by default, which is what the analysis reads at the most;
    /// greater ones are, in practice, generated or data.
    pub blob_bytes_max: u64,
    /// What opens the credentials of sources. Without it a source that has one cannot be fetched.
    pub keyring: Option<Keyring>,
    /// The most bytes that one fetch may bring; [`FETCH_BYTES_MAX`] by default.
    pub fetch_bytes_max: Option<u64>,
    /// How many days of history are counted for each file. 365 by default.
    pub history_days: u32,
    /// How many commits are counted at the most, newest first. 10,000 by default.
    pub history_commits_max: usize,
    /// The most files that a source may have below its scan path. 200,000 by default, twice what the Linux kernel has:
    /// a comparison holds some 500 bytes a file in memory.
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

/// Removes the mirror of a source that was removed. One that is not there is no error.
///
/// # Errors
/// The data directory cannot be written.
pub async fn mirror_remove(options: &SyncOptions, source: SourceId) -> Result<(), GitError> {
    options
        .mirrors
        .mirror_delete(&mirror_name(source), &CancellationToken::new())
        .await
}

/// What a source's mirror is called.
pub(crate) fn mirror_name(source: SourceId) -> String {
    source.0.to_string()
}
