//! Personas, and the extractor that fills in what they are specialised in.
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

mod entity;
mod model;
mod registration;
mod repository;
mod service;
pub mod specialization;

pub use model::{Persona, PersonaId};
pub use registration::{PERSONA, registration};
pub use repository::{Personas, persona_count, persona_list};
pub use service::{NewPersona, PersonaChanges, persona_create, persona_delete, persona_update};
pub use specialization::{
    SPECIALIZATIONS_MAX, SpecializationDomain, SpecializationMatch, specialization_domains,
    specializations_extract, specializations_top,
};
