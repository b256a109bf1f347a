//! The table `glossary_terms`.

use nyxcore_tenancy::TenantId;
use sea_orm::entity::prelude::*;

use crate::term::TermId;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "glossary_terms")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TermId,
    pub tenant_id: TenantId,
    pub word: String,
    pub meaning: String,
    pub is_reviewed: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);
