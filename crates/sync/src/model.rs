//! The words of the domain: a sync, what it found, and how a source stands.

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
    /// A push that the remote told of.
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

/// What a sync keeps beside its run. The counts are those of the transaction in which the source moved, and 0 before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncDetail {
    /// The run, whose id is the sync's.
    pub run_id: RunId,
    /// The source.
    pub source_id: SourceId,
    /// What it was started by.
    pub trigger: SyncTrigger,
    /// The sync of the source that succeeded last when this one was started. Each has at most one successor, and a sync that failed
    /// is none.
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
    /// Files whose path is another and whose content is the same or nearly so; they keep their ids and are neither added nor deleted.
    pub files_renamed: i64,
    /// Files of the source that stayed as they were.
    pub files_unchanged: i64,
    /// What was not read as text: of the files added and updated those that are binary or too large (they are files of the source
    /// nevertheless), and entries of the tree that are no files or cannot be named, such as symbolic links.
    pub files_skipped: i64,
    /// Bytes that came from the remote.
    pub bytes_fetched: i64,
}

/// A sync: the run, and what it found.
#[derive(Debug, Clone, PartialEq)]
pub struct Sync {
    /// Where it stands.
    pub run: Run,
    /// What it found.
    pub detail: SyncDetail,
}

/// How a source stands, as its last sync left it.
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
