//! The table `run_attempts`.

use nyxcore_tenancy::TenantId;
use sea_orm::entity::prelude::*;

use crate::attempt::AttemptOutcome;
use crate::model::RunId;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "run_attempts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: RunId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub attempt: i64,
    pub tenant_id: TenantId,
    pub worker: Uuid,
    pub worker_name: String,
    pub started_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
    pub outcome: Option<AttemptOutcome>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    #[sea_orm(column_type = "JsonBinary")]
    pub phases: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);
impl nyxcore_tenancy::SystemScoped for Entity {}
