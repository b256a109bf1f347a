//! The table `project_metrics`.

use nyxcore_projects::ProjectId;
use nyxcore_runs::RunId;
use nyxcore_tenancy::TenantId;
use sea_orm::entity::prelude::*;

use crate::service::model::ProjectSummary;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "project_metrics")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: ProjectId,
    pub tenant_id: TenantId,
    pub analysis_id: RunId,
    pub engine_version: i64,
    #[sea_orm(column_type = "JsonBinary")]
    pub stack: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub metrics: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);

impl Model {
    /// What the row says. `None` where another version of the engine wrote it in a form that this one does not read: the next analysis
    /// writes it anew.
    pub fn read(self) -> Option<ProjectSummary> {
        let read = || -> Result<ProjectSummary, serde_json::Error> {
            Ok(ProjectSummary {
                project_id: self.project_id,
                analysis_id: self.analysis_id,
                engine_version: self.engine_version,
                technologies: serde_json::from_value(self.stack)?,
                metrics: serde_json::from_value(self.metrics)?,
            })
        };
        let (project, version) = (self.project_id, self.engine_version);
        match read() {
            Ok(summary) => Some(summary),
            Err(error) => {
                tracing::warn!(%project, version, %error, "a project's metrics are in another form");
                None
            }
        }
    }
}
