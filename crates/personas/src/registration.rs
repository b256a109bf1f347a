//! What this crate brings into the [registry](nyxcore_tenancy::Registry): personas.

use nyxcore_tenancy::{Action::*, Registration, Resource, ResourcePolicy, Role::*};

/// Personas.
pub const PERSONA: Resource = Resource::new("persona");

/// The registration of this crate.
#[must_use]
pub fn registration() -> Registration {
    Registration::new(env!("CARGO_PKG_NAME"))
        .requires("nyxcore-runs")
        .requires("nyxcore-model-catalog")
        .resource(ResourcePolicy::new(
            PERSONA,
            &[
                (Read, Viewer),
                (Create, Member),
                (Update, Member),
                (Delete, Member),
            ],
        ))
}
