//! The table `consolidations`: the data of a consolidation beside its run.

use nyxcore_personas::PersonaId;
use nyxcore_runs::RunId;
use nyxcore_tenancy::TenantId;
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::model::{Consolidation, ConsolidationProject, ConsolidationReport, Draft};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "consolidations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: RunId,
    pub tenant_id: TenantId,
    #[sea_orm(column_type = "JsonBinary")]
    pub projects: ProjectsColumn,
    pub persona_id: Option<PersonaId>,
    pub provider: Option<String>,
    pub model: Option<String>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub draft: Option<DraftColumn>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub report: Option<ReportColumn>,
}

/// The column of projects, a JSON array.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct ProjectsColumn(pub Vec<ConsolidationProject>);

/// The column of the model's draft answer, a JSON object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct DraftColumn(pub(crate) Draft);

/// The column of the report, a JSON object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct ReportColumn(pub ConsolidationReport);

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);

impl From<Model> for Consolidation {
    fn from(row: Model) -> Self {
        Self {
            run_id: row.run_id,
            projects: row.projects.0,
            persona_id: row.persona_id,
            provider: row.provider,
            model: row.model,
            report: row.report.map(|report| report.0),
        }
    }
}
