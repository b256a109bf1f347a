//! The table `source_history`. The commits are stored in the postcard format, because only this crate reads them and
//! no SQL does.

use nyxcore_tenancy::TenantId;
use sea_orm::entity::prelude::*;

use crate::model::SourceId;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "source_history")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub source_id: SourceId,
    pub tenant_id: TenantId,
    pub commits: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);
