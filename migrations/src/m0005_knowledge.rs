//! Knowledge: memory entries, insights and consolidation patterns.

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
        // A letter from a sync is updated in place by its path: `source_ref` identifies it within the project.
        ddl.tenant_table(
            "memory_entries",
            "id $uuid NOT NULL,
             project_id $uuid,
             title $text NOT NULL,
             content $text NOT NULL,
             tags $json NOT NULL,
             source $text NOT NULL CHECK (source IN ('MANUAL', 'GITHUB', 'IMPORT')),
             source_ref $text,
             source_id $uuid,
             source_file_id $uuid,
             source_blob $text,
             created_by $uuid REFERENCES users (id) ON DELETE SET NULL,
             created_at $time NOT NULL,
             updated_at $time NOT NULL,
             PRIMARY KEY (tenant_id, id),
             UNIQUE (tenant_id, project_id, source_ref),
             FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        ddl.tenant_table(
            "workflow_insights",
            "id $uuid NOT NULL,
             project_id $uuid,
             type $text NOT NULL,
             severity $text,
             category $text,
             title $text NOT NULL,
             detail $text NOT NULL,
             suggestion $text,
             paired_with_id $uuid,
             created_by $uuid REFERENCES users (id) ON DELETE SET NULL,
             created_at $time NOT NULL,
             PRIMARY KEY (tenant_id, id),
             FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE,
             FOREIGN KEY (tenant_id, paired_with_id) REFERENCES workflow_insights (tenant_id, id)",
        )
        .await?;
        ddl.tenant_table(
            "consolidation_patterns",
            "id $uuid NOT NULL,
             type $text NOT NULL,
             title $text NOT NULL,
             description $text NOT NULL,
             evidence $json NOT NULL,
             frequency $int NOT NULL,
             severity $text,
             tags $json NOT NULL,
             created_at $time NOT NULL,
             PRIMARY KEY (tenant_id, id)",
        )
        .await?;
        ddl.tenant_table(
            "consolidation_pattern_projects",
            "consolidation_pattern_id $uuid NOT NULL,
             project_id $uuid NOT NULL,
             PRIMARY KEY (tenant_id, consolidation_pattern_id, project_id),
             FOREIGN KEY (tenant_id, consolidation_pattern_id) REFERENCES consolidation_patterns (tenant_id, id) ON DELETE CASCADE,
             FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        for table in ["memory_entries", "workflow_insights"] {
            ddl.run(&format!(
                "CREATE INDEX {table}_project ON {table} (tenant_id, project_id, id)"
            ))
            .await?;
        }
        // Vectors are optional: without the extension (or the right to create it) the column does not exist yet.
        ddl.run(if ddl.is_postgres() {
            "DO $body$ BEGIN
               IF EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'vector') THEN
                 CREATE EXTENSION IF NOT EXISTS vector;
                 ALTER TABLE workflow_insights ADD COLUMN embedding vector(1536);
               END IF;
             EXCEPTION WHEN insufficient_privilege THEN
               RAISE NOTICE 'not allowed to create the extension vector: insights are stored without embeddings';
             END $body$"
        } else {
            "ALTER TABLE workflow_insights ADD COLUMN embedding $bytes"
        })
        .await?;
        Ok(())
    }
}
