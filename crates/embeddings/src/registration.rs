//! The entries of this crate in the [registry](nyxcore_tenancy::Registry): runs that embed.

use nyxcore_runs::RunKind;
use nyxcore_tenancy::Registration;

/// The runs that embed what a tenant's search index holds.
pub const EMBEDDING_RUN: RunKind = RunKind::new("EMBEDDING");

/// What the calls are for, as budgets and reports name it: texts and questions alike.
pub const PURPOSE: &str = "embedding";

/// What this crate registers.
#[must_use]
pub fn registration() -> Registration {
    Registration::new(env!("CARGO_PKG_NAME"))
        .requires("nyxcore-runs")
        .requires("nyxcore-model-catalog")
        .run_kind(EMBEDDING_RUN)
}
