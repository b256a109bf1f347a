//! The settings row of each source that was ever synced or configured.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use nyxcore_projects::SourceId;
use nyxcore_tenancy::{Access, ReadWrite, Repository, Result, Scoped, repository};
use sea_orm::ActiveValue::Set;
use sea_orm::{DeriveActiveEnum, EnumIter};
use uuid::Uuid;

use crate::entity::sync_settings;
use crate::model::SyncTrigger;

/// The kind of a source's own credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
pub enum OwnCredential {
    /// A user name with a token.
    Token,
    /// An SSH key.
    SshKey,
}

/// The settings of a source's syncs. They contain no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncSettings {
    /// The source.
    pub source_id: SourceId,
    /// The git connection whose token is used, if the source has no credential of its own.
    pub connection_id: Option<Uuid>,
    /// The kind of its own credential.
    pub own_credential: Option<OwnCredential>,
    /// Minutes between two syncs, if it has a schedule.
    pub schedule_minutes: Option<i64>,
    /// When the scheduler starts the next sync.
    pub next_sync_at: Option<DateTime<Utc>>,
    /// The trigger of that sync.
    pub next_trigger: Option<SyncTrigger>,
    /// When the webhook was enabled.
    pub webhook_since: Option<DateTime<Utc>>,
}

repository! {
    /// The settings of sources. A source that was never configured or synced has no row.
    pub(crate) SettingsRows: sync_settings => SyncSettings, SourceId = source_id: SourceId
}

/// The settings of each of those sources. A source that was never configured or synced is not in the map.
///
/// # Errors
/// The database fails.
pub async fn sync_settings_of<A: Access>(
    scoped: &Scoped<A>,
    sources: &[SourceId],
) -> Result<HashMap<SourceId, SyncSettings>> {
    SettingsRows::get_many(scoped, sources).await
}

/// Creates the source's row if it is missing. While the row exists, the source's mirror may be on a disk.
pub(crate) async fn sync_settings_ensure(
    scoped: &Scoped<ReadWrite>,
    source: SourceId,
) -> Result<()> {
    let row = sync_settings::ActiveModel {
        source_id: Set(source),
        ..Default::default()
    };
    let key = [sync_settings::Column::SourceId];
    scoped.upsert_all(vec![row], &key, &[]).await
}

/// Updates the given columns of the source's row, which is created if it is missing.
pub(crate) async fn settings_change(
    scoped: &Scoped<ReadWrite>,
    source: SourceId,
    changes: sync_settings::ActiveModel,
) -> Result<SyncSettings> {
    sync_settings_ensure(scoped, source).await?;
    SettingsRows::update(scoped, source, changes).await
}
