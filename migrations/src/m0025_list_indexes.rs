//! Indexes for lists that sorted all rows of a parent, or scanned rows of others: a page now reads only its own rows.

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
        for index in INDEXES {
            ddl.run(&format!("CREATE INDEX {index}")).await?;
        }
        Ok(())
    }
}

/// Rows of the whole tenant have a separate index, because an index does not order rows by a column after one that is
/// NULL.
const INDEXES: [&str; 4] = [
    "code_patterns_listed ON code_patterns (tenant_id, project_id, position) WHERE vanished_in IS NULL",
    "consolidation_pattern_projects_project ON consolidation_pattern_projects (tenant_id, project_id, consolidation_pattern_id)",
    "memory_entries_shared ON memory_entries (tenant_id, id) WHERE project_id IS NULL",
    "workflow_insights_shared ON workflow_insights (tenant_id, id) WHERE project_id IS NULL",
];
