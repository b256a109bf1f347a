//! The table `source_files`.

use nyxcore_tenancy::TenantId;
use sea_orm::entity::prelude::*;

use crate::model::{SourceFile, SourceFileId, SourceId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "source_files")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SourceFileId,
    pub tenant_id: TenantId,
    pub source_id: SourceId,
    pub path: String,
    pub blob: String,
    pub language: Option<String>,
    pub size: i64,
    pub commits: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);

impl From<Model> for SourceFile {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            source_id: row.source_id,
            path: row.path,
            blob: row.blob,
            language: row.language,
            size: row.size,
            commits: row.commits,
        }
    }
}
