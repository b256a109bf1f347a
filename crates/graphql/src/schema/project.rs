//! Projects and their connections.

use async_graphql::{Context, ID, Object, Result};
use chrono::{DateTime, Utc};
use nyxcore_code_analysis as analysis;
use nyxcore_knowledge as knowledge;
use nyxcore_projects::{Project, ProjectBlogPosts, ProjectNotes};
use nyxcore_tenancy::PAGE_MAX;

use super::code::{CodePatternNode, HotspotNode, ProjectMetricsNode};
use super::code_analysis::CodeAnalysisNode;
use super::connection::{List, PageArgs, child_first, child_list};
use super::findings::ProjectFindingsNode;
use super::ids::global_id;
use super::knowledge::{ConsolidationPatternNode, InsightNode, MemoryEntryNode};
use super::note::NoteNode;
use super::post::BlogPostNode;
use super::run::SyncNode;
use super::source::SourceNode;
use super::usage::UsageReportNode;
use super::viewer::UserNode;
use crate::context::operation;

/// A project of a team: its sources, the knowledge about them, and notes.
pub(crate) struct ProjectNode(pub Project);

#[Object(name = "Project")]
impl ProjectNode {
    /// The id of the project.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The short name, unique within the tenant.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The description.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// The user who created the project. Null when the user no longer belongs to the tenant.
    async fn created_by(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
        super::created_by(context, self.0.created_by).await
    }

    /// The time of creation.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// The time of the last change.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// The usage and cost of model calls for the project over the given days. Defaults to the last thirty days.
    async fn usage(
        &self,
        context: &Context<'_>,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
    ) -> UsageReportNode {
        UsageReportNode::new(context, (from, to), Some(self.0.id))
    }

    /// The languages and frameworks, most used first.
    async fn stack(&self, context: &Context<'_>) -> Result<Vec<String>> {
        let summary = operation(context)
            .loaders()
            .summaries()
            .load_one(self.0.id)
            .await?;
        Ok(summary.map(|summary| summary.stack()).unwrap_or_default())
    }

    /// The repositories of the project.
    async fn sources(&self, context: &Context<'_>) -> Result<Vec<SourceNode>> {
        let sources = operation(context)
            .loaders()
            .sources_of()
            .load_one(self.0.id)
            .await?;
        Ok(sources
            .unwrap_or_default()
            .into_iter()
            .map(SourceNode)
            .collect())
    }

    /// The sync that started last.
    async fn latest_sync(&self, context: &Context<'_>) -> Result<Option<SyncNode>> {
        let latest = operation(context)
            .loaders()
            .latest_syncs()
            .load_one(self.0.id)
            .await?;
        Ok(latest.map(|sync| SyncNode(sync.run)))
    }

    /// The analysis that started last.
    async fn latest_analysis(&self, context: &Context<'_>) -> Result<Option<CodeAnalysisNode>> {
        let loaders = operation(context).loaders();
        let Some(latest) = loaders.latest_analyses().load_one(self.0.id).await? else {
            return Ok(None);
        };
        let run = loaders.runs().load_one(latest.run_id).await?;
        Ok(run.map(CodeAnalysisNode))
    }

    /// The conventions that the latest analysis found in the code, best supported first.
    #[expect(
        clippy::too_many_arguments,
        reason = "the Relay arguments and two filters"
    )]
    async fn code_patterns(
        &self,
        context: &Context<'_>,
        kinds: Option<Vec<String>>,
        stack: Option<String>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<CodePatternNode>> {
        let kinds = kinds.unwrap_or_default();
        let patterns = analysis::ProjectPatterns { kinds, stack };
        let args = PageArgs::new(after, before, first, last);
        child_list(context, patterns, self.0.id, args, CodePatternNode).await
    }

    /// Files that change often and are complex, highest score first.
    async fn hotspots(
        &self,
        context: &Context<'_>,
        #[graphql(default = 20)] first: i32,
    ) -> Result<Vec<HotspotNode>> {
        let hotspots = analysis::ProjectHotspots;
        let first = child_first(context, hotspots, self.0.id, first.into(), None, PAGE_MAX).await?;
        Ok(first.into_iter().map(HotspotNode::from).collect())
    }

    /// Other results of the latest analysis: technologies, commands, dependencies and duplicates.
    async fn findings(&self, context: &Context<'_>) -> Result<Option<ProjectFindingsNode>> {
        let findings = operation(context)
            .loaders()
            .findings()
            .load_one(self.0.id)
            .await?;
        Ok(findings.map(ProjectFindingsNode))
    }

    /// The code metrics of the latest analysis.
    async fn metrics(&self, context: &Context<'_>) -> Result<Option<ProjectMetricsNode>> {
        let summary = operation(context)
            .loaders()
            .summaries()
            .load_one(self.0.id)
            .await?;
        Ok(summary.map(|summary| summary.metrics.into()))
    }

    /// The notes about the project, newest first.
    async fn notes(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<NoteNode>> {
        let args = PageArgs::new(after, before, first, last);
        child_list(context, ProjectNotes, self.0.id, args, NoteNode).await
    }

    /// The memory entries of the project and of the whole tenant that are not archived.
    async fn memory_entries(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<MemoryEntryNode>> {
        let args = PageArgs::new(after, before, first, last);
        child_list(
            context,
            knowledge::ProjectMemoryEntries,
            self.0.id,
            args,
            MemoryEntryNode,
        )
        .await
    }

    /// The insights of the project and of the whole tenant.
    async fn insights(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<InsightNode>> {
        let args = PageArgs::new(after, before, first, last);
        child_list(
            context,
            knowledge::ProjectInsights,
            self.0.id,
            args,
            InsightNode,
        )
        .await
    }

    /// The patterns that the project shares with other projects.
    async fn consolidation_patterns(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<ConsolidationPatternNode>> {
        let args = PageArgs::new(after, before, first, last);
        child_list(
            context,
            knowledge::ProjectConsolidationPatterns,
            self.0.id,
            args,
            ConsolidationPatternNode,
        )
        .await
    }

    /// The posts of the project including drafts, newest first.
    async fn blog_posts(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<BlogPostNode>> {
        let args = PageArgs::new(after, before, first, last);
        child_list(context, ProjectBlogPosts, self.0.id, args, BlogPostNode).await
    }
}
