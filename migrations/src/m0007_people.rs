//! Invitations into a tenant.

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
        // The inviting and the accepting user may have left: their ids stay, as in a log.
        ddl.tenant_table(
            "invitations",
            "id $uuid NOT NULL UNIQUE,
             email $text NOT NULL,
             role $text NOT NULL CHECK (role IN ('OWNER', 'ADMIN', 'MEMBER', 'VIEWER')),
             secret_hash $bytes NOT NULL,
             invited_by $uuid,
             created_at $time NOT NULL,
             expires_at $time NOT NULL,
             accepted_at $time,
             accepted_by $uuid,
             revoked_at $time,
             PRIMARY KEY (tenant_id, id)",
        )
        .await?;
        ddl.run(
            "CREATE UNIQUE INDEX invitations_open ON invitations (tenant_id, email) WHERE accepted_at IS NULL AND revoked_at IS NULL",
        )
        .await?;
        // The holder of an invitation belongs to no tenant yet.
        ddl.system_access("invitations").await?;
        if ddl.is_postgres() {
            // A tenant can read its members but not change them: a person may belong to other tenants as well.
            ddl.run(&format!(
                "DROP POLICY tenant_isolation ON users;
                 CREATE POLICY tenant_isolation ON users FOR SELECT
                     USING (EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = users.id AND m.tenant_id = {CURRENT_TENANT}))"
            ))
            .await?;
        }
        Ok(())
    }
}
