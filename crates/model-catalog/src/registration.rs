//! What this crate brings into the [registry](nyxcore_tenancy::Registry): the tenants' keys of model providers.

use nyxcore_tenancy::{Action::*, Registration, Resource, ResourcePolicy, Role::*};

/// Keys of model providers.
pub const PROVIDER_KEY: Resource = Resource::new("provider_key");

/// What this crate registers.
#[must_use]
pub fn registration() -> Registration {
    Registration::new(env!("CARGO_PKG_NAME")).resource(ResourcePolicy::new(
        PROVIDER_KEY,
        &[(Read, Viewer), (Update, Admin), (Delete, Admin)],
    ))
}
