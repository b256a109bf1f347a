//! The repositories: every table by id, and the lists that the other crates ask for.

use std::collections::HashMap;

use nyxcore_projects::ProjectId;
use nyxcore_tenancy::{Access, Page, PageRequest, Repository, Result, Scoped, repository};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, Condition};

use crate::entity::{consolidation_pattern, consolidation_pattern_project, insight, memory_entry};
use crate::model::{
    ConsolidationPattern, ConsolidationPatternId, Insight, InsightId, MemoryEntry, MemoryEntryId,
};

repository! {
    /// Memory entries of a tenant.
    pub MemoryEntries: memory_entry => MemoryEntry, Id = id: MemoryEntryId
}

repository! {
    /// Insights of a tenant.
    pub Insights: insight => Insight, Id = id: InsightId
}

repository! {
    /// Consolidation patterns of a tenant.
    pub ConsolidationPatterns: consolidation_pattern => ConsolidationPattern, Id = id: ConsolidationPatternId
}

/// One page of a project's memory entries and those of the whole tenant, newest first; without a project, of every entry.
///
/// # Errors
/// The database fails.
pub async fn memory_entry_list<A: Access>(
    scoped: &Scoped<A>,
    project: Option<ProjectId>,
    page: &PageRequest,
) -> Result<Page<MemoryEntry>> {
    MemoryEntries::list(
        scoped,
        of_project(memory_entry::Column::ProjectId, project),
        page,
    )
    .await
}

/// How many memory entries [`memory_entry_list`] has in all.
///
/// # Errors
/// The database fails.
pub async fn memory_entry_count<A: Access>(
    scoped: &Scoped<A>,
    project: Option<ProjectId>,
) -> Result<u64> {
    MemoryEntries::count(scoped, of_project(memory_entry::Column::ProjectId, project)).await
}

/// One page of a project's insights and those of the whole tenant, newest first; without a project, of every insight.
///
/// # Errors
/// The database fails.
pub async fn insight_list<A: Access>(
    scoped: &Scoped<A>,
    project: Option<ProjectId>,
    page: &PageRequest,
) -> Result<Page<Insight>> {
    Insights::list(
        scoped,
        of_project(insight::Column::ProjectId, project),
        page,
    )
    .await
}

/// How many insights [`insight_list`] has in all.
///
/// # Errors
/// The database fails.
pub async fn insight_count<A: Access>(
    scoped: &Scoped<A>,
    project: Option<ProjectId>,
) -> Result<u64> {
    Insights::count(scoped, of_project(insight::Column::ProjectId, project)).await
}

/// One page of the consolidation patterns that were seen in a project, newest first; without a project, of every pattern.
///
/// # Errors
/// The database fails.
pub async fn consolidation_pattern_list<A: Access>(
    scoped: &Scoped<A>,
    project: Option<ProjectId>,
    page: &PageRequest,
) -> Result<Page<ConsolidationPattern>> {
    ConsolidationPatterns::list(scoped, seen_in(scoped, project), page).await
}

/// How many consolidation patterns [`consolidation_pattern_list`] has in all.
///
/// # Errors
/// The database fails.
pub async fn consolidation_pattern_count<A: Access>(
    scoped: &Scoped<A>,
    project: Option<ProjectId>,
) -> Result<u64> {
    ConsolidationPatterns::count(scoped, seen_in(scoped, project)).await
}

/// The projects in which each of those patterns was seen, oldest first. A pattern without any is not in the map.
///
/// # Errors
/// The database fails.
pub async fn consolidation_pattern_projects<A: Access>(
    scoped: &Scoped<A>,
    patterns: &[ConsolidationPatternId],
) -> Result<HashMap<ConsolidationPatternId, Vec<ProjectId>>> {
    use consolidation_pattern_project::{Column, Entity};
    let mut projects: HashMap<_, Vec<_>> = HashMap::new();
    let rows = scoped
        .find_in::<Entity, _>(Column::ConsolidationPatternId, patterns.iter().copied())
        .order_by_asc(Column::ProjectId)
        .all()
        .await?;
    for row in rows {
        projects
            .entry(row.consolidation_pattern_id)
            .or_default()
            .push(row.project_id);
    }
    Ok(projects)
}

fn of_project(column: impl ColumnTrait, project: Option<ProjectId>) -> Condition {
    match project {
        Some(project) => Condition::any()
            .add(column.eq(project))
            .add(column.is_null()),
        None => Condition::all(),
    }
}

fn seen_in<A: Access>(scoped: &Scoped<A>, project: Option<ProjectId>) -> Condition {
    use consolidation_pattern_project::{Column, Entity};
    let Some(project) = project else {
        return Condition::all();
    };
    let seen = Query::select()
        .column(Column::ConsolidationPatternId)
        .from(Entity)
        .and_where(Column::TenantId.eq(scoped.tenant()))
        .and_where(Column::ProjectId.eq(project))
        .take();
    Condition::all().add(consolidation_pattern::Column::Id.in_subquery(seen))
}
