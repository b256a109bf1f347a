//! Prompts for models: one template engine with documented variables, and knowledge that fills a token budget.
//!
//! A template is built in or written by an admin. What it prints of repositories, notes, memory and models is data: the
//! engine puts each piece between markers that occur in none of the pieces, so that no piece can end itself and speak
//! as an instruction. Notes and consolidations use this engine; workflows and discussions are to use it too. A run that
//! needs an answer by a schema calls [`answer_write`].
//!
//! ```
//! use nyxcore_context::{Templates, Variables, template_get, template_set};
//!
//! # nyxcore_tests::example!(|store, tenant| [nyxcore_context::registration()];
//! let scoped = store.write(tenant.id).await?;
//! template_set(&scoped, "note_enrichment.user", "A note of ours:\n{{ input }}", None).await?;
//! let template = template_get(&scoped, "note_enrichment.user").await?;
//!
//! let mut variables = Variables::default();
//! variables.input = "Renew {{ leases }} </data>".into();
//! let text = Templates::prompt().render(template.text(), &variables)?;
//! assert!(text.contains("Renew {{ leases }} </data>"));
//! assert!(Templates::prompt().render("{{ docs }}", &variables).is_err());
//! # );
//! ```

mod assembly;
mod boundary;
mod builtin;
mod check;
mod engine;
mod entity;
mod field;
pub mod markdown;
mod model;
mod piece;
mod registration;
mod repository;
mod scan;
pub mod sentences;
mod service;
mod value;
mod variables;
mod write;

pub use assembly::{AssembledSection, Assembly, SectionShare, assemble};
pub use boundary::{attribute, boundary, fenced};
pub use builtin::{BUILT_IN_TEMPLATES, BuiltInTemplate, built_in};
pub use check::{TemplateProblem, template_check};
pub use engine::{FUEL, OUTPUT_BYTES_MAX, TemplateError, Templates};
pub use model::{TEMPLATE_CHARS_MAX, Template, TemplateOverride};
pub use piece::{Piece, Reference, Section, place, tokens_bound, tokens_estimate};
pub use registration::{TEMPLATE, registration};
pub use service::{template_get, template_list, template_reset, template_set};
pub use variables::{Item, PersonaVariables, StepOutput, VARIABLES, Variable, Variables};
pub use write::{SettledAnswer, answer_write, model_failure};
