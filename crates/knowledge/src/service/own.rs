//! The knowledge of one project alone, without that of the whole tenant.

use nyxcore_projects::ProjectId;
use nyxcore_tenancy::{Access, Page, PageRequest, Repository, Result, Scoped};
use sea_orm::{ColumnTrait, Condition};

use crate::entity::{insight, memory_entry};
use crate::model::{Insight, MemoryEntry};
use crate::repository::{Insights, MemoryEntries};

fn current_entries(project: ProjectId) -> Condition {
    use memory_entry::Column;
    Condition::all()
        .add(Column::ProjectId.eq(project))
        .add(Column::ArchivedAt.is_null())
        .add(Column::SupersededById.is_null())
}

fn current_insights(project: ProjectId) -> Condition {
    use insight::Column;
    Condition::all()
        .add(Column::ProjectId.eq(project))
        .add(Column::ArchivedAt.is_null())
}

/// A page of a project's own memory entries that are neither archived nor superseded, newest first.
///
/// # Errors
/// The database fails.
pub async fn own_memory_entries<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
    request: &PageRequest,
) -> Result<Page<MemoryEntry>> {
    MemoryEntries::list(scoped, current_entries(project), request).await
}

/// The number of those entries.
///
/// # Errors
/// The database fails.
pub async fn own_memory_entry_count<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
) -> Result<u64> {
    MemoryEntries::count(scoped, current_entries(project)).await
}

/// A page of a project's own insights that are not archived, newest first.
///
/// # Errors
/// The database fails.
pub async fn own_insights<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
    request: &PageRequest,
) -> Result<Page<Insight>> {
    Insights::list(scoped, current_insights(project), request).await
}

/// The number of those insights.
///
/// # Errors
/// The database fails.
pub async fn own_insight_count<A: Access>(scoped: &Scoped<A>, project: ProjectId) -> Result<u64> {
    Insights::count(scoped, current_insights(project)).await
}
