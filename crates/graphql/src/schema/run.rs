//! Runs: the interface of all kinds of run, the kinds themselves, and their events.

use async_graphql::{Context, Enum, ID, Interface, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_code_analysis::CODE_ANALYSIS_RUN;
use nyxcore_consolidation::CONSOLIDATION_RUN;
use nyxcore_embeddings::EMBEDDING_RUN;
use nyxcore_note_enrichment::NOTE_ENRICHMENT_RUN;
use nyxcore_projects::ProjectId;
use nyxcore_runs::{Progress, Run, RunError, RunEvents, RunKind, RunStatus};
use nyxcore_sync::{SYNC_RUN, SyncDetail};
use nyxcore_tenancy::{Cursor, Error, TypedId};

use super::code_analysis::CodeAnalysisNode;
use super::connection::child_first;
use super::consolidation::ConsolidationNode;
use super::embedding::EmbeddingNode;
use super::enrichment::NoteEnrichmentNode;
use super::ids::global_id;
use super::long::Long;
use super::mirror::mirror;
use super::project::ProjectNode;
use super::run_attempt::RunAttemptNode;
use super::run_event::RunEventNode;
use super::source::SourceNode;
use super::usage::ModelUsageNode;
use super::viewer::UserNode;
use crate::context::operation;

/// The maximum number of events that one field returns.
pub(super) const EVENTS_MAX: u64 = 500;

/// The kind of a run.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "RunKind")]
pub(crate) enum RunKindName {
    /// Syncs a source with its repository.
    Sync,
    /// Analyses the code of a project.
    CodeAnalysis,
    /// Enriches a note with related knowledge.
    NoteEnrichment,
    /// Embeds what a search finds.
    Embedding,
    /// Finds what several projects share.
    Consolidation,
}

impl RunKindName {
    /// Every kind that has a type in the schema. Runs of other kinds, such as those of an embedder or a newer release,
    /// are not shown.
    pub(crate) const ALL: [Self; 5] = [
        Self::Sync,
        Self::CodeAnalysis,
        Self::NoteEnrichment,
        Self::Embedding,
        Self::Consolidation,
    ];

    /// The kind in the terms of the runs crate.
    pub(crate) fn kind(self) -> RunKind {
        match self {
            Self::Sync => SYNC_RUN,
            Self::CodeAnalysis => CODE_ANALYSIS_RUN,
            Self::NoteEnrichment => NOTE_ENRICHMENT_RUN,
            Self::Embedding => EMBEDDING_RUN,
            Self::Consolidation => CONSOLIDATION_RUN,
        }
    }

    /// The requested kinds in the terms of the runs crate. If none is requested, every kind of the schema.
    pub(crate) fn kinds(asked: &[Self]) -> Vec<RunKind> {
        let kinds = if asked.is_empty() { &Self::ALL } else { asked };
        kinds.iter().map(|name| name.kind()).collect()
    }
}

mirror! {
    /// The status of a run.
    pub(crate) enum RunStatusName = "RunStatus" {
        /// The run waits for a worker.
        Queued,
        /// A worker is executing the run.
        Running,
        /// The run succeeded.
        Succeeded,
        /// The run failed.
        Failed,
        /// The run was cancelled.
        Cancelled,
    }
}

/// The progress of a run in its current phase.
#[derive(SimpleObject, Clone)]
#[graphql(name = "RunProgress")]
pub(crate) struct RunProgressNode {
    /// The name of the phase.
    phase: String,
    /// The number of completed units.
    done: i64,
    /// The total number of units, if known.
    total: Option<i64>,
    /// The unit.
    unit: Option<String>,
    /// The number of processed bytes, if the work is measured in bytes.
    bytes_done: Option<Long>,
    /// The total number of bytes, if known.
    bytes_total: Option<Long>,
}

impl From<Progress> for RunProgressNode {
    fn from(progress: Progress) -> Self {
        Self {
            phase: progress.phase,
            done: progress.done,
            total: progress.total,
            unit: progress.unit,
            bytes_done: progress.bytes_done.map(Long),
            bytes_total: progress.bytes_total.map(Long),
        }
    }
}

/// The error of a failed run.
#[derive(SimpleObject, Clone)]
#[graphql(name = "RunError")]
pub(crate) struct RunErrorNode {
    /// A stable error code.
    code: String,
    /// A message that says what to do.
    message: String,
}

impl From<RunError> for RunErrorNode {
    fn from(error: RunError) -> Self {
        Self {
            code: error.code,
            message: error.message,
        }
    }
}

/// A long-running operation. Every kind of run implements this interface.
#[derive(Interface)]
#[expect(
    clippy::duplicated_attributes,
    reason = "each field of the interface has its own type and argument"
)]
#[graphql(
    name = "Run",
    field(name = "id", ty = "ID", desc = "The id of the run."),
    field(name = "kind", ty = "RunKindName", desc = "The kind."),
    field(name = "status", ty = "RunStatusName", desc = "The status."),
    field(
        name = "project",
        ty = "Option<ProjectNode>",
        desc = "The project of the run."
    ),
    field(
        name = "started_by",
        ty = "Option<UserNode>",
        desc = "The user who started the run. Null if another run started it."
    ),
    field(
        name = "attempt",
        ty = "i64",
        desc = "The number of the current or last attempt."
    ),
    field(
        name = "attempts",
        ty = "Vec<RunAttemptNode>",
        desc = "The attempts, oldest first."
    ),
    field(
        name = "progress",
        ty = "Option<RunProgressNode>",
        desc = "The current progress."
    ),
    field(
        name = "error",
        ty = "Option<RunErrorNode>",
        desc = "The error, if the run failed."
    ),
    field(
        name = "usage",
        ty = "Option<ModelUsageNode>",
        desc = "The usage and cost of all model calls of the run, the failed ones too. Null if it called no model."
    ),
    field(
        name = "created_at",
        ty = "DateTime<Utc>",
        desc = "The time when the run was requested."
    ),
    field(
        name = "started_at",
        ty = "Option<DateTime<Utc>>",
        desc = "The time when the first attempt started."
    ),
    field(
        name = "finished_at",
        ty = "Option<DateTime<Utc>>",
        desc = "The time when the run ended."
    ),
    field(
        name = "events",
        ty = "Vec<RunEventNode>",
        desc = "The events with a number above `after`, oldest first. Only the last event is kept for a run that ended long ago.",
        arg(
            name = "after",
            ty = "i64",
            default = 0,
            desc = "Only events with a higher number."
        ),
        arg(
            name = "first",
            ty = "i64",
            default = 100,
            desc = "The maximum number of events, at most 500."
        )
    )
)]
pub(crate) enum RunNode {
    Sync(SyncNode),
    CodeAnalysis(CodeAnalysisNode),
    NoteEnrichment(NoteEnrichmentNode),
    Embedding(EmbeddingNode),
    Consolidation(ConsolidationNode),
}

impl RunNode {
    /// The run as the type of its kind; `None` for a kind that has no type in the schema.
    pub(crate) fn new(run: Run) -> Option<Self> {
        let name = RunKindName::ALL
            .into_iter()
            .find(|name| name.kind() == run.kind)?;
        Some(match name {
            RunKindName::Sync => Self::Sync(SyncNode(run)),
            RunKindName::CodeAnalysis => Self::CodeAnalysis(CodeAnalysisNode(run)),
            RunKindName::NoteEnrichment => Self::NoteEnrichment(NoteEnrichmentNode(run)),
            RunKindName::Embedding => Self::Embedding(EmbeddingNode(run)),
            RunKindName::Consolidation => Self::Consolidation(ConsolidationNode(run)),
        })
    }
}

/// Declares the object of a kind of run: the fields of the interface, and its own fields.
macro_rules! run_object {
    ($(#[$meta:meta])* $node:ident: $kind:ident { $($own:tt)* }) => {
        $(#[$meta])*
        impl $node {
            /// The id of the run.
            pub(crate) async fn id(&self) -> ID {
                global_id(self.0.id)
            }

            /// The kind.
            pub(crate) async fn kind(&self) -> RunKindName {
                RunKindName::$kind
            }

            /// The status.
            pub(crate) async fn status(&self) -> RunStatusName {
                self.0.status.into()
            }

            /// The project of the run.
            pub(crate) async fn project(&self, context: &Context<'_>) -> Result<Option<ProjectNode>> {
                let Some(id) = self.0.project_id else {
                    return Ok(None);
                };
                let loader = operation(context).loaders().projects();
                Ok(loader.load_one(ProjectId::from_uuid(id)).await?.map(ProjectNode))
            }

            /// The user who started the run. Null if another run started it.
            pub(crate) async fn started_by(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
                super::created_by(context, self.0.started_by).await
            }

            /// The number of the current or last attempt.
            pub(crate) async fn attempt(&self) -> i64 {
                self.0.attempt
            }

            /// The attempts, oldest first.
            pub(crate) async fn attempts(&self, context: &Context<'_>) -> Result<Vec<RunAttemptNode>> {
                let attempts = operation(context).loaders().run_attempts().load_one(self.0.id).await?;
                Ok(attempts.unwrap_or_default().into_iter().map(Into::into).collect())
            }

            /// The current progress.
            pub(crate) async fn progress(&self) -> Option<RunProgressNode> {
                self.0.progress.clone().map(Into::into)
            }

            /// The error, if the run failed.
            pub(crate) async fn error(&self) -> Option<RunErrorNode> {
                self.0.error.clone().map(Into::into)
            }

            /// The usage and cost of all model calls of the run, the failed ones too. Null if it called no model.
            pub(crate) async fn usage(
                &self,
                context: &Context<'_>,
            ) -> Result<Option<crate::schema::usage::ModelUsageNode>> {
                let used = operation(context).loaders().run_usage().load_one(self.0.id.0).await?;
                Ok(used.map(Into::into))
            }

            /// The time when the run was requested.
            pub(crate) async fn created_at(&self) -> DateTime<Utc> {
                self.0.created_at
            }

            /// The time when the first attempt started.
            pub(crate) async fn started_at(&self) -> Option<DateTime<Utc>> {
                self.0.started_at
            }

            /// The time when the run ended.
            pub(crate) async fn finished_at(&self) -> Option<DateTime<Utc>> {
                self.0.finished_at
            }

            /// The events with a number above `after`, oldest first. Only the last event is kept for a run that ended
            /// long ago.
            pub(crate) async fn events(
                &self,
                context: &Context<'_>,
                #[graphql(default = 0, desc = "Only events with a higher number.")] after: i64,
                #[graphql(default = 100, desc = "The maximum number of events, at most 500.")] first: i64,
            ) -> Result<Vec<RunEventNode>> {
                let after = Some(Cursor::Position(after));
                let events = child_first(context, RunEvents, self.0.id, first, after, EVENTS_MAX).await?;
                Ok(events.into_iter().map(RunEventNode::from).collect())
            }

            $($own)*
        }
    };
}

pub(super) use run_object;

/// A sync of a source with its repository.
pub(crate) struct SyncNode(pub Run);

impl SyncNode {
    async fn detail(&self, context: &Context<'_>) -> Result<SyncDetail> {
        let detail = operation(context)
            .loaders()
            .syncs()
            .load_one(self.0.id)
            .await?;
        Ok(detail.ok_or(Error::NotFound("sync"))?)
    }
}

run_object! {
    #[Object(name = "Sync")]
    SyncNode: Sync {
        /// The source.
        async fn source(&self, context: &Context<'_>) -> Result<SourceNode> {
            let id = self.detail(context).await?.source_id;
            let source = operation(context).loaders().sources().load_one(id).await?;
            Ok(SourceNode(source.ok_or(Error::NotFound("source"))?))
        }

        /// The last successful sync before this one.
        async fn previous_sync(&self, context: &Context<'_>) -> Result<Option<SyncNode>> {
            let Some(id) = self.detail(context).await?.previous_sync_id else {
                return Ok(None);
            };
            Ok(operation(context).loaders().runs().load_one(id).await?.map(SyncNode))
        }

        /// The commit of the source before the sync.
        #[graphql(name = "fromCommit")]
        async fn commit_before(&self, context: &Context<'_>) -> Result<Option<String>> {
            Ok(self.detail(context).await?.from_commit)
        }

        /// The commit of the source after the sync.
        async fn to_commit(&self, context: &Context<'_>) -> Result<Option<String>> {
            Ok(self.detail(context).await?.to_commit)
        }

        /// The number of added files.
        async fn files_added(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.files_added)
        }

        /// The number of files with changed content.
        async fn files_updated(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.files_updated)
        }

        /// The number of deleted files.
        async fn files_deleted(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.files_deleted)
        }

        /// The number of renamed files, with the same or nearly the same content. They keep their ids and do not count
        /// as added or deleted.
        async fn files_renamed(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.files_renamed)
        }

        /// The number of unchanged files.
        async fn files_unchanged(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.files_unchanged)
        }

        /// The number of skipped files: binary files, files that are too large, symbolic links and submodules.
        async fn files_skipped(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.files_skipped)
        }

        /// The number of bytes received over the network.
        async fn bytes_fetched(&self, context: &Context<'_>) -> Result<Long> {
            Ok(Long(self.detail(context).await?.bytes_fetched))
        }
    }
}
