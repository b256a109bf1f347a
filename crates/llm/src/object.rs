//! An answer that fits a JSON Schema: asked for in the way that the endpoint takes, checked here, and repaired once.

use serde_json::Value;

use crate::scrub::Scrubber;
use crate::{Client, Finish, FinishReason, LlmError, Message, ModelRequest};

/// An answer that fits its schema.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectAnswer {
    /// The value.
    pub value: Value,
    /// Every call that it took, oldest first: two where the first answer did not fit. All of them cost.
    pub finishes: Vec<Finish>,
}

impl Client {
    /// Asks for a value that fits `request.output_schema`. Where the first answer does not fit, the model is told why
    /// and asked once more.
    ///
    /// # Errors
    /// [`LlmError::OutputInvalid`] where the second answer does not fit either, and where the answer was cut off,
    /// filtered or refused; [`LlmError::RequestInvalid`] where there is no schema or it is not one; else as
    /// [`Client::complete`].
    pub async fn object(&self, request: &ModelRequest) -> Result<ObjectAnswer, LlmError> {
        let Some(output) = &request.output_schema else {
            return Err(LlmError::RequestInvalid(
                "there is no output schema".to_owned(),
            ));
        };
        let Ok(validator) = jsonschema::validator_for(&output.schema) else {
            let reason = "the output schema is not a JSON Schema by itself";
            return Err(LlmError::RequestInvalid(reason.to_owned()));
        };
        let mut request = request.clone();
        let mut finishes = Vec::new();
        loop {
            let finish = self.complete(&request).await?;
            let text = finish.message.text();
            let reason = finish.reason;
            finishes.push(finish);
            let complaint = match reason {
                FinishReason::Complete => match read(&text, &validator) {
                    Ok(value) => return Ok(ObjectAnswer { value, finishes }),
                    Err(complaint) => complaint,
                },
                FinishReason::Length => "it was cut off by the limit of output tokens".to_owned(),
                FinishReason::Filtered => "it was filtered".to_owned(),
                FinishReason::Refused => "the model refused".to_owned(),
                FinishReason::ToolUse => "the model called a tool".to_owned(),
                FinishReason::Paused => "the turn was paused".to_owned(),
            };
            // Asking once more helps only where the whole answer is there and wrong.
            if reason != FinishReason::Complete || finishes.len() > 1 {
                return Err(LlmError::OutputInvalid(complaint));
            }
            if !text.is_empty() {
                request.messages.push(Message::assistant(text));
            }
            request.messages.push(Message::user(format!(
                "That answer does not fit the JSON Schema: {complaint}. Answer again with the JSON value only."
            )));
        }
    }
}

/// The value of an answer, or what is wrong with it.
fn read(text: &str, validator: &jsonschema::Validator) -> Result<Value, String> {
    let Ok(value) = serde_json::from_str::<Value>(without_fence(text)) else {
        return Err("it is not JSON".to_owned());
    };
    let complaint = validator.iter_errors(&value).next().map(|error| {
        let place = error.instance_path().to_string();
        Scrubber::default().clean(&format!("at \"{place}\": {error}"))
    });
    complaint.map_or(Ok(value), Err)
}

/// Models like to put JSON into a fenced block, also where they are told not to.
fn without_fence(text: &str) -> &str {
    let text = text.trim();
    let inner = text
        .strip_prefix("```")
        .and_then(|text| text.strip_suffix("```"));
    let Some(inner) = inner else { return text };
    // The first line may name the language.
    match inner.split_once('\n') {
        Some((language, rest)) if !language.contains(['{', '[', '"']) => rest.trim(),
        _ => inner.trim(),
    }
}
