//! Decodes the answers of Chat Completions.

use serde_json::Value;

use crate::chat::think::{Piece, ThinkSplitter};
use crate::chat::tool_calls::ToolCalls;
use crate::decoder::{Decoder, Output, number, object, text};
use crate::sse::SseEvent;
use crate::{FinishReason, LlmError, Usage, UsageSource, VendorError, VendorErrorKind};

/// Reads the chunks of one answer.
pub(crate) struct ChatDecoder {
    splitter: ThinkSplitter,
    calls: ToolCalls,
    finish_reason: Option<String>,
    usage: Usage,
    is_refused: bool,
    is_done: bool,
    has_chunk: bool,
    id: String,
}

impl ChatDecoder {
    pub(crate) fn new(think_tags: bool) -> Self {
        Self {
            splitter: ThinkSplitter::new(think_tags),
            calls: ToolCalls::default(),
            finish_reason: None,
            usage: Usage::default(),
            is_refused: false,
            is_done: false,
            has_chunk: false,
            id: String::new(),
        }
    }
}

impl Decoder for ChatDecoder {
    fn event(&mut self, event: &SseEvent, out: &mut Output) -> Result<(), LlmError> {
        let data = event.data.trim();
        if data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            self.is_done = true;
            return self.end(out);
        }
        let value = object(data, &out.scrubber)?;
        self.chunk(&value, out)
    }

    fn end(&mut self, out: &mut Output) -> Result<(), LlmError> {
        let reason = match self.finish_reason.as_deref() {
            Some("length" | "max_tokens" | "model_length") => FinishReason::Length,
            Some("content_filter") => FinishReason::Filtered,
            Some(
                "stop" | "tool_calls" | "function_call" | "tool_use" | "eos" | "eos_token"
                | "end_turn" | "stop_sequence",
            ) => FinishReason::Complete,
            Some("refusal") => FinishReason::Refused,
            Some("insufficient_system_resource") => {
                return Err(LlmError::Vendor(Box::new(VendorError {
                    kind: VendorErrorKind::Overloaded,
                    status: None,
                    vendor_code: "insufficient_system_resource".to_owned(),
                    message: "the server ran out of resources".to_owned(),
                    retry_after: None,
                    request_id: None,
                })));
            }
            Some("abort" | "cancelled") => return Err(LlmError::Truncated),
            Some(other) => return Err(LlmError::FinishUnknown(out.scrubber.clean(other))),
            // The server sent `[DONE]`, but no reason for the end.
            None if self.is_done && self.has_chunk => FinishReason::Complete,
            None => return Err(LlmError::Truncated),
        };
        if let Some(piece) = self.splitter.finish() {
            give(piece, out);
        }
        let is_cut = matches!(reason, FinishReason::Length | FinishReason::Filtered);
        for call in self.calls.finish(is_cut, &self.id)? {
            out.tool_call(call);
        }
        let reason = match reason {
            FinishReason::Complete if out.has_tool_call() => FinishReason::ToolUse,
            FinishReason::Complete if self.is_refused => FinishReason::Refused,
            other => other,
        };
        out.finish(reason);
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.finish_reason.is_some()
    }

    fn whole(&mut self, value: Value, out: &mut Output) -> Result<(), LlmError> {
        if value.get("choices").is_none() {
            return Err(LlmError::AnswerInvalid("it has no choices"));
        }
        self.chunk(&value, out)?;
        self.end(out)
    }
}

impl ChatDecoder {
    fn chunk(&mut self, value: &Value, out: &mut Output) -> Result<(), LlmError> {
        self.has_chunk = true;
        let model = text(value, "model");
        if !model.is_empty() {
            out.model = Some(model.to_owned());
        }
        if self.id.is_empty() {
            self.id = text(value, "id").chars().take(64).collect();
        }
        // One choice was requested. The chunk with the usage has none.
        let choice = &value["choices"][0];
        // A server that does not stream sends the message as a whole.
        let delta = match &choice["delta"] {
            Value::Null => &choice["message"],
            delta => delta,
        };
        for name in ["reasoning_content", "reasoning"] {
            let thought = text(delta, name);
            if !thought.is_empty() {
                out.reasoning_part(thought);
                break;
            }
        }
        let refusal = text(delta, "refusal");
        self.is_refused |= !refusal.is_empty();
        out.text(refusal);
        let pieces = match &delta["content"] {
            Value::String(content) => self.splitter.push(content),
            // Some servers send a list of parts.
            Value::Array(parts) => {
                let texts = parts.iter().map(|part| text(part, "text"));
                texts.flat_map(|text| self.splitter.push(text)).collect()
            }
            _ => Vec::new(),
        };
        for piece in pieces {
            give(piece, out);
        }
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            self.calls.push(call)?;
        }
        let reason = text(choice, "finish_reason");
        if !reason.is_empty() {
            self.finish_reason = Some(reason.to_owned());
        }
        for usage in [&value["usage"], &choice["usage"], &value["x_groq"]["usage"]] {
            self.usage(usage, out);
        }
        Ok(())
    }

    /// Servers report the usage at different times, and zeros before and after it. The last number that is not zero
    /// counts.
    fn usage(&mut self, value: &Value, out: &mut Output) {
        if !value.is_object() {
            return;
        }
        let set = |field: &mut u64, number: u64| {
            if number > 0 {
                *field = number;
            }
        };
        let usage = &mut self.usage;
        set(&mut usage.input_tokens, number(value, "prompt_tokens"));
        let prompt = &value["prompt_tokens_details"];
        set(
            &mut usage.cache_read_tokens,
            number(prompt, "cached_tokens"),
        );
        set(
            &mut usage.cache_read_tokens,
            number(value, "prompt_cache_hit_tokens"),
        );
        set(
            &mut usage.cache_write_tokens,
            number(prompt, "cache_write_tokens"),
        );
        let completion = number(value, "completion_tokens");
        let reasoning = number(&value["completion_tokens_details"], "reasoning_tokens");
        set(&mut usage.reasoning_tokens, reasoning);
        // Where there are more reasoning tokens than output tokens, the server counts them separately.
        if reasoning > completion {
            set(
                &mut usage.output_tokens,
                completion.saturating_add(reasoning),
            );
        } else {
            set(&mut usage.output_tokens, completion);
        }
        if usage.input_tokens > 0 || usage.output_tokens > 0 {
            usage.source = UsageSource::Reported;
            out.usage(*usage);
        }
    }
}

fn give(piece: Piece, out: &mut Output) {
    match piece {
        Piece::Thought(text) => out.reasoning_part(&text),
        Piece::Answer(text) => out.text(&text),
    }
}
