//! Runs with their event log, and the tables of syncs and note enrichments.

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
        ddl.tenant_table(
            "runs",
            "id $uuid NOT NULL,
             kind $text NOT NULL,
             subject $text NOT NULL,
             status $text NOT NULL CHECK (status IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
             project_id $uuid,
             started_by $uuid REFERENCES users (id) ON DELETE SET NULL,
             input $json NOT NULL,
             attempt $int NOT NULL,
             max_attempts $int NOT NULL,
             handed_back $int NOT NULL,
             priority $int NOT NULL,
             available_at $time NOT NULL,
             claimed_at $time,
             worker $uuid,
             lease_expires_at $time,
             cancel_requested $bool NOT NULL,
             event_count $int NOT NULL,
             log_expired $bool NOT NULL,
             phase $text,
             progress_done $int NOT NULL,
             progress_total $int,
             progress_unit $text,
             progress_bytes_done $int,
             progress_bytes_total $int,
             progress_at $time NOT NULL,
             error_code $text,
             error_message $text,
             created_at $time NOT NULL,
             started_at $time,
             finished_at $time,
             PRIMARY KEY (tenant_id, id),
             FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        // One active run per subject: concurrent starts cannot get past this index.
        ddl.run("CREATE UNIQUE INDEX runs_one_active ON runs (tenant_id, kind, subject) WHERE status IN ('QUEUED', 'RUNNING')")
            .await?;
        // The waiting runs, in lanes: a worker skips from one tenant, kind and priority to the next, however long each
        // lane is.
        ddl.run("CREATE INDEX runs_waiting ON runs (tenant_id, kind, priority, available_at, id) WHERE status = 'QUEUED'")
            .await?;
        ddl.run("CREATE INDEX runs_running ON runs (tenant_id) WHERE status = 'RUNNING'")
            .await?;
        ddl.run("CREATE INDEX runs_subject ON runs (tenant_id, kind, subject, id)")
            .await?;
        ddl.run("CREATE INDEX runs_project ON runs (tenant_id, project_id, id)")
            .await?;
        // For the fair order: the tenant that was served longest ago comes first.
        ddl.run("CREATE INDEX runs_claimed ON runs (tenant_id, claimed_at) WHERE claimed_at IS NOT NULL")
            .await?;
        // For the deletion of old logs.
        ddl.run("CREATE INDEX runs_finished ON runs (finished_at) WHERE finished_at IS NOT NULL AND NOT log_expired")
            .await?;
        ddl.system_access("runs").await?;
        // The attempts at a run, which stay when its events are deleted: the worker, the times, the outcome, and the
        // duration of each phase.
        ddl.tenant_table(
            "run_attempts",
            "run_id $uuid NOT NULL,
             attempt $int NOT NULL,
             worker $uuid NOT NULL,
             worker_name $text NOT NULL,
             started_at $time NOT NULL,
             ended_at $time,
             outcome $text CHECK (outcome IN ('SUCCEEDED', 'FAILED', 'CANCELLED', 'RETRIED', 'HANDED_BACK', 'LOST', 'STALLED')),
             error_code $text,
             error_message $text,
             phases $json NOT NULL,
             PRIMARY KEY (tenant_id, run_id, attempt),
             FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        // A worker that claims a run begins the attempt in the same transaction.
        ddl.system_access("run_attempts").await?;
        ddl.tenant_table(
            "run_events",
            "run_id $uuid NOT NULL,
             seq $int NOT NULL,
             at $time NOT NULL,
             payload $json NOT NULL,
             PRIMARY KEY (tenant_id, run_id, seq),
             FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        ddl.tenant_table(
            "syncs",
            "run_id $uuid NOT NULL,
             source_id $uuid NOT NULL,
             trigger_kind $text NOT NULL CHECK (trigger_kind IN ('MANUAL', 'SCHEDULE', 'WEBHOOK')),
             previous_sync_id $uuid,
             from_commit $text,
             to_commit $text,
             files_added $int NOT NULL,
             files_updated $int NOT NULL,
             files_deleted $int NOT NULL,
             files_renamed $int NOT NULL,
             files_unchanged $int NOT NULL,
             files_skipped $int NOT NULL,
             bytes_fetched $int NOT NULL,
             blob_bytes_max $int NOT NULL,
             phases_done $json NOT NULL,
             PRIMARY KEY (tenant_id, run_id),
             UNIQUE (tenant_id, previous_sync_id),
             FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id) ON DELETE CASCADE,
             FOREIGN KEY (tenant_id, previous_sync_id) REFERENCES syncs (tenant_id, run_id),
             FOREIGN KEY (tenant_id, source_id) REFERENCES sources (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        ddl.run("CREATE INDEX syncs_source ON syncs (tenant_id, source_id, run_id)")
            .await?;
        ddl.tenant_table(
            "note_enrichments",
            "run_id $uuid NOT NULL,
             note_id $uuid NOT NULL,
             persona_id $uuid,
             provider $text,
             model $text,
             mode $text NOT NULL CHECK (mode IN ('GENERATED', 'EXTRACTIVE')),
             markdown $text,
             citations $json NOT NULL,
             context_used $json NOT NULL,
             decision $text NOT NULL CHECK (decision IN ('PENDING', 'APPLIED', 'DISMISSED')),
             PRIMARY KEY (tenant_id, run_id),
             FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id) ON DELETE CASCADE,
             FOREIGN KEY (tenant_id, note_id) REFERENCES notes (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        ddl.run(
            "CREATE INDEX note_enrichments_note ON note_enrichments (tenant_id, note_id, run_id)",
        )
        .await?;
        // A persona may be deleted after its use: its id stays on the enrichment and no longer resolves.
        ddl.tenant_table(
            "action_points",
            "id $uuid NOT NULL,
             note_id $uuid NOT NULL,
             enrichment_id $uuid,
             text $text NOT NULL,
             status $text NOT NULL CHECK (status IN ('OPEN', 'DONE', 'DISMISSED')),
             citations $json NOT NULL,
             created_at $time NOT NULL,
             updated_at $time NOT NULL,
             PRIMARY KEY (tenant_id, id),
             FOREIGN KEY (tenant_id, note_id) REFERENCES notes (tenant_id, id) ON DELETE CASCADE,
             FOREIGN KEY (tenant_id, enrichment_id) REFERENCES note_enrichments (tenant_id, run_id) ON DELETE CASCADE",
        )
        .await?;
        ddl.run("CREATE INDEX action_points_note ON action_points (tenant_id, note_id, id)")
            .await?;
        Ok(())
    }
}
