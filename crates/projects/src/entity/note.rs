//! The table `notes`.

use nyxcore_tenancy::{TenantId, UserId};
use sea_orm::entity::prelude::*;

use crate::model::{Note, NoteId, ProjectId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NoteId,
    pub tenant_id: TenantId,
    pub project_id: ProjectId,
    pub title: String,
    pub body: String,
    pub created_by: Option<UserId>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity, large: [Body]);

impl From<Model> for Note {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            project_id: row.project_id,
            title: row.title,
            body: row.body,
            created_by: row.created_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
