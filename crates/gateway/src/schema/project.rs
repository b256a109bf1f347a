//! Projects, and what leads on from them.

use async_graphql::{Context, ID, Object, Result};
use chrono::{DateTime, Utc};
use nyxcore_code_analysis as analysis;
use nyxcore_knowledge as knowledge;
use nyxcore_projects::{Project, blog_post_count, blog_post_list, note_count, note_list};

use super::code::{CodePatternNode, HotspotNode, ProjectMetricsNode};
use super::code_analysis::CodeAnalysisNode;
use super::connection::{List, PageArgs, Total, list};
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
use crate::error::ApiError;

/// What a team works on: some sources, what is known of them, and the notes about them.
pub(crate) struct ProjectNode(pub Project);

#[Object(name = "Project")]
impl ProjectNode {
    /// Its id.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Its short name, unique within the tenant.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is about.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Who made it, while that person belongs to the tenant.
    async fn created_by(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
        super::created_by(context, self.0.created_by).await
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// What calls of models for it used and cost, over the days of these times; the last thirty, where none are given.
    async fn usage(
        &self,
        context: &Context<'_>,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
    ) -> UsageReportNode {
        UsageReportNode::new(context, (from, to), Some(self.0.id))
    }

    /// Languages and frameworks found, most used first.
    async fn stack(&self, context: &Context<'_>) -> Result<Vec<String>> {
        let summary = operation(context)
            .loaders()
            .summaries
            .load_one(self.0.id)
            .await?;
        Ok(summary.map(|summary| summary.stack()).unwrap_or_default())
    }

    /// The repositories that its files come from.
    async fn sources(&self, context: &Context<'_>) -> Result<Vec<SourceNode>> {
        let sources = operation(context)
            .loaders()
            .sources_of
            .load_one(self.0.id)
            .await?;
        Ok(sources
            .unwrap_or_default()
            .into_iter()
            .map(SourceNode)
            .collect())
    }

    /// The sync that was started last.
    async fn latest_sync(&self, context: &Context<'_>) -> Result<Option<SyncNode>> {
        let latest = operation(context)
            .loaders()
            .latest_syncs
            .load_one(self.0.id)
            .await?;
        Ok(latest.map(|sync| SyncNode(sync.run)))
    }

    /// The analysis that was started last.
    async fn latest_analysis(&self, context: &Context<'_>) -> Result<Option<CodeAnalysisNode>> {
        let loaders = operation(context).loaders();
        let Some(latest) = loaders.latest_analyses.load_one(self.0.id).await? else {
            return Ok(None);
        };
        let run = loaders.runs.load_one(latest.run_id).await?;
        Ok(run.map(CodeAnalysisNode))
    }

    /// How the code is really written: the habits that the latest analysis found, best supported first.
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
        let request = PageArgs {
            after,
            before,
            first,
            last,
        }
        .request(context)?;
        let filter = analysis::CodePatternFilter {
            kinds: kinds.unwrap_or_default(),
            stack,
        };
        let scoped = operation(context).read().await?;
        let project = self.0.id;
        let page = analysis::code_pattern_list(&scoped, project, &filter, &request).await?;
        let total = Total::new(move |scoped| {
            let filter = filter.clone();
            Box::pin(async move { analysis::code_pattern_count(scoped, project, &filter).await })
        });
        Ok(list(context, page, total, CodePatternNode))
    }

    /// Files that are changed often and hard to change, worst first.
    async fn hotspots(
        &self,
        context: &Context<'_>,
        #[graphql(default = 20)] first: i32,
    ) -> Result<Vec<HotspotNode>> {
        let first =
            u64::try_from(first).map_err(|_| ApiError::invalid("`first` is not negative"))?;
        let scoped = operation(context).read().await?;
        let hotspots = analysis::hotspot_list(&scoped, self.0.id, first.min(200)).await?;
        Ok(hotspots.into_iter().map(HotspotNode::from).collect())
    }

    /// What else the latest analysis found: what it is built with and how, what depends on what, what repeats itself.
    async fn findings(&self, context: &Context<'_>) -> Result<Option<ProjectFindingsNode>> {
        let findings = operation(context)
            .loaders()
            .findings
            .load_one(self.0.id)
            .await?;
        Ok(findings.map(ProjectFindingsNode))
    }

    /// Counts of the latest analysis.
    async fn metrics(&self, context: &Context<'_>) -> Result<Option<ProjectMetricsNode>> {
        let summary = operation(context)
            .loaders()
            .summaries
            .load_one(self.0.id)
            .await?;
        Ok(summary.map(|summary| summary.metrics.into()))
    }

    /// Notes about it, newest first.
    async fn notes(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<NoteNode>> {
        let request = PageArgs {
            after,
            before,
            first,
            last,
        }
        .request(context)?;
        let scoped = operation(context).read().await?;
        let project = self.0.id;
        let page = note_list(&scoped, project, &request).await?;
        let total = Total::new(move |scoped| Box::pin(note_count(scoped, project)));
        Ok(list(context, page, total, NoteNode))
    }

    /// What was remembered about it, and for the whole tenant.
    async fn memory_entries(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<MemoryEntryNode>> {
        let request = PageArgs {
            after,
            before,
            first,
            last,
        }
        .request(context)?;
        let scoped = operation(context).read().await?;
        let project = Some(self.0.id);
        let page = knowledge::memory_entry_list(&scoped, project, &request).await?;
        let total =
            Total::new(move |scoped| Box::pin(knowledge::memory_entry_count(scoped, project)));
        Ok(list(context, page, total, MemoryEntryNode))
    }

    /// What was learned about it, and for the whole tenant.
    async fn insights(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<InsightNode>> {
        let request = PageArgs {
            after,
            before,
            first,
            last,
        }
        .request(context)?;
        let scoped = operation(context).read().await?;
        let project = Some(self.0.id);
        let page = knowledge::insight_list(&scoped, project, &request).await?;
        let total = Total::new(move |scoped| Box::pin(knowledge::insight_count(scoped, project)));
        Ok(list(context, page, total, InsightNode))
    }

    /// What it shares with other projects.
    async fn consolidation_patterns(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<ConsolidationPatternNode>> {
        let request = PageArgs {
            after,
            before,
            first,
            last,
        }
        .request(context)?;
        let scoped = operation(context).read().await?;
        let project = Some(self.0.id);
        let page = knowledge::consolidation_pattern_list(&scoped, project, &request).await?;
        let total = Total::new(move |scoped| {
            Box::pin(knowledge::consolidation_pattern_count(scoped, project))
        });
        Ok(list(context, page, total, ConsolidationPatternNode))
    }

    /// Posts about it, newest first, drafts too.
    async fn blog_posts(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<BlogPostNode>> {
        let request = PageArgs {
            after,
            before,
            first,
            last,
        }
        .request(context)?;
        let scoped = operation(context).read().await?;
        let project = self.0.id;
        let page = blog_post_list(&scoped, project, &request).await?;
        let total = Total::new(move |scoped| Box::pin(blog_post_count(scoped, project)));
        Ok(list(context, page, total, BlogPostNode))
    }
}
