//! The life cycle of knowledge: archived, superseded, valid from a commit on, and recalled.

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
        for column in COLUMNS {
            ddl.run(&format!("ALTER TABLE {column}")).await?;
        }
        Ok(())
    }
}

/// The reference to the superseding entry is no foreign key, because SQLite cannot add one to a table. It is an entry
/// of the tenant when it is written, and may be deleted later.
const COLUMNS: [&str; 9] = [
    "memory_entries ADD COLUMN archived_at $time",
    "memory_entries ADD COLUMN superseded_by_id $uuid",
    "memory_entries ADD COLUMN valid_from_commit $text",
    "memory_entries ADD COLUMN recalls $int NOT NULL DEFAULT 0",
    "memory_entries ADD COLUMN recalled_at $time",
    "workflow_insights ADD COLUMN archived_at $time",
    "workflow_insights ADD COLUMN updated_at $time",
    "workflow_insights ADD COLUMN recalls $int NOT NULL DEFAULT 0",
    "workflow_insights ADD COLUMN recalled_at $time",
];
