//! The domain model: a sync, its results, and the status of a source.

use nyxcore_projects::SourceId;
use nyxcore_runs::{Priority, Run, RunId};
use sea_orm::{DeriveActiveEnum, EnumIter};

/// What a sync was started by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
pub enum SyncTrigger {
    /// Somebody asked for it.
    Manual,
    /// The source's schedule.
    Schedule,
    /// A push webhook of the remote.
    Webhook,
}

impl SyncTrigger {
    /// How urgent such a sync is.
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
    /// The project's analysis is started, as a run of its own.
    CodeAnalysis,
    /// Letters become memory entries.
    Knowledge,
}

impl SyncStepKind {
    /// The phase's name, which is also how it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CodeAnalysis => "code_analysis",
            Self::Knowledge => "knowledge",
        }
    }
}

/// What a sync keeps beside its run. The counts are those of the transaction in which the source moved, and 0 before
/// it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncDetail {
    /// The run, whose id is the sync's.
    pub run_id: RunId,
    /// The source.
    pub source_id: SourceId,
    /// What it was started by.
    pub trigger: SyncTrigger,
    /// The sync of the source that succeeded last when this one was started. Each has at most one successor, and a sync
    /// that failed is none.
    pub previous_sync_id: Option<RunId>,
    /// The commit that the source's files were of before; `None` where everything had to be compared.
    pub from_commit: Option<String>,
    /// The commit that the source's files are of now; `None` until they are.
    pub to_commit: Option<String>,
    /// Files that were not there before.
    pub files_added: i64,
    /// Files whose content is another.
    pub files_updated: i64,
    /// Files that are gone.
    pub files_deleted: i64,
    /// Files whose path is another and whose content is the same or nearly so; they keep their ids and are neither
    /// added nor deleted.
    pub files_renamed: i64,
    /// Files of the source that stayed as they were.
    pub files_unchanged: i64,
    /// Skipped contents: binary and too large files among the added and updated ones (they are files of the source
    /// nevertheless), and tree entries that are not files or have invalid names, such as symbolic links.
    pub files_skipped: i64,
    /// Bytes that came from the remote.
    pub bytes_fetched: i64,
    /// The greatest file whose text was kept, in bytes.
    pub blob_bytes_max: i64,
    /// The completed phases: `finalize` when the search index is complete, and steps that succeeded or had nothing to
    /// do. The next sync repeats phases that are missing here.
    pub phases_done: Vec<String>,
}

impl SyncDetail {
    /// How many files the source had when it was done.
    #[must_use]
    pub fn files(&self) -> i64 {
        self.files_added + self.files_updated + self.files_renamed + self.files_unchanged
    }

    /// Whether a phase need not be done again.
    pub(crate) fn has_done(&self, phase: &str) -> bool {
        self.phases_done.iter().any(|done| done == phase)
    }
}

/// A sync: the run, and its results.
#[derive(Debug, Clone, PartialEq)]
pub struct Sync {
    /// The run.
    pub run: Run,
    /// What it found.
    pub detail: SyncDetail,
}

/// The status of a source after its last sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceStatus {
    /// No sync has succeeded or failed yet, and none is active.
    NeverSynced,
    /// A sync waits or is at work.
    Syncing,
    /// Its files are there.
    Ready,
    /// The last sync failed.
    Failed,
}
