//! Decodes the answers of Anthropic Messages.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::decoder::{Decoder, Output, arguments, number, object, text};
use crate::sse::SseEvent;
use crate::{FinishReason, LlmError, Part, Protocol, Reasoning, Replay, ToolCall, Usage};

/// The most content blocks that may be open at once. The API opens one at a time.
const OPEN_BLOCKS_MAX: usize = 64;

/// A content block that is not closed yet.
struct Block {
    /// The block as it was opened.
    value: Value,
    /// The text, thoughts or arguments so far.
    text: String,
    signature: String,
}

/// Decodes the events of one message.
#[derive(Default)]
pub(crate) struct MessagesDecoder {
    is_started: bool,
    blocks: BTreeMap<u64, Block>,
    usage: Usage,
    /// Input tokens that were neither read from nor written to the cache.
    input_tokens: u64,
    stop_reason: Option<String>,
    /// Whether the arguments of a tool call are not JSON: the limit may have cut it off.
    has_broken_call: bool,
}

impl Decoder for MessagesDecoder {
    fn event(&mut self, event: &SseEvent, out: &mut Output) -> Result<(), LlmError> {
        // The name of the event is repeated in the data, and proxies do not change the data.
        if event.data.is_empty() {
            return Ok(());
        }
        let value = object(&event.data, &out.scrubber)?;
        match text(&value, "type") {
            "message_start" => self.start(&value, out),
            "content_block_start" => self.block_start(&value, out),
            "content_block_delta" => self.block_delta(&value, out),
            "content_block_stop" => self.block_stop(number(&value, "index"), out),
            "message_delta" => {
                if let Some(reason) = value["delta"]["stop_reason"].as_str() {
                    self.stop_reason = Some(reason.to_owned());
                }
                self.usage(&value["usage"], out);
                Ok(())
            }
            "message_stop" => self.stop(out),
            // `ping`, and events of newer versions of the API.
            _ => Ok(()),
        }
    }

    fn whole(&mut self, value: Value, out: &mut Output) -> Result<(), LlmError> {
        if text(&value, "type") != "message" {
            return Err(LlmError::AnswerInvalid("it is not a message"));
        }
        self.begin(&value, out)?;
        for block in value["content"].as_array().into_iter().flatten() {
            self.open(0, block.clone(), out)?;
            self.block_stop(0, out)?;
        }
        self.stop_reason = value["stop_reason"].as_str().map(str::to_owned);
        self.stop(out)
    }
}

impl MessagesDecoder {
    fn start(&mut self, value: &Value, out: &mut Output) -> Result<(), LlmError> {
        self.begin(&value["message"], out)
    }

    fn begin(&mut self, message: &Value, out: &mut Output) -> Result<(), LlmError> {
        if std::mem::replace(&mut self.is_started, true) {
            return Err(LlmError::AnswerInvalid("two messages overlap"));
        }
        let model = text(message, "model");
        out.model = (!model.is_empty()).then(|| model.to_owned());
        self.usage(&message["usage"], out);
        Ok(())
    }

    fn block_start(&mut self, value: &Value, out: &mut Output) -> Result<(), LlmError> {
        self.open(number(value, "index"), value["content_block"].clone(), out)
    }

    fn open(&mut self, index: u64, value: Value, out: &mut Output) -> Result<(), LlmError> {
        let is_new = !self.blocks.contains_key(&index);
        if !self.is_started || !is_new || !value.is_object() || self.blocks.len() >= OPEN_BLOCKS_MAX
        {
            return Err(LlmError::AnswerInvalid(
                "a content block opens at the wrong place",
            ));
        }
        let mut block = Block {
            text: String::new(),
            signature: text(&value, "signature").to_owned(),
            value,
        };
        // A block may begin with some of its text.
        match text(&block.value, "type") {
            "text" => {
                out.text(text(&block.value, "text"));
            }
            "thinking" => {
                block.text = text(&block.value, "thinking").to_owned();
                out.reasoning(&block.text);
            }
            _ => {}
        }
        self.blocks.insert(index, block);
        Ok(())
    }

    fn block_delta(&mut self, value: &Value, out: &mut Output) -> Result<(), LlmError> {
        let Some(block) = self.blocks.get_mut(&number(value, "index")) else {
            return Err(LlmError::AnswerInvalid("a delta has no content block"));
        };
        let delta = &value["delta"];
        match text(delta, "type") {
            "text_delta" => out.text(text(delta, "text")),
            "thinking_delta" => {
                block.text.push_str(text(delta, "thinking"));
                out.reasoning(text(delta, "thinking"));
            }
            "signature_delta" => block.signature.push_str(text(delta, "signature")),
            "input_json_delta" => block.text.push_str(text(delta, "partial_json")),
            // The summary of a conversation that the vendor compacted. Its block is sent back with it.
            "compaction_delta" => block.value["content"] = delta["content"].clone(),
            _ => {}
        }
        Ok(())
    }

    fn block_stop(&mut self, index: u64, out: &mut Output) -> Result<(), LlmError> {
        let Some(block) = self.blocks.remove(&index) else {
            return Err(LlmError::AnswerInvalid(
                "a content block closes that was not open",
            ));
        };
        let Block {
            mut value,
            text: content,
            signature,
        } = block;
        let replay = |value| Replay::new(Protocol::AnthropicMessages, value);
        match text(&value, "type") {
            "text" => {}
            "thinking" => {
                value["thinking"] = content.clone().into();
                value["signature"] = signature.into();
                out.part(Part::Reasoning(Reasoning {
                    text: content,
                    replay: Some(replay(value)),
                }));
            }
            "redacted_thinking" => out.part(Part::Reasoning(Reasoning {
                text: String::new(),
                replay: Some(replay(value)),
            })),
            "tool_use" => {
                let given = if content.trim().is_empty() {
                    value["input"]
                        .as_object()
                        .cloned()
                        .or_else(|| arguments(""))
                } else {
                    arguments(&content)
                };
                match given {
                    Some(arguments) if !text(&value, "name").is_empty() => {
                        out.tool_call(ToolCall {
                            id: text(&value, "id").to_owned(),
                            name: text(&value, "name").to_owned(),
                            arguments,
                            signature: None,
                        });
                    }
                    _ => self.has_broken_call = true,
                }
            }
            // Tools that the vendor runs itself, and blocks that this code does not know. They are sent back with a
            // paused turn.
            _ => {
                if let Ok(input @ Value::Object(_)) = serde_json::from_str(&content) {
                    value["input"] = input;
                }
                out.part(Part::Vendor(replay(value)));
            }
        }
        Ok(())
    }

    /// The output count grows with each event. A cache count that is missing or null later keeps its first value.
    fn usage(&mut self, value: &Value, out: &mut Output) {
        let Some(given) = value.as_object() else {
            return;
        };
        let set = |field: &mut u64, name: &str| {
            if let Some(number) = given.get(name).and_then(Value::as_u64) {
                *field = number;
            }
        };
        let usage = &mut self.usage;
        set(&mut self.input_tokens, "input_tokens");
        set(&mut usage.output_tokens, "output_tokens");
        set(&mut usage.cache_read_tokens, "cache_read_input_tokens");
        // The vendor reports how the cache writes are divided between the two lifetimes. Where it does not, all count
        // as short.
        let mut written = usage.cache_write_tokens + usage.cache_write_long_tokens;
        set(&mut written, "cache_creation_input_tokens");
        if let Some(long) = value["cache_creation"]["ephemeral_1h_input_tokens"].as_u64() {
            usage.cache_write_long_tokens = long;
        }
        usage.cache_write_long_tokens = usage.cache_write_long_tokens.min(written);
        usage.cache_write_tokens = written - usage.cache_write_long_tokens;
        let thoughts = &value["output_tokens_details"]["thinking_tokens"];
        if let Some(thoughts) = thoughts.as_u64() {
            usage.reasoning_tokens = thoughts;
        }
        // The vendor counts cached input separately. Here `input_tokens` is all input.
        usage.input_tokens = self
            .input_tokens
            .saturating_add(usage.cache_read_tokens)
            .saturating_add(written);
        out.usage(*usage);
    }

    fn stop(&mut self, out: &mut Output) -> Result<(), LlmError> {
        if !self.blocks.is_empty() {
            return Err(LlmError::Truncated);
        }
        let reason = match self.stop_reason.as_deref() {
            Some("end_turn" | "stop_sequence") if out.has_tool_call() => FinishReason::ToolUse,
            Some("end_turn" | "stop_sequence") => FinishReason::Complete,
            Some("tool_use") => FinishReason::ToolUse,
            Some("max_tokens" | "model_context_window_exceeded") => FinishReason::Length,
            // After a compaction the vendor waits to be called again, too.
            Some("pause_turn" | "compaction") => FinishReason::Paused,
            Some("refusal") => FinishReason::Refused,
            Some(other) => return Err(LlmError::FinishUnknown(out.scrubber.clean(other))),
            None => return Err(LlmError::Truncated),
        };
        if self.has_broken_call && reason != FinishReason::Length {
            return Err(LlmError::ToolCallInvalid);
        }
        out.finish(reason);
        Ok(())
    }
}
