//! The domain model: an enrichment of a note, its sources and its state.

use nyxcore_context::{Reference, Section};
use nyxcore_personas::PersonaId;
use nyxcore_projects::NoteId;
use nyxcore_retrieval::{Citation, KnowledgeKind};
use nyxcore_runs::RunId;
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};

/// The result of an enrichment run. The run has the state and the times.
#[derive(Debug, Clone, PartialEq)]
pub struct NoteEnrichment {
    /// The run, whose id is the enrichment's.
    pub run_id: RunId,
    /// The note.
    pub note_id: NoteId,
    /// The persona it was written for. It may have been deleted since: then the id no longer resolves.
    pub persona_id: Option<PersonaId>,
    /// The provider of the model; `None` where no model was used.
    pub provider: Option<String>,
    /// The model; `None` where none was used.
    pub model: Option<String>,
    /// How it was made.
    pub mode: EnrichmentMode,
    /// The text. `None` until the run has written it.
    pub markdown: Option<String>,
    /// The citations of the text: `[1]` is the first of them.
    pub citations: Vec<Citation>,
    /// How much of each kind of knowledge went into it, in the order of the kinds.
    pub context_used: Vec<ContextSection>,
    /// What a person decided about it.
    pub decision: EnrichmentDecision,
    /// What the check of the text found. `None` until it is checked, and in enrichments of older releases.
    pub report: Option<EnrichmentReport>,
}

/// The findings of the check of an enrichment's text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrichmentReport {
    /// How many citations of the model did not resolve and were removed.
    pub citations_dropped: i64,
    /// The files that the model named and the project does not have. They are marked in the text.
    pub files_unknown: Vec<String>,
    /// How many sentences cite nothing. They are marked in the text.
    pub sentences_uncited: i64,
    /// How many action points of the model had no citation that resolves, and were left out.
    pub action_points_dropped: i64,
    /// What the model could not find out from the material.
    pub open_questions: Vec<String>,
    /// The templates that the prompt was made of, with their versions.
    pub templates: Vec<String>,
    /// How many characters of the note did not fit into the prompt.
    pub input_left_out: i64,
}

/// A model's complete answer with what it may cite, stored before it is checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Draft {
    /// The value that the model answered with.
    pub answer: serde_json::Value,
    /// The pieces that were offered for citation: `[1]` is the first.
    pub references: Vec<Reference>,
    /// The amount of knowledge in the prompt.
    pub sections: Vec<ContextSection>,
    /// As in [`EnrichmentReport`].
    pub templates: Vec<String>,
    /// As in [`EnrichmentReport`].
    pub input_left_out: i64,
    /// The provider that answered.
    pub provider: String,
    /// The model that answered.
    pub model: String,
}

/// How an enrichment was made.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "UPPERCASE")]
#[serde(rename_all = "UPPERCASE")]
pub enum EnrichmentMode {
    /// A model wrote it.
    Generated,
    /// No model was used: the text consists of retrieved excerpts.
    Extractive,
}

/// A person's decision about an enrichment.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "UPPERCASE")]
#[serde(rename_all = "UPPERCASE")]
pub enum EnrichmentDecision {
    /// Not decided yet.
    Pending,
    /// Applied to the note.
    Applied,
    /// It was not wanted.
    Dismissed,
}

/// How much of one kind of knowledge went into an enrichment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextSection {
    /// The kind.
    pub kind: KnowledgeKind,
    /// The section of the context. Unknown in older rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<Section>,
    /// How many pieces were used.
    pub items: i64,
    /// An upper bound of their tokens ([`tokens_bound`](nyxcore_context::tokens_bound)); in older rows an estimate.
    pub tokens: i64,
    /// How many more were found and did not fit.
    pub omitted: i64,
}

impl ContextSection {
    /// The sections of an assembled context.
    pub(crate) fn of(assembly: &nyxcore_context::Assembly) -> Vec<Self> {
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let sections = assembly.sections.iter().map(|section| Self {
            kind: section.section.kind(),
            section: Some(section.section),
            items: count(section.items.len()),
            tokens: count(section.tokens),
            omitted: count(section.omitted),
        });
        sections.collect()
    }
}
