//! How a code base is really written: definitions, complexity, stack, patterns with evidence, hotspots.
//!
//! The engine needs no database, no network and no git. It turns source into facts ([`file_analyze`]), the facts of a
//! project into what is worth saying of it ([`project_summarize`]), and does both for a folder ([`tree_analyze`]):
//!
//! ```
//! use nyxcore_code_analysis::{TreeOptions, report_table, tree_analyze};
//!
//! let root = tempfile::tempdir()?;
//! std::fs::create_dir(root.path().join("src"))?;
//! for name in ["read", "write", "seek", "open", "close"] {
//!     let source = format!("pub fn file_{name}() -> bool {{\n    true\n}}\n");
//!     std::fs::write(root.path().join(format!("src/{name}.rs")), source)?;
//! }
//!
//! let report = tree_analyze(root.path(), &TreeOptions::default(), |_progress| {})?;
//! assert_eq!(report.project.metrics.functions, 5);
//! assert_eq!(report.project.patterns[0].title, "Functions and methods are snake_case");
//!
//! println!("{}", report_table(&report, 80, false));
//! println!("{}", serde_json::to_string_pretty(&report)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Files that are in no folder (in a commit, an archive, a database) are analysed by implementing [`FileTree`] for what has them:
//!
//! ```
//! use std::collections::BTreeMap;
//! use nyxcore_code_analysis::{FileTree, Skip, TreeError, TreeFile, TreeOptions, files_analyze};
//!
//! struct Memory(BTreeMap<String, Vec<u8>>);
//!
//! impl FileTree for Memory {
//!     fn identity(&self) -> String {
//!         "memory".to_owned()
//!     }
//!
//!     fn list(&self) -> Result<Vec<TreeFile>, TreeError> {
//!         let file = |path: &String| TreeFile { path: path.clone(), blob: None, is_link: false };
//!         Ok(self.0.keys().map(file).collect())
//!     }
//!
//!     fn read(&self, file: &TreeFile, bytes_max: u64) -> Result<Vec<u8>, Skip> {
//!         let content = self.0.get(&file.path).ok_or(Skip::Vanished)?;
//!         if content.len() as u64 > bytes_max { Err(Skip::TooLarge) } else { Ok(content.clone()) }
//!     }
//! }
//!
//! let files = BTreeMap::from([("a.py".to_owned(), b"def f():\n    pass\n".to_vec())]);
//! let report = files_analyze(&Memory(files), &TreeOptions::default(), |_progress| {})?;
//! assert_eq!(report.project.metrics.functions, 1);
//! # Ok::<(), TreeError>(())
//! ```

mod engine;
#[cfg(feature = "service")]
mod service;

pub use engine::blob::blob_id;
pub use engine::facts::{
    Anonymous, Definition, DefinitionKind, ENGINE_VERSION, FileFacts, FunctionMetrics, Import,
    ImportStyle, LineCounts, Sign,
};
pub use engine::guard::{NoThreads, on_deep_stack};
pub use engine::language::{Category, Language};
pub use engine::parse::{FileError, file_analyze};
pub use engine::patterns::{CodeLocation, MIN_CASES, MIN_SHARE, Pattern, wilson_lower_bound};
pub use engine::project::dead_code::{DEAD_CODE_CAP, DeadCode};
pub use engine::project::duplicates::{CLONE_CAP, CloneGroup, PLACES_CAP};
pub use engine::project::history::{CO_CHANGE_CAP, Change, CoChange, OWNERSHIP_CAP, Ownership};
pub use engine::project::import_graph::{CYCLE_CAP, Cycle, CycleStep, ImportGraph, Layer};
pub use engine::project::manifest::Manifest;
pub use engine::project::map::{MAP_CAP, RankedDefinition, TOKEN_BYTES, repository_map};
pub use engine::project::places::Place;
pub use engine::project::stack::{CommandPurpose, ProjectCommand, Technology, TechnologyKind};
pub use engine::project::step::Step;
pub use engine::project::{
    FileHistory, HOTSPOT_CAP, Hotspot, LanguageShare, ProjectAnalysis, ProjectInput,
    ProjectMetrics, SourceFile, project_summarize, project_summarize_checked,
};
pub use engine::references::{Reference, ReferenceKind, References};
pub use engine::render::{project_table, report_table};
pub use engine::report_files::{
    COGNITIVE_MOST, COMPLEX_CAP, ComplexFunction, FileReport, FunctionReport,
};
#[cfg(feature = "rules")]
pub use engine::rules::{RULE_CAP, RULE_FILE_CAP, RuleHits, RuleSet, RuleTally};
pub use engine::rules::{
    RULE_FOLDER, RULE_PLACES, RuleError, RuleFile, RuleFinding, RuleReport, RuleSeverity,
};
pub use engine::sarif::{Sarif, report_sarif};
pub use engine::skip::{SIZE_CAP, Skip};
pub use engine::skipped::{SKIPPED_NAMED, SkippedFiles};
pub use engine::source::{FileStamp, FileTree, TreeFile};
pub use engine::tree::{
    REPORT_SCHEMA, TreeError, TreeOptions, TreeProgress, TreeReport, files_analyze, tree_analyze,
};
pub use engine::windows::{CLONE_TOKENS_FOUND, WINDOW_TOKENS, Windows};

#[cfg(feature = "service")]
pub use service::{
    AnalysisHandler, AnalysisOptions, AnalysisTrigger, AnalysisWarning, CODE_ANALYSIS,
    CODE_ANALYSIS_RUN, CodeAnalyses, CodeAnalysis, CodePattern, CodePatternChange,
    CodePatternFilter, CodePatternId, CodePatterns, PatternChange, PatternChangeCounts,
    PatternStrength, ProjectFindings, ProjectSummary, QUIET_PERIOD, Summarize, analysis_catch_up,
    analysis_count, analysis_latest, analysis_latest_of, analysis_list, analysis_start,
    analysis_start_after_sync, analysis_subject, code_pattern_count, code_pattern_list,
    hotspot_list, pattern_change_list, pattern_changes_last, project_findings_of,
    project_summaries_of, project_summary, registration,
};
