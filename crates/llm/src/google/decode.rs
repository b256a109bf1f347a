//! Decodes the answers of Google `streamGenerateContent`.

use serde_json::Value;

use crate::decoder::{Decoder, Output, number, object, text};
use crate::sse::SseEvent;
use crate::{FinishReason, LlmError, Part, Protocol, Reasoning, Replay, ToolCall, Usage};

/// Reads the chunks of one answer. Each has the next parts and the usage so far; the end of the stream is the end of
/// the answer.
#[derive(Default)]
pub(crate) struct GenerateDecoder {
    finish_reason: Option<String>,
    block_reason: Option<String>,
    calls: usize,
    response_id: String,
}

impl Decoder for GenerateDecoder {
    fn event(&mut self, event: &SseEvent, out: &mut Output) -> Result<(), LlmError> {
        if event.data.is_empty() || event.data == "[DONE]" {
            return Ok(());
        }
        let value = object(&event.data, &out.scrubber)?;
        self.chunk(&value, out);
        Ok(())
    }

    fn end(&mut self, out: &mut Output) -> Result<(), LlmError> {
        let reason = match self.finish_reason.as_deref() {
            None | Some("") if self.block_reason.is_some() => FinishReason::Filtered,
            None | Some("") => return Err(LlmError::Truncated),
            // Some servers with this API report a call as the finish reason.
            Some("STOP" | "FUNCTION_CALL") if out.has_tool_call() => FinishReason::ToolUse,
            Some("STOP") => FinishReason::Complete,
            Some("MAX_TOKENS") => FinishReason::Length,
            Some(
                "SAFETY"
                | "RECITATION"
                | "LANGUAGE"
                | "BLOCKLIST"
                | "PROHIBITED_CONTENT"
                | "SPII"
                | "IMAGE_SAFETY"
                | "IMAGE_PROHIBITED_CONTENT"
                | "IMAGE_RECITATION",
            ) => FinishReason::Filtered,
            Some("MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL") => {
                return Err(LlmError::ToolCallInvalid);
            }
            Some(other) => return Err(LlmError::FinishUnknown(out.scrubber.clean(other))),
        };
        out.finish(reason);
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.finish_reason.is_some() || self.block_reason.is_some()
    }

    /// Without `alt=sse` the API answers with a list of the same chunks.
    fn whole(&mut self, value: Value, out: &mut Output) -> Result<(), LlmError> {
        match value {
            Value::Array(chunks) => chunks.iter().for_each(|chunk| self.chunk(chunk, out)),
            chunk => self.chunk(&chunk, out),
        }
        self.end(out)
    }
}

impl GenerateDecoder {
    fn chunk(&mut self, value: &Value, out: &mut Output) {
        let model = text(value, "modelVersion");
        if !model.is_empty() {
            out.model = Some(model.to_owned());
        }
        if self.response_id.is_empty() {
            self.response_id = text(value, "responseId").chars().take(64).collect();
        }
        let blocked = text(&value["promptFeedback"], "blockReason");
        if !blocked.is_empty() {
            self.block_reason = Some(blocked.to_owned());
        }
        // One candidate was requested.
        let candidate = &value["candidates"][0];
        for part in candidate["content"]["parts"]
            .as_array()
            .into_iter()
            .flatten()
        {
            self.part(part, out);
        }
        let finish = text(candidate, "finishReason");
        if !finish.is_empty() && finish != "FINISH_REASON_UNSPECIFIED" {
            self.finish_reason = Some(finish.to_owned());
        }
        usage(&value["usageMetadata"], out);
    }

    fn part(&mut self, part: &Value, out: &mut Output) {
        let replay = |value: &Value| Replay::new(Protocol::GoogleGenerateContent, value.clone());
        let signature = part
            .get("thoughtSignature")
            .filter(|value| value.is_string());
        let signature = signature.map(replay);
        let content = text(part, "text");
        if let Some(call) = part.get("functionCall").filter(|call| call.is_object()) {
            self.calls += 1;
            let id = match text(call, "id") {
                "" => format!("call-{}-{}", self.response_id, self.calls),
                id => id.to_owned(),
            };
            out.tool_call(ToolCall {
                id,
                name: text(call, "name").to_owned(),
                arguments: call["args"].as_object().cloned().unwrap_or_default(),
                signature,
            });
        } else if part["thought"] == true {
            if signature.is_some() {
                out.reasoning(content);
                out.part(Part::Reasoning(Reasoning {
                    text: content.to_owned(),
                    replay: Some(replay(part)),
                }));
            } else {
                out.reasoning_part(content);
            }
        } else if part.get("text").is_some() || signature.is_some() {
            // A signed part stays separate, even if it is empty: it is sent back unchanged.
            out.signed_text(content, signature);
        } else if part.is_object() {
            out.part(Part::Vendor(replay(part)));
        }
    }
}

/// Every chunk has the usage so far; the last one counts.
fn usage(value: &Value, out: &mut Output) {
    if !value.is_object() {
        return;
    }
    let thoughts = number(value, "thoughtsTokenCount");
    out.usage(Usage {
        input_tokens: number(value, "promptTokenCount")
            .saturating_add(number(value, "toolUsePromptTokenCount")),
        cache_read_tokens: number(value, "cachedContentTokenCount"),
        output_tokens: number(value, "candidatesTokenCount").saturating_add(thoughts),
        reasoning_tokens: thoughts,
        ..Usage::default()
    });
}
