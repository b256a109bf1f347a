//! The domain model: a consolidation, its projects and its report.

use nyxcore_knowledge::ConsolidationPatternId;
use nyxcore_personas::PersonaId;
use nyxcore_projects::ProjectId;
use nyxcore_runs::RunId;
use serde::{Deserialize, Serialize};

/// The data of a run of the kind `CONSOLIDATION` beside the run itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consolidation {
    /// The run, whose id is the consolidation's.
    pub run_id: RunId,
    /// The projects that it compares, in the order of their names.
    pub projects: Vec<ConsolidationProject>,
    /// The persona that the model takes on. It may have been deleted since: then the id no longer resolves.
    pub persona_id: Option<PersonaId>,
    /// The provider of the model; `None` where no model is used.
    pub provider: Option<String>,
    /// The model that phrases the counted patterns and adds others; `None` where no model is used.
    pub model: Option<String>,
    /// Its result. `None` until it succeeds.
    pub report: Option<ConsolidationReport>,
}

/// A project of a consolidation, with its name when the run was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsolidationProject {
    /// The project.
    pub id: ProjectId,
    /// Its name.
    pub name: String,
}

/// The result of a consolidation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConsolidationReport {
    /// The patterns that it found, without archived ones.
    pub patterns: Vec<ConsolidationPatternId>,
    /// How many of them are new.
    pub created: i64,
    /// How many changed in text or evidence.
    pub updated: i64,
    /// How many did not change.
    pub unchanged: i64,
    /// How many of the found patterns somebody has archived.
    pub archived: i64,
    /// Memory entries and insights that were read.
    pub sources_read: i64,
    /// Memory entries and insights for which there was no room, the oldest of each project.
    pub sources_left_out: i64,
    /// Characters beyond the limit of entries that are too long.
    pub characters_left_out: i64,
    /// Lines left out because they repeat the text of an earlier consolidation or enrichment.
    pub lines_recalled: i64,
    /// Quotations of the model's that are not in their source, and were left out.
    pub quotations_dropped: i64,
    /// Patterns of the model's that had no quotation left, or none of a second project, and were left out.
    pub patterns_dropped: i64,
    /// Why the model contributed nothing, with the code of the error.
    pub model_failure: Option<String>,
    /// The templates that the prompt was made of, with their versions.
    pub templates: Vec<String>,
    /// The names of projects that were deleted before the run read them.
    pub projects_deleted: Vec<String>,
}

/// A model's complete answer with what it was asked about, stored before it is checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Draft {
    /// The value that the model answered with.
    pub answer: serde_json::Value,
    /// The ids of the sources that it may quote: `1` is the first.
    pub pieces: Vec<String>,
    /// The keys of the patterns that it may phrase: `1` is the first.
    pub candidates: Vec<String>,
    /// As in [`ConsolidationReport`].
    pub templates: Vec<String>,
    /// The provider that answered.
    pub provider: String,
    /// The model that answered.
    pub model: String,
}
