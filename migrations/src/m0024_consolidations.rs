//! Consolidation as a run: its input and its result, and keys by which it recognises its patterns again.

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
        // The projects are stored as a list with their names, so that the report can name a project that was deleted
        // while the run waited.
        ddl.tenant_table(
            "consolidations",
            "run_id $uuid NOT NULL,
             projects $json NOT NULL,
             persona_id $uuid,
             provider $text,
             model $text,
             draft $json,
             report $json,
             PRIMARY KEY (tenant_id, run_id),
             FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        for column in COLUMNS {
            ddl.run(&format!("ALTER TABLE {column}")).await?;
        }
        // Patterns written by users have no key.
        ddl.run(
            "CREATE UNIQUE INDEX consolidation_patterns_key ON consolidation_patterns (tenant_id, key)",
        )
        .await
    }
}

const COLUMNS: [&str; 6] = [
    "consolidation_patterns ADD COLUMN key $text",
    "consolidation_patterns ADD COLUMN quotations $json",
    "consolidation_patterns ADD COLUMN written_by $text",
    "consolidation_patterns ADD COLUMN archived_at $time",
    "consolidation_patterns ADD COLUMN updated_at $time",
    "consolidation_pattern_projects ADD COLUMN sightings $int NOT NULL DEFAULT 1",
];
