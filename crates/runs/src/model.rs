//! The words of long-running work: runs, their kinds, their state, and the events that tell their story.

use chrono::{DateTime, TimeDelta, Utc};
use nyxcore_tenancy::{UserId, typed_id};
use sea_orm::{ActiveEnum, DeriveActiveEnum, EnumIter, Iterable};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

typed_id!(
    /// A run of any kind.
    RunId,
    "run"
);

/// What a run does.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the kinds say it")]
pub enum RunKind {
    Sync,
    CodeAnalysis,
    NoteEnrichment,
    Consolidation,
    Workflow,
    Discussion,
    Documentation,
    AutoFix,
    Refactor,
}

impl RunKind {
    /// The kind of that name in lower case, as in `code_analysis`: how an operator writes it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::iter().find(|kind| kind.to_value().eq_ignore_ascii_case(name))
    }

    /// The names of all kinds.
    #[must_use]
    pub fn names() -> Vec<String> {
        Self::iter()
            .map(|kind| kind.to_value().to_ascii_lowercase())
            .collect()
    }
}

/// Where a run stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunStatus {
    /// Waits for a worker.
    Queued,
    /// A worker holds its lease.
    Running,
    /// Ended as it should.
    Succeeded,
    /// Ended with an error.
    Failed,
    /// Ended because somebody said so.
    Cancelled,
}

impl RunStatus {
    /// Whether the run is still to end: at most one run of a subject is.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }
}

/// How far a run has come in its phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The phase's name, such as `import`.
    pub phase: String,
    /// How much is done.
    pub done: i64,
    /// Of how much, where it is known.
    pub total: Option<i64>,
    /// What is counted, such as `files`.
    pub unit: Option<String>,
    /// How many bytes are done, where the work has a size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_done: Option<i64>,
    /// Of how many bytes, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_total: Option<i64>,
}

/// The error a run ended with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunError {
    /// A stable code.
    pub code: String,
    /// A sentence for a person.
    pub message: String,
}

/// A piece of long-running work.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// What it does.
    pub kind: RunKind,
    /// What it does it to: within a kind, one run of a subject is active at a time.
    pub subject: String,
    /// Where it stands.
    pub status: RunStatus,
    /// The project it belongs to, if any.
    pub project_id: Option<Uuid>,
    /// Who started it; nobody where another run did.
    pub started_by: Option<UserId>,
    /// What its handler needs to know.
    pub input: serde_json::Value,
    /// How often a worker has taken it.
    pub attempt: i64,
    /// How many events its log has; the last event's number.
    pub event_count: i64,
    /// How far it is, once it has begun.
    pub progress: Option<Progress>,
    /// What it failed with.
    pub error: Option<RunError>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When a worker first took it.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// How urgent a run is, among those of its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Priority {
    /// Nobody waits for it: what a schedule starts.
    Background,
    /// What another run or a push starts.
    #[default]
    Normal,
    /// Somebody asked for it and watches.
    Interactive,
}

impl Priority {
    /// As it is stored: the greater is taken first. Gaps leave room for more of them.
    pub(crate) fn rank(self) -> i64 {
        match self {
            Self::Background => 0,
            Self::Normal => 10,
            Self::Interactive => 20,
        }
    }
}

/// What is asked for when a run is started.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// What it does.
    pub kind: RunKind,
    /// What it does it to.
    pub subject: String,
    /// The project it belongs to.
    pub project_id: Option<Uuid>,
    /// Who asks.
    pub started_by: Option<UserId>,
    /// What its handler needs to know.
    pub input: serde_json::Value,
    /// Refused where a run of the subject succeeded less than this ago.
    pub quiet_period: Option<TimeDelta>,
    /// How often it may be taken before it fails for good.
    pub max_attempts: i64,
    /// Which of a tenant's waiting runs is taken first. Between tenants it decides nothing.
    pub priority: Priority,
    /// It waits until then, as an active run of its subject; without it a worker takes it as soon as it can.
    pub not_before: Option<DateTime<Utc>>,
}

/// What became of a request to start. The run is the one to watch, whoever started it.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// It was queued now.
    Started(Run),
    /// One was active already.
    AlreadyActive(Run),
    /// One succeeded within the quiet period.
    RecentlyCompleted(Run),
}

impl Start {
    /// The run to watch.
    pub fn run(&self) -> &Run {
        let (Self::Started(run) | Self::AlreadyActive(run) | Self::RecentlyCompleted(run)) = self;
        run
    }

    /// Whether this request queued it.
    pub fn is_started(&self) -> bool {
        matches!(self, Self::Started(_))
    }
}

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Good to know.
    Info,
    /// Something was left out or went wrong without ending the run.
    Warning,
}

impl Level {
    /// The level's name, as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
        }
    }
}

/// What an event tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventBody {
    /// A phase began.
    PhaseStarted {
        /// Its name.
        phase: String,
    },
    /// The phase went on.
    Progressed {
        /// How far.
        progress: Progress,
    },
    /// Something to tell a person.
    Message {
        /// How much it matters.
        level: Level,
        /// What to tell.
        text: String,
    },
    /// A phase was left out.
    PhaseSkipped {
        /// Its name.
        phase: String,
        /// Why, in a sentence for a person.
        reason: String,
    },
    /// A piece of text that a model streams.
    Text {
        /// The piece.
        text: String,
    },
    /// The run ended; no event follows.
    Finished {
        /// How.
        status: RunStatus,
    },
}

/// One entry of a run's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEvent {
    /// The run.
    pub run_id: RunId,
    /// Its number: 1, 2, 3 and so on without a gap.
    pub seq: i64,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub body: EventBody,
}
