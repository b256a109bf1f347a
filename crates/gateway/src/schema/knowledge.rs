//! What a team has learned: memory entries, insights, consolidation patterns.

use async_graphql::{Context, Enum, ID, Object, Result};
use chrono::{DateTime, Utc};
use nyxcore_knowledge::{ConsolidationPattern, Insight, MemoryEntry, MemorySource};

use super::ids::global_id;
use super::project::ProjectNode;
use crate::context::operation;

/// Where a memory entry comes from.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "MemorySource", remote = "MemorySource")]
pub(crate) enum MemorySourceName {
    /// Somebody wrote it here.
    Manual,
    /// It came with a repository.
    Github,
    /// It was imported from elsewhere.
    Import,
}

/// Something to remember.
pub(crate) struct MemoryEntryNode(pub MemoryEntry);

#[Object(name = "MemoryEntry")]
impl MemoryEntryNode {
    /// Its id.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// What it is about.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// Its text, in Markdown.
    async fn content(&self) -> &str {
        &self.0.content
    }

    /// Words to find it by.
    async fn tags(&self) -> &[String] {
        &self.0.tags
    }

    /// Where it comes from.
    async fn source(&self) -> MemorySourceName {
        self.0.source.into()
    }

    /// What it follows there, such as a path.
    async fn source_ref(&self) -> Option<&str> {
        self.0.source_ref.as_deref()
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// Something learned.
pub(crate) struct InsightNode(pub Insight);

#[Object(name = "Insight")]
impl InsightNode {
    /// Its id.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// pain_point, strength, solution, pattern or decision.
    #[graphql(name = "type")]
    async fn insight_type(&self) -> &str {
        self.0.insight_type.as_str()
    }

    /// blocker, high, medium or low.
    async fn severity(&self) -> Option<&str> {
        self.0.severity.map(|severity| severity.as_str())
    }

    /// What it belongs to.
    async fn category(&self) -> Option<&str> {
        self.0.category.as_deref()
    }

    /// What it says.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The whole of it.
    async fn detail(&self) -> &str {
        &self.0.detail
    }

    /// What to do about it.
    async fn suggestion(&self) -> Option<&str> {
        self.0.suggestion.as_deref()
    }

    /// The pain of this solution, or the solution of this pain.
    async fn paired_with(&self, context: &Context<'_>) -> Result<Option<InsightNode>> {
        let Some(id) = self.0.paired_with else {
            return Ok(None);
        };
        let other = operation(context).loaders().insights.load_one(id).await?;
        Ok(other.map(InsightNode))
    }
}

/// Something that several projects share.
pub(crate) struct ConsolidationPatternNode(pub ConsolidationPattern);

#[Object(name = "ConsolidationPattern")]
impl ConsolidationPatternNode {
    /// Its id.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// success, pain, solution, pattern, tool or architecture.
    #[graphql(name = "type")]
    async fn pattern_type(&self) -> &str {
        self.0.pattern_type.as_str()
    }

    /// What it says.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The whole of it.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// What shows it.
    async fn evidence(&self) -> &[String] {
        &self.0.evidence
    }

    /// How often it was seen.
    async fn frequency(&self) -> i64 {
        self.0.frequency
    }

    /// For pains: low, medium, high or critical.
    async fn severity(&self) -> Option<&str> {
        self.0.severity.map(|severity| severity.as_str())
    }

    /// The projects it was seen in.
    async fn projects(&self, context: &Context<'_>) -> Result<Vec<ProjectNode>> {
        let loaders = operation(context).loaders();
        let ids = loaders
            .consolidation_projects
            .load_one(self.0.id)
            .await?
            .unwrap_or_default();
        let mut projects = loaders.projects.load_many(ids.iter().copied()).await?;
        Ok(ids
            .iter()
            .filter_map(|id| projects.remove(id))
            .map(ProjectNode)
            .collect())
    }

    /// Words to find it by.
    async fn tags(&self) -> &[String] {
        &self.0.tags
    }
}
