//! The table `blog_posts`.

use nyxcore_tenancy::{TenantId, UserId};
use sea_orm::entity::prelude::*;

use crate::model::{BlogPost, BlogPostId, BlogPostStatus, ProjectId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "blog_posts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BlogPostId,
    pub tenant_id: TenantId,
    pub project_id: ProjectId,
    pub title: String,
    pub body: String,
    pub status: BlogPostStatus,
    pub source_ref: Option<String>,
    pub created_by: Option<UserId>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub published_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity, large: [Body]);

impl From<Model> for BlogPost {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            project_id: row.project_id,
            title: row.title,
            body: row.body,
            status: row.status,
            source_ref: row.source_ref,
            created_by: row.created_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
            published_at: row.published_at,
        }
    }
}
