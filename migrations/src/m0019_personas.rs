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
        // Known models are in a data file and a tenant's own may be removed: no foreign key.
        ddl.run("ALTER TABLE personas ADD COLUMN model_provider $text")
            .await?;
        ddl.run("ALTER TABLE personas ADD COLUMN model_id $text")
            .await?;
        // Which of the starter set it was installed as: each is installed once, whatever it is called later. Both
        // databases take any number of rows without one.
        ddl.run("ALTER TABLE personas ADD COLUMN starter $text")
            .await?;
        ddl.run("CREATE UNIQUE INDEX personas_starter ON personas (tenant_id, starter)")
            .await?;
        // The sums stand on the persona. A row here says that a run is in them, and goes with the run, which is not
        // tried again then.
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
        // A run that is deleted finds its uses.
        ddl.run("CREATE INDEX persona_uses_run ON persona_uses (tenant_id, run_id)")
            .await
    }
}
