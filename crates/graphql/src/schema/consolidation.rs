//! A consolidation of several projects as a run: its arguments and its results.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_consolidation::{Consolidation, ConsolidationReport};
use nyxcore_projects::ProjectId;
use nyxcore_runs::{Run, RunEvents};
use nyxcore_tenancy::{Cursor, Error, TypedId};

use super::connection::child_first;
use super::ids::global_id;
use super::knowledge::ConsolidationPatternNode;
use super::persona::PersonaNode;
use super::project::ProjectNode;
use super::run::{
    EVENTS_MAX, RunErrorNode, RunKindName, RunProgressNode, RunStatusName, run_object,
};
use super::run_attempt::RunAttemptNode;
use super::run_event::RunEventNode;
use super::viewer::UserNode;
use crate::context::operation;

/// What a consolidation came to.
#[derive(SimpleObject)]
#[graphql(name = "ConsolidationReport")]
pub(crate) struct ConsolidationReportNode {
    /// The number of new patterns.
    created: i64,
    /// The number of patterns that changed.
    updated: i64,
    /// The number of patterns that are as they were.
    unchanged: i64,
    /// The number of archived patterns that were found again. They stay archived.
    archived: i64,
    /// The number of memory entries and insights that were read.
    sources_read: i64,
    /// The number of memory entries and insights that did not fit into the budget.
    sources_left_out: i64,
    /// The number of characters left out of entries that are too long.
    characters_left_out: i64,
    /// The number of lines that repeat an earlier consolidation or enrichment. They are not used.
    lines_recalled: i64,
    /// The number of the model's quotations that are not in their source and were left out.
    quotations_dropped: i64,
    /// The number of the model's patterns without valid evidence, which were left out.
    patterns_dropped: i64,
    /// Why the model's part is missing, beginning with an error code. Null if it is there or no model was used.
    model_failure: Option<String>,
    /// The templates of the prompt with their versions.
    templates: Vec<String>,
    /// The names of projects that were deleted before they were read.
    projects_deleted: Vec<String>,
}

impl From<ConsolidationReport> for ConsolidationReportNode {
    fn from(report: ConsolidationReport) -> Self {
        Self {
            created: report.created,
            updated: report.updated,
            unchanged: report.unchanged,
            archived: report.archived,
            sources_read: report.sources_read,
            sources_left_out: report.sources_left_out,
            characters_left_out: report.characters_left_out,
            lines_recalled: report.lines_recalled,
            quotations_dropped: report.quotations_dropped,
            patterns_dropped: report.patterns_dropped,
            model_failure: report.model_failure,
            templates: report.templates,
            projects_deleted: report.projects_deleted,
        }
    }
}

/// A consolidation: finds what several projects share.
pub(crate) struct ConsolidationNode(pub Run);

impl ConsolidationNode {
    async fn detail(&self, context: &Context<'_>) -> Result<Consolidation> {
        let loader = operation(context).loaders().consolidations();
        let detail = loader.load_one(self.0.id).await?;
        Ok(detail.ok_or(Error::NotFound("consolidation"))?)
    }
}

run_object! {
    #[Object(name = "Consolidation")]
    ConsolidationNode: Consolidation {
        /// The projects, without those that were deleted since.
        async fn projects(&self, context: &Context<'_>) -> Result<Vec<ProjectNode>> {
            let ids: Vec<ProjectId> = self.detail(context).await?.projects.iter().map(|one| one.id).collect();
            let loader = operation(context).loaders().projects();
            let mut projects = loader.load_many(ids.iter().copied()).await?;
            Ok(ids.iter().filter_map(|id| projects.remove(id)).map(ProjectNode).collect())
        }

        /// The persona that the model is asked to be. Null if none was chosen or the persona was deleted.
        async fn persona(&self, context: &Context<'_>) -> Result<Option<PersonaNode>> {
            let Some(id) = self.detail(context).await?.persona_id else {
                return Ok(None);
            };
            Ok(operation(context).loaders().personas().load_one(id).await?.map(PersonaNode))
        }

        /// The model that phrases and extends what was counted. Null if no model is used.
        async fn model(&self, context: &Context<'_>) -> Result<Option<String>> {
            Ok(self.detail(context).await?.model)
        }

        /// The patterns that were found, without those that are archived.
        async fn patterns(&self, context: &Context<'_>) -> Result<Vec<ConsolidationPatternNode>> {
            let report = self.detail(context).await?.report.unwrap_or_default();
            let loader = operation(context).loaders().consolidation_patterns();
            let mut patterns = loader.load_many(report.patterns.iter().copied()).await?;
            let patterns = report.patterns.iter().filter_map(|id| patterns.remove(id));
            let current = patterns.filter(|pattern| pattern.archived_at.is_none());
            Ok(current.map(ConsolidationPatternNode).collect())
        }

        /// What it came to. Null until it succeeds.
        async fn report(&self, context: &Context<'_>) -> Result<Option<ConsolidationReportNode>> {
            Ok(self.detail(context).await?.report.map(Into::into))
        }
    }
}
