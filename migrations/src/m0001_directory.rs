//! Tenants, users, and their credentials.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbErr;

use crate::ddl::{CURRENT_TENANT, Ddl};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let ddl = Ddl::new(manager);
        ddl.table(
            "tenants",
            "id $uuid PRIMARY KEY,
             slug $text NOT NULL UNIQUE,
             name $text NOT NULL,
             created_at $time NOT NULL",
        )
        .await?;
        ddl.table(
            "users",
            "id $uuid PRIMARY KEY,
             email $text NOT NULL UNIQUE,
             name $text NOT NULL,
             created_at $time NOT NULL",
        )
        .await?;
        ddl.tenant_table(
            "memberships",
            "user_id $uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
             role $text NOT NULL CHECK (role IN ('OWNER', 'ADMIN', 'MEMBER', 'VIEWER')),
             created_at $time NOT NULL,
             PRIMARY KEY (tenant_id, user_id)",
        )
        .await?;
        ddl.run("CREATE INDEX memberships_user ON memberships (user_id)")
            .await?;
        ddl.tenant_table(
            "api_tokens",
            "id $uuid NOT NULL UNIQUE,
             user_id $uuid NOT NULL,
             name $text NOT NULL,
             prefix $text NOT NULL,
             secret_hash $bytes NOT NULL,
             role $text NOT NULL CHECK (role IN ('OWNER', 'ADMIN', 'MEMBER', 'VIEWER')),
             created_at $time NOT NULL,
             expires_at $time,
             last_used_at $time,
             revoked_at $time,
             PRIMARY KEY (tenant_id, id),
             FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE",
        )
        .await?;
        // These two tables have no `tenant_id`: a tenant may read its own row and its members.
        ddl.isolate("tenants", &format!("id = {CURRENT_TENANT}"))
            .await?;
        ddl.isolate(
            "users",
            &format!(
                "EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = users.id AND m.tenant_id = {CURRENT_TENANT})"
            ),
        )
        .await?;
        for table in ["tenants", "users", "memberships", "api_tokens"] {
            ddl.system_access(table).await?;
        }
        Ok(())
    }
}
