//! Long-running work: the interface that every kind of run has, the kinds there are, and the events that tell their story.

use async_graphql::{Context, Enum, ID, Interface, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_code_analysis::CODE_ANALYSIS_RUN;
use nyxcore_note_enrichment::{
    EnrichmentDecision, EnrichmentMode, NOTE_ENRICHMENT_RUN, NoteEnrichment,
};
use nyxcore_projects::ProjectId;
use nyxcore_runs::{Progress, Run, RunError, RunEvents, RunKind, RunStatus};
use nyxcore_sync::{SYNC_RUN, SyncDetail};
use nyxcore_tenancy::{Cursor, Error, TypedId};

use super::code_analysis::CodeAnalysisNode;
use super::connection::child_first;
use super::ids::global_id;
use super::long::Long;
use super::note::{ActionPointNode, CitationNode, KnowledgeKindName, NoteNode};
use super::persona::PersonaNode;
use super::project::ProjectNode;
use super::run_attempt::RunAttemptNode;
use super::run_event::RunEventNode;
use super::source::SourceNode;
use super::viewer::UserNode;
use crate::context::operation;

/// The most events one field gives.
pub(super) const EVENTS_MAX: u64 = 500;

/// What a run does.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "RunKind")]
pub(crate) enum RunKindName {
    /// Brings a source in step with its repository.
    Sync,
    /// Finds out how a project's code is written.
    CodeAnalysis,
    /// Puts under a note what is known about it.
    NoteEnrichment,
}

impl RunKindName {
    /// Every kind that has a type in the schema. Runs of another kind, such as an embedder's or a newer release's, are
    /// not shown.
    pub(crate) const ALL: [Self; 3] = [Self::Sync, Self::CodeAnalysis, Self::NoteEnrichment];

    /// The kind as the runs know it.
    pub(crate) fn kind(self) -> RunKind {
        match self {
            Self::Sync => SYNC_RUN,
            Self::CodeAnalysis => CODE_ANALYSIS_RUN,
            Self::NoteEnrichment => NOTE_ENRICHMENT_RUN,
        }
    }

    /// The kinds that were asked for as the runs know them; every kind of the schema where none was.
    pub(crate) fn kinds(asked: &[Self]) -> Vec<RunKind> {
        let kinds = if asked.is_empty() { &Self::ALL } else { asked };
        kinds.iter().map(|name| name.kind()).collect()
    }
}

/// Where a run stands.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "RunStatus", remote = "RunStatus")]
pub(crate) enum RunStatusName {
    /// Waits for a worker.
    Queued,
    /// A worker has it.
    Running,
    /// Ended as it should.
    Succeeded,
    /// Ended with an error.
    Failed,
    /// Ended because somebody said so.
    Cancelled,
}

/// How far a run has come in its phase.
#[derive(SimpleObject, Clone)]
#[graphql(name = "RunProgress")]
pub(crate) struct RunProgressNode {
    /// The phase's name.
    phase: String,
    /// How much is done.
    done: i64,
    /// Of how much, where it is known.
    total: Option<i64>,
    /// What is counted.
    unit: Option<String>,
    /// How many bytes are done, where the work has a size.
    bytes_done: Option<Long>,
    /// Of how many bytes, where it is known.
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

/// What a run failed with.
#[derive(SimpleObject, Clone)]
#[graphql(name = "RunError")]
pub(crate) struct RunErrorNode {
    /// A stable code.
    code: String,
    /// A sentence that says what to do.
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

/// Long-running work. Every kind of run is one of these.
#[derive(Interface)]
#[expect(
    clippy::duplicated_attributes,
    reason = "each field of the interface has its own type and argument"
)]
#[graphql(
    name = "Run",
    field(name = "id", ty = "ID", desc = "Its id."),
    field(name = "kind", ty = "RunKindName", desc = "What it does."),
    field(name = "status", ty = "RunStatusName", desc = "Where it stands."),
    field(
        name = "project",
        ty = "Option<ProjectNode>",
        desc = "The project it belongs to."
    ),
    field(
        name = "started_by",
        ty = "Option<UserNode>",
        desc = "Who started it; nobody where another run did."
    ),
    field(
        name = "attempt",
        ty = "i64",
        desc = "How often a worker has taken it."
    ),
    field(
        name = "attempts",
        ty = "Vec<RunAttemptNode>",
        desc = "Its story: each time a worker took it, the first one first."
    ),
    field(
        name = "progress",
        ty = "Option<RunProgressNode>",
        desc = "How far it is."
    ),
    field(
        name = "error",
        ty = "Option<RunErrorNode>",
        desc = "What it failed with."
    ),
    field(
        name = "created_at",
        ty = "DateTime<Utc>",
        desc = "When it was asked for."
    ),
    field(
        name = "started_at",
        ty = "Option<DateTime<Utc>>",
        desc = "When a worker first took it."
    ),
    field(
        name = "finished_at",
        ty = "Option<DateTime<Utc>>",
        desc = "When it ended."
    ),
    field(
        name = "events",
        ty = "Vec<RunEventNode>",
        desc = "Its log after a number, oldest first. Of a run that ended long ago only the last event is left.",
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
            desc = "At most this many, and no more than 500."
        )
    )
)]
pub(crate) enum RunNode {
    Sync(SyncNode),
    CodeAnalysis(CodeAnalysisNode),
    NoteEnrichment(NoteEnrichmentNode),
}

impl RunNode {
    /// The run as its kind; `None` for a kind that has no type in the schema.
    pub(crate) fn new(run: Run) -> Option<Self> {
        let name = RunKindName::ALL
            .into_iter()
            .find(|name| name.kind() == run.kind)?;
        Some(match name {
            RunKindName::Sync => Self::Sync(SyncNode(run)),
            RunKindName::CodeAnalysis => Self::CodeAnalysis(CodeAnalysisNode(run)),
            RunKindName::NoteEnrichment => Self::NoteEnrichment(NoteEnrichmentNode(run)),
        })
    }
}

/// Writes the object of a kind of run: the interface's fields, and its own.
macro_rules! run_object {
    ($(#[$meta:meta])* $node:ident: $kind:ident { $($own:tt)* }) => {
        $(#[$meta])*
        impl $node {
            /// Its id.
            pub(crate) async fn id(&self) -> ID {
                global_id(self.0.id)
            }

            /// What it does.
            pub(crate) async fn kind(&self) -> RunKindName {
                RunKindName::$kind
            }

            /// Where it stands.
            pub(crate) async fn status(&self) -> RunStatusName {
                self.0.status.into()
            }

            /// The project it belongs to.
            pub(crate) async fn project(&self, context: &Context<'_>) -> Result<Option<ProjectNode>> {
                let Some(id) = self.0.project_id else {
                    return Ok(None);
                };
                let loader = &operation(context).loaders().projects;
                Ok(loader.load_one(ProjectId::from_uuid(id)).await?.map(ProjectNode))
            }

            /// Who started it; nobody where another run did.
            pub(crate) async fn started_by(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
                super::created_by(context, self.0.started_by).await
            }

            /// How often a worker has taken it.
            pub(crate) async fn attempt(&self) -> i64 {
                self.0.attempt
            }

            /// Its story: each time a worker took it, the first one first.
            pub(crate) async fn attempts(&self, context: &Context<'_>) -> Result<Vec<RunAttemptNode>> {
                let attempts = operation(context).loaders().run_attempts.load_one(self.0.id).await?;
                Ok(attempts.unwrap_or_default().into_iter().map(Into::into).collect())
            }

            /// How far it is.
            pub(crate) async fn progress(&self) -> Option<RunProgressNode> {
                self.0.progress.clone().map(Into::into)
            }

            /// What it failed with.
            pub(crate) async fn error(&self) -> Option<RunErrorNode> {
                self.0.error.clone().map(Into::into)
            }

            /// When it was asked for.
            pub(crate) async fn created_at(&self) -> DateTime<Utc> {
                self.0.created_at
            }

            /// When a worker first took it.
            pub(crate) async fn started_at(&self) -> Option<DateTime<Utc>> {
                self.0.started_at
            }

            /// When it ended.
            pub(crate) async fn finished_at(&self) -> Option<DateTime<Utc>> {
                self.0.finished_at
            }

            /// Its log after a number, oldest first. Of a run that ended long ago only the last event is left.
            pub(crate) async fn events(
                &self,
                context: &Context<'_>,
                #[graphql(default = 0, desc = "Only events with a higher number.")] after: i64,
                #[graphql(default = 100, desc = "At most this many, and no more than 500.")] first: i64,
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
            .syncs
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
            let source = operation(context).loaders().sources.load_one(id).await?;
            Ok(SourceNode(source.ok_or(Error::NotFound("source"))?))
        }

        /// The sync it continues.
        async fn previous_sync(&self, context: &Context<'_>) -> Result<Option<SyncNode>> {
            let Some(id) = self.detail(context).await?.previous_sync_id else {
                return Ok(None);
            };
            Ok(operation(context).loaders().runs.load_one(id).await?.map(SyncNode))
        }

        /// The commit it started from.
        #[graphql(name = "fromCommit")]
        async fn commit_before(&self, context: &Context<'_>) -> Result<Option<String>> {
            Ok(self.detail(context).await?.from_commit)
        }

        /// The commit it brought the source to.
        async fn to_commit(&self, context: &Context<'_>) -> Result<Option<String>> {
            Ok(self.detail(context).await?.to_commit)
        }

        /// Files that were not there before.
        async fn files_added(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.files_added)
        }

        /// Files whose content changed.
        async fn files_updated(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.files_updated)
        }

        /// Files that are gone.
        async fn files_deleted(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.files_deleted)
        }

        /// Files whose path is another and whose content is the same, or nearly so. They keep their ids, and are neither added nor
        /// deleted.
        async fn files_renamed(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.files_renamed)
        }

        /// Files that stayed as they were.
        async fn files_unchanged(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.files_unchanged)
        }

        /// Files that were left out: binary, too large, symbolic links, submodules.
        async fn files_skipped(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.files_skipped)
        }

        /// Bytes that came over the network.
        async fn bytes_fetched(&self, context: &Context<'_>) -> Result<Long> {
            Ok(Long(self.detail(context).await?.bytes_fetched))
        }
    }
}

/// How an enrichment was made.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "EnrichmentMode", remote = "EnrichmentMode")]
pub(crate) enum EnrichmentModeName {
    /// A model wrote it.
    Generated,
    /// No model was used, only what was retrieved.
    Extractive,
}

/// What was decided about an enrichment.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "EnrichmentDecision", remote = "EnrichmentDecision")]
pub(crate) enum EnrichmentDecisionName {
    /// Nothing yet.
    Pending,
    /// It is part of the note.
    Applied,
    /// It was not wanted.
    Dismissed,
}

/// How much of one kind of knowledge an enrichment drew on.
#[derive(SimpleObject)]
#[graphql(name = "ContextSection")]
pub(crate) struct ContextSectionNode {
    /// The kind.
    kind: KnowledgeKindName,
    /// How many pieces were used.
    items: i64,
    /// About how many tokens they have.
    tokens: i64,
    /// How many more were found and did not fit.
    omitted: i64,
}

/// What a model call used and cost.
#[derive(SimpleObject)]
#[graphql(name = "ModelUsage")]
pub(crate) struct ModelUsageNode {
    /// Tokens in.
    input_tokens: i64,
    /// Tokens out.
    output_tokens: i64,
    /// Tokens that the provider had cached.
    cached_tokens: i64,
    /// US dollars.
    usd: f64,
}

/// What was put under a note, with what it was drawn from.
pub(crate) struct NoteEnrichmentNode(pub Run);

impl NoteEnrichmentNode {
    async fn detail(&self, context: &Context<'_>) -> Result<NoteEnrichment> {
        let detail = operation(context)
            .loaders()
            .enrichments
            .load_one(self.0.id)
            .await?;
        Ok(detail.ok_or(Error::NotFound("note enrichment"))?)
    }
}

run_object! {
    #[Object(name = "NoteEnrichment")]
    NoteEnrichmentNode: NoteEnrichment {
        /// The note.
        async fn note(&self, context: &Context<'_>) -> Result<NoteNode> {
            let id = self.detail(context).await?.note_id;
            let note = operation(context).loaders().notes.load_one(id).await?;
            Ok(NoteNode(note.ok_or(Error::NotFound("note"))?))
        }

        /// In whose voice; none where nobody was chosen or the persona was deleted.
        async fn persona(&self, context: &Context<'_>) -> Result<Option<PersonaNode>> {
            let Some(id) = self.detail(context).await?.persona_id else {
                return Ok(None);
            };
            Ok(operation(context).loaders().personas.load_one(id).await?.map(PersonaNode))
        }

        /// The model that wrote it; none where it is extractive.
        async fn model(&self, context: &Context<'_>) -> Result<Option<String>> {
            Ok(self.detail(context).await?.model)
        }

        /// How it was made.
        async fn mode(&self, context: &Context<'_>) -> Result<EnrichmentModeName> {
            Ok(self.detail(context).await?.mode.into())
        }

        /// Its text, once it is there.
        async fn markdown(&self, context: &Context<'_>) -> Result<Option<String>> {
            Ok(self.detail(context).await?.markdown)
        }

        /// Where its statements come from, in the order of their numbers.
        async fn citations(&self, context: &Context<'_>) -> Result<Vec<CitationNode>> {
            let detail = self.detail(context).await?;
            Ok(detail.citations.into_iter().map(CitationNode::from).collect())
        }

        /// What it suggests to do.
        async fn action_points(&self, context: &Context<'_>) -> Result<Vec<ActionPointNode>> {
            let loader = &operation(context).loaders().action_points_of_enrichments;
            let points = loader.load_one(self.0.id.uuid()).await?;
            Ok(points.unwrap_or_default().into_iter().map(ActionPointNode).collect())
        }

        /// How much of each kind of knowledge it drew on.
        async fn context_used(&self, context: &Context<'_>) -> Result<Vec<ContextSectionNode>> {
            let detail = self.detail(context).await?;
            Ok(detail
                .context_used
                .into_iter()
                .map(|section| ContextSectionNode {
                    kind: section.kind.into(),
                    items: section.items,
                    tokens: section.tokens,
                    omitted: section.omitted,
                })
                .collect())
        }

        /// What was decided about it.
        async fn decision(&self, context: &Context<'_>) -> Result<EnrichmentDecisionName> {
            Ok(self.detail(context).await?.decision.into())
        }

        /// What the model used and cost; none where no model was used.
        async fn usage(&self) -> Option<ModelUsageNode> {
            None
        }
    }
}
