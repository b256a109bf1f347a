//! The model of long-running work: runs, kinds, states and events.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use nyxcore_tenancy::{Registry, UserId, typed_id};
use sea_orm::sea_query::{ArrayType, Nullable, ValueType, ValueTypeErr};
use sea_orm::{
    ActiveEnum, ColIdx, ColumnType, DeriveActiveEnum, EnumIter, QueryResult, TryGetError,
    TryGetable, Value,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

typed_id!(
    /// The id of a run of any kind.
    RunId,
    "run"
);

/// What a run does, by a name such as `SYNC`. The crate that carries out such runs declares the kind as a constant and
/// registers it ([`Registration::run_kind`](nyxcore_tenancy::Registration::run_kind)). A stored run may have a kind
/// that this process does not know, such as one from a newer release.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunKind(Cow<'static, str>);

impl RunKind {
    /// A kind by its name.
    ///
    /// # Panics
    /// If the name is not 1 to 63 capital letters, digits and underscores that begin with a letter. A constant panics
    /// at compile time.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        assert!(
            is_kind(name),
            "the name of a kind of run is in SCREAMING_SNAKE_CASE"
        );
        Self(Cow::Borrowed(name))
    }

    /// Its name, as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The registered kind with this name in lower case, as an operator writes it: `code_analysis`.
    #[must_use]
    pub fn from_setting(name: &str, registry: &Registry) -> Option<Self> {
        let kind = registry
            .run_kinds()
            .find(|kind| kind.to_ascii_lowercase() == name)?;
        Some(Self(Cow::Owned(kind.to_owned())))
    }
}

const fn is_kind(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let fits = match bytes[at] {
            b'A'..=b'Z' => true,
            b'0'..=b'9' | b'_' => at > 0,
            _ => false,
        };
        if !fits {
            return false;
        }
        at += 1;
    }
    at > 0 && at <= 63
}

impl fmt::Display for RunKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<RunKind> for Cow<'static, str> {
    fn from(kind: RunKind) -> Self {
        kind.0
    }
}

impl From<RunKind> for Value {
    fn from(kind: RunKind) -> Self {
        kind.0.into_owned().into()
    }
}

impl TryGetable for RunKind {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        String::try_get_by(row, index).map(|name| Self(Cow::Owned(name)))
    }
}

impl ValueType for RunKind {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        <String as ValueType>::try_from(value).map(|name| Self(Cow::Owned(name)))
    }

    fn type_name() -> String {
        "RunKind".to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::String
    }

    fn column_type() -> ColumnType {
        ColumnType::Text
    }
}

impl Nullable for RunKind {
    fn null() -> Value {
        String::null()
    }
}

/// The status of a run.
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
    /// A worker holds the lease of the run.
    Running,
    /// The run succeeded.
    Succeeded,
    /// The run failed.
    Failed,
    /// The run was cancelled.
    Cancelled,
}

impl RunStatus {
    /// Whether the run has not ended yet: at most one run of a subject is active.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }

    /// The name as it is stored, such as `QUEUED`.
    pub fn name(self) -> String {
        self.to_value()
    }
}

/// The progress of a run in its current phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The phase's name, such as `import`.
    pub phase: String,
    /// The number of units that are done.
    pub done: i64,
    /// The total number of units, if known.
    pub total: Option<i64>,
    /// The unit, such as `files`.
    pub unit: Option<String>,
    /// How many bytes are done, if the work is counted in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_done: Option<i64>,
    /// The total number of bytes, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_total: Option<i64>,
}

/// The error a run ended with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunError {
    /// A stable code.
    pub code: String,
    /// A sentence for the user.
    pub message: String,
}

/// A piece of long-running work.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// What it does.
    pub kind: RunKind,
    /// The object of the work, such as a source's id: of each kind, at most one run of a subject is active at a time.
    pub subject: String,
    /// The status.
    pub status: RunStatus,
    /// The project it belongs to, if any.
    pub project_id: Option<Uuid>,
    /// The user who started it; `None` if another run did.
    pub started_by: Option<UserId>,
    /// The input of its handler.
    pub input: serde_json::Value,
    /// The number of times that a worker claimed it.
    pub attempt: i64,
    /// The number of events in its log, which is the number of the last event.
    pub event_count: i64,
    /// The current progress, once the run has begun.
    pub progress: Option<Progress>,
    /// The error of a failed run.
    pub error: Option<RunError>,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
    /// When a worker first claimed it.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// How urgent a run is, among those of its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Priority {
    /// Background work, such as scheduled runs.
    Background,
    /// Runs that another run or a push starts.
    #[default]
    Normal,
    /// A user started the run and watches it.
    Interactive,
}

impl Priority {
    /// The stored number: the greater one is claimed first. Gaps leave room for further priorities.
    pub(crate) fn rank(self) -> i64 {
        match self {
            Self::Background => 0,
            Self::Normal => 10,
            Self::Interactive => 20,
        }
    }
}

/// The parameters of a new run.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// What it does.
    pub kind: RunKind,
    /// The object of the work.
    pub subject: String,
    /// The project it belongs to.
    pub project_id: Option<Uuid>,
    /// The user who starts it.
    pub started_by: Option<UserId>,
    /// The input of its handler.
    pub input: serde_json::Value,
    /// The start is refused if a run of the subject succeeded less than this ago.
    pub quiet_period: Option<TimeDelta>,
    /// How many attempts it may have before it fails for good.
    pub max_attempts: i64,
    /// The order among a tenant's waiting runs. It has no effect between tenants.
    pub priority: Priority,
    /// The run waits until then and counts as the active run of its subject. Without this time a worker claims it as
    /// soon as possible.
    pub not_before: Option<DateTime<Utc>>,
}

/// The result of a request to start a run, with the run to follow.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// The run was queued by this request.
    Started(Run),
    /// A run of the subject was active already.
    AlreadyActive(Run),
    /// A run of the subject succeeded within the quiet period.
    RecentlyCompleted(Run),
}

impl Start {
    /// The run to watch.
    pub fn run(&self) -> &Run {
        let (Self::Started(run) | Self::AlreadyActive(run) | Self::RecentlyCompleted(run)) = self;
        run
    }

    /// Whether this request queued the run.
    pub fn is_started(&self) -> bool {
        matches!(self, Self::Started(_))
    }
}

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// For information.
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

/// The content of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventBody {
    /// A phase began.
    PhaseStarted {
        /// Its name.
        phase: String,
    },
    /// The phase made progress.
    Progressed {
        /// The progress.
        progress: Progress,
    },
    /// A message for the user.
    Message {
        /// How much it matters.
        level: Level,
        /// The text of the message.
        text: String,
    },
    /// A phase was skipped.
    PhaseSkipped {
        /// Its name.
        phase: String,
        /// Why, in a sentence for the user.
        reason: String,
    },
    /// A piece of text that a model streams.
    Text {
        /// The name of the text within the run, such as a step. A text that starts again has another name. Empty in
        /// older logs.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        stream: String,
        /// The piece of text.
        text: String,
    },
    /// The run ended; no event follows.
    Finished {
        /// The final status of the run.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_kind_is_in_screaming_snake_case() {
        for good in ["A", "CODE_ANALYSIS", "STEP_2"] {
            assert!(is_kind(good), "{good}");
        }
        for bad in ["", "sync", "2A", "_A", "A-B", "A B"] {
            assert!(!is_kind(bad), "{bad}");
        }
    }
}
