//! Enriches notes with related knowledge of the project, with valid citations.
//!
//! An enrichment is a run. It retrieves code patterns, memory entries, insights, consolidation patterns and code
//! related to the note, composes a text with a citation for every statement, and suggests action points. A user then
//! applies or dismisses it. No model is called yet: every enrichment is [`EnrichmentMode::Extractive`].
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
//! #     nyxcore_runs::registration(), nyxcore_model_catalog::registration(), nyxcore_projects::registration(),
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
//! let new = NewEnrichment { note_id: note.id, persona_id: None, provider: None, model: None, started_by: None };
//! let (start, _) = enrichment_start(&scoped, new).await?;
//! scoped.commit().await?;
//!
//! let workers = Workers::builder(&store).handler(EnrichmentHandler::new()).start()?;
//! let _events: Vec<_> = run_follow(&store, tenant.id, start.run().id, 0).try_collect().await?;
//! workers.shutdown().await;
//! let enrichment = NoteEnrichments::require(&store.read(tenant.id).await?, start.run().id).await?;
//! assert_eq!(enrichment.citations[0].title, "Leases");
//! # );
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
