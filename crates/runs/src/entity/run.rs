//! The table `runs`.

use nyxcore_tenancy::{TenantId, UserId};
use sea_orm::entity::prelude::*;

use crate::model::{Progress, Run, RunError, RunId, RunKind, RunStatus};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "runs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RunId,
    pub tenant_id: TenantId,
    pub kind: RunKind,
    pub subject: String,
    pub status: RunStatus,
    pub project_id: Option<Uuid>,
    pub started_by: Option<UserId>,
    #[sea_orm(column_type = "JsonBinary")]
    pub input: Json,
    pub attempt: i64,
    pub max_attempts: i64,
    pub handed_back: i64,
    pub priority: i64,
    pub available_at: DateTimeUtc,
    pub claimed_at: Option<DateTimeUtc>,
    pub worker: Option<Uuid>,
    pub lease_expires_at: Option<DateTimeUtc>,
    pub cancel_requested: bool,
    pub event_count: i64,
    pub log_expired: bool,
    pub phase: Option<String>,
    pub progress_done: i64,
    pub progress_total: Option<i64>,
    pub progress_unit: Option<String>,
    pub progress_bytes_done: Option<i64>,
    pub progress_bytes_total: Option<i64>,
    pub progress_at: DateTimeUtc,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub created_at: DateTimeUtc,
    pub started_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);
impl nyxcore_tenancy::SystemScoped for Entity {}

impl From<Model> for Run {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            subject: row.subject,
            status: row.status,
            project_id: row.project_id,
            started_by: row.started_by,
            input: row.input,
            attempt: row.attempt,
            event_count: row.event_count,
            progress: row.phase.map(|phase| Progress {
                phase,
                done: row.progress_done,
                total: row.progress_total,
                unit: row.progress_unit,
                bytes_done: row.progress_bytes_done,
                bytes_total: row.progress_bytes_total,
            }),
            error: row.error_code.map(|code| RunError {
                code,
                message: row.error_message.unwrap_or_default(),
            }),
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        }
    }
}
