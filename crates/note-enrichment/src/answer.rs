//! The schema of a model's answer, and the parsed answer.

use nyxcore_llm::OutputSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// The most action points of an answer, and the most open questions.
const LIST_MAX: usize = 20;

/// A model's answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Answer {
    /// Markdown that cites pieces by their numbers in brackets.
    pub(crate) markdown: String,
    /// The action points.
    pub(crate) action_points: Vec<AnswerPoint>,
    /// Questions that the material does not answer.
    pub(crate) open_questions: Vec<String>,
}

/// An action point, with the numbers of the pieces that support it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct AnswerPoint {
    pub(crate) text: String,
    pub(crate) citations: Vec<i64>,
}

impl Answer {
    /// Parses a value that fits the schema.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let mut answer = Self::deserialize(value).ok()?;
        answer.action_points.truncate(LIST_MAX);
        answer.open_questions.truncate(LIST_MAX);
        Some(answer)
    }
}

/// The schema of an answer. Every property is required and no other is allowed, as strict structured output of some
/// vendors demands.
pub(crate) fn output_schema() -> OutputSchema {
    let point = json!({
        "type": "object",
        "properties": {
            "text": { "type": "string" },
            "citations": { "type": "array", "items": { "type": "integer" } },
        },
        "required": ["text", "citations"],
        "additionalProperties": false,
    });
    OutputSchema {
        name: "note_enrichment".to_owned(),
        schema: json!({
            "type": "object",
            "properties": {
                "markdown": { "type": "string" },
                "action_points": { "type": "array", "items": point },
                "open_questions": { "type": "array", "items": { "type": "string" } },
            },
            "required": ["markdown", "action_points", "open_questions"],
            "additionalProperties": false,
        }),
        strict: true,
    }
}
