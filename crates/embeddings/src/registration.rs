//! The entries of this crate in the [registry](nyxcore_tenancy::Registry): runs that embed.

use nyxcore_runs::RunKind;
use nyxcore_tenancy::Registration;

/// The runs that embed the texts of a tenant's search index.
pub const EMBEDDING_RUN: RunKind = RunKind::new("EMBEDDING");

/// The purpose of the calls, as budgets and reports name it: for texts and questions alike.
pub const PURPOSE: &str = "embedding";

/// The registration of this crate.
#[must_use]
pub fn registration() -> Registration {
    Registration::new(env!("CARGO_PKG_NAME"))
        .requires("nyxcore-runs")
        .requires("nyxcore-model-catalog")
        .run_kind(EMBEDDING_RUN)
}
