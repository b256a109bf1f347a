//! Enriches notes with related knowledge of the project, with valid citations.
//!
//! An enrichment is a run. It retrieves code, documents, insights, memory entries, consolidation patterns and code
//! patterns related to the note, assembles them within a token budget, writes a text with a citation for every
//! statement, and checks it. A model writes the text where one is chosen ([`enrichment_choose`]); otherwise the text
//! consists of excerpts. A person then applies or dismisses it, and accepts its action points one by one.
//!
//! ```
//! use futures::TryStreamExt;
//! use nyxcore_knowledge::{NewMemoryEntry, memory_entry_create};
//! use nyxcore_note_enrichment::{EnrichmentHandler, NewEnrichment, NoteEnrichments, enrichment_start};
//! use nyxcore_projects::{NewNote, NewProject, note_create, project_create};
//! use nyxcore_runs::{Workers, run_follow};
//! use nyxcore_tenancy::Repository;
//!
//! # nyxcore_tests::example!(|store, tenant| [
//! #     nyxcore_runs::registration(), nyxcore_context::registration(), nyxcore_model_catalog::registration(),
//! #     nyxcore_projects::registration(),
//! #     nyxcore_personas::registration(), nyxcore_knowledge::registration(), nyxcore_note_enrichment::registration()];
//! let scoped = store.write(tenant.id).await?;
//! let project = project_create(&scoped, NewProject { name: "Atlas".into(), ..NewProject::default() }).await?.id;
//! let content = "A lease is renewed every 15 seconds.".into();
//! let (project_id, title, tags) = (Some(project), "Leases".into(), vec![]);
//! let entry = NewMemoryEntry { project_id, title, content, tags, created_by: None };
//! memory_entry_create(&scoped, entry).await?;
//! let body = "How is a lease renewed?".into();
//! let note = NewNote { project_id: project, title: "Renewal".into(), body, created_by: None };
//! let note = note_create(&scoped, note).await?;
//! let (start, _) = enrichment_start(&scoped, NewEnrichment::extractive(note.id)).await?;
//! scoped.commit().await?;
//!
//! let workers = Workers::builder(&store).handler(EnrichmentHandler::new()).start()?;
//! let _events: Vec<_> = run_follow(&store, tenant.id, start.run().id, 0).try_collect().await?;
//! workers.shutdown().await;
//! let enrichment = NoteEnrichments::require(&store.read(tenant.id).await?, start.run().id).await?;
//! assert_eq!(enrichment.citations[0].title, "Leases");
//! # );
//! ```

mod answer;
mod check;
mod choice;
mod compose;
mod entity;
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
mod service;
mod tasks;

pub use choice::{EnrichmentChoice, EnrichmentRequest, enrichment_choose};
pub use handler::EnrichmentHandler;
pub use model::{
    ContextSection, EnrichmentDecision, EnrichmentMode, EnrichmentReport, NoteEnrichment,
};
pub use preview::{
    EnrichmentPreview, PreviewItem, PreviewSection, enrichment_preview, preview_question,
};
pub use prompt::CONTEXT_TOKENS_MAX;
pub use registration::{NOTE_ENRICHMENT, NOTE_ENRICHMENT_RUN, registration};
pub use repository::{NoteEnrichmentList, NoteEnrichments, enrichment_details, enrichment_get};
pub use service::{
    NewEnrichment, enrichment_apply, enrichment_dismiss, enrichment_failed, enrichment_start,
    enrichment_start_for,
};
pub use tasks::ACTION_POINTS_MAX;
