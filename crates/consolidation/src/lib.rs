//! Runs that find what several projects have in common.
//!
//! A consolidation reads the memory entries and insights of its projects, and how their code is written. It counts:
//! statements of several projects that are alike by their words are a theme, and code patterns with the same key are a
//! shared habit. Each becomes a consolidation pattern with quotations from its sources, and is updated by its key when
//! the run is repeated. Where a model is chosen, it phrases what was counted and adds to it; each of its quotations is
//! found in its source or left out, and where its answer cannot be used, what was counted stays.
//!
//! ```
//! use futures::TryStreamExt;
//! use nyxcore_consolidation::{ConsolidationHandler, Consolidations, NewConsolidation, consolidation_start};
//! use nyxcore_knowledge::{ConsolidationPatterns, NewMemoryEntry, memory_entry_create};
//! use nyxcore_projects::{NewProject, project_create};
//! use nyxcore_runs::{Workers, run_follow};
//! use nyxcore_tenancy::Repository;
//!
//! # nyxcore_tests::example!(|store, tenant| [
//! #     nyxcore_runs::registration(), nyxcore_context::registration(), nyxcore_model_catalog::registration(),
//! #     nyxcore_projects::registration(), nyxcore_personas::registration(), nyxcore_code_analysis::registration(),
//! #     nyxcore_knowledge::registration(), nyxcore_consolidation::registration()];
//! let scoped = store.write(tenant.id).await?;
//! let mut project_ids = Vec::new();
//! for (name, content) in [
//!     ("Atlas", "The worker lost its lease in a long batch."),
//!     ("Borealis", "A lease expired while the worker did a long batch."),
//! ] {
//!     let project = project_create(&scoped, NewProject { name: name.into(), ..NewProject::default() }).await?.id;
//!     let (project_id, title, content, tags) = (Some(project), "Letter".into(), content.into(), vec![]);
//!     let entry = NewMemoryEntry { project_id, title, content, tags, created_by: None };
//!     memory_entry_create(&scoped, entry).await?;
//!     project_ids.push(project);
//! }
//! let new = NewConsolidation { project_ids, ..NewConsolidation::default() };
//! let (start, _) = consolidation_start(&scoped, new).await?;
//! scoped.commit().await?;
//!
//! let workers = Workers::builder(&store).handler(ConsolidationHandler::new()).start()?;
//! let _events: Vec<_> = run_follow(&store, tenant.id, start.run().id, 0).try_collect().await?;
//! workers.shutdown().await;
//! let scoped = store.read(tenant.id).await?;
//! let report = Consolidations::require(&scoped, start.run().id).await?.report.ok_or("it has succeeded")?;
//! let pattern = ConsolidationPatterns::require(&scoped, report.patterns[0]).await?;
//! assert_eq!((pattern.frequency, pattern.quotations.len()), (2, 2));
//! # );
//! ```

mod answer;
mod cluster;
mod entity;
mod habit;
mod handler;
mod model;
mod prompt;
mod quote;
mod recall;
mod registration;
mod repository;
mod service;
mod source;
mod statement;
mod theme;

pub use handler::ConsolidationHandler;
pub use model::{Consolidation, ConsolidationProject, ConsolidationReport};
pub use registration::{CONSOLIDATION, CONSOLIDATION_RUN, registration};
pub use repository::Consolidations;
pub use service::{
    ConsolidationRequest, NewConsolidation, PROJECTS_MAX, consolidation_failed,
    consolidation_start, consolidation_start_for,
};
pub use source::{ENTRY_CHARS_MAX, TOTAL_CHARS_MAX};
