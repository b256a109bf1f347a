//! The table `memory_entries`.

use nyxcore_projects::{ProjectId, SourceFileId, SourceId};
use nyxcore_tenancy::{TenantId, UserId};
use sea_orm::entity::prelude::*;

use super::Texts;
use crate::model::{MemoryEntry, MemoryEntryId, MemorySource};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "memory_entries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MemoryEntryId,
    pub tenant_id: TenantId,
    pub project_id: Option<ProjectId>,
    pub title: String,
    pub content: String,
    pub tags: Texts,
    pub source: MemorySource,
    pub source_ref: Option<String>,
    pub source_id: Option<SourceId>,
    pub source_file_id: Option<SourceFileId>,
    pub source_blob: Option<String>,
    pub archived_at: Option<DateTimeUtc>,
    pub superseded_by_id: Option<MemoryEntryId>,
    pub valid_from_commit: Option<String>,
    pub recalls: i64,
    pub recalled_at: Option<DateTimeUtc>,
    pub created_by: Option<UserId>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity, large: [Content]);

impl From<Model> for MemoryEntry {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            project_id: row.project_id,
            title: row.title,
            content: row.content,
            tags: row.tags.0,
            source: row.source,
            source_ref: row.source_ref,
            archived_at: row.archived_at,
            superseded_by: row.superseded_by_id,
            valid_from_commit: row.valid_from_commit,
            recalls: row.recalls,
            recalled_at: row.recalled_at,
            created_by: row.created_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
