//! What the code analysis found: facts by blob, the latest patterns, hotspots and metrics of a project.

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
        // `heads` says which commit of each source was looked at, so that newer code is known to be newer.
        ddl.tenant_table(
            "code_analyses",
            "run_id $uuid NOT NULL,
             project_id $uuid NOT NULL,
             trigger_kind $text NOT NULL CHECK (trigger_kind IN ('MANUAL', 'SYNC')),
             commit_id $text,
             heads $json NOT NULL,
             files_analyzed $int NOT NULL,
             files_reused $int NOT NULL,
             files_skipped $int NOT NULL,
             lines_of_code $int NOT NULL,
             patterns_found $int NOT NULL,
             PRIMARY KEY (tenant_id, run_id),
             FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id) ON DELETE CASCADE,
             FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        ddl.run(
            "CREATE INDEX code_analyses_project ON code_analyses (tenant_id, project_id, run_id)",
        )
        .await?;
        // Keyed by content: a file that did not change is never parsed again, whatever its path and project.
        ddl.tenant_table(
            "file_facts",
            "oid $text NOT NULL,
             language $text NOT NULL,
             engine_version $int NOT NULL,
             facts $bytes NOT NULL,
             PRIMARY KEY (tenant_id, oid, language, engine_version),
             FOREIGN KEY (tenant_id, oid) REFERENCES blobs (tenant_id, oid) ON DELETE CASCADE",
        )
        .await?;
        // `position` orders a project's patterns, the best supported first; `key` is stable from run to run.
        ddl.tenant_table(
            "code_patterns",
            "id $uuid NOT NULL,
             project_id $uuid NOT NULL,
             key $text NOT NULL,
             position $int NOT NULL,
             kind $text NOT NULL,
             title $text NOT NULL,
             statement $text NOT NULL,
             stack $text,
             scope $text,
             support $int NOT NULL,
             cases $int NOT NULL,
             confidence $real NOT NULL,
             exemplars $json NOT NULL,
             counter_examples $json NOT NULL,
             PRIMARY KEY (tenant_id, id),
             UNIQUE (tenant_id, project_id, key),
             FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        ddl.tenant_table(
            "hotspots",
            "project_id $uuid NOT NULL,
             position $int NOT NULL,
             path $text NOT NULL,
             commits $int NOT NULL,
             complexity $int NOT NULL,
             score $real NOT NULL,
             PRIMARY KEY (tenant_id, project_id, position),
             FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        ddl.tenant_table(
            "project_metrics",
            "project_id $uuid NOT NULL,
             analysis_id $uuid NOT NULL,
             engine_version $int NOT NULL,
             stack $json NOT NULL,
             metrics $json NOT NULL,
             PRIMARY KEY (tenant_id, project_id),
             FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE,
             FOREIGN KEY (tenant_id, analysis_id) REFERENCES code_analyses (tenant_id, run_id) ON DELETE CASCADE",
        )
        .await?;
        Ok(())
    }
}
