//! Enriches notes with related knowledge of the project, with valid citations.
//!
//! An enrichment is a run. It retrieves code patterns, memory entries, insights, consolidation patterns and code
//! related to the note, composes a text with a citation for every statement, and suggests action points. A user then
//! applies or dismisses it. No model is called yet: every enrichment is [`EnrichmentMode::Extractive`].
//!
//! ```
//! use nyxcore_note_enrichment::{EnrichmentHandler, NewEnrichment, enrichment_start};
//! use nyxcore_projects::NoteId;
//! use nyxcore_runs::{RunId, Workers};
//! use nyxcore_tenancy::{Result, Store, TenantId};
//!
//! async fn enrich(store: &Store, tenant: TenantId, note: NoteId) -> Result<RunId> {
//!     let workers = Workers::builder(store).handler(EnrichmentHandler::new()).start()?;
//!     let scoped = store.write(tenant).await?;
//!     let new = NewEnrichment { note_id: note, persona_id: None, provider: None, model: None, started_by: None };
//!     let (start, enrichment) = enrichment_start(&scoped, new).await?;
//!     scoped.commit().await?;
//!     assert_eq!(start.run().id, enrichment.run_id);
//!     workers.shutdown().await;
//!     Ok(enrichment.run_id)
//! }
//! ```

mod compose;
mod entity;
mod handler;
mod markdown;
mod model;
mod registration;
mod repository;
mod retrieve;
mod section;
mod service;
mod tasks;
pub mod template;

pub use handler::EnrichmentHandler;
pub use model::{
    ContextSection, EnrichmentDecision, EnrichmentMode, NoteEnrichment, tokens_estimate,
};
pub use registration::{NOTE_ENRICHMENT, NOTE_ENRICHMENT_RUN, registration};
pub use repository::{NoteEnrichmentList, NoteEnrichments, enrichment_details, enrichment_get};
pub use service::{
    NewEnrichment, enrichment_apply, enrichment_dismiss, enrichment_failed, enrichment_start,
};
pub use tasks::ACTION_POINTS_MAX;
