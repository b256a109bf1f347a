//! The default model of a persona, the starter set, and the uses that runs made of personas.

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
        // Known models are in a data file, and a tenant's own models may be removed: no foreign key.
        ddl.run("ALTER TABLE personas ADD COLUMN model_provider $text")
            .await?;
        ddl.run("ALTER TABLE personas ADD COLUMN model_id $text")
            .await?;
        // The starter persona that it was installed from: each is installed once, even if it is renamed. Both databases
        // allow any number of rows without one.
        ddl.run("ALTER TABLE personas ADD COLUMN starter $text")
            .await?;
        ddl.run("CREATE UNIQUE INDEX personas_starter ON personas (tenant_id, starter)")
            .await?;
        // The sums are stored on the persona. A row here marks that a run is included in them. It is deleted with the
        // run, which is not retried then.
        ddl.tenant_table(
            "persona_uses",
            "persona_id $uuid NOT NULL,
             run_id $uuid NOT NULL,
             succeeded $bool NOT NULL,
             used_at $time NOT NULL,
             PRIMARY KEY (tenant_id, persona_id, run_id),
             FOREIGN KEY (tenant_id, persona_id) REFERENCES personas (tenant_id, id) ON DELETE CASCADE,
             FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        // For finding the uses when a run is deleted.
        ddl.run("CREATE INDEX persona_uses_run ON persona_uses (tenant_id, run_id)")
            .await
    }
}
