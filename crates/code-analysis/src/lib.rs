//! Code analysis as a run: started behind a guard, based on facts stored by content, with a result stored per project
//! and published to the search. The analysis itself is implemented in `nyxcore_code_engine`.
//!
//! ```
//! use nyxcore_code_analysis::{AnalysisTrigger, QUIET_PERIOD, analysis_start, project_summary};
//! use nyxcore_projects::ProjectId;
//! use nyxcore_tenancy::{Result, Store, TenantId};
//!
//! /// Asks for an analysis, which a worker with an `AnalysisHandler` carries out, and tells what the latest one found.
//! async fn stack(store: &Store, tenant: TenantId, project: ProjectId) -> Result<Vec<String>> {
//!     let scoped = store.write(tenant).await?;
//!     analysis_start(&scoped, project, AnalysisTrigger::Manual, None, QUIET_PERIOD).await?;
//!     scoped.commit().await?;
//!     let scoped = store.read(tenant).await?;
//!     let summary = project_summary(&scoped, project).await?;
//!     Ok(summary.map(|summary| summary.stack()).unwrap_or_default())
//! }
//! ```

mod document;
mod entity;
mod model;
mod registration;
mod repository;
mod run;
mod start;

pub use model::{
    AnalysisTrigger, AnalysisWarning, CodeAnalysis, CodePattern, CodePatternChange, CodePatternId,
    PatternChange, PatternChangeCounts, PatternStrength, ProjectFindings, ProjectSummary,
};
pub use registration::{CODE_ANALYSIS, CODE_ANALYSIS_RUN, registration};
pub use repository::{
    AnalysisPatternChanges, CodeAnalyses, CodePatterns, ProjectAnalyses, ProjectHotspots,
    ProjectPatterns, analysis_latest, analysis_latest_of, pattern_changes_last,
    project_findings_of, project_summaries_of, project_summary,
};
pub use run::{AnalysisHandler, AnalysisOptions, Summarize};
pub use start::{
    QUIET_PERIOD, analysis_catch_up, analysis_start, analysis_start_after_sync, analysis_subject,
};
