//! The entries of this crate in the [registry](nyxcore_tenancy::Registry): code analyses.

use nyxcore_runs::{RunId, RunKind};
use nyxcore_tenancy::{Action::*, Registration, Resource, ResourcePolicy, Role::*, TypedId};

/// Code analyses.
pub const CODE_ANALYSIS: Resource = Resource::new("code_analysis");

/// The runs that are code analyses.
pub const CODE_ANALYSIS_RUN: RunKind = RunKind::new("CODE_ANALYSIS");

/// Returns everything that this crate registers.
#[must_use]
pub fn registration() -> Registration {
    Registration::new(env!("CARGO_PKG_NAME"))
        .requires("nyxcore-projects")
        .requires("nyxcore-runs")
        .resource(
            ResourcePolicy::new(CODE_ANALYSIS, &[(Read, Viewer), (Start, Member)])
                .id_prefix(RunId::PREFIX),
        )
        .run_kind(CODE_ANALYSIS_RUN)
}
