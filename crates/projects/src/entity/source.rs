//! The table `sources`.

use nyxcore_tenancy::TenantId;
use sea_orm::entity::prelude::*;

use crate::model::{ProjectId, Source, SourceId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sources")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SourceId,
    pub tenant_id: TenantId,
    pub project_id: ProjectId,
    pub url: String,
    pub branch: Option<String>,
    pub scan_path: String,
    pub head_commit: Option<String>,
    pub last_synced_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);

impl From<Model> for Source {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            project_id: row.project_id,
            url: row.url,
            branch: row.branch,
            scan_path: row.scan_path,
            head_commit: row.head_commit,
            last_synced_at: row.last_synced_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
