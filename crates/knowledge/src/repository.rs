//! The repositories: each table by id, and the lists for other crates.

use std::collections::HashMap;

use nyxcore_projects::ProjectId;
use nyxcore_tenancy::{
    Access, ChildList, Keyset, Page, PageRequest, Repository, Result, Scoped, pages_map, repository,
};
use sea_orm::sea_query::{Expr, IntoCondition};
use sea_orm::{ColumnTrait, Condition, EntityTrait};

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

/// The memory entries of a project and those of the whole tenant that are not archived, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProjectMemoryEntries;

impl ChildList for ProjectMemoryEntries {
    type Parent = ProjectId;
    type Item = MemoryEntry;

    async fn pages<A: Access>(
        &self,
        scoped: &Scoped<A>,
        projects: &[ProjectId],
        request: &PageRequest,
    ) -> Result<HashMap<ProjectId, Page<MemoryEntry>>> {
        let column = memory_entry::Column::ProjectId;
        let which = memory_entry::Column::ArchivedAt.is_null().into_condition();
        own_and_shared_pages::<MemoryEntries, A>(scoped, column, which, projects, request).await
    }

    async fn counts<A: Access>(
        &self,
        scoped: &Scoped<A>,
        projects: &[ProjectId],
    ) -> Result<HashMap<ProjectId, u64>> {
        let column = memory_entry::Column::ProjectId;
        let which = memory_entry::Column::ArchivedAt.is_null().into_condition();
        own_and_shared_counts::<MemoryEntries, A>(scoped, column, which, projects).await
    }
}

/// The insights of a project and those of the whole tenant, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProjectInsights;

impl ChildList for ProjectInsights {
    type Parent = ProjectId;
    type Item = Insight;

    async fn pages<A: Access>(
        &self,
        scoped: &Scoped<A>,
        projects: &[ProjectId],
        request: &PageRequest,
    ) -> Result<HashMap<ProjectId, Page<Insight>>> {
        let column = insight::Column::ProjectId;
        let all = Condition::all();
        own_and_shared_pages::<Insights, A>(scoped, column, all, projects, request).await
    }

    async fn counts<A: Access>(
        &self,
        scoped: &Scoped<A>,
        projects: &[ProjectId],
    ) -> Result<HashMap<ProjectId, u64>> {
        let column = insight::Column::ProjectId;
        let all = Condition::all();
        own_and_shared_counts::<Insights, A>(scoped, column, all, projects).await
    }
}

/// The consolidation patterns that were seen in a project and are not archived, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProjectConsolidationPatterns;

/// The links of patterns that are not archived. It is a scalar subquery and not EXISTS, for which PostgreSQL would join
/// the two tables and read all newer patterns of the tenant for one page of a project.
fn of_current_patterns() -> Expr {
    Expr::cust(
        "(SELECT pattern.archived_at IS NULL FROM consolidation_patterns AS pattern
          WHERE pattern.tenant_id = consolidation_pattern_projects.tenant_id
            AND pattern.id = consolidation_pattern_projects.consolidation_pattern_id)",
    )
}

impl ChildList for ProjectConsolidationPatterns {
    type Parent = ProjectId;
    type Item = ConsolidationPattern;

    async fn pages<A: Access>(
        &self,
        scoped: &Scoped<A>,
        projects: &[ProjectId],
        request: &PageRequest,
    ) -> Result<HashMap<ProjectId, Page<ConsolidationPattern>>> {
        use consolidation_pattern_project::{Column, Entity};
        let newest = Keyset::descending(Column::ConsolidationPatternId);
        let links = scoped.find::<Entity>().filter(of_current_patterns());
        let links = links
            .pages_by(Column::ProjectId, projects, newest, request)
            .await?;
        let ids = links.values().flat_map(|page| &page.items);
        let ids: Vec<_> = ids.map(|(_, link)| link.consolidation_pattern_id).collect();
        let patterns = ConsolidationPatterns::get_many(scoped, &ids).await?;
        let pattern = |link: consolidation_pattern_project::Model| {
            patterns.get(&link.consolidation_pattern_id).cloned()
        };
        let pages = links.into_iter();
        Ok(pages
            .map(|(project, page)| (project, page.filter_map(pattern)))
            .collect())
    }

    async fn counts<A: Access>(
        &self,
        scoped: &Scoped<A>,
        projects: &[ProjectId],
    ) -> Result<HashMap<ProjectId, u64>> {
        use consolidation_pattern_project::{Column, Entity};
        let links = scoped.find::<Entity>().filter(of_current_patterns());
        links.counts_by(Column::ProjectId, projects).await
    }
}

/// Pages of what belongs to each project, merged with what belongs to the whole tenant.
async fn own_and_shared_pages<R: Repository<Record: Clone>, A: Access>(
    scoped: &Scoped<A>,
    column: <R::Entity as EntityTrait>::Column,
    which: Condition,
    projects: &[ProjectId],
    request: &PageRequest,
) -> Result<HashMap<ProjectId, Page<R::Record>>> {
    let of_tenant = which.clone().add(column.is_null());
    let shared = R::list(scoped, of_tenant, request).await?;
    let own = scoped.find::<R::Entity>().filter(which);
    let own = own.pages_by(column, projects, Keyset::descending(R::KEY), request);
    let mut own: HashMap<ProjectId, Page<R::Record>> = pages_map(own.await?);
    let merged = projects.iter().map(|project| {
        let page = own.remove(project);
        let page = page.unwrap_or_else(|| Page::empty(request));
        (*project, page.merge_descending(shared.clone(), request))
    });
    Ok(merged.collect())
}

async fn own_and_shared_counts<R: Repository, A: Access>(
    scoped: &Scoped<A>,
    column: <R::Entity as EntityTrait>::Column,
    which: Condition,
    projects: &[ProjectId],
) -> Result<HashMap<ProjectId, u64>> {
    let shared = R::count(scoped, which.clone().add(column.is_null())).await?;
    let own = scoped.find::<R::Entity>().filter(which);
    let own = own.counts_by(column, projects).await?;
    let count = |project| own.get(project).copied().unwrap_or(0) + shared;
    Ok(projects
        .iter()
        .map(|project| (*project, count(project)))
        .collect())
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
