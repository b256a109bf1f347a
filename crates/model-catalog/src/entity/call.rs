//! The table `model_calls`.

use nyxcore_tenancy::{TenantId, UserId};
use sea_orm::entity::prelude::*;

use crate::ledger::{CallOutcome, KeySource, ModelCallId, TokenSource};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "model_calls")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ModelCallId,
    pub started_at: DateTimeUtc,
    pub user_id: Option<UserId>,
    pub project_id: Option<Uuid>,
    pub purpose: String,
    pub run_id: Option<Uuid>,
    pub step: Option<String>,
    pub provider: String,
    pub model_asked: String,
    pub model: String,
    pub model_answered: Option<String>,
    pub key_source: KeySource,
    pub outcome: CallOutcome,
    pub finish_reason: Option<String>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub note: Option<String>,
    pub attempts: i64,
    pub input_tokens: i64,
    pub cache_read_tokens: i64,
    pub cache_write_tokens: i64,
    pub cache_write_long_tokens: i64,
    pub output_tokens: i64,
    pub reasoning_tokens: i64,
    pub usage_source: TokenSource,
    pub cost_nanousd: i64,
    pub reserved_nanousd: i64,
    pub first_token_ms: Option<i64>,
    pub duration_ms: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);
