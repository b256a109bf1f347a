//! Code analysis as a run: started behind a guard, based on facts stored by content, with a result stored per project
//! and published to the search. The analysis itself is implemented in `nyxcore_code_engine`.
//!
//! ```
//! use futures::TryStreamExt;
//! use nyxcore_code_analysis::{AnalysisHandler, AnalysisTrigger, QUIET_PERIOD, analysis_start, project_summary};
//! use nyxcore_projects::{
//!     FileChanges, NewBlob, NewFile, NewProject, NewSource, blobs_insert, files_apply, project_create, source_add,
//! };
//! use nyxcore_runs::{Workers, run_follow};
//!
//! # nyxcore_tests::example!(|store, tenant| [
//! #     nyxcore_runs::registration(), nyxcore_projects::registration(), nyxcore_code_analysis::registration()];
//! let scoped = store.write(tenant.id).await?;
//! let project = project_create(&scoped, NewProject { name: "Atlas".into(), ..NewProject::default() }).await?.id;
//! let url = "https://example.org/atlas.git".into();
//! let source = NewSource { project_id: project, url, branch: None, scan_path: String::new() };
//! let source = source_add(&scoped, source).await?;
//! // A file, as a sync stores it.
//! let text = "pub fn renew_lease() -> bool {\n    true\n}\n";
//! let (oid, size) = (nyxcore_code_engine::blob_id(text.as_bytes()), text.len() as i64);
//! let file = NewFile { path: "src/lease.rs".into(), blob: oid.clone(), language: Some("rust".into()), size };
//! blobs_insert(&scoped, vec![NewBlob { oid, size, content: Some(text.into()) }]).await?;
//! files_apply(&scoped, source.id, FileChanges { added: vec![file], ..FileChanges::default() }).await?;
//! let (start, _) = analysis_start(&scoped, project, AnalysisTrigger::Manual, None, QUIET_PERIOD).await?;
//! scoped.commit().await?;
//!
//! let workers = Workers::builder(&store).handler(AnalysisHandler::default()).start()?;
//! let _events: Vec<_> = run_follow(&store, tenant.id, start.run().id, 0).try_collect().await?;
//! workers.shutdown().await;
//! let summary = project_summary(&store.read(tenant.id).await?, project).await?.ok_or("it was analysed")?;
//! assert_eq!((summary.stack(), summary.metrics.functions), (vec!["rust".to_owned()], 1));
//! # );
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
