//! Syncs by id, by source and by project.

use std::collections::HashMap;

use nyxcore_projects::{ProjectId, SourceId, sources_of};
use nyxcore_runs::{RunId, Runs};
use nyxcore_tenancy::{
    Access, ChildList, Page, PageRequest, Repository, Result, Scoped, repository,
};
use sea_orm::ColumnTrait;
use sea_orm::sea_query::Expr;

use crate::entity::sync;
use crate::model::{Sync, SyncDetail};

repository! {
    /// The rows of syncs, beside their runs.
    pub Syncs: sync => SyncDetail, RunId = run_id: RunId
}

/// The sync with that id.
///
/// # Errors
/// The database fails.
pub async fn sync_get<A: Access>(scoped: &Scoped<A>, id: RunId) -> Result<Option<Sync>> {
    let found = Syncs::get(scoped, id).await?;
    Ok(with_runs(scoped, found.into_iter().collect()).await?.pop())
}

/// The rows of those syncs. The id of a run of another kind is not in the map.
///
/// # Errors
/// The database fails.
pub async fn sync_details<A: Access>(
    scoped: &Scoped<A>,
    ids: &[RunId],
) -> Result<HashMap<RunId, SyncDetail>> {
    Syncs::get_many(scoped, ids).await
}

/// The syncs of a source, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SourceSyncs;

impl ChildList for SourceSyncs {
    type Parent = SourceId;
    type Item = Sync;

    async fn pages<A: Access>(
        &self,
        scoped: &Scoped<A>,
        sources: &[SourceId],
        request: &PageRequest,
    ) -> Result<HashMap<SourceId, Page<Sync>>> {
        let pages = Syncs::pages_by(scoped, sync::Column::SourceId, sources, request).await?;
        let details = pages.values().flat_map(|page| &page.items);
        let ids: Vec<RunId> = details.map(|(_, detail)| detail.run_id).collect();
        let runs = Runs::get_many(scoped, &ids).await?;
        let sync = |detail: SyncDetail| {
            let run = runs.get(&detail.run_id)?.clone();
            Some(Sync { run, detail })
        };
        let pages = pages.into_iter();
        Ok(pages
            .map(|(source, page)| (source, page.filter_map(sync)))
            .collect())
    }

    async fn counts<A: Access>(
        &self,
        scoped: &Scoped<A>,
        sources: &[SourceId],
    ) -> Result<HashMap<SourceId, u64>> {
        Syncs::counts_by(scoped, sync::Column::SourceId, sources).await
    }
}

/// The newest sync of a source.
///
/// # Errors
/// The database fails.
pub async fn sync_latest<A: Access>(scoped: &Scoped<A>, source: SourceId) -> Result<Option<Sync>> {
    Ok(sync_latest_of_sources(scoped, &[source])
        .await?
        .remove(&source))
}

/// The newest sync of each of those sources. A source without a sync is not in the map.
///
/// # Errors
/// The database fails.
pub async fn sync_latest_of_sources<A: Access>(
    scoped: &Scoped<A>,
    sources: &[SourceId],
) -> Result<HashMap<SourceId, Sync>> {
    const NEWEST: &str = "NOT EXISTS (SELECT 1 FROM syncs AS later WHERE later.tenant_id = syncs.tenant_id \
                          AND later.source_id = syncs.source_id AND later.run_id > syncs.run_id)";
    let rows = scoped
        .find_in::<sync::Entity, _>(sync::Column::SourceId, sources.iter().copied())
        .filter(Expr::cust(NEWEST))
        .all()
        .await?;
    let details = rows.into_iter().map(SyncDetail::from).collect();
    let syncs = with_runs(scoped, details).await?;
    Ok(syncs
        .into_iter()
        .map(|sync| (sync.detail.source_id, sync))
        .collect())
}

/// The newest sync of any source of each of those projects. A project without a sync is not in the map.
///
/// # Errors
/// The database fails.
pub async fn sync_latest_of_projects<A: Access>(
    scoped: &Scoped<A>,
    projects: &[ProjectId],
) -> Result<HashMap<ProjectId, Sync>> {
    let sources = sources_of(scoped, projects).await?;
    let ids: Vec<SourceId> = sources.values().flatten().map(|source| source.id).collect();
    let mut latest = sync_latest_of_sources(scoped, &ids).await?;
    Ok(sources
        .into_iter()
        .filter_map(|(project, sources)| {
            // Ids are ordered by time.
            let syncs = sources
                .iter()
                .filter_map(|source| latest.remove(&source.id));
            Some((project, syncs.max_by_key(|sync| sync.run.id)?))
        })
        .collect())
}

/// The last sync of a source, other than `but`, that moved its files to a commit, whatever its outcome.
pub(crate) async fn sync_applied_before<A: Access>(
    scoped: &Scoped<A>,
    source: SourceId,
    but: RunId,
) -> Result<Option<SyncDetail>> {
    let row = scoped
        .find::<sync::Entity>()
        .filter(
            sea_orm::Condition::all()
                .add(sync::Column::SourceId.eq(source))
                .add(sync::Column::RunId.ne(but))
                .add(sync::Column::ToCommit.is_not_null()),
        )
        .order_by_desc(sync::Column::RunId)
        .limit(1)
        .one()
        .await?;
    Ok(row.map(SyncDetail::from))
}

/// The syncs in the same order, each with its run. The run exists: a sync's row refers to it.
async fn with_runs<A: Access>(scoped: &Scoped<A>, details: Vec<SyncDetail>) -> Result<Vec<Sync>> {
    let ids: Vec<RunId> = details.iter().map(|detail| detail.run_id).collect();
    let mut runs = Runs::get_many(scoped, &ids).await?;
    Ok(details
        .into_iter()
        .filter_map(|detail| {
            let run = runs.remove(&detail.run_id)?;
            Some(Sync { run, detail })
        })
        .collect())
}
