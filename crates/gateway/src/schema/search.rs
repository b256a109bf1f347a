//! Search over all knowledge. Each hit links to the object it was found in.

use async_graphql::{Context, Object, Result};
use nyxcore_retrieval::{Hit, KnowledgeKind};
use nyxcore_tenancy::TypedId;

use super::node::{NodeRef, node_load};
use super::note::KnowledgeKindName;

/// A search hit.
pub(crate) struct SearchHitNode(pub Hit);

#[Object(name = "SearchHit")]
impl SearchHitNode {
    /// The kind of the object.
    async fn kind(&self) -> KnowledgeKindName {
        self.0.kind.into()
    }

    /// The relevance. Comparable within one response.
    async fn score(&self) -> f64 {
        self.0.score
    }

    /// The title of the object.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The relevant excerpt.
    async fn excerpt(&self) -> &str {
        &self.0.excerpt
    }

    /// The object.
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

    /// The path of the file, if the hit is in a file.
    async fn path(&self) -> Option<&str> {
        self.0.path.as_deref()
    }

    /// The first line, counted from 1.
    async fn start_line(&self) -> Option<i64> {
        self.0.start_line
    }

    /// The last line.
    async fn end_line(&self) -> Option<i64> {
        self.0.end_line
    }
}
