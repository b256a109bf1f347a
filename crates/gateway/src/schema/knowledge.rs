//! The knowledge of a team: memory entries, insights and consolidation patterns.

use async_graphql::{Context, ID, Object, Result};
use chrono::{DateTime, Utc};
use nyxcore_knowledge::{ConsolidationPattern, Insight, MemoryEntry, MemorySource};

use super::ids::global_id;
use super::mirror::mirror;
use super::project::ProjectNode;
use crate::context::operation;

mirror! {
    /// The origin of a memory entry.
    pub(crate) enum MemorySourceName = "MemorySource" {
        /// Written by a user.
        Manual,
        /// Synced from a repository.
        Github,
        /// Imported from elsewhere.
        Import,
    }
}

/// A piece of information to remember.
pub(crate) struct MemoryEntryNode(pub MemoryEntry);

#[Object(name = "MemoryEntry")]
impl MemoryEntryNode {
    /// The id of the memory entry.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The text, in Markdown.
    async fn content(&self) -> &str {
        &self.0.content
    }

    /// Tags to search by.
    async fn tags(&self) -> &[String] {
        &self.0.tags
    }

    /// The origin.
    async fn source(&self) -> MemorySourceName {
        self.0.source.into()
    }

    /// A reference to the origin, such as a path.
    async fn source_ref(&self) -> Option<&str> {
        self.0.source_ref.as_deref()
    }

    /// The time of creation.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// A lesson learned.
pub(crate) struct InsightNode(pub Insight);

#[Object(name = "Insight")]
impl InsightNode {
    /// The id of the insight.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The type: pain_point, strength, solution, pattern or decision.
    #[graphql(name = "type")]
    async fn insight_type(&self) -> &str {
        self.0.insight_type.as_str()
    }

    /// The severity: blocker, high, medium or low.
    async fn severity(&self) -> Option<&str> {
        self.0.severity.map(|severity| severity.as_str())
    }

    /// The category.
    async fn category(&self) -> Option<&str> {
        self.0.category.as_deref()
    }

    /// A short title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The full text.
    async fn detail(&self) -> &str {
        &self.0.detail
    }

    /// A suggested action.
    async fn suggestion(&self) -> Option<&str> {
        self.0.suggestion.as_deref()
    }

    /// The pain point of this solution, or the solution of this pain point.
    async fn paired_with(&self, context: &Context<'_>) -> Result<Option<InsightNode>> {
        let Some(id) = self.0.paired_with else {
            return Ok(None);
        };
        let other = operation(context).loaders().insights.load_one(id).await?;
        Ok(other.map(InsightNode))
    }
}

/// A pattern that several projects share.
pub(crate) struct ConsolidationPatternNode(pub ConsolidationPattern);

#[Object(name = "ConsolidationPattern")]
impl ConsolidationPatternNode {
    /// The id of the consolidation pattern.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The type: success, pain, solution, pattern, tool or architecture.
    #[graphql(name = "type")]
    async fn pattern_type(&self) -> &str {
        self.0.pattern_type.as_str()
    }

    /// A short title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The full text.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// The evidence.
    async fn evidence(&self) -> &[String] {
        &self.0.evidence
    }

    /// The number of occurrences.
    async fn frequency(&self) -> i64 {
        self.0.frequency
    }

    /// The severity of a pain point: low, medium, high or critical.
    async fn severity(&self) -> Option<&str> {
        self.0.severity.map(|severity| severity.as_str())
    }

    /// The projects in which the pattern occurs.
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

    /// Tags to search by.
    async fn tags(&self) -> &[String] {
        &self.0.tags
    }
}
