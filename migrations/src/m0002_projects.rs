//! Projects, their sources with files and blobs, notes and personas.

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
            "projects",
            "id $uuid NOT NULL,
             slug $text NOT NULL,
             name $text NOT NULL,
             description $text,
             created_by $uuid REFERENCES users (id) ON DELETE SET NULL,
             created_at $time NOT NULL,
             updated_at $time NOT NULL,
             PRIMARY KEY (tenant_id, id),
             UNIQUE (tenant_id, slug)",
        )
        .await?;
        // The result of the last sync is stored with the source; `head_commit` is the commit of its files.
        ddl.tenant_table(
            "sources",
            "id $uuid NOT NULL,
             project_id $uuid NOT NULL,
             url $text NOT NULL,
             branch $text,
             scan_path $text NOT NULL,
             head_commit $text,
             last_synced_at $time,
             created_at $time NOT NULL,
             updated_at $time NOT NULL,
             PRIMARY KEY (tenant_id, id),
             FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        ddl.run("CREATE INDEX sources_project ON sources (tenant_id, project_id, id)")
            .await?;
        // An expression, because two NULLs (the default branch twice) would differ.
        ddl.run("CREATE UNIQUE INDEX sources_same ON sources (tenant_id, project_id, url, coalesce(branch, ''), scan_path)")
            .await?;
        // Content is stored once per tenant under git's blob id. A blob without text was binary or too large.
        ddl.tenant_table(
            "blobs",
            "oid $text NOT NULL,
             size $int NOT NULL,
             content $text,
             PRIMARY KEY (tenant_id, oid)",
        )
        .await?;
        if ddl.is_postgres() {
            // Compressing (17 ms a MB) takes longer than git takes to send.
            ddl.run("ALTER TABLE blobs ALTER content SET STORAGE EXTERNAL")
                .await?;
        }
        ddl.tenant_table(
            "source_files",
            "id $uuid NOT NULL,
             source_id $uuid NOT NULL,
             path $path NOT NULL,
             blob $text NOT NULL,
             language $text,
             size $int NOT NULL,
             commits $int NOT NULL,
             PRIMARY KEY (tenant_id, id),
             UNIQUE (tenant_id, source_id, path),
             FOREIGN KEY (tenant_id, source_id) REFERENCES sources (tenant_id, id) ON DELETE CASCADE,
             FOREIGN KEY (tenant_id, blob) REFERENCES blobs (tenant_id, oid)",
        )
        .await?;
        ddl.run("CREATE INDEX source_files_blob ON source_files (tenant_id, blob)")
            .await?;
        // The commits behind the counts are stored in one row, because they are always written and read together.
        ddl.tenant_table(
            "source_history",
            "source_id $uuid NOT NULL,
             commits $bytes NOT NULL,
             PRIMARY KEY (tenant_id, source_id),
             FOREIGN KEY (tenant_id, source_id) REFERENCES sources (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        ddl.tenant_table(
            "notes",
            "id $uuid NOT NULL,
             project_id $uuid NOT NULL,
             title $text NOT NULL,
             body $text NOT NULL,
             created_by $uuid REFERENCES users (id) ON DELETE SET NULL,
             created_at $time NOT NULL,
             updated_at $time NOT NULL,
             PRIMARY KEY (tenant_id, id),
             FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        ddl.run("CREATE INDEX notes_project ON notes (tenant_id, project_id, id)")
            .await?;
        ddl.tenant_table(
            "personas",
            "id $uuid NOT NULL,
             name $text NOT NULL,
             description $text NOT NULL,
             system_prompt $text NOT NULL,
             traits $json NOT NULL,
             specializations $json NOT NULL,
             auto_specialized $bool NOT NULL,
             category $text,
             xp $int NOT NULL,
             usage_count $int NOT NULL,
             success_count $int NOT NULL,
             created_by $uuid REFERENCES users (id) ON DELETE SET NULL,
             created_at $time NOT NULL,
             updated_at $time NOT NULL,
             PRIMARY KEY (tenant_id, id)",
        )
        .await?;
        Ok(())
    }
}
