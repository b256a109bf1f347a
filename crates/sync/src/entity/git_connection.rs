//! The table `git_connections`.

use nyxcore_tenancy::{TenantId, UserId};
use sea_orm::entity::prelude::*;

use crate::connection::{GitConnection, GitConnectionId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "git_connections")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: GitConnectionId,
    pub tenant_id: TenantId,
    pub name: String,
    pub base_url: String,
    pub created_by: Option<UserId>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);

impl From<Model> for GitConnection {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            name: row.name,
            base_url: row.base_url,
            created_by: row.created_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
