//! The table `syncs`.

use nyxcore_projects::SourceId;
use nyxcore_runs::RunId;
use nyxcore_tenancy::TenantId;
use sea_orm::entity::prelude::*;

use crate::model::{SyncDetail, SyncTrigger};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "syncs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: RunId,
    pub tenant_id: TenantId,
    pub source_id: SourceId,
    pub trigger_kind: SyncTrigger,
    pub previous_sync_id: Option<RunId>,
    pub from_commit: Option<String>,
    pub to_commit: Option<String>,
    pub files_added: i64,
    pub files_updated: i64,
    pub files_deleted: i64,
    pub files_renamed: i64,
    pub files_unchanged: i64,
    pub files_skipped: i64,
    pub bytes_fetched: i64,
    pub blob_bytes_max: i64,
    #[sea_orm(column_type = "JsonBinary")]
    pub phases_done: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);

impl From<Model> for SyncDetail {
    fn from(row: Model) -> Self {
        Self {
            run_id: row.run_id,
            source_id: row.source_id,
            trigger: row.trigger_kind,
            previous_sync_id: row.previous_sync_id,
            from_commit: row.from_commit,
            to_commit: row.to_commit,
            files_added: row.files_added,
            files_updated: row.files_updated,
            files_deleted: row.files_deleted,
            files_renamed: row.files_renamed,
            files_unchanged: row.files_unchanged,
            files_skipped: row.files_skipped,
            bytes_fetched: row.bytes_fetched,
            blob_bytes_max: row.blob_bytes_max,
            phases_done: names(&row.phases_done),
        }
    }
}

fn names(list: &Json) -> Vec<String> {
    let names = list.as_array().into_iter().flatten();
    names
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}
