//! The table `code_analyses`.

use std::collections::BTreeMap;

use nyxcore_code_engine::listing::SkippedFiles;
use nyxcore_projects::{ProjectId, SourceId};
use nyxcore_runs::RunId;
use nyxcore_tenancy::TenantId;
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::model::{AnalysisTrigger, AnalysisWarning, CodeAnalysis, PatternChangeCounts};

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
    pub patterns_compared: bool,
    pub patterns_appeared: i64,
    pub patterns_strengthened: i64,
    pub patterns_weakened: i64,
    pub patterns_vanished: i64,
    #[sea_orm(column_type = "JsonBinary")]
    pub skipped: SkippedList,
    #[sea_orm(column_type = "JsonBinary")]
    pub warnings: Warnings,
}

/// A column of skipped files, by reason; a JSON array.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct SkippedList(pub Vec<SkippedFiles>);

/// A column of warnings, a JSON array.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Warnings(pub Vec<AnalysisWarning>);

/// The analysed commit of each source. A source that was never synced is not in the map.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Heads(pub BTreeMap<SourceId, String>);

impl Heads {
    /// The commit, if all sources have the same one.
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
            patterns_compared: row.patterns_compared,
            pattern_changes: PatternChangeCounts {
                appeared: row.patterns_appeared,
                strengthened: row.patterns_strengthened,
                weakened: row.patterns_weakened,
                vanished: row.patterns_vanished,
            },
            skipped: row.skipped.0,
            warnings: row.warnings.0,
        }
    }
}
