//! Remotes: GitHub connections, and the sync settings of sources.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbErr;

use crate::ddl::Ddl;

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let ddl = Ddl::new(manager);
        // The token is a sealed secret, bound to the connection's id.
        ddl.tenant_table(
            "git_connections",
            "id $uuid NOT NULL,
             name $text NOT NULL,
             base_url $text NOT NULL,
             created_by $uuid REFERENCES users (id) ON DELETE SET NULL,
             created_at $time NOT NULL,
             updated_at $time NOT NULL,
             PRIMARY KEY (tenant_id, id),
             UNIQUE (tenant_id, name)",
        )
        .await?;
        // A row for each source that was ever synced or configured: while the row exists, its mirror may be on disk.
        // `next_sync_at` is when the scheduler starts the next sync, whether a schedule or a push requested it.
        ddl.tenant_table(
            "sync_settings",
            "source_id $uuid NOT NULL,
             connection_id $uuid,
             credential $text CHECK (credential IN ('TOKEN', 'SSH_KEY')),
             schedule_minutes $int,
             next_sync_at $time,
             next_trigger $text CHECK (next_trigger IN ('SCHEDULE', 'WEBHOOK')),
             webhook_since $time,
             PRIMARY KEY (tenant_id, source_id),
             FOREIGN KEY (tenant_id, source_id) REFERENCES sources (tenant_id, id) ON DELETE CASCADE,
             FOREIGN KEY (tenant_id, connection_id) REFERENCES git_connections (tenant_id, id)",
        )
        .await?;
        ddl.run("CREATE INDEX sync_settings_due ON sync_settings (next_sync_at) WHERE next_sync_at IS NOT NULL")
            .await?;
        ddl.run(
            "CREATE INDEX sync_settings_connection ON sync_settings (tenant_id, connection_id)",
        )
        .await?;
        ddl.system_access("sync_settings").await?;
        // Known deliveries, which are ignored if they are sent again.
        ddl.tenant_table(
            "webhook_deliveries",
            "source_id $uuid NOT NULL,
             delivery $text NOT NULL,
             received_at $time NOT NULL,
             PRIMARY KEY (tenant_id, source_id, delivery),
             FOREIGN KEY (tenant_id, source_id) REFERENCES sources (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        ddl.run("CREATE INDEX webhook_deliveries_received ON webhook_deliveries (tenant_id, received_at)")
            .await
    }
}
