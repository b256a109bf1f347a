//! The registrations of all crates that the API uses.

use nyxcore_tenancy::Registration;

/// The registrations of the crates below this one, which the API exposes. A program with crates of its own adds theirs:
///
/// ```
/// use nyxcore_tenancy::{Registration, Registry};
///
/// let mine = Registration::new("my-crate");
/// let registry = Registry::new(nyxcore_graphql::registrations().into_iter().chain([mine]))?;
/// assert!(registry.run_kinds().any(|kind| kind == "SYNC"));
/// # Ok::<(), nyxcore_tenancy::RegistryError>(())
/// ```
#[must_use]
pub fn registrations() -> Vec<Registration> {
    vec![
        nyxcore_runs::registration(),
        nyxcore_model_catalog::registration(),
        nyxcore_embeddings::registration(),
        nyxcore_projects::registration(),
        nyxcore_personas::registration(),
        nyxcore_context::registration(),
        nyxcore_sync::registration(),
        nyxcore_code_analysis::registration(),
        nyxcore_knowledge::registration(),
        nyxcore_note_enrichment::registration(),
        nyxcore_consolidation::registration(),
    ]
}
