//! The operations on knowledge. Each also updates the search index in the same transaction; the caller commits.

mod audit;
mod consolidation_pattern;
mod embedding;
mod insight;
mod keyed_pattern;
mod letter;
mod memory_entry;
mod own;

pub use audit::{
    AUDIT_FINDINGS_MAX, AuditFinding, AuditFindingKind, AuditSubject, KnowledgeAudit,
    knowledge_audit,
};
pub use consolidation_pattern::{
    ConsolidationPatternChanges, NewConsolidationPattern, QUOTATIONS_MAX,
    consolidation_pattern_create, consolidation_pattern_update,
};
pub use embedding::insight_embeddings_copy;
pub use insight::{
    InsightChanges, NewInsight, insight_create, insight_duplicates, insight_pair,
    insight_partners_suggest, insight_update, insights_recalled,
};
pub use keyed_pattern::{ConsolidationUpdate, KeyedPattern, consolidation_patterns_keep};
pub use letter::{PendingLetter, PendingLetters, letters_clear, letters_pending, letters_take};
pub use memory_entry::{
    ImportedMemoryEntry, MemoryEntryChanges, MemoryEntryFilter, MemoryImport, NewMemoryEntry,
    RefusedMemoryEntry, memory_entries_import, memory_entries_import_bulk, memory_entries_recalled,
    memory_entries_remove, memory_entry_count, memory_entry_create, memory_entry_list,
    memory_entry_supersede, memory_entry_update,
};
pub use own::{own_insight_count, own_insights, own_memory_entries, own_memory_entry_count};
