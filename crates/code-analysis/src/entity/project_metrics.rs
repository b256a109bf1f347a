//! The table `project_metrics`: the results of the latest analysis, one column per part.

use nyxcore_projects::ProjectId;
use nyxcore_runs::RunId;
use nyxcore_tenancy::TenantId;
use sea_orm::entity::prelude::*;
use serde::de::DeserializeOwned;

use crate::model::{ProjectFindings, ProjectSummary};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "project_metrics")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: ProjectId,
    pub tenant_id: TenantId,
    pub analysis_id: RunId,
    pub engine_version: i64,
    pub patterns_version: i64,
    #[sea_orm(column_type = "JsonBinary")]
    pub stack: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub metrics: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub commands: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub co_changes: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub ownership: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub imports: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub duplicates: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub dead_code: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub map: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);

/// The columns of a [`ProjectSummary`].
pub const SUMMARY: [Column; 5] = [
    Column::ProjectId,
    Column::AnalysisId,
    Column::EngineVersion,
    Column::Stack,
    Column::Metrics,
];

/// The columns of [`SUMMARY`].
pub type SummaryRow = (ProjectId, RunId, i64, Json, Json);

/// Parses those columns. `None` if another engine version wrote them in an unknown format: the next analysis replaces
/// them.
pub fn summary_read(row: SummaryRow) -> Option<ProjectSummary> {
    let (project_id, analysis_id, engine_version, stack, metrics) = row;
    let read = || -> serde_json::Result<ProjectSummary> {
        Ok(ProjectSummary {
            project_id,
            analysis_id,
            engine_version,
            technologies: serde_json::from_value(stack)?,
            metrics: serde_json::from_value(metrics)?,
        })
    };
    told(project_id, engine_version, "summary", read())
}

impl Model {
    /// Parses the row. A part in an unknown format of another engine version is treated as empty: the next analysis
    /// replaces it.
    pub fn read(self) -> ProjectFindings {
        let (project, version) = (self.project_id, self.engine_version);
        ProjectFindings {
            project_id: project,
            analysis_id: self.analysis_id,
            engine_version: version,
            technologies: part(project, version, "stack", self.stack),
            commands: part(project, version, "commands", self.commands),
            co_changes: part(project, version, "co_changes", self.co_changes),
            ownership: part(project, version, "ownership", self.ownership),
            imports: part(project, version, "imports", self.imports),
            duplicates: part(project, version, "duplicates", self.duplicates),
            dead_code: part(project, version, "dead_code", self.dead_code),
            map: part(project, version, "map", self.map),
        }
    }
}

fn part<T: DeserializeOwned + Default>(
    project: ProjectId,
    version: i64,
    name: &'static str,
    value: Json,
) -> T {
    told(project, version, name, serde_json::from_value(value)).unwrap_or_default()
}

fn told<T>(
    project: ProjectId,
    version: i64,
    part: &'static str,
    read: serde_json::Result<T>,
) -> Option<T> {
    read.inspect_err(|error| {
        tracing::warn!(%project, version, part, %error, "stored findings have an unknown format");
    })
    .ok()
}
