//! The table `audit_entries`.

use sea_orm::entity::prelude::*;

use crate::model::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditEntryId,
    pub at: DateTimeUtc,
    pub actor: String,
    pub user_id: Option<UserId>,
    pub token_id: Option<ApiTokenId>,
    pub session_id: Option<SessionId>,
    pub action: String,
    pub subject_kind: Option<String>,
    pub subject_id: Option<Uuid>,
    pub outcome: String,
    pub address: Option<String>,
    pub request_id: Option<String>,
    pub detail: Option<Json>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
crate::tenant_scoped!(Entity);
