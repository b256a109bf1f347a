//! The table `hotspots`.

use nyxcore_code_engine::project::Hotspot;
use nyxcore_projects::{ProjectId, SourceId};
use nyxcore_tenancy::TenantId;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "hotspots")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: ProjectId,
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    pub path: String,
    pub source_id: Option<SourceId>,
    pub commits: i64,
    pub complexity: i64,
    pub score: f64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);

impl From<Model> for Hotspot {
    fn from(row: Model) -> Self {
        Self {
            path: row.path,
            source_id: row.source_id.map(|source| source.to_string()),
            commits: u32::try_from(row.commits).unwrap_or(u32::MAX),
            complexity: u32::try_from(row.complexity).unwrap_or(u32::MAX),
            score: row.score,
        }
    }
}
