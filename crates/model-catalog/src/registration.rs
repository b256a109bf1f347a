//! What this crate brings into the [registry](nyxcore_tenancy::Registry): keys, models, budgets and calls, and the work
//! that settles the reservations of processes that are gone.

use nyxcore_tenancy::{
    Action::*, Registration, Resource, ResourcePolicy, Role::*, SystemPurpose, TypedId,
};

use crate::budget::BudgetId;

/// Keys of model providers.
pub const PROVIDER_KEY: Resource = Resource::new("provider_key");
/// A tenant's own models, endpoints and defaults.
pub const MODEL_SETTINGS: Resource = Resource::new("model_settings");
/// A member's own default models.
pub const OWN_MODEL_DEFAULT: Resource = Resource::new("own_model_default");
/// Budgets for calls of models.
pub const BUDGET: Resource = Resource::new("budget");
/// The budget of a run.
pub const RUN_BUDGET: Resource = Resource::new("run_budget");
/// Calls of models, and what they cost.
pub const MODEL_CALL: Resource = Resource::new("model_call");

/// The purpose for which a process extends the reservations of its own model calls.
pub(crate) const RESERVATION_EXTEND: SystemPurpose =
    SystemPurpose::writes("model_reservation_extend");
/// The purpose for which model calls are read whose process is gone.
pub(crate) const RESERVATION_SWEEP: SystemPurpose = SystemPurpose::reads("model_reservation_sweep");

/// The registration of this crate.
#[must_use]
pub fn registration() -> Registration {
    let settings = &[(Read, Viewer), (Update, Admin), (Delete, Admin)];
    let budget = &[
        (Read, Viewer),
        (Create, Admin),
        (Update, Admin),
        (Delete, Admin),
    ];
    Registration::new(env!("CARGO_PKG_NAME"))
        .resource(ResourcePolicy::new(PROVIDER_KEY, settings))
        .resource(ResourcePolicy::new(MODEL_SETTINGS, settings))
        .resource(ResourcePolicy::new(
            OWN_MODEL_DEFAULT,
            &[(Read, Viewer), (Update, Member)],
        ))
        .resource(ResourcePolicy::new(BUDGET, budget).id_prefix(BudgetId::PREFIX))
        .resource(ResourcePolicy::new(
            RUN_BUDGET,
            &[(Read, Viewer), (Update, Member)],
        ))
        .resource(ResourcePolicy::new(
            MODEL_CALL,
            &[(Read, Viewer), (Start, Member)],
        ))
        .purpose(RESERVATION_EXTEND)
        .purpose(RESERVATION_SWEEP)
}
