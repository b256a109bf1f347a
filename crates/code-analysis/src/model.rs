//! The model of a stored analysis. Places, hotspots and counts are types of the engine.

use chrono::{DateTime, Utc};
use nyxcore_code_engine::evidence::CodeLocation;
use nyxcore_code_engine::listing::SkippedFiles;
use nyxcore_code_engine::patterns::Pattern;
use nyxcore_code_engine::patterns::information::Information;
use nyxcore_code_engine::project::{
    CloneGroup, CoChange, DeadCode, ImportGraph, Ownership, ProjectCommand, ProjectMetrics,
    RankedDefinition, Technology,
};
use nyxcore_projects::ProjectId;
use nyxcore_runs::RunId;
use nyxcore_tenancy::typed_id;
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};

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
    /// A user requested it.
    Manual,
    /// A sync with new code.
    Sync,
}

impl AnalysisTrigger {
    /// The name that the API uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "MANUAL",
            Self::Sync => "SYNC",
        }
    }
}

/// The data of a run of the kind `CODE_ANALYSIS`, beside the run itself. The counts are final once it has succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeAnalysis {
    /// The run.
    pub run_id: RunId,
    /// The project.
    pub project_id: ProjectId,
    /// What started it.
    pub trigger: AnalysisTrigger,
    /// The analysed commit. `None` before the files are scanned, and if the sources have different commits.
    pub commit_id: Option<String>,
    /// Files that this run read and parsed.
    pub files_analyzed: i64,
    /// Files whose facts were already stored.
    pub files_reused: i64,
    /// Files that were skipped for a reason, such as that they do not parse.
    pub files_skipped: i64,
    /// Lines with code on them, in all of the project's code.
    pub lines_of_code: i64,
    /// Patterns that were found.
    pub patterns_found: i64,
    /// Whether the patterns were compared with those of an earlier analysis. They are not compared in a project's first
    /// analysis, nor in the first by another version of the engine: such differences may come from the engine and not
    /// from the team.
    pub patterns_compared: bool,
    /// How many patterns changed, by kind of change; 0 if they were not compared.
    pub pattern_changes: PatternChangeCounts,
    /// Skipped files by reason, each with its first paths.
    pub skipped: Vec<SkippedFiles>,
    /// What went wrong without ending the analysis.
    pub warnings: Vec<AnalysisWarning>,
}

/// A problem in one part of an analysis. The other parts are valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnalysisWarning {
    /// The stable name of the part: a step's, as [`Step::as_str`](nyxcore_code_engine::analysis::Step::as_str) returns
    /// it.
    pub part: String,
    /// The file concerned, if the problem is in one file.
    pub path: Option<String>,
    /// The source that contains the file, as text id. Unknown in older rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// The problem, as a sentence.
    pub text: String,
}

/// How a pattern changed from one analysis to another.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "UPPERCASE")]
#[serde(rename_all = "UPPERCASE")]
pub enum PatternChange {
    /// The pattern did not exist before.
    Appeared,
    /// The pattern is kept better than before.
    Strengthened,
    /// The pattern is kept less well than before.
    Weakened,
    /// The pattern no longer exists.
    Vanished,
}

/// How well a pattern is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PatternStrength {
    /// The number of cases that follow it.
    pub support: i64,
    /// The number of all cases.
    pub cases: i64,
    /// The lower bound of the Wilson interval for `support` of `cases`.
    pub confidence: f64,
}

/// A recorded change of a pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct CodePatternChange {
    /// The analysis.
    pub analysis_id: RunId,
    /// The pattern.
    pub pattern_id: CodePatternId,
    /// How it changed.
    pub change: PatternChange,
    /// Its kind.
    pub kind: String,
    /// Its title, as it was then.
    pub title: String,
    /// The values at the previous recorded change, so that small steps add up. `None` if the pattern appeared.
    pub before: Option<PatternStrength>,
    /// The current values. `None` if the pattern vanished.
    pub after: Option<PatternStrength>,
}

/// How many patterns changed, by kind of change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PatternChangeCounts {
    /// Appeared.
    pub appeared: i64,
    /// Strengthened.
    pub strengthened: i64,
    /// Weakened.
    pub weakened: i64,
    /// Vanished.
    pub vanished: i64,
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
    /// `naming`, `error_handling`, `test_layout` and so on; `rule` for a project's own.
    pub kind: String,
    /// The habit in a few words.
    pub title: String,
    /// The convention, stated as a rule.
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
    /// When an analysis found it for the first time.
    pub first_seen_at: DateTime<Utc>,
    /// The analysis that no longer found it; `None` while it exists. A pattern that returns keeps its id until its row
    /// is deleted: see [`AnalysisOptions::vanished_kept`](crate::AnalysisOptions).
    pub vanished_in: Option<RunId>,
}

impl CodePattern {
    /// Whether nearly every project of its language has the habit. It is then quoted only if it is asked for.
    #[must_use]
    pub fn goes_without_saying(&self) -> bool {
        let pattern = Pattern {
            key: self.key.clone(),
            kind: self.kind.clone(),
            title: String::new(),
            statement: String::new(),
            stack: self.stack.clone(),
            scope: self.scope.clone(),
            support: 0,
            cases: 0,
            confidence: 0.0,
            exemplars: Vec::new(),
            counter_examples: Vec::new(),
            deviations: Vec::new(),
        };
        self.kind == "naming" || Information::of(&pattern).is_usual()
    }
}

/// The stack and the metrics of a project, as the latest analysis found them.
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

/// All results of a project's latest analysis, except patterns and hotspots.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectFindings {
    /// The project.
    pub project_id: ProjectId,
    /// The analysis that found it.
    pub analysis_id: RunId,
    /// The version of the engine that found it.
    pub engine_version: i64,
    /// Languages, most lines first, each followed by its frameworks, most used first.
    pub technologies: Vec<Technology>,
    /// How the project is built, tested and checked.
    pub commands: Vec<ProjectCommand>,
    /// Files that change together, closest first.
    pub co_changes: Vec<CoChange>,
    /// How the changes of each folder are distributed over people, the project itself first.
    pub ownership: Vec<Ownership>,
    /// How its files import each other.
    pub imports: ImportGraph,
    /// Duplicated code, largest first.
    pub duplicates: Vec<CloneGroup>,
    /// Definitions that may be unused.
    pub dead_code: Vec<DeadCode>,
    /// The definitions that most of the project depends on, highest rank first.
    pub map: Vec<RankedDefinition>,
}
