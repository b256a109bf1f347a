//! The domain model: an enrichment of a note, its sources and its state.

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
    /// For whom it was done. The persona may have been deleted since: then the id no longer resolves.
    pub persona_id: Option<PersonaId>,
    /// The provider of the model; `None` where no model was used.
    pub provider: Option<String>,
    /// The model; `None` where none was used.
    pub model: Option<String>,
    /// How it was made.
    pub mode: EnrichmentMode,
    /// What there is to read. `None` until the run has written it.
    pub markdown: Option<String>,
    /// What the text cites: `[1]` is the first of them.
    pub citations: Vec<Citation>,
    /// How much of each kind of knowledge went into it, in the order of the kinds.
    pub context_used: Vec<ContextSection>,
    /// What became of it.
    pub decision: EnrichmentDecision,
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

/// What a person made of an enrichment.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "UPPERCASE")]
#[serde(rename_all = "UPPERCASE")]
pub enum EnrichmentDecision {
    /// Nothing yet.
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
    /// How many pieces were used.
    pub items: i64,
    /// How large they are, estimated by [`tokens_estimate`].
    pub tokens: i64,
    /// How many more were found and did not fit.
    pub omitted: i64,
}

/// The approximate number of tokens of a text: one per four characters, rounded up, which providers recommend for
/// English. Code and other languages need more; the budgets leave room for that.
#[must_use]
pub fn tokens_estimate(text: &str) -> usize {
    text.chars().count().div_ceil(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_begun_token_counts() {
        assert_eq!(
            ["", "a", "four", "fünf!"].map(tokens_estimate),
            [0, 1, 1, 2]
        );
    }
}
