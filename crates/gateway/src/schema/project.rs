//! Projects, their sources and files, and what the analysis found in them.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_code_analysis as analysis;
use nyxcore_knowledge as knowledge;
use nyxcore_projects::{
    FILE_PATH_MAX, Project, Source, SourceFile, file_count, file_list, note_count, note_list,
};
use nyxcore_sync::{SourceStatus, source_status, sync_count, sync_list};

use super::connection::{List, PageArgs, Total, list, page_cost};
use super::ids::global_id;
use super::knowledge::{ConsolidationPatternNode, InsightNode, MemoryEntryNode};
use super::note::NoteNode;
use super::run::{CodeAnalysisNode, SyncNode};
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

    /// Languages and frameworks found, most used first.
    async fn stack(&self, context: &Context<'_>) -> Result<Vec<String>> {
        let summary = operation(context).loaders().summaries.load_one(self.0.id).await?;
        Ok(summary.map(|summary| summary.stack()).unwrap_or_default())
    }

    /// The repositories that its files come from.
    async fn sources(&self, context: &Context<'_>) -> Result<Vec<SourceNode>> {
        let sources = operation(context).loaders().sources_of.load_one(self.0.id).await?;
        Ok(sources.unwrap_or_default().into_iter().map(SourceNode).collect())
    }

    /// The sync that was started last.
    async fn latest_sync(&self, context: &Context<'_>) -> Result<Option<SyncNode>> {
        let latest = operation(context).loaders().latest_syncs.load_one(self.0.id).await?;
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
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the Relay arguments and two filters")]
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
        let request = PageArgs { after, before, first, last }.request()?;
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
        Ok(list(page, total, CodePatternNode))
    }

    /// Files that are changed often and hard to change, worst first.
    #[graphql(complexity = "usize::try_from(first).unwrap_or(0).min(200) * child_complexity / 2 + 1")]
    async fn hotspots(
        &self,
        context: &Context<'_>,
        #[graphql(default = 20)] first: i32,
    ) -> Result<Vec<HotspotNode>> {
        let first = u64::try_from(first).map_err(|_| ApiError::invalid("`first` is not negative"))?;
        let scoped = operation(context).read().await?;
        let hotspots = analysis::hotspot_list(&scoped, self.0.id, first.min(200)).await?;
        Ok(hotspots.into_iter().map(HotspotNode::from).collect())
    }

    /// Counts of the latest analysis.
    async fn metrics(&self, context: &Context<'_>) -> Result<Option<ProjectMetricsNode>> {
        let summary = operation(context).loaders().summaries.load_one(self.0.id).await?;
        Ok(summary.map(|summary| summary.metrics.into()))
    }

    /// Notes about it, newest first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn notes(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<NoteNode>> {
        let request = PageArgs { after, before, first, last }.request()?;
        let scoped = operation(context).read().await?;
        let project = self.0.id;
        let page = note_list(&scoped, project, &request).await?;
        let total = Total::new(move |scoped| Box::pin(note_count(scoped, project)));
        Ok(list(page, total, NoteNode))
    }

    /// What was remembered about it, and for the whole tenant.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn memory_entries(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<MemoryEntryNode>> {
        let request = PageArgs { after, before, first, last }.request()?;
        let scoped = operation(context).read().await?;
        let project = Some(self.0.id);
        let page = knowledge::memory_entry_list(&scoped, project, &request).await?;
        let total = Total::new(move |scoped| Box::pin(knowledge::memory_entry_count(scoped, project)));
        Ok(list(page, total, MemoryEntryNode))
    }

    /// What was learned about it, and for the whole tenant.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn insights(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<InsightNode>> {
        let request = PageArgs { after, before, first, last }.request()?;
        let scoped = operation(context).read().await?;
        let project = Some(self.0.id);
        let page = knowledge::insight_list(&scoped, project, &request).await?;
        let total = Total::new(move |scoped| Box::pin(knowledge::insight_count(scoped, project)));
        Ok(list(page, total, InsightNode))
    }

    /// What it shares with other projects.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn consolidation_patterns(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<ConsolidationPatternNode>> {
        let request = PageArgs { after, before, first, last }.request()?;
        let scoped = operation(context).read().await?;
        let project = Some(self.0.id);
        let page = knowledge::consolidation_pattern_list(&scoped, project, &request).await?;
        let total =
            Total::new(move |scoped| Box::pin(knowledge::consolidation_pattern_count(scoped, project)));
        Ok(list(page, total, ConsolidationPatternNode))
    }
}

/// How a source stands.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "SourceStatus", remote = "SourceStatus")]
pub(crate) enum SourceStatusName {
    /// No sync of it has ended yet.
    NeverSynced,
    /// A sync waits or is at work.
    Syncing,
    /// Its files are there.
    Ready,
    /// The last sync failed.
    Failed,
}

/// A Git repository, a branch of it and the folder in it that is looked at.
pub(crate) struct SourceNode(pub Source);

#[Object(name = "Source")]
impl SourceNode {
    /// Its id.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The project it belongs to.
    async fn project(&self, context: &Context<'_>) -> Result<ProjectNode> {
        let project = operation(context).loaders().projects.load_one(self.0.project_id).await?;
        Ok(ProjectNode(project.ok_or(nyxcore_tenancy::Error::NotFound("project"))?))
    }

    /// Where the repository is.
    async fn url(&self) -> &str {
        &self.0.url
    }

    /// The branch; none is the repository's own default.
    async fn branch(&self) -> Option<&str> {
        self.0.branch.as_deref()
    }

    /// The folder that is looked at; "" is the repository's root.
    async fn scan_path(&self) -> &str {
        &self.0.scan_path
    }

    /// The folder as people see it; "/" is the root.
    async fn display_path(&self) -> &str {
        self.0.display_path()
    }

    /// How it stands.
    async fn status(&self, context: &Context<'_>) -> Result<SourceStatusName> {
        let latest = operation(context).loaders().latest_source_syncs.load_one(self.0.id).await?;
        let status = source_status(&self.0, latest.as_ref());
        Ok(status.into())
    }

    /// The commit that its files are of.
    async fn head_commit(&self) -> Option<&str> {
        self.0.head_commit.as_deref()
    }

    /// When a sync last succeeded.
    async fn last_synced_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_synced_at
    }

    /// Its files in the order of their paths, all or those under a folder.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn files(
        &self,
        context: &Context<'_>,
        path: Option<String>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<SourceFileNode>> {
        let request = PageArgs { after, before, first, last }.request()?;
        if path.as_ref().is_some_and(|path| path.len() > FILE_PATH_MAX) {
            return Err(ApiError::invalid("the path is too long").into());
        }
        let scoped = operation(context).read().await?;
        let source = self.0.id;
        let page = file_list(&scoped, source, path.as_deref(), &request).await?;
        let total = Total::new(move |scoped| {
            let path = path.clone();
            Box::pin(async move { file_count(scoped, source, path.as_deref()).await })
        });
        Ok(list(page, total, SourceFileNode))
    }

    /// Its syncs, newest first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn syncs(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<SyncNode>> {
        let request = PageArgs { after, before, first, last }.request()?;
        let scoped = operation(context).read().await?;
        let source = self.0.id;
        let page = sync_list(&scoped, source, &request).await?;
        let total = Total::new(move |scoped| Box::pin(sync_count(scoped, source)));
        Ok(list(page, total, |sync| SyncNode(sync.run)))
    }
}

/// A file of a source.
pub(crate) struct SourceFileNode(pub SourceFile);

#[Object(name = "SourceFile")]
impl SourceFileNode {
    /// Its id.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Its path from the repository's root.
    async fn path(&self) -> &str {
        &self.0.path
    }

    /// The language it is written in, where that is known.
    async fn language(&self) -> Option<&str> {
        self.0.language.as_deref()
    }

    /// Bytes.
    async fn size(&self) -> i64 {
        self.0.size
    }

    /// The id that Git gives its content.
    async fn blob(&self) -> &str {
        &self.0.blob
    }

    /// Its text; none where it is binary or too large.
    #[graphql(complexity = "5 + child_complexity")]
    async fn content(&self, context: &Context<'_>) -> Result<Option<String>> {
        let loader = &operation(context).loaders().blobs;
        Ok(loader.load_one(self.0.blob.clone()).await?)
    }
}

/// A habit of the code, with its evidence: "41 of 44" is support 41, cases 44.
pub(crate) struct CodePatternNode(pub analysis::CodePattern);

#[Object(name = "CodePattern")]
impl CodePatternNode {
    /// Its id, the same from analysis to analysis.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// What it is about: naming, error_handling, test_layout and so on.
    async fn kind(&self) -> &str {
        &self.0.kind
    }

    /// The habit in a few words.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// A rule that somebody could follow.
    async fn statement(&self) -> &str {
        &self.0.statement
    }

    /// The language it holds for.
    async fn stack(&self) -> Option<&str> {
        self.0.stack.as_deref()
    }

    /// The folder it holds for; none is the whole project.
    async fn scope(&self) -> Option<&str> {
        self.0.scope.as_deref()
    }

    /// How many cases follow it.
    async fn support(&self) -> i64 {
        self.0.support
    }

    /// How many cases there are.
    async fn cases(&self) -> i64 {
        self.0.cases
    }

    /// The lower bound of the Wilson interval at 95 % on support of cases.
    async fn confidence(&self) -> f64 {
        self.0.confidence
    }

    /// Places that follow it.
    async fn exemplars(&self) -> Vec<CodeLocationNode> {
        self.0.exemplars.iter().cloned().map(CodeLocationNode).collect()
    }

    /// Places that do not.
    async fn counter_examples(&self) -> Vec<CodeLocationNode> {
        self.0.counter_examples.iter().cloned().map(CodeLocationNode).collect()
    }
}

/// A place in the code, of a certain content.
pub(crate) struct CodeLocationNode(analysis::CodeLocation);

#[Object(name = "CodeLocation")]
impl CodeLocationNode {
    /// The file.
    async fn path(&self) -> &str {
        &self.0.path
    }

    /// Its first line, counted from 1.
    async fn start_line(&self) -> u32 {
        self.0.start_line
    }

    /// Its last line.
    async fn end_line(&self) -> u32 {
        self.0.end_line
    }

    /// The id that Git gives the content it was found in.
    async fn blob(&self) -> &str {
        &self.0.blob
    }

    /// The lines themselves, at most twenty; none where that content is no longer kept.
    #[graphql(complexity = "5 + child_complexity")]
    async fn excerpt(&self, context: &Context<'_>) -> Result<Option<String>> {
        let content = operation(context).loaders().blobs.load_one(self.0.blob.clone()).await?;
        Ok(content.map(|content| excerpt_of(&content, self.0.start_line, self.0.end_line)))
    }
}

/// Lines `start` to `end` of a text, at most twenty.
fn excerpt_of(content: &str, start: u32, end: u32) -> String {
    let skip = start.saturating_sub(1) as usize;
    let take = (end.saturating_sub(start) as usize + 1).min(20);
    content.lines().skip(skip).take(take).collect::<Vec<_>>().join("\n")
}

/// A file that is changed often and hard to change.
#[derive(SimpleObject)]
#[graphql(name = "Hotspot")]
pub(crate) struct HotspotNode {
    /// The file.
    path: String,
    /// How many commits of the last year touched it.
    commits: i64,
    /// The sum of its functions' cyclomatic complexity.
    complexity: i64,
    /// Commits times complexity, against the worst of the project: 0 to 1.
    score: f64,
}

impl From<analysis::Hotspot> for HotspotNode {
    fn from(hotspot: analysis::Hotspot) -> Self {
        Self {
            path: hotspot.path,
            commits: i64::from(hotspot.commits),
            complexity: i64::from(hotspot.complexity),
            score: hotspot.score,
        }
    }
}

/// Counts of a project's code.
#[derive(SimpleObject)]
#[graphql(name = "ProjectMetrics")]
pub(crate) struct ProjectMetricsNode {
    /// Files of source code.
    files: u32,
    /// Lines with code on them.
    lines_of_code: u32,
    /// Functions and methods.
    functions: u32,
    /// What it is written in, most lines first.
    languages: Vec<LanguageShareNode>,
    /// Lines that stand in the project more than once.
    duplicated_lines: u32,
}

impl From<analysis::ProjectMetrics> for ProjectMetricsNode {
    fn from(metrics: analysis::ProjectMetrics) -> Self {
        Self {
            files: metrics.files,
            lines_of_code: metrics.lines_of_code,
            functions: metrics.functions,
            languages: metrics
                .languages
                .into_iter()
                .map(|share| LanguageShareNode {
                    language: share.language.as_str().to_owned(),
                    files: share.files,
                    lines_of_code: share.lines_of_code,
                })
                .collect(),
            duplicated_lines: metrics.duplicated_lines,
        }
    }
}

/// How much of a project is in one language.
#[derive(SimpleObject)]
#[graphql(name = "LanguageShare")]
pub(crate) struct LanguageShareNode {
    /// The language.
    language: String,
    /// Files in it.
    files: u32,
    /// Lines of code in it.
    lines_of_code: u32,
}

#[cfg(test)]
mod tests {
    use super::excerpt_of;

    #[test]
    fn an_excerpt_is_the_lines_named_and_no_more_than_twenty() {
        let text = (1..=40).map(|n| n.to_string()).collect::<Vec<_>>().join("\n");
        assert_eq!(excerpt_of(&text, 2, 3), "2\n3");
        assert_eq!(excerpt_of(&text, 1, 40).lines().count(), 20);
        assert_eq!(excerpt_of(&text, 41, 50), "");
    }
}
