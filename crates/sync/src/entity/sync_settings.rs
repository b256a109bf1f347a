//! The table `sync_settings`.

use nyxcore_projects::SourceId;
use nyxcore_tenancy::TenantId;
use sea_orm::entity::prelude::*;

use crate::model::SyncTrigger;
use crate::remote::{OwnCredential, SyncSettings};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_settings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub source_id: SourceId,
    pub tenant_id: TenantId,
    pub connection_id: Option<Uuid>,
    pub credential: Option<OwnCredential>,
    pub schedule_minutes: Option<i64>,
    pub next_sync_at: Option<DateTimeUtc>,
    pub next_trigger: Option<SyncTrigger>,
    pub webhook_since: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);
impl nyxcore_tenancy::SystemScoped for Entity {}

impl From<Model> for SyncSettings {
    fn from(row: Model) -> Self {
        Self {
            source_id: row.source_id,
            connection_id: row.connection_id,
            own_credential: row.credential,
            schedule_minutes: row.schedule_minutes,
            next_sync_at: row.next_sync_at,
            next_trigger: row.next_trigger,
            webhook_since: row.webhook_since,
        }
    }
}
