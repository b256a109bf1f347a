//! Secrets at rest: encrypted, each bound to its tenant, kind and id.

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
        // `name` identifies the secret within its kind: a provider's name, a source's id.
        ddl.tenant_table(
            "sealed_secrets",
            "kind $text NOT NULL,
             name $text NOT NULL,
             key_id $text NOT NULL,
             sealed $bytes NOT NULL,
             updated_at $time NOT NULL,
             PRIMARY KEY (tenant_id, kind, name)",
        )
        .await?;
        ddl.run("CREATE INDEX sealed_secrets_key ON sealed_secrets (tenant_id, key_id)")
            .await
    }
}
