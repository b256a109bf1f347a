//! The repository of consolidations, by run.

use nyxcore_runs::RunId;
use nyxcore_tenancy::{Access, Result, Scoped, repository};
use sea_orm::ColumnTrait;

use crate::entity::consolidation;
use crate::model::{Consolidation, Draft};

repository! {
    /// Consolidations of a tenant, by the ids of their runs.
    pub Consolidations: consolidation => Consolidation, RunId = run_id: RunId
}

/// The draft of a consolidation: the model's answer, where an earlier attempt stored one.
pub(crate) async fn draft_get<A: Access>(scoped: &Scoped<A>, id: RunId) -> Result<Option<Draft>> {
    use consolidation::{Column, Entity};
    let rows = scoped.find::<Entity>().filter(Column::RunId.eq(id));
    let row = rows.one().await?;
    Ok(row.and_then(|row| row.draft).map(|draft| draft.0))
}
