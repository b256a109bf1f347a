//! An answer that fits a JSON Schema. The schema is sent as the endpoint accepts it, checked here, and repaired once.

use serde_json::Value;

use crate::scrub::Scrubber;
use crate::{Client, Finish, FinishReason, LlmError, Message, ModelRequest};

/// An answer that fits its schema.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectAnswer {
    /// The value.
    pub value: Value,
    /// The finish of every call, oldest first: two where the first answer did not fit. All of them are billed.
    pub finishes: Vec<Finish>,
}

/// Checks answers against the requested schema, and builds the repair request. For callers that make each call
/// themselves, such as one that records them in a ledger.
pub struct OutputCheck {
    validator: jsonschema::Validator,
}

impl OutputCheck {
    /// Creates the check of a request's output schema.
    ///
    /// # Errors
    /// [`LlmError::RequestInvalid`] where the request has no schema, or an invalid one.
    pub fn new(request: &ModelRequest) -> Result<Self, LlmError> {
        let refuse = |reason: &str| LlmError::RequestInvalid(reason.to_owned());
        let output = request.output_schema.as_ref();
        let output = output.ok_or_else(|| refuse("there is no output schema"))?;
        let validator = jsonschema::validator_for(&output.schema)
            .map_err(|_| refuse("the output schema is not a JSON Schema by itself"))?;
        Ok(Self { validator })
    }

    /// The value of an answer.
    ///
    /// # Errors
    /// [`LlmError::OutputInvalid`] where it does not fit, and where it was cut off, filtered or refused.
    pub fn value(&self, finish: &Finish) -> Result<Value, LlmError> {
        let complaint = match finish.reason {
            FinishReason::Complete => match read(&finish.message.text(), &self.validator) {
                Ok(value) => return Ok(value),
                Err(complaint) => complaint,
            },
            FinishReason::Length => "it was cut off by the limit of output tokens".to_owned(),
            FinishReason::Filtered => "it was filtered".to_owned(),
            FinishReason::Refused => "the model refused".to_owned(),
            FinishReason::ToolUse => "the model called a tool".to_owned(),
            FinishReason::Paused => "the turn was paused".to_owned(),
        };
        Err(LlmError::OutputInvalid(complaint))
    }

    /// The request that repairs an answer: it says what is wrong and asks once more. `None` where a repair does not
    /// help, because the answer is incomplete.
    #[must_use]
    pub fn repair(
        &self,
        request: &ModelRequest,
        finish: &Finish,
        error: &LlmError,
    ) -> Option<ModelRequest> {
        let LlmError::OutputInvalid(complaint) = error else {
            return None;
        };
        if finish.reason != FinishReason::Complete {
            return None;
        }
        let mut request = request.clone();
        let text = finish.message.text();
        if !text.is_empty() {
            request.messages.push(Message::assistant(text));
        }
        request.messages.push(Message::user(format!(
            "That answer does not fit the JSON Schema: {complaint}. Answer again with the JSON value only."
        )));
        Some(request)
    }
}

impl Client {
    /// Asks for a value that fits `request.output_schema`. Where the first answer does not fit, the model is told why
    /// and asked once more.
    ///
    /// # Errors
    /// [`LlmError::OutputInvalid`] where the second answer does not fit either, and where the answer was cut off,
    /// filtered or refused; [`LlmError::RequestInvalid`] where there is no schema, or an invalid one; otherwise as
    /// [`Client::complete`].
    pub async fn object(&self, request: &ModelRequest) -> Result<ObjectAnswer, LlmError> {
        let check = OutputCheck::new(request)?;
        let mut repaired = None;
        let mut finishes = Vec::new();
        loop {
            let finish = self.complete(repaired.as_ref().unwrap_or(request)).await?;
            let outcome = check.value(&finish);
            let is_first = finishes.is_empty();
            finishes.push(finish.clone());
            match outcome {
                Ok(value) => return Ok(ObjectAnswer { value, finishes }),
                Err(error) => {
                    let next = check.repair(request, &finish, &error).filter(|_| is_first);
                    repaired = Some(next.ok_or(error)?);
                }
            }
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

/// Removes a code fence. Models often put JSON into one, even where they are told not to.
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
