//! An enrichment of a note as a run: its text, its citations, and the knowledge that it used.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_note_enrichment::{EnrichmentDecision, EnrichmentMode, NoteEnrichment};
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
    /// The number of items used.
    items: i64,
    /// The approximate number of tokens of these items.
    tokens: i64,
    /// The number of items found but omitted because they did not fit.
    omitted: i64,
}

/// The usage and cost of a model call.
#[derive(SimpleObject)]
#[graphql(name = "ModelUsage")]
pub(crate) struct ModelUsageNode {
    /// The number of input tokens.
    input_tokens: i64,
    /// The number of output tokens.
    output_tokens: i64,
    /// The number of input tokens that the provider had cached.
    cached_tokens: i64,
    /// The cost in US dollars.
    usd: f64,
}

/// An enrichment of a note: related knowledge with citations.
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

        /// The persona in whose style the text is written. Null if none was chosen or the persona was deleted.
        async fn persona(&self, context: &Context<'_>) -> Result<Option<PersonaNode>> {
            let Some(id) = self.detail(context).await?.persona_id else {
                return Ok(None);
            };
            Ok(operation(context).loaders().personas.load_one(id).await?.map(PersonaNode))
        }

        /// The model that wrote the text. Null if the mode is EXTRACTIVE.
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
            let loader = &operation(context).loaders().action_points_of_enrichments;
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

        /// The usage and cost of the model. Null if no model was used.
        async fn usage(&self) -> Option<ModelUsageNode> {
            None
        }
    }
}
