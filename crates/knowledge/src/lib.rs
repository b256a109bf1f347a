//! The knowledge of a team: memory entries, insights and consolidation patterns. Each is published to the search index
//! in the transaction that writes it.
//!
//! ```
//! use nyxcore_knowledge::{NewMemoryEntry, ProjectMemoryEntries, memory_entry_create};
//! use nyxcore_projects::{NewProject, project_create};
//! use nyxcore_retrieval::{SearchRequest, search};
//! use nyxcore_tenancy::{ChildList, PageRequest};
//!
//! # nyxcore_tests::example!(|store, tenant| [nyxcore_projects::registration(), nyxcore_knowledge::registration()];
//! let scoped = store.write(tenant.id).await?;
//! let project = project_create(&scoped, NewProject { name: "Atlas".into(), ..NewProject::default() }).await?;
//! let new = NewMemoryEntry {
//!     project_id: Some(project.id),
//!     title: "Leases".into(),
//!     content: "A lease is renewed every 15 seconds.".into(),
//!     tags: vec!["runs".into()],
//!     created_by: None,
//! };
//! let entry = memory_entry_create(&scoped, new).await?;
//! scoped.commit().await?;
//!
//! let scoped = store.read(tenant.id).await?;
//! let entries = ProjectMemoryEntries.page(&scoped, project.id, &PageRequest::first(10)).await?;
//! assert_eq!(entries.into_items(), [entry.clone()]);
//! assert_eq!(search(&scoped, &SearchRequest::new("lease")).await?[0].subject, entry.id.to_string());
//! # );
//! ```

mod check;
mod document;
mod entity;
mod import;
mod letter;
mod model;
mod registration;
mod repository;
mod service;
mod words;

pub use import::{IMPORT_BYTES_MAX, IMPORT_ENTRIES_MAX, import_parse};
pub use letter::{is_letter, letter_entry};
pub use model::{
    ConsolidationPattern, ConsolidationPatternId, ConsolidationSeverity, ConsolidationType,
    Insight, InsightId, InsightSeverity, InsightType, MemoryEntry, MemoryEntryId, MemorySource,
    Quotation,
};
pub use registration::{CONSOLIDATION_PATTERN, INSIGHT, MEMORY_ENTRY, registration};
pub use repository::{
    ConsolidationPatterns, Insights, MemoryEntries, ProjectConsolidationPatterns, ProjectInsights,
    ProjectMemoryEntries, consolidation_pattern_projects,
};
pub use service::{
    AUDIT_FINDINGS_MAX, AuditFinding, AuditFindingKind, AuditSubject, ConsolidationPatternChanges,
    ConsolidationUpdate, ImportedMemoryEntry, InsightChanges, KeyedPattern, KnowledgeAudit,
    MemoryEntryChanges, MemoryEntryFilter, MemoryImport, NewConsolidationPattern, NewInsight,
    NewMemoryEntry, PendingLetter, PendingLetters, QUOTATIONS_MAX, RefusedMemoryEntry,
    consolidation_pattern_create, consolidation_pattern_update, consolidation_patterns_keep,
    insight_create, insight_duplicates, insight_embeddings_copy, insight_pair,
    insight_partners_suggest, insight_update, insights_recalled, knowledge_audit, letters_clear,
    letters_pending, letters_take, memory_entries_import, memory_entries_import_bulk,
    memory_entries_recalled, memory_entries_remove, memory_entry_count, memory_entry_create,
    memory_entry_list, memory_entry_supersede, memory_entry_update, own_insight_count,
    own_insights, own_memory_entries, own_memory_entry_count,
};
