//! The table `consolidation_pattern_projects`: the projects of a pattern, and how often it was seen in
//! each.

use nyxcore_projects::ProjectId;
use nyxcore_tenancy::TenantId;
use sea_orm::entity::prelude::*;

use crate::model::ConsolidationPatternId;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consolidation_pattern_projects")]
pub struct Model {
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub consolidation_pattern_id: ConsolidationPatternId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: ProjectId,
    pub sightings: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);
