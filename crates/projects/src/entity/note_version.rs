//! The table `note_versions`: former texts of notes.

use nyxcore_tenancy::TenantId;
use sea_orm::entity::prelude::*;

use crate::model::{NoteId, NoteVersion, NoteVersionId, NoteVersionReason};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "note_versions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NoteVersionId,
    pub tenant_id: TenantId,
    pub note_id: NoteId,
    pub title: String,
    pub body: String,
    pub reason: NoteVersionReason,
    pub enrichment_id: Option<Uuid>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);

impl From<Model> for NoteVersion {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            note_id: row.note_id,
            title: row.title,
            body: row.body,
            reason: row.reason,
            enrichment_id: row.enrichment_id,
            created_at: row.created_at,
        }
    }
}
