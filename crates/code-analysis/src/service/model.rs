//! The words of the analysis as the server keeps it. Places, hotspots and counts are the engine's own types.

use nyxcore_projects::ProjectId;
use nyxcore_runs::RunId;
use nyxcore_tenancy::typed_id;
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};

use crate::{CodeLocation, ProjectMetrics, Technology};

typed_id!(
    /// A pattern of a project's code. It keeps its id from analysis to analysis while its rule is the same.
    CodePatternId,
    "pattern"
);

/// What started an analysis.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "UPPERCASE")]
#[serde(rename_all = "UPPERCASE")]
pub enum AnalysisTrigger {
    /// Somebody asked for it.
    Manual,
    /// A sync brought code.
    Sync,
}

impl AnalysisTrigger {
    /// Its name, as the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "MANUAL",
            Self::Sync => "SYNC",
        }
    }
}

/// What a run of the kind `CODE_ANALYSIS` keeps beside the run itself. The counts are final once it has succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeAnalysis {
    /// The run.
    pub run_id: RunId,
    /// The project.
    pub project_id: ProjectId,
    /// What started it.
    pub trigger: AnalysisTrigger,
    /// The commit that was analysed. `None` before the files were looked at, and where the sources are of different commits.
    pub commit_id: Option<String>,
    /// Files that this run read and parsed.
    pub files_analyzed: i64,
    /// Files whose facts were there already.
    pub files_reused: i64,
    /// Files that were left out for a reason, such as that they do not parse.
    pub files_skipped: i64,
    /// Lines with code on them, in all of the project's code.
    pub lines_of_code: i64,
    /// Patterns that were found.
    pub patterns_found: i64,
}

/// A habit of a project's code, as the latest analysis found it.
#[derive(Debug, Clone, PartialEq)]
pub struct CodePattern {
    /// Its id.
    pub id: CodePatternId,
    /// The project.
    pub project_id: ProjectId,
    /// The rule's own name, unique within the project and the same from analysis to analysis.
    pub key: String,
    /// `naming`, `error_handling`, `test_layout`, `documentation`, `import_style`.
    pub kind: String,
    /// The habit in a few words.
    pub title: String,
    /// A rule that somebody could follow.
    pub statement: String,
    /// The language it is about.
    pub stack: Option<String>,
    /// The folder it is about; `None` for the whole project.
    pub scope: Option<String>,
    /// The cases that follow it: 41 in "41 of 44".
    pub support: i64,
    /// All cases: 44 in "41 of 44".
    pub cases: i64,
    /// The lower bound of the Wilson interval at 95 % on `support` of `cases`: above 0, below 1.
    pub confidence: f64,
    /// Places that show it. Their paths are as in their source.
    pub exemplars: Vec<CodeLocation>,
    /// Places that do not follow it.
    pub counter_examples: Vec<CodeLocation>,
}

/// What the latest analysis found a project to be made of.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectSummary {
    /// The project.
    pub project_id: ProjectId,
    /// The analysis that found it.
    pub analysis_id: RunId,
    /// The version of the engine that found it.
    pub engine_version: i64,
    /// Languages, most lines first, each followed by its frameworks, most used first.
    pub technologies: Vec<Technology>,
    /// Counts.
    pub metrics: ProjectMetrics,
}

impl ProjectSummary {
    /// The names of its languages and frameworks in their order, each once.
    #[must_use]
    pub fn stack(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for technology in &self.technologies {
            if !names.contains(&technology.name) {
                names.push(technology.name.clone());
            }
        }
        names
    }
}
