//! The knowledge of a team: memory entries, insights and consolidation patterns.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_knowledge::{
    AuditFinding, AuditFindingKind, ConsolidationPattern, Insight, KnowledgeAudit, MemoryEntry,
    MemorySource, Quotation, insight_duplicates, insight_partners_suggest,
};

use super::ids::global_id;
use super::mirror::mirror;
use super::note::KnowledgeKindName;
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

    /// The time of the last change.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// The time when it was archived. An archived entry is kept, but search does not find it.
    async fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.0.archived_at
    }

    /// The entry that took its place. A superseded entry is kept, and not found.
    async fn superseded_by(&self, context: &Context<'_>) -> Result<Option<MemoryEntryNode>> {
        let Some(id) = self.0.superseded_by else {
            return Ok(None);
        };
        let loaders = operation(context).loaders();
        let other = loaders.memory_entries().load_one(id).await?;
        Ok(other.map(MemoryEntryNode))
    }

    /// The commit from which on it is true.
    async fn valid_from_commit(&self) -> Option<&str> {
        self.0.valid_from_commit.as_deref()
    }

    /// The number of times that it was cited.
    async fn recalls(&self) -> i64 {
        self.0.recalls
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
        let other = operation(context).loaders().insights().load_one(id).await?;
        Ok(other.map(InsightNode))
    }

    /// Insights without a partner that may belong to this one: solutions of a pain point, or pain points of a solution.
    async fn suggested_partners(&self, context: &Context<'_>) -> Result<Vec<InsightNode>> {
        let scoped = operation(context).read().await?;
        let found = insight_partners_suggest(&*scoped, self.0.id).await?;
        Ok(found.into_iter().map(InsightNode).collect())
    }

    /// Insights of the same type that say nearly the same.
    async fn duplicates(&self, context: &Context<'_>) -> Result<Vec<InsightNode>> {
        let scoped = operation(context).read().await?;
        let found = insight_duplicates(&*scoped, self.0.id).await?;
        Ok(found.into_iter().map(InsightNode).collect())
    }

    /// The time when it was archived. An archived insight is kept, but search does not find it.
    async fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.0.archived_at
    }
}

/// The result of an audit of knowledge.
pub(crate) struct KnowledgeAuditNode(pub KnowledgeAudit);

#[Object(name = "KnowledgeAudit")]
impl KnowledgeAuditNode {
    /// The number of memory entries and insights that were looked at.
    async fn checked(&self) -> i32 {
        i32::try_from(self.0.checked).unwrap_or(i32::MAX)
    }

    /// The findings by kind, at most 500.
    async fn findings(&self) -> Vec<AuditFindingNode> {
        self.0.findings.iter().cloned().map(Into::into).collect()
    }

    /// The number of findings that are left out.
    async fn omitted(&self) -> i32 {
        i32::try_from(self.0.omitted).unwrap_or(i32::MAX)
    }
}

mirror! {
    /// The kind of a finding of an audit of knowledge.
    pub(crate) enum AuditFindingKindName = "KnowledgeFindingKind" of "AuditFindingKind" {
        /// A text looks like a key or a password.
        Secret,
        /// Two entries on the same subject contradict each other.
        Contradiction,
        /// Two entries say nearly the same.
        Duplicate,
        /// The files that the entry speaks of are gone.
        Stale,
        /// Nothing ever cited it.
        NeverRecalled,
    }
}

/// A finding of an audit of knowledge.
#[derive(SimpleObject)]
#[graphql(name = "KnowledgeFinding")]
pub(crate) struct AuditFindingNode {
    /// The kind.
    kind: AuditFindingKindName,
    /// The pieces of knowledge that it is about: one, or the two of a pair.
    subjects: Vec<AuditSubjectNode>,
    /// The reason. It never quotes a secret.
    reason: String,
}

/// A piece of knowledge that a finding is about.
#[derive(SimpleObject)]
#[graphql(name = "KnowledgeSubject")]
pub(crate) struct AuditSubjectNode {
    /// The kind.
    kind: KnowledgeKindName,
    /// The id.
    id: ID,
    /// The title.
    title: String,
}

impl From<AuditFinding> for AuditFindingNode {
    fn from(finding: AuditFinding) -> Self {
        let subjects = finding
            .subjects
            .into_iter()
            .map(|subject| AuditSubjectNode {
                kind: subject.kind.into(),
                id: ID(subject.id),
                title: subject.title,
            });
        Self {
            kind: finding.kind.into(),
            subjects: subjects.collect(),
            reason: finding.reason,
        }
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

    /// The evidence with its sources, if a consolidation found the pattern.
    async fn quotations(&self) -> Vec<QuotationNode> {
        self.0
            .quotations
            .iter()
            .cloned()
            .map(QuotationNode)
            .collect()
    }

    /// The model that wrote the title and the description. Null if none did.
    async fn written_by(&self) -> Option<&str> {
        self.0.written_by.as_deref()
    }

    /// The time when it was archived. An archived pattern is kept, but search does not find it, and no consolidation
    /// brings it back.
    async fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.0.archived_at
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
            .consolidation_projects()
            .load_one(self.0.id)
            .await?
            .unwrap_or_default();
        let mut projects = loaders.projects().load_many(ids.iter().copied()).await?;
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

/// A quotation that shows a consolidation pattern. Its words were found in the source.
pub(crate) struct QuotationNode(pub Quotation);

#[Object(name = "Quotation")]
impl QuotationNode {
    /// The kind of the source.
    async fn kind(&self) -> KnowledgeKindName {
        self.0.kind.into()
    }

    /// The id of the source.
    async fn subject_id(&self) -> ID {
        ID(self.0.subject_id.clone())
    }

    /// The project of the source. Null if it was deleted.
    async fn project(&self, context: &Context<'_>) -> Result<Option<ProjectNode>> {
        let loader = operation(context).loaders().projects();
        Ok(loader.load_one(self.0.project_id).await?.map(ProjectNode))
    }

    /// The quoted words.
    async fn text(&self) -> &str {
        &self.0.text
    }
}
