//! The source of a place in the code, and the time when a pattern vanished.
//!
//! Existing places have no source until the project is analysed again. There is no foreign key: a place may outlive
//! its source until the next analysis.

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
        ddl.run("ALTER TABLE hotspots ADD COLUMN source_id $uuid")
            .await?;
        ddl.run("ALTER TABLE search_documents ADD COLUMN source_id $uuid")
            .await?;
        ddl.run("ALTER TABLE code_patterns ADD COLUMN vanished_at $time")
            .await
    }
}
