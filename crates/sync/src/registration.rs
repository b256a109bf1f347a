//! The entries of this crate in the [registry](nyxcore_tenancy::Registry): syncs, and the credentials and connections
//! of sources.

use nyxcore_projects::SourceId;
use nyxcore_runs::{RunId, RunKind};
use nyxcore_tenancy::{
    Action::*, Registration, Resource, ResourcePolicy, Role::*, SystemPurpose, TypedId,
};

/// Connections to servers that list repositories, such as GitHub, with their tokens.
pub const GIT_CONNECTION: Resource = Resource::new("git_connection");
/// The secrets of a source: its token or key, and the secret of its webhook.
pub const SOURCE_SECRET: Resource = Resource::new("source_secret");
/// Syncs.
pub const SYNC: Resource = Resource::new("sync");

/// The kind of runs that are syncs.
pub const SYNC_RUN: RunKind = RunKind::new("SYNC");

/// The scheduler looks for sources whose next sync is due.
pub(crate) const SYNC_SCHEDULE: SystemPurpose = SystemPurpose::reads("sync_schedule");
/// Compares the mirrors on a disk with the existing sources.
pub(crate) const MIRROR_SWEEP: SystemPurpose = SystemPurpose::reads("mirror_sweep");

/// The registration of this crate.
#[must_use]
pub fn registration() -> Registration {
    Registration::new(env!("CARGO_PKG_NAME"))
        .requires("nyxcore-projects")
        .requires("nyxcore-runs")
        .resource(ResourcePolicy::new(
            GIT_CONNECTION,
            &[
                (Read, Viewer),
                (Create, Admin),
                (Update, Admin),
                (Delete, Admin),
                (Import, Member),
            ],
        ))
        .resource(
            ResourcePolicy::new(
                SOURCE_SECRET,
                &[(Read, Viewer), (Update, Member), (Delete, Member)],
            )
            .id_prefix(SourceId::PREFIX),
        )
        .resource(
            ResourcePolicy::new(SYNC, &[(Read, Viewer), (Start, Member)]).id_prefix(RunId::PREFIX),
        )
        .run_kind(SYNC_RUN)
        .purpose(SYNC_SCHEDULE)
        .purpose(MIRROR_SWEEP)
}
