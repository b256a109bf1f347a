//! The repository of enrichments, by run and by note.

use std::collections::HashMap;

use nyxcore_projects::NoteId;
use nyxcore_runs::RunId;
use nyxcore_tenancy::{Access, Repository, Result, Scoped, child_list, repository};
use sea_orm::ColumnTrait;

use crate::entity::note_enrichment;
use crate::model::{Draft, NoteEnrichment};

repository! {
    /// Enrichments of a tenant's notes.
    pub NoteEnrichments: note_enrichment => NoteEnrichment, RunId = run_id: RunId
}

child_list! {
    /// The enrichments of a note, newest first.
    pub NoteEnrichmentList: NoteEnrichments, note_enrichment.NoteId: NoteId
}

/// The enrichment of a run, if the tenant has it and it is one.
///
/// # Errors
/// The database fails.
pub async fn enrichment_get<A: Access>(
    scoped: &Scoped<A>,
    id: RunId,
) -> Result<Option<NoteEnrichment>> {
    NoteEnrichments::get(scoped, id).await
}

/// The enrichments of those runs, in one statement. A run that is no enrichment is not in the map.
///
/// # Errors
/// The database fails.
pub async fn enrichment_details<A: Access>(
    scoped: &Scoped<A>,
    ids: &[RunId],
) -> Result<HashMap<RunId, NoteEnrichment>> {
    NoteEnrichments::get_many(scoped, ids).await
}

/// The draft of an enrichment: the model's answer, where an earlier attempt stored one.
pub(crate) async fn draft_get<A: Access>(scoped: &Scoped<A>, id: RunId) -> Result<Option<Draft>> {
    use note_enrichment::{Column, Entity};
    let rows = scoped.find::<Entity>().filter(Column::RunId.eq(id));
    let row = rows.one().await?;
    Ok(row.and_then(|row| row.draft).map(|draft| draft.0))
}
