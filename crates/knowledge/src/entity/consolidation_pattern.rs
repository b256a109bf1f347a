//! The table `consolidation_patterns`.

use nyxcore_tenancy::TenantId;
use sea_orm::entity::prelude::*;

use super::{Quotations, Texts};
use crate::model::{
    ConsolidationPattern, ConsolidationPatternId, ConsolidationSeverity, ConsolidationType,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consolidation_patterns")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ConsolidationPatternId,
    pub tenant_id: TenantId,
    #[sea_orm(column_name = "type")]
    pub pattern_type: ConsolidationType,
    pub title: String,
    pub description: String,
    pub evidence: Texts,
    pub frequency: i64,
    pub severity: Option<ConsolidationSeverity>,
    pub tags: Texts,
    pub created_at: DateTimeUtc,
    pub key: Option<String>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub quotations: Option<Quotations>,
    pub written_by: Option<String>,
    pub archived_at: Option<DateTimeUtc>,
    pub updated_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity, large: [Description]);

impl From<Model> for ConsolidationPattern {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            pattern_type: row.pattern_type,
            title: row.title,
            description: row.description,
            evidence: row.evidence.0,
            frequency: row.frequency,
            severity: row.severity,
            tags: row.tags.0,
            key: row.key,
            quotations: row.quotations.map(|list| list.0).unwrap_or_default(),
            written_by: row.written_by,
            archived_at: row.archived_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
