//! Blog posts of projects.

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
        // `source_ref` is the file that the post was imported from, `<source>:<path>`: another import updates the same
        // post.
        ddl.tenant_table(
            "blog_posts",
            "id $uuid NOT NULL,
             project_id $uuid NOT NULL,
             title $text NOT NULL,
             body $text NOT NULL,
             status $text NOT NULL CHECK (status IN ('DRAFT', 'PUBLISHED')),
             source_ref $text,
             created_by $uuid REFERENCES users (id) ON DELETE SET NULL,
             created_at $time NOT NULL,
             updated_at $time NOT NULL,
             published_at $time,
             PRIMARY KEY (tenant_id, id),
             UNIQUE (tenant_id, project_id, source_ref),
             FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        ddl.run("CREATE INDEX blog_posts_project ON blog_posts (tenant_id, project_id, id)")
            .await
    }
}
