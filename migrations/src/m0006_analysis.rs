//! Code analyses: facts by blob, the latest patterns, hotspots and findings of a project, and changes of patterns.

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
        // `heads` has the analysed commit of each source, so that newer code can be recognised.
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
             patterns_compared $bool NOT NULL,
             patterns_appeared $int NOT NULL,
             patterns_strengthened $int NOT NULL,
             patterns_weakened $int NOT NULL,
             patterns_vanished $int NOT NULL,
             skipped $json NOT NULL,
             warnings $json NOT NULL,
             PRIMARY KEY (tenant_id, run_id),
             FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id) ON DELETE CASCADE,
             FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        ddl.run(
            "CREATE INDEX code_analyses_project ON code_analyses (tenant_id, project_id, run_id)",
        )
        .await?;
        // Keyed by content: an unchanged file is never parsed again, whatever its path and project.
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
        // `position` orders a project's patterns, the best supported first. `key` and the id are stable across
        // analyses: a vanished pattern keeps its row, and `vanished_in` names the analysis in which it vanished.
        // `told_...` are the values that were last reported as a change.
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
             told_support $int NOT NULL,
             told_cases $int NOT NULL,
             told_confidence $real NOT NULL,
             first_seen_at $time NOT NULL,
             vanished_in $uuid,
             PRIMARY KEY (tenant_id, id),
             UNIQUE (tenant_id, project_id, key),
             FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        // The changes of a pattern that an analysis reported: the values of the previous report, and the new ones.
        ddl.tenant_table(
            "code_pattern_changes",
            "run_id $uuid NOT NULL,
             pattern_id $uuid NOT NULL,
             position $int NOT NULL,
             change $text NOT NULL CHECK (change IN ('APPEARED', 'STRENGTHENED', 'WEAKENED', 'VANISHED')),
             title $text NOT NULL,
             kind $text NOT NULL,
             former_support $int,
             former_cases $int,
             former_confidence $real,
             support $int,
             cases $int,
             confidence $real,
             PRIMARY KEY (tenant_id, run_id, pattern_id),
             FOREIGN KEY (tenant_id, run_id) REFERENCES code_analyses (tenant_id, run_id) ON DELETE CASCADE,
             FOREIGN KEY (tenant_id, pattern_id) REFERENCES code_patterns (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        ddl.run(
            "CREATE INDEX code_pattern_changes_pattern ON code_pattern_changes (tenant_id, pattern_id, run_id)",
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
        // One row per project with a column for each part, so that a page reads only one row and only the parts that it
        // shows. `patterns_version` is the version of the engine that found the patterns, 0 before the first analysis.
        ddl.tenant_table(
            "project_metrics",
            "project_id $uuid NOT NULL,
             analysis_id $uuid NOT NULL,
             engine_version $int NOT NULL,
             patterns_version $int NOT NULL,
             stack $json NOT NULL,
             metrics $json NOT NULL,
             commands $json NOT NULL,
             co_changes $json NOT NULL,
             ownership $json NOT NULL,
             imports $json NOT NULL,
             duplicates $json NOT NULL,
             dead_code $json NOT NULL,
             map $json NOT NULL,
             PRIMARY KEY (tenant_id, project_id),
             FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE,
             FOREIGN KEY (tenant_id, analysis_id) REFERENCES code_analyses (tenant_id, run_id) ON DELETE CASCADE",
        )
        .await?;
        // The matches of a project's own rules in a content, by content and rules: nothing is matched again while both
        // are unchanged.
        ddl.tenant_table(
            "rule_matches",
            "project_id $uuid NOT NULL,
             oid $text NOT NULL,
             language $text NOT NULL,
             rules_key $text NOT NULL,
             matches $bytes NOT NULL,
             PRIMARY KEY (tenant_id, project_id, oid, language, rules_key),
             FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE,
             FOREIGN KEY (tenant_id, oid) REFERENCES blobs (tenant_id, oid) ON DELETE CASCADE",
        )
        .await?;
        Ok(())
    }
}
