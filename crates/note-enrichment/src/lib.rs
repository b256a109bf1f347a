//! Enriches notes with related knowledge of the project, with valid citations.
//!
//! An enrichment is a run. It retrieves code, documents, insights, memory entries, consolidation patterns and code
//! patterns related to the note, assembles them within a token budget, writes a text with a citation for every
//! statement, and checks it. A model writes the text where one is chosen ([`enrichment_choose`]); otherwise the text
//! consists of excerpts. A person then applies or dismisses it, and accepts its action points one by one.
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
//!     let (start, enrichment) = enrichment_start(&scoped, NewEnrichment::extractive(note)).await?;
//!     scoped.commit().await?;
//!     assert_eq!(start.run().id, enrichment.run_id);
//!     workers.shutdown().await;
//!     Ok(enrichment.run_id)
//! }
//! ```

mod answer;
mod check;
mod choice;
mod compose;
mod entity;
mod field;
mod files;
mod handler;
mod material;
mod mentions;
mod model;
mod pieces;
mod preview;
mod prompt;
mod registration;
mod repository;
mod resolve;
mod retrieve;
mod section;
mod sentences;
mod service;
mod tasks;
mod write;

pub use choice::{EnrichmentChoice, EnrichmentRequest, enrichment_choose};
pub use handler::EnrichmentHandler;
pub use model::{
    ContextSection, EnrichmentDecision, EnrichmentMode, EnrichmentReport, NoteEnrichment,
};
pub use preview::{EnrichmentPreview, PreviewItem, PreviewSection, enrichment_preview};
pub use prompt::CONTEXT_TOKENS_MAX;
pub use registration::{NOTE_ENRICHMENT, NOTE_ENRICHMENT_RUN, registration};
pub use repository::{NoteEnrichmentList, NoteEnrichments, enrichment_details, enrichment_get};
pub use service::{
    NewEnrichment, enrichment_apply, enrichment_dismiss, enrichment_failed, enrichment_start,
    enrichment_start_for,
};
pub use tasks::ACTION_POINTS_MAX;
