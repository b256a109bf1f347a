//! The entries of this crate in the [registry](nyxcore_tenancy::Registry): note enrichments.

use nyxcore_runs::{RunId, RunKind};
use nyxcore_tenancy::{Action::*, Registration, Resource, ResourcePolicy, Role::*, TypedId};

/// Enrichments of notes.
pub const NOTE_ENRICHMENT: Resource = Resource::new("note_enrichment");

/// The purpose of an enrichment's model calls, as budgets and reports name it.
pub(crate) const PURPOSE: &str = "note_enrichment";

/// The runs that are enrichments of notes.
pub const NOTE_ENRICHMENT_RUN: RunKind = RunKind::new("NOTE_ENRICHMENT");

/// The registration of this crate.
#[must_use]
pub fn registration() -> Registration {
    Registration::new(env!("CARGO_PKG_NAME"))
        .requires("nyxcore-projects")
        .requires("nyxcore-runs")
        .requires("nyxcore-personas")
        .requires("nyxcore-context")
        .requires("nyxcore-model-catalog")
        .resource(
            ResourcePolicy::new(
                NOTE_ENRICHMENT,
                &[(Read, Viewer), (Start, Member), (Apply, Member)],
            )
            .id_prefix(RunId::PREFIX),
        )
        .run_kind(NOTE_ENRICHMENT_RUN)
}
