//! The table `code_analyses`.

use std::collections::BTreeMap;

use nyxcore_projects::{ProjectId, SourceId};
use nyxcore_runs::RunId;
use nyxcore_tenancy::TenantId;
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::service::model::{AnalysisTrigger, CodeAnalysis};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "code_analyses")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: RunId,
    pub tenant_id: TenantId,
    pub project_id: ProjectId,
    pub trigger_kind: AnalysisTrigger,
    pub commit_id: Option<String>,
    #[sea_orm(column_type = "JsonBinary")]
    pub heads: Heads,
    pub files_analyzed: i64,
    pub files_reused: i64,
    pub files_skipped: i64,
    pub lines_of_code: i64,
    pub patterns_found: i64,
}

/// The commit that the files of each source are of; a source that was never synced is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Heads(pub BTreeMap<SourceId, String>);

impl Heads {
    /// The commit, where all sources are of the same.
    pub fn commit(&self) -> Option<String> {
        let mut commits = self.0.values();
        let first = commits.next()?;
        commits.all(|commit| commit == first).then(|| first.clone())
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);

impl From<Model> for CodeAnalysis {
    fn from(row: Model) -> Self {
        Self {
            run_id: row.run_id,
            project_id: row.project_id,
            trigger: row.trigger_kind,
            commit_id: row.commit_id,
            files_analyzed: row.files_analyzed,
            files_reused: row.files_reused,
            files_skipped: row.files_skipped,
            lines_of_code: row.lines_of_code,
            patterns_found: row.patterns_found,
        }
    }
}
