//! Indexes of lists that sorted all rows of a parent, or walked through those of others: a page reads its own rows.

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

/// What belongs to the whole tenant has an index of its own: a column that is NULL gives an index no order.
const INDEXES: [&str; 4] = [
    "code_patterns_listed ON code_patterns (tenant_id, project_id, position) WHERE vanished_in IS NULL",
    "consolidation_pattern_projects_project ON consolidation_pattern_projects (tenant_id, project_id, consolidation_pattern_id)",
    "memory_entries_shared ON memory_entries (tenant_id, id) WHERE project_id IS NULL",
    "workflow_insights_shared ON workflow_insights (tenant_id, id) WHERE project_id IS NULL",
];
