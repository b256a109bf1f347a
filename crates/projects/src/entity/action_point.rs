//! The table `action_points`.

use nyxcore_retrieval::Citation;
use nyxcore_tenancy::TenantId;
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::model::{ActionPoint, ActionPointId, ActionPointStatus, NoteId};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "action_points")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ActionPointId,
    pub tenant_id: TenantId,
    pub note_id: NoteId,
    pub enrichment_id: Option<Uuid>,
    pub text: String,
    pub status: ActionPointStatus,
    #[sea_orm(column_type = "JsonBinary")]
    pub citations: Citations,
    pub accepted_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// The column of citations, a JSON array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Citations(pub Vec<Citation>);

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);

impl From<Model> for ActionPoint {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            note_id: row.note_id,
            enrichment_id: row.enrichment_id,
            text: row.text,
            status: row.status,
            citations: row.citations.0,
            accepted_at: row.accepted_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
