//! The table `note_enrichments`: the data of an enrichment beside its run.

use nyxcore_personas::PersonaId;
use nyxcore_projects::NoteId;
use nyxcore_retrieval::Citation;
use nyxcore_runs::RunId;
use nyxcore_tenancy::TenantId;
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::model::{
    ContextSection, Draft, EnrichmentDecision, EnrichmentMode, EnrichmentReport, NoteEnrichment,
};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "note_enrichments")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: RunId,
    pub tenant_id: TenantId,
    pub note_id: NoteId,
    pub persona_id: Option<PersonaId>,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub mode: EnrichmentMode,
    pub markdown: Option<String>,
    #[sea_orm(column_type = "JsonBinary")]
    pub citations: Citations,
    #[sea_orm(column_type = "JsonBinary")]
    pub context_used: Sections,
    pub decision: EnrichmentDecision,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub draft: Option<DraftColumn>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub report: Option<ReportColumn>,
}

/// The column of the model's draft answer, a JSON object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct DraftColumn(pub(crate) Draft);

/// The column of the check's report, a JSON object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct ReportColumn(pub EnrichmentReport);

/// The column of citations, a JSON array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Citations(pub Vec<Citation>);

/// The column of context sections, a JSON array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Sections(pub Vec<ContextSection>);

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity, large: [Markdown]);

impl From<Model> for NoteEnrichment {
    fn from(row: Model) -> Self {
        Self {
            run_id: row.run_id,
            note_id: row.note_id,
            persona_id: row.persona_id,
            provider: row.provider,
            model: row.model,
            mode: row.mode,
            markdown: row.markdown,
            citations: row.citations.0,
            context_used: row.context_used.0,
            decision: row.decision,
            report: row.report.map(|report| report.0),
        }
    }
}
