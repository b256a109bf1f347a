//! The entries of this crate in the [registry](nyxcore_tenancy::Registry): templates.

use nyxcore_tenancy::{Action::*, Registration, Resource, ResourcePolicy, Role::*};

/// The tenant's own templates.
pub const TEMPLATE: Resource = Resource::new("template");

/// The registration of this crate.
#[must_use]
pub fn registration() -> Registration {
    // Whoever writes a template decides what models are told in the tenant's name.
    let policy = &[(Read, Viewer), (Update, Admin), (Delete, Admin)];
    Registration::new(env!("CARGO_PKG_NAME")).resource(ResourcePolicy::new(TEMPLATE, policy))
}
