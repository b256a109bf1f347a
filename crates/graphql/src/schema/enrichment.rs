//! An enrichment of a note as a run: its text, its citations, and the knowledge that it used.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_note_enrichment::{
    EnrichmentDecision, EnrichmentMode, EnrichmentReport, NoteEnrichment,
};
use nyxcore_projects::ProjectId;
use nyxcore_runs::{Run, RunEvents};
use nyxcore_tenancy::{Cursor, Error, TypedId};

use super::connection::child_first;
use super::ids::global_id;
use super::mirror::mirror;
use super::note::{ActionPointNode, CitationNode, KnowledgeKindName, NoteNode};
use super::persona::PersonaNode;
use super::project::ProjectNode;
use super::run::{
    EVENTS_MAX, RunErrorNode, RunKindName, RunProgressNode, RunStatusName, run_object,
};
use super::run_attempt::RunAttemptNode;
use super::run_event::RunEventNode;
use super::viewer::UserNode;
use crate::context::operation;

mirror! {
    /// The mode of an enrichment.
    pub(crate) enum EnrichmentModeName = "EnrichmentMode" {
        /// A model wrote the text.
        Generated,
        /// The text consists of retrieved excerpts. No model was used.
        Extractive,
    }
}

mirror! {
    /// The decision about an enrichment.
    pub(crate) enum EnrichmentDecisionName = "EnrichmentDecision" {
        /// No decision yet.
        Pending,
        /// The enrichment was applied to the note.
        Applied,
        /// The enrichment was dismissed.
        Dismissed,
    }
}

/// How much of one kind of knowledge an enrichment used.
#[derive(SimpleObject)]
#[graphql(name = "ContextSection")]
pub(crate) struct ContextSectionNode {
    /// The kind of knowledge.
    kind: KnowledgeKindName,
    /// The section, by the name of its template variable, such as `code`, `documents` or `memory`. Null in old
    /// enrichments.
    section: Option<&'static str>,
    /// The number of items used.
    items: i64,
    /// The maximum number of tokens of these items.
    tokens: i64,
    /// The number of items found but omitted because they did not fit.
    omitted: i64,
}

/// What the check of an enrichment's text found. A text without a model has nothing to report.
#[derive(SimpleObject)]
#[graphql(name = "EnrichmentReport")]
pub(crate) struct EnrichmentReportNode {
    /// The number of citations that led nowhere and were removed.
    citations_dropped: i64,
    /// The files and lines that the model named and the project does not have. They are marked in the text.
    files_unknown: Vec<String>,
    /// The number of statements that cite nothing. They end in `[?]` in the text.
    sentences_uncited: i64,
    /// The number of suggested tasks without a valid citation, which were left out.
    action_points_dropped: i64,
    /// The questions that the model could not answer from the material.
    open_questions: Vec<String>,
    /// The templates of the prompt with their versions, such as `note_enrichment.user@1`.
    templates: Vec<String>,
    /// The number of characters of the note that did not fit into the prompt.
    input_left_out: i64,
}

impl From<EnrichmentReport> for EnrichmentReportNode {
    fn from(report: EnrichmentReport) -> Self {
        Self {
            citations_dropped: report.citations_dropped,
            files_unknown: report.files_unknown,
            sentences_uncited: report.sentences_uncited,
            action_points_dropped: report.action_points_dropped,
            open_questions: report.open_questions,
            templates: report.templates,
            input_left_out: report.input_left_out,
        }
    }
}

/// An enrichment of a note: related knowledge with citations.
pub(crate) struct NoteEnrichmentNode(pub Run);

impl NoteEnrichmentNode {
    async fn detail(&self, context: &Context<'_>) -> Result<NoteEnrichment> {
        let detail = operation(context)
            .loaders()
            .enrichments()
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
            let note = operation(context).loaders().notes().load_one(id).await?;
            Ok(NoteNode(note.ok_or(Error::NotFound("note"))?))
        }

        /// The persona in whose style the text is written. Null if none was chosen or the persona was deleted.
        async fn persona(&self, context: &Context<'_>) -> Result<Option<PersonaNode>> {
            let Some(id) = self.detail(context).await?.persona_id else {
                return Ok(None);
            };
            Ok(operation(context).loaders().personas().load_one(id).await?.map(PersonaNode))
        }

        /// The model that writes the text; when it is ready, the model that wrote it. Null if the mode is EXTRACTIVE.
        async fn model(&self, context: &Context<'_>) -> Result<Option<String>> {
            Ok(self.detail(context).await?.model)
        }

        /// The mode.
        async fn mode(&self, context: &Context<'_>) -> Result<EnrichmentModeName> {
            Ok(self.detail(context).await?.mode.into())
        }

        /// The text, in Markdown. Null until it is ready.
        async fn markdown(&self, context: &Context<'_>) -> Result<Option<String>> {
            Ok(self.detail(context).await?.markdown)
        }

        /// The citations, in the order of their numbers in the text.
        async fn citations(&self, context: &Context<'_>) -> Result<Vec<CitationNode>> {
            let detail = self.detail(context).await?;
            Ok(detail.citations.into_iter().map(CitationNode::from).collect())
        }

        /// The suggested action points.
        async fn action_points(&self, context: &Context<'_>) -> Result<Vec<ActionPointNode>> {
            let loader = operation(context).loaders().action_points_of_enrichments();
            let points = loader.load_one(self.0.id.uuid()).await?;
            Ok(points.unwrap_or_default().into_iter().map(ActionPointNode).collect())
        }

        /// How much of each kind of knowledge was used.
        async fn context_used(&self, context: &Context<'_>) -> Result<Vec<ContextSectionNode>> {
            let detail = self.detail(context).await?;
            Ok(detail
                .context_used
                .into_iter()
                .map(|section| ContextSectionNode {
                    kind: section.kind.into(),
                    section: section.section.map(|section| section.variable()),
                    items: section.items,
                    tokens: section.tokens,
                    omitted: section.omitted,
                })
                .collect())
        }

        /// The decision about the enrichment.
        async fn decision(&self, context: &Context<'_>) -> Result<EnrichmentDecisionName> {
            Ok(self.detail(context).await?.decision.into())
        }

        /// What the check of the text found. Null until the text is ready.
        async fn report(&self, context: &Context<'_>) -> Result<Option<EnrichmentReportNode>> {
            Ok(self.detail(context).await?.report.map(Into::into))
        }
    }
}
