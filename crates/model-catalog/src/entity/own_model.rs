//! The table `tenant_models`.

use nyxcore_tenancy::TenantId;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tenant_models")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub model_id: String,
    pub provider: String,
    pub wire_id: String,
    pub name: String,
    pub mode: String,
    pub context_window: Option<i64>,
    pub max_output_tokens: Option<i64>,
    pub input_nanousd_per_mtok: i64,
    pub output_nanousd_per_mtok: i64,
    pub cache_read_nanousd_per_mtok: Option<i64>,
    pub cache_write_nanousd_per_mtok: Option<i64>,
    pub dimensions: Option<i64>,
    pub capabilities: Json,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);
