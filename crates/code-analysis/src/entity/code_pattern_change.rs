//! The table `code_pattern_changes`.

use nyxcore_runs::RunId;
use nyxcore_tenancy::TenantId;
use sea_orm::entity::prelude::*;

use crate::model::{CodePatternChange, CodePatternId, PatternChange, PatternStrength};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "code_pattern_changes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: RunId,
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub pattern_id: CodePatternId,
    pub position: i64,
    pub change: PatternChange,
    pub title: String,
    pub kind: String,
    pub former_support: Option<i64>,
    pub former_cases: Option<i64>,
    pub former_confidence: Option<f64>,
    pub support: Option<i64>,
    pub cases: Option<i64>,
    pub confidence: Option<f64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);

impl From<Model> for CodePatternChange {
    fn from(row: Model) -> Self {
        let strength = |support: Option<i64>, cases: Option<i64>, confidence: Option<f64>| {
            Some(PatternStrength {
                support: support?,
                cases: cases?,
                confidence: confidence?,
            })
        };
        Self {
            analysis_id: row.run_id,
            pattern_id: row.pattern_id,
            change: row.change,
            kind: row.kind,
            title: row.title,
            before: strength(row.former_support, row.former_cases, row.former_confidence),
            after: strength(row.support, row.cases, row.confidence),
        }
    }
}
