//! The table `templates`: the texts that tenants use instead of the built-in ones.

use nyxcore_tenancy::{TenantId, UserId};
use sea_orm::entity::prelude::*;

use crate::model::TemplateOverride;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "templates")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub tenant_id: TenantId,
    pub text: String,
    pub version: i64,
    pub built_in_version: i64,
    pub updated_by: Option<UserId>,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);

impl From<Model> for TemplateOverride {
    fn from(row: Model) -> Self {
        Self {
            name: row.name,
            text: row.text,
            version: row.version,
            built_in_version: row.built_in_version,
            updated_by: row.updated_by,
            updated_at: row.updated_at,
        }
    }
}
