//! Personas: roles that a model takes on, their specializations, and how often they helped.
//!
//! The extractor needs no database:
//!
//! ```
//! use nyxcore_personas::specializations_top;
//!
//! let found = specializations_top("Builds React and TypeScript front ends on top of GraphQL APIs.");
//! let domains: Vec<_> = found.iter().map(|found| (found.label, found.count)).collect();
//! assert_eq!(domains, [("Frontend", 3), ("Backend", 1)]);
//! assert_eq!(found[0].keywords, ["react", "typescript", "front-end"]);
//! ```
//!
//! Personas are stored for a tenant, and matched with a task:
//!
//! ```
//! use nyxcore_personas::{NewPersona, persona_create, persona_matches};
//!
//! # nyxcore_tests::example!(|store, tenant| [
//! #     nyxcore_runs::registration(), nyxcore_model_catalog::registration(), nyxcore_personas::registration()];
//! let scoped = store.write(tenant.id).await?;
//! let description = "Tunes PostgreSQL and plans migrations.".into();
//! let new = NewPersona { name: "Ines".into(), description, ..NewPersona::default() };
//! let ines = persona_create(&scoped, new).await?;
//! scoped.commit().await?;
//!
//! let scoped = store.read(tenant.id).await?;
//! let matches = persona_matches(&scoped, "Why is this query of PostgreSQL slow?", 3).await?;
//! assert_eq!(matches[0].persona.id, ines.id);
//! # );
//! ```

mod choice;
mod entity;
mod matching;
mod model;
mod registration;
mod repository;
mod service;
pub mod specialization;
mod starter;
mod usage;

pub use choice::{ChosenModel, ModelWish, model_wished};
pub use matching::{
    MATCHED_PERSONAS_MAX, MATCHES_MAX, MatchReason, MatchReasonKind, PersonaMatch, persona_matches,
};
pub use model::{Persona, PersonaId, PersonaModel, PersonaModelStanding, USE_XP};
pub use registration::{PERSONA, registration};
pub use repository::{PersonaList, Personas, persona_count, persona_list};
pub use service::{
    NewPersona, PersonaChanges, PersonaModelChoice, persona_create, persona_delete, persona_update,
};
pub use specialization::{
    SPECIALIZATIONS_MAX, SpecializationDomain, SpecializationMatch, specialization_domains,
    specializations_extract, specializations_top,
};
pub use starter::{
    StarterInstallation, StarterPersona, starter_personas, starter_personas_install,
};
pub use usage::{PersonaUse, persona_use_record};
