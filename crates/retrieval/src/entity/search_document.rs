//! The table `search_documents`. The database derives the searchable columns (`seq` and the full-text table on SQLite,
//! `tsv` on PostgreSQL) from `terms`.

use nyxcore_tenancy::{TenantId, tenant_scoped};
use sea_orm::entity::prelude::*;

use crate::model::KnowledgeKind;
use crate::role::{Authority, FileRole};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "search_documents")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub tenant_id: TenantId,
    pub project_id: Option<Uuid>,
    pub kind: KnowledgeKind,
    pub subject: String,
    pub subject_id: Option<Uuid>,
    pub chunk: i64,
    pub role: Option<FileRole>,
    pub authority: Option<Authority>,
    pub alike: i64,
    pub title: String,
    pub body: String,
    pub terms: String,
    pub path: Option<String>,
    pub source_id: Option<Uuid>,
    pub start_line: Option<i64>,
    pub end_line: Option<i64>,
    pub stack: Option<String>,
    pub content_key: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
tenant_scoped!(Entity, large: [Body, Terms]);
