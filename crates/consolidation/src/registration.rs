//! The entries of this crate in the [registry](nyxcore_tenancy::Registry): consolidations.

use nyxcore_runs::{RunId, RunKind};
use nyxcore_tenancy::{Action::*, Registration, Resource, ResourcePolicy, Role::*, TypedId};

/// Consolidations of projects.
pub const CONSOLIDATION: Resource = Resource::new("consolidation");

/// The purpose of a consolidation's model calls, as budgets and reports name it.
pub(crate) const PURPOSE: &str = "consolidation";

/// The runs that are consolidations.
pub const CONSOLIDATION_RUN: RunKind = RunKind::new("CONSOLIDATION");

/// The registration of this crate.
#[must_use]
pub fn registration() -> Registration {
    Registration::new(env!("CARGO_PKG_NAME"))
        .requires("nyxcore-projects")
        .requires("nyxcore-runs")
        .requires("nyxcore-personas")
        .requires("nyxcore-context")
        .requires("nyxcore-model-catalog")
        .requires("nyxcore-code-analysis")
        .requires("nyxcore-knowledge")
        .resource(
            ResourcePolicy::new(CONSOLIDATION, &[(Read, Viewer), (Start, Member)])
                .id_prefix(RunId::PREFIX),
        )
        .run_kind(CONSOLIDATION_RUN)
}
