//! The entries of this crate in the [registry](nyxcore_tenancy::Registry): the resource of all runs, and the system
//! purposes of workers, which poll the runs of all tenants.

use nyxcore_tenancy::{
    Action::*, Registration, Resource, ResourcePolicy, Role::*, SystemPurpose, TypedId,
};

use crate::model::RunId;

/// Runs of any kind.
pub const RUN: Resource = Resource::new("run");

/// A worker looks for the next run.
pub(crate) const RUN_CLAIM: SystemPurpose = SystemPurpose::writes("run_claim");
/// A worker checks whether one of its runs is to stop.
pub(crate) const RUN_CANCEL: SystemPurpose = SystemPurpose::reads("run_cancel");
/// The sweeper looks for runs whose worker is gone.
pub(crate) const RUN_SWEEP: SystemPurpose = SystemPurpose::reads("run_sweep");
/// Deletes the logs of old runs.
pub(crate) const RUN_EXPIRE: SystemPurpose = SystemPurpose::reads("run_expire");
/// Counts waiting and running runs, for the operator's metrics.
pub(crate) const RUN_CENSUS: SystemPurpose = SystemPurpose::reads("run_census");

/// The registration of this crate. The crate that carries out a kind of run registers that kind.
#[must_use]
pub fn registration() -> Registration {
    let run = ResourcePolicy::new(RUN, &[(Read, Viewer), (Cancel, Member)]);
    Registration::new(env!("CARGO_PKG_NAME"))
        .resource(run.id_prefix(RunId::PREFIX))
        .purpose(RUN_CLAIM)
        .purpose(RUN_CANCEL)
        .purpose(RUN_SWEEP)
        .purpose(RUN_EXPIRE)
        .purpose(RUN_CENSUS)
}
