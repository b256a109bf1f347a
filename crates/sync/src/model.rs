//! The domain model: a sync, its results, and the status of a source.

use nyxcore_projects::SourceId;
use nyxcore_runs::{Priority, Run, RunId};
use sea_orm::{DeriveActiveEnum, EnumIter};

/// What started a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
pub enum SyncTrigger {
    /// A user.
    Manual,
    /// The source's schedule.
    Schedule,
    /// A push webhook of the remote.
    Webhook,
}

impl SyncTrigger {
    /// The priority of such a sync.
    #[must_use]
    pub fn priority(self) -> Priority {
        match self {
            Self::Manual => Priority::Interactive,
            Self::Webhook => Priority::Normal,
            Self::Schedule => Priority::Background,
        }
    }
}

/// Work after a sync that changed something, as a phase of the sync. The program registers the implementation: see
/// [`SyncStep`](crate::SyncStep).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter)]
pub enum SyncStepKind {
    /// Starts the project's analysis, as a separate run.
    CodeAnalysis,
    /// Turns letters into memory entries.
    Knowledge,
}

impl SyncStepKind {
    /// The phase's name, which is also the stored form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CodeAnalysis => "code_analysis",
            Self::Knowledge => "knowledge",
        }
    }
}

/// The row of a sync beside its run. The counts are those of the transaction in which the source moved, and 0 before
/// it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncDetail {
    /// The run, whose id is also the sync's id.
    pub run_id: RunId,
    /// The source.
    pub source_id: SourceId,
    /// What started the sync.
    pub trigger: SyncTrigger,
    /// The last successful sync of the source when this one was started. Each sync has at most one successor. A failed
    /// sync is never a predecessor.
    pub previous_sync_id: Option<RunId>,
    /// The previous commit of the source's files; `None` if all files had to be compared.
    pub from_commit: Option<String>,
    /// The commit of the source's files; `None` until the source has moved.
    pub to_commit: Option<String>,
    /// The number of new files.
    pub files_added: i64,
    /// The number of files with a changed content.
    pub files_updated: i64,
    /// The number of deleted files.
    pub files_deleted: i64,
    /// The number of files with a new path and the same or nearly the same content. They keep their ids and are neither
    /// added nor deleted.
    pub files_renamed: i64,
    /// The number of unchanged files.
    pub files_unchanged: i64,
    /// Skipped contents: binary and too large files among the added and updated ones (they are files of the source
    /// nevertheless), and tree entries that are not files or have invalid names, such as symbolic links.
    pub files_skipped: i64,
    /// The number of bytes received from the remote.
    pub bytes_fetched: i64,
    /// The size limit of files whose text is stored, in bytes.
    pub blob_bytes_max: i64,
    /// The completed phases: `finalize` when the search index is complete, and steps that succeeded or had nothing to
    /// do. The next sync repeats phases that are missing here.
    pub phases_done: Vec<String>,
}

impl SyncDetail {
    /// The number of files that the source had after the sync.
    #[must_use]
    pub fn files(&self) -> i64 {
        self.files_added + self.files_updated + self.files_renamed + self.files_unchanged
    }

    /// Whether a phase is done.
    pub(crate) fn has_done(&self, phase: &str) -> bool {
        self.phases_done.iter().any(|done| done == phase)
    }
}

/// A sync: the run, and its results.
#[derive(Debug, Clone, PartialEq)]
pub struct Sync {
    /// The run.
    pub run: Run,
    /// The results.
    pub detail: SyncDetail,
}

/// The status of a source after its last sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceStatus {
    /// No sync has succeeded or failed yet, and none is active.
    NeverSynced,
    /// A sync waits or runs.
    Syncing,
    /// The last sync succeeded.
    Ready,
    /// The last sync failed.
    Failed,
}
