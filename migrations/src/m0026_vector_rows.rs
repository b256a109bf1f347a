//! An index that finds the vectors that were added last: SQLite's entries end with the row number. PostgreSQL has
//! pgvector instead.

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
        if ddl.is_postgres() {
            return Ok(());
        }
        ddl.run("CREATE INDEX search_vectors_rows ON search_vectors (tenant_id, model, dimensions)")
            .await
    }
}
