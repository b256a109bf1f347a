//! The entries of this crate in the [registry](nyxcore_tenancy::Registry): memory entries, insights and consolidation
//! patterns.

use nyxcore_tenancy::{Action::*, Registration, Resource, ResourcePolicy, Role::*, TypedId};

use crate::model::{ConsolidationPatternId, MemoryEntryId};

/// Memory entries.
pub const MEMORY_ENTRY: Resource = Resource::new("memory_entry");
/// Insights.
pub const INSIGHT: Resource = Resource::new("insight");
/// Consolidation patterns.
pub const CONSOLIDATION_PATTERN: Resource = Resource::new("consolidation_pattern");

/// The registration of this crate.
#[must_use]
pub fn registration() -> Registration {
    Registration::new(env!("CARGO_PKG_NAME"))
        .requires("nyxcore-projects")
        .resource(
            ResourcePolicy::new(
                MEMORY_ENTRY,
                &[
                    (Read, Viewer),
                    (Create, Member),
                    (Update, Member),
                    (Import, Member),
                ],
            )
            .id_prefix(MemoryEntryId::PREFIX),
        )
        .resource(ResourcePolicy::new(
            INSIGHT,
            &[(Read, Viewer), (Create, Member), (Update, Member)],
        ))
        .resource(
            ResourcePolicy::new(
                CONSOLIDATION_PATTERN,
                &[(Read, Viewer), (Create, Member), (Update, Member)],
            )
            .id_prefix(ConsolidationPatternId::PREFIX),
        )
}
