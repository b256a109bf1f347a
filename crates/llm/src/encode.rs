//! The parts that the encoders of all vendors share.

use serde_json::Value;

use crate::{
    CacheLifetime, Effort, Message, ModelRequest, Omission, Part, Role, Sampling, StructuredOutput,
    Thinking, ThinkingDefault, ToolResult,
};

/// Consecutive messages of one role as one turn: some vendors refuse two of a role in a row.
pub(crate) struct Turn<'a> {
    pub(crate) role: Role,
    /// The parts. The cache mark of a message is on the message's last part.
    pub(crate) parts: Vec<(&'a Part, Option<CacheLifetime>)>,
}

pub(crate) fn turns(messages: &[Message]) -> Vec<Turn<'_>> {
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for message in messages.iter().filter(|message| !message.parts.is_empty()) {
        let mut parts: Vec<_> = message.parts.iter().map(|part| (part, None)).collect();
        // A cache mark cannot be on reasoning, nor on an empty text, which is not sent.
        let can_have_mark = |part: &Part| match part {
            Part::Text(text) => !text.text.is_empty(),
            other => !matches!(other, Part::Reasoning(_) | Part::Vendor(_)),
        };
        let marked = parts.iter_mut().rev().find(|(part, _)| can_have_mark(part));
        if let Some((_, mark)) = marked {
            *mark = message.cache;
        }
        match turns.last_mut() {
            Some(turn) if turn.role == message.role => turn.parts.extend(parts),
            _ => turns.push(Turn {
                role: message.role,
                parts,
            }),
        }
    }
    turns
}

/// The temperature, if the model accepts one for this request.
pub(crate) fn temperature(
    request: &ModelRequest,
    thinks: bool,
    omissions: &mut Vec<Omission>,
) -> Option<f64> {
    let asked = request.temperature?;
    let traits = &request.traits;
    let reason = match traits.sampling {
        Sampling::Refused => "the model takes no temperature",
        Sampling::WithoutReasoning if thinks => "the model takes no temperature while it thinks",
        _ if asked > traits.temperature_max => {
            omit(
                omissions,
                "temperature",
                "it was lowered to the model's highest",
            );
            return Some(traits.temperature_max);
        }
        _ => return Some(asked),
    };
    omit(omissions, "temperature", reason);
    None
}

/// The stop sequences, if the model accepts them.
pub(crate) fn stop<'a>(
    request: &'a ModelRequest,
    omissions: &mut Vec<Omission>,
) -> Option<&'a [String]> {
    if request.stop.is_empty() {
        return None;
    }
    if !request.traits.stop {
        omit(omissions, "stop", "the model takes no texts to stop at");
        return None;
    }
    Some(&request.stop)
}

/// The effort to send. A requested effort that the model does not accept is noted as an omission.
pub(crate) fn effort(request: &ModelRequest, omissions: &mut Vec<Omission>) -> Option<Effort> {
    let asked = request.effort?;
    let traits = &request.traits;
    let given = traits.effort(Some(asked));
    let is_off_anyway = asked == Effort::Off && traits.thinking_default == ThinkingDefault::Off;
    match given {
        Some(given) if given != asked => {
            omit(
                omissions,
                "effort",
                "the nearest level that the model takes was sent",
            );
        }
        None if traits.thinking != Thinking::Effort && !is_off_anyway => {
            omit(omissions, "effort", "the model takes no level");
        }
        _ => {}
    }
    given
}

pub(crate) fn omit(omissions: &mut Vec<Omission>, field: &'static str, reason: &'static str) {
    omissions.push(Omission { field, reason });
}

/// The maximum number of tokens of answer and reasoning together, within the model's cap.
pub(crate) fn output_tokens(request: &ModelRequest, reasoning: u32) -> Option<u32> {
    let cap = request.traits.output_cap;
    let asked = request.max_output_tokens?;
    Some(asked.saturating_add(reasoning).min(cap.unwrap_or(u32::MAX)))
}

/// The system text. It contains the schema where the vendor has no field for it.
pub(crate) fn system_text(request: &ModelRequest, structured: StructuredOutput) -> Option<String> {
    let in_prompt = matches!(
        structured,
        StructuredOutput::Object | StructuredOutput::Prompt
    );
    let schema = request.output_schema.as_ref().filter(|_| in_prompt);
    let instruction = schema.map(|output| {
        let schema = &output.schema;
        format!(
            "Answer with one JSON value and nothing else. It must fit this JSON Schema:\n{schema}"
        )
    });
    let system = request.system.clone().filter(|text| !text.is_empty());
    match (system, instruction) {
        (Some(system), Some(instruction)) => Some(format!("{system}\n\n{instruction}")),
        (system, instruction) => system.or(instruction),
    }
}

/// A tool's result for APIs that have no field for its failure.
pub(crate) fn result_text(result: &ToolResult) -> String {
    if result.is_error {
        format!("Error: {}", result.content)
    } else {
        result.content.clone()
    }
}

/// Arguments as text. `serde_json` cannot fail on a map with text keys.
pub(crate) fn arguments_text(arguments: &serde_json::Map<String, Value>) -> String {
    serde_json::to_string(arguments).unwrap_or_else(|_| "{}".to_owned())
}
