//! The table `model_reservations`.

use nyxcore_tenancy::{TenantId, UserId};
use sea_orm::entity::prelude::*;

use crate::ledger::{KeySource, ModelCallId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "model_reservations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ModelCallId,
    pub owner: Uuid,
    pub started_at: DateTimeUtc,
    pub deadline_at: DateTimeUtc,
    pub user_id: Option<UserId>,
    pub project_id: Option<Uuid>,
    pub purpose: String,
    pub run_id: Option<Uuid>,
    pub step: Option<String>,
    pub provider: String,
    pub model_asked: String,
    pub model: String,
    pub key_source: KeySource,
    pub amount_nanousd: i64,
    pub budgets: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);
impl nyxcore_tenancy::SystemScoped for Entity {}
