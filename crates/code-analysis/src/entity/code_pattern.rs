//! The table `code_patterns`.

use chrono::{DateTime, Utc};
use nyxcore_code_engine::evidence::CodeLocation;
use nyxcore_projects::ProjectId;
use nyxcore_runs::RunId;
use nyxcore_tenancy::TenantId;
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::model::{CodePattern, CodePatternId};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "code_patterns")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CodePatternId,
    pub tenant_id: TenantId,
    pub project_id: ProjectId,
    pub key: String,
    pub position: i64,
    pub kind: String,
    pub title: String,
    pub statement: String,
    pub stack: Option<String>,
    pub scope: Option<String>,
    pub support: i64,
    pub cases: i64,
    pub confidence: f64,
    #[sea_orm(column_type = "JsonBinary")]
    pub exemplars: Locations,
    #[sea_orm(column_type = "JsonBinary")]
    pub counter_examples: Locations,
    pub told_support: i64,
    pub told_cases: i64,
    pub told_confidence: f64,
    pub first_seen_at: DateTime<Utc>,
    pub vanished_in: Option<RunId>,
    pub vanished_at: Option<DateTime<Utc>>,
}

/// A column of places in the code, a JSON array.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Locations(pub Vec<CodeLocation>);

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity);

impl From<Model> for CodePattern {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            project_id: row.project_id,
            key: row.key,
            kind: row.kind,
            title: row.title,
            statement: row.statement,
            stack: row.stack,
            scope: row.scope,
            support: row.support,
            cases: row.cases,
            confidence: row.confidence,
            exemplars: row.exemplars.0,
            counter_examples: row.counter_examples.0,
            first_seen_at: row.first_seen_at,
            vanished_in: row.vanished_in,
        }
    }
}
