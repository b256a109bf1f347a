//! Templates of the tenants, earlier versions of notes, accepted action points, and the stored model answer of an
//! enrichment.

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
        // One row per template that the tenant changed: the built-in ones are part of the program.
        ddl.tenant_table(
            "templates",
            "name $text NOT NULL,
             text $text NOT NULL,
             version $int NOT NULL,
             built_in_version $int NOT NULL,
             updated_by $uuid REFERENCES users (id) ON DELETE SET NULL,
             updated_at $time NOT NULL,
             PRIMARY KEY (tenant_id, name)",
        )
        .await?;
        ddl.tenant_table(
            "note_versions",
            "id $uuid NOT NULL,
             note_id $uuid NOT NULL,
             title $text NOT NULL,
             body $text NOT NULL,
             reason $text NOT NULL CHECK (reason IN ('ENRICHED', 'RESTORED')),
             enrichment_id $uuid,
             created_at $time NOT NULL,
             PRIMARY KEY (tenant_id, id),
             FOREIGN KEY (tenant_id, note_id) REFERENCES notes (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        ddl.run("CREATE INDEX note_versions_note ON note_versions (tenant_id, note_id, id)")
            .await?;
        // An enrichment's action point is a suggestion until a person accepts it.
        ddl.run("ALTER TABLE action_points ADD COLUMN accepted_at $time")
            .await?;
        // The model's final answer with the sources that it may cite: the worker that takes over from a lost one checks
        // it, and does not pay again.
        ddl.run("ALTER TABLE note_enrichments ADD COLUMN draft $json")
            .await?;
        // The result of the check.
        ddl.run("ALTER TABLE note_enrichments ADD COLUMN report $json")
            .await
    }
}
