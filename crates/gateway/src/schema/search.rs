//! Search over everything that is known: a hit leads to the thing it is about.

use async_graphql::{Context, Object, Result};
use nyxcore_retrieval::{Hit, KnowledgeKind};
use nyxcore_tenancy::TypedId;

use super::node::{NodeRef, node_load};
use super::note::KnowledgeKindName;

/// Something that was found.
pub(crate) struct SearchHitNode(pub Hit);

#[Object(name = "SearchHit")]
impl SearchHitNode {
    /// What kind of thing it is.
    async fn kind(&self) -> KnowledgeKindName {
        self.0.kind.into()
    }

    /// How well it fits; comparable within one answer.
    async fn score(&self) -> f64 {
        self.0.score
    }

    /// What it is called.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The part that matters.
    async fn excerpt(&self) -> &str {
        &self.0.excerpt
    }

    /// The thing itself.
    async fn node(&self, context: &Context<'_>) -> Result<Option<NodeRef>> {
        use nyxcore_code_analysis::CodePatternId;
        use nyxcore_knowledge::{ConsolidationPatternId, InsightId, MemoryEntryId};
        use nyxcore_projects::{NoteId, SourceFileId};
        let Some(uuid) = self.0.subject_id else {
            return Ok(None);
        };
        let prefix = match self.0.kind {
            KnowledgeKind::CodePattern => CodePatternId::PREFIX,
            KnowledgeKind::MemoryEntry => MemoryEntryId::PREFIX,
            KnowledgeKind::Insight => InsightId::PREFIX,
            KnowledgeKind::Consolidation => ConsolidationPatternId::PREFIX,
            KnowledgeKind::Code => SourceFileId::PREFIX,
            KnowledgeKind::Note => NoteId::PREFIX,
        };
        node_load(context, prefix, uuid).await
    }

    /// The file, where it is in one.
    async fn path(&self) -> Option<&str> {
        self.0.path.as_deref()
    }

    /// Its first line there, counted from 1.
    async fn start_line(&self) -> Option<i64> {
        self.0.start_line
    }

    /// Its last line there.
    async fn end_line(&self) -> Option<i64> {
        self.0.end_line
    }
}
