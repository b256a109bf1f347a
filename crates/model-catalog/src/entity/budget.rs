//! The table `budgets`.

use nyxcore_tenancy::{TenantId, UserId};
use sea_orm::entity::prelude::*;

use crate::budget::{BudgetEnforcement, BudgetId, BudgetPeriod, BudgetScope};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "budgets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BudgetId,
    pub scope: BudgetScope,
    pub project_id: Option<Uuid>,
    pub user_id: Option<UserId>,
    pub purpose: Option<String>,
    pub period: BudgetPeriod,
    pub enforcement: BudgetEnforcement,
    pub limit_nanousd: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);
