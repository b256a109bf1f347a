//! The table `workflow_insights`, without its vectors, which separate statements write and compare.

use nyxcore_projects::ProjectId;
use nyxcore_tenancy::{TenantId, UserId};
use sea_orm::entity::prelude::*;

use crate::model::{Insight, InsightId, InsightSeverity, InsightType};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workflow_insights")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InsightId,
    pub tenant_id: TenantId,
    pub project_id: Option<ProjectId>,
    #[sea_orm(column_name = "type")]
    pub insight_type: InsightType,
    pub severity: Option<InsightSeverity>,
    pub category: Option<String>,
    pub title: String,
    pub detail: String,
    pub suggestion: Option<String>,
    pub paired_with_id: Option<InsightId>,
    pub archived_at: Option<DateTimeUtc>,
    pub updated_at: Option<DateTimeUtc>,
    pub recalls: i64,
    pub recalled_at: Option<DateTimeUtc>,
    pub created_by: Option<UserId>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity, large: [Detail, Suggestion]);

impl From<Model> for Insight {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            project_id: row.project_id,
            insight_type: row.insight_type,
            severity: row.severity,
            category: row.category,
            title: row.title,
            detail: row.detail,
            suggestion: row.suggestion,
            paired_with: row.paired_with_id,
            archived_at: row.archived_at,
            recalls: row.recalls,
            recalled_at: row.recalled_at,
            created_by: row.created_by,
            created_at: row.created_at,
        }
    }
}
