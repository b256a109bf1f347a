//! Calls the model: streams its answer to whoever watches the run, checks it against the schema, and has it repaired
//! once.

use std::time::Duration;

use futures::StreamExt;
use nyxcore_llm::{Finish, FinishReason, ModelRequest, OutputCheck, StreamEvent};
use nyxcore_model_catalog::{CallContext, ModelCall, ModelChoice, ModelError, ModelService};
use nyxcore_runs::{Level, RunContext, RunFailure};
use serde_json::Value;
use tokio::time::Instant;

use crate::field::FieldText;

/// A piece of the text becomes an event when it has this many bytes, or [`PIECE_EVERY`] has passed.
const PIECE_BYTES: usize = 600;
/// See [`PIECE_BYTES`].
const PIECE_EVERY: Duration = Duration::from_millis(700);
/// The most bytes of text that are shown while it is written. The answer itself is not cut.
const SHOWN_BYTES_MAX: usize = 100_000;

/// The names of the streams: of the first answer, and of the one that repairs it.
const STREAMS: [&str; 2] = ["write", "repair"];

/// An answer that fits its schema.
#[derive(Debug, Clone)]
pub struct SettledAnswer {
    /// The value.
    pub value: Value,
    /// The provider that answered.
    pub provider: String,
    /// The model that answered.
    pub model: String,
}

/// Has a model write an answer. Where the answer is complete and does not fit the schema, the model is told why and is
/// asked once more. The string of the answer's key `shown` is streamed as a text of the run.
///
/// # Errors
/// `ANSWER_CUT_OFF`, `ANSWER_FILTERED` and `ANSWER_REFUSED` for an answer that is not complete; `OUTPUT_INVALID` where
/// the second answer does not fit either; those of the call; the run must stop.
pub async fn answer_write(
    context: &RunContext,
    models: &ModelService,
    call: &CallContext,
    mut choice: ModelChoice,
    mut request: ModelRequest,
    shown: &str,
) -> Result<SettledAnswer, RunFailure> {
    let check = OutputCheck::new(&request)
        .map_err(|error| model_failure(&ModelError::from(error), context))?;
    for stream in STREAMS {
        let call = CallContext {
            step: Some(stream.to_owned()),
            ..call.clone()
        };
        let opening = models.stream(call, choice.clone(), request.clone());
        let opened = tokio::select! {
            biased;
            () = context.cancelled().cancelled() => return Err(RunFailure::stopped()),
            opened = opening => opened,
        };
        let mut answering = opened.map_err(|error| model_failure(&error, context))?;
        let info = answering.info().clone();
        let replaced = info
            .replacement
            .into_iter()
            .map(|replacement| replacement.text);
        for warning in info.warnings.into_iter().chain(replaced) {
            context.message(Level::Warning, warning).await?;
        }
        // Another attempt starts the text anew.
        let text = match context.run().attempt {
            ..=1 => stream.to_owned(),
            attempt => format!("{stream}-{attempt}"),
        };
        let finish = answer_read(context, &mut answering, &text, shown).await?;
        complete(&finish)?;
        let error = match check.value(&finish) {
            Ok(value) => {
                return Ok(SettledAnswer {
                    value,
                    provider: info.provider,
                    model: info.model,
                });
            }
            Err(error) => error,
        };
        let repaired = check.repair(&request, &finish, &error);
        let repaired = repaired.filter(|_| stream == STREAMS[0]);
        let Some(repaired) = repaired else {
            return Err(model_failure(&error.into(), context));
        };
        let said = format!("the model's answer does not fit: {error}; it is asked once more");
        context.message(Level::Warning, said).await?;
        request = repaired;
        // The model that wrote the answer repairs it.
        choice = ModelChoice::Model(info.model);
    }
    Err(RunFailure::permanent(
        "OUTPUT_INVALID",
        "the model's answer does not fit its schema",
    ))
}

/// Reads an answer to its end and shows it as it comes.
async fn answer_read(
    context: &RunContext,
    answering: &mut ModelCall,
    stream: &str,
    key: &str,
) -> Result<Finish, RunFailure> {
    let mut shown = TextPieces::new(key);
    loop {
        // A call that is dropped cancels its request and is settled with what was used until then.
        let event = tokio::select! {
            biased;
            () = context.cancelled().cancelled() => return Err(RunFailure::stopped()),
            event = answering.next() => event,
            // The text so far is shown also while the model pauses.
            () = tokio::time::sleep(PIECE_EVERY), if shown.is_waiting() => {
                if let Some(piece) = shown.take() {
                    context.text(stream, piece).await?;
                }
                continue;
            }
        };
        match event {
            Some(Ok(StreamEvent::TextDelta(text))) => {
                shown.push(&text);
                if let Some(piece) = shown.take_due() {
                    context.text(stream, piece).await?;
                }
            }
            Some(Ok(StreamEvent::Finish(finish))) => {
                if let Some(piece) = shown.take() {
                    context.text(stream, piece).await?;
                }
                return Ok(finish);
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(model_failure(&error, context)),
            None => {
                return Err(RunFailure::transient(
                    "TRUNCATED",
                    "the answer was cut off before its end",
                ));
            }
        }
    }
}

/// Refuses an answer that is not complete.
fn complete(finish: &Finish) -> Result<(), RunFailure> {
    let (code, why) = match finish.reason {
        FinishReason::Complete => return Ok(()),
        FinishReason::Length => (
            "ANSWER_CUT_OFF",
            "the model's answer was cut off by its limit of tokens: choose a model with a higher one, or ask for less",
        ),
        FinishReason::Filtered => (
            "ANSWER_FILTERED",
            "the provider filtered the answer: choose another model",
        ),
        FinishReason::Refused => (
            "ANSWER_REFUSED",
            "the model refused: choose another model, or change what it is asked",
        ),
        FinishReason::ToolUse | FinishReason::Paused => (
            "ANSWER_INCOMPLETE",
            "the model did not finish its answer: choose another model",
        ),
    };
    Err(RunFailure::permanent(code, why))
}

/// The error of a model call as a failure of the run.
#[must_use]
pub fn model_failure(error: &ModelError, context: &RunContext) -> RunFailure {
    let failure = RunFailure::new(error.code(), error.to_string(), error.is_retryable());
    let wait = error.retry_after(context.store().env().now());
    match wait.and_then(|wait| chrono::TimeDelta::from_std(wait).ok()) {
        Some(wait) => failure.retry_after(wait),
        None => failure,
    }
}

/// The text of an answer as it is shown: in pieces, so that not every token becomes an event.
struct TextPieces {
    field: FieldText,
    piece: String,
    bytes: usize,
    since: Instant,
}

impl TextPieces {
    fn new(key: &str) -> Self {
        Self {
            field: FieldText::new(key),
            piece: String::new(),
            bytes: 0,
            since: Instant::now(),
        }
    }

    fn push(&mut self, json: &str) {
        let text = self.field.push(json);
        if self.bytes + text.len() <= SHOWN_BYTES_MAX {
            self.bytes += text.len();
            self.piece.push_str(&text);
        }
    }

    fn is_waiting(&self) -> bool {
        !self.piece.is_empty()
    }

    fn take_due(&mut self) -> Option<String> {
        let is_due = self.piece.len() >= PIECE_BYTES || self.since.elapsed() >= PIECE_EVERY;
        is_due.then(|| self.take()).flatten()
    }

    fn take(&mut self) -> Option<String> {
        self.since = Instant::now();
        let piece = std::mem::take(&mut self.piece);
        (!piece.is_empty()).then_some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_shown_in_pieces() {
        let mut shown = TextPieces::new("markdown");
        shown.push("{\"markdown\": \"");
        let mut pieces = 0;
        for _ in 0..1_000 {
            shown.push("token ");
            pieces += usize::from(shown.take_due().is_some());
        }
        assert_eq!(pieces, 1_000 * "token ".len() / PIECE_BYTES);
    }

    #[test]
    fn what_is_shown_is_bounded() {
        let mut shown = TextPieces::new("markdown");
        shown.push("{\"markdown\": \"");
        for _ in 0..2_000 {
            shown.push(&"x".repeat(100));
        }
        assert_eq!(shown.take().unwrap().len(), SHOWN_BYTES_MAX);
        assert_eq!(shown.take(), None);
    }
}
