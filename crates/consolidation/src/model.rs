//! The domain model: a consolidation, what it is about, and what it came to.

use nyxcore_knowledge::ConsolidationPatternId;
use nyxcore_personas::PersonaId;
use nyxcore_projects::ProjectId;
use nyxcore_runs::RunId;
use serde::{Deserialize, Serialize};

/// What a run of the kind `CONSOLIDATION` keeps beside the run itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consolidation {
    /// The run, whose id is the consolidation's.
    pub run_id: RunId,
    /// The projects it was started over, in the order of their names.
    pub projects: Vec<ConsolidationProject>,
    /// Whom the model is asked to be. The persona may have been deleted since: then the id no longer resolves.
    pub persona_id: Option<PersonaId>,
    /// Who serves the model; `None` where no model is used.
    pub provider: Option<String>,
    /// The model that phrases and extends what was counted; `None` where none does.
    pub model: Option<String>,
    /// What it came to. `None` until it succeeds.
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

/// What a consolidation came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConsolidationReport {
    /// The patterns that it found and nobody archived.
    pub patterns: Vec<ConsolidationPatternId>,
    /// How many of them are new.
    pub created: i64,
    /// How many say something else than before, or have other evidence.
    pub updated: i64,
    /// How many are as they were.
    pub unchanged: i64,
    /// Patterns that it found again and somebody archived.
    pub archived: i64,
    /// Memory entries and insights that were read.
    pub sources_read: i64,
    /// Memory entries and insights for which there was no room, the oldest of each project.
    pub sources_left_out: i64,
    /// Characters of the entries that were read and are too long.
    pub characters_left_out: i64,
    /// Lines that repeat what an earlier consolidation or an enrichment wrote. They are no source.
    pub lines_recalled: i64,
    /// Quotations of the model's that are not in their source, and were left out.
    pub quotations_dropped: i64,
    /// Patterns of the model's that had no quotation left, or none of a second project, and were left out.
    pub patterns_dropped: i64,
    /// Why the model's part is missing, with the code of the error.
    pub model_failure: Option<String>,
    /// The templates that the prompt was made of, with their versions.
    pub templates: Vec<String>,
    /// The names of projects that were deleted before the run read them.
    pub projects_deleted: Vec<String>,
}

/// A model's settled answer with what it was asked about, kept before it is checked.
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
    /// Who answered.
    pub provider: String,
    /// The model that answered.
    pub model: String,
}
