//! The table `search_vectors`, without the column of pgvector, which hand-written statements write and compare.

use nyxcore_tenancy::{TenantId, tenant_scoped};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "search_vectors")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub model: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub dimensions: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub content_hash: String,
    pub created_at: DateTimeUtc,
    pub vector: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
tenant_scoped!(Entity, large: [Vector]);
