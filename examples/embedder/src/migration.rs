//! The schema history of the glossary. It has its own record of migrations, separate from nyxcore's.

use nyxcore_migrations::MigratorTrait;
use nyxcore_migrations::ddl::Ddl;
use nyxcore_migrations::sea_orm_migration::prelude::*;

/// The glossary's migrations, oldest first. They come after nyxcore's.
pub struct GlossaryMigrator;

#[async_trait::async_trait]
impl MigratorTrait for GlossaryMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Terms)]
    }

    fn migration_table_name() -> DynIden {
        "glossary_migrations".into_iden()
    }
}

struct Terms;

impl MigrationName for Terms {
    fn name(&self) -> &str {
        "m0001_terms"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Terms {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The tenant's column and, on PostgreSQL, the row-level security come with it.
        Ddl::new(manager)
            .tenant_table(
                "glossary_terms",
                "id $uuid NOT NULL, word $text NOT NULL, meaning $text NOT NULL, is_reviewed $bool NOT NULL,
                 PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id, word)",
            )
            .await
    }
}
