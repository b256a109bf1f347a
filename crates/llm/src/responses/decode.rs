//! Decodes the answers of OpenAI Responses.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::decoder::{Decoder, Output, arguments, number, object, text};
use crate::sse::SseEvent;
use crate::{FinishReason, LlmError, Part, Protocol, Reasoning, Replay, ToolCall, Usage, refusal};

/// The most items that may be open at once.
const OPEN_ITEMS_MAX: usize = 256;

/// An item that is not done. Items are identified by their index: their ids may change in the middle of a stream.
#[derive(Default)]
struct Item {
    has_text: bool,
    has_reasoning: bool,
    arguments: String,
}

/// Decodes the events of one response.
pub(crate) struct ResponsesDecoder {
    account: String,
    items: BTreeMap<u64, Item>,
    /// How many items are done. The items of the last event are read only if this is 0.
    done: u64,
    is_refused: bool,
}

impl ResponsesDecoder {
    pub(crate) fn new(account: String) -> Self {
        Self {
            account,
            items: BTreeMap::new(),
            done: 0,
            is_refused: false,
        }
    }
}

impl Decoder for ResponsesDecoder {
    fn event(&mut self, event: &SseEvent, out: &mut Output) -> Result<(), LlmError> {
        if event.data.is_empty() || event.data == "[DONE]" {
            return Ok(());
        }
        let value = object(&event.data, &out.scrubber)?;
        let index = number(&value, "output_index");
        match text(&value, "type") {
            "response.created" | "response.in_progress" => self.model(&value["response"], out),
            "response.output_item.added" => {
                self.item(index)?;
            }
            "response.output_text.delta" => {
                self.item(index)?.has_text = true;
                out.text(text(&value, "delta"));
            }
            "response.refusal.delta" => {
                self.item(index)?.has_text = true;
                self.is_refused = true;
                out.text(text(&value, "delta"));
            }
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                self.item(index)?.has_reasoning = true;
                out.reasoning(text(&value, "delta"));
            }
            "response.function_call_arguments.delta" => {
                self.item(index)?.arguments.push_str(text(&value, "delta"));
            }
            "response.output_item.done" => {
                let item = self.items.remove(&index).unwrap_or_default();
                self.item_done(&value["item"], item, out)?;
            }
            "response.completed" | "response.incomplete" | "response.failed" => {
                return self.response_done(&value["response"], out);
            }
            // Other events repeat the same content, or are not known to this code.
            _ => {}
        }
        Ok(())
    }

    fn whole(&mut self, value: Value, out: &mut Output) -> Result<(), LlmError> {
        if text(&value, "object") != "response" {
            return Err(LlmError::AnswerInvalid("it is not a response"));
        }
        self.response_done(&value, out)
    }
}

impl ResponsesDecoder {
    fn item(&mut self, index: u64) -> Result<&mut Item, LlmError> {
        if self.items.len() >= OPEN_ITEMS_MAX && !self.items.contains_key(&index) {
            return Err(LlmError::AnswerInvalid("too many items are open"));
        }
        Ok(self.items.entry(index).or_default())
    }

    fn model(&mut self, response: &Value, out: &mut Output) {
        let model = text(response, "model");
        if !model.is_empty() {
            out.model = Some(model.to_owned());
        }
    }

    fn item_done(&mut self, value: &Value, item: Item, out: &mut Output) -> Result<(), LlmError> {
        self.done += 1;
        let replay = |account: Option<String>| Replay {
            protocol: Protocol::OpenAiResponses,
            account,
            value: value.clone(),
        };
        match text(value, "type") {
            "message" if item.has_text => {}
            "message" => {
                for part in value["content"].as_array().into_iter().flatten() {
                    out.text(text(part, "text"));
                    let refusal = text(part, "refusal");
                    self.is_refused |= !refusal.is_empty();
                    out.text(refusal);
                }
            }
            "function_call" => {
                let given = text(value, "arguments");
                let given = if given.is_empty() {
                    &item.arguments
                } else {
                    given
                };
                // The end of the response reports that the limit cut this call off.
                if text(value, "status") == "incomplete" {
                    return Ok(());
                }
                let name = text(value, "name");
                let Some(arguments) = arguments(given).filter(|_| !name.is_empty()) else {
                    return Err(LlmError::ToolCallInvalid);
                };
                out.tool_call(ToolCall {
                    id: text(value, "call_id").to_owned(),
                    name: name.to_owned(),
                    arguments,
                    signature: None,
                });
            }
            "reasoning" => {
                let texts = ["summary", "content"].iter().flat_map(|name| {
                    let parts = value[*name].as_array().into_iter().flatten();
                    parts.map(|part| text(part, "text"))
                });
                let shown = texts.collect::<Vec<_>>().join("\n");
                if !item.has_reasoning {
                    out.reasoning(&shown);
                }
                // With `store: false` the vendor keeps no items. So it can use this item only with its encrypted
                // content.
                let is_whole = !text(value, "encrypted_content").is_empty();
                out.part(Part::Reasoning(Reasoning {
                    text: shown,
                    replay: is_whole.then(|| replay(Some(self.account.clone()))),
                }));
            }
            _ => out.part(Part::Vendor(replay(Some(self.account.clone())))),
        }
        Ok(())
    }

    fn response_done(&mut self, response: &Value, out: &mut Output) -> Result<(), LlmError> {
        self.model(response, out);
        if self.done == 0 {
            for value in response["output"].as_array().into_iter().flatten() {
                let item = Item {
                    has_text: out.has_parts(),
                    ..Item::default()
                };
                self.item_done(value, item, out)?;
            }
        }
        usage(&response["usage"], out);
        let reason = match text(response, "status") {
            "failed" => {
                let error = refusal::from_value(response, &out.scrubber);
                return Err(error.unwrap_or(LlmError::AnswerInvalid("it failed without a reason")));
            }
            "incomplete" => match text(&response["incomplete_details"], "reason") {
                "max_output_tokens" | "max_tokens" => FinishReason::Length,
                "content_filter" => FinishReason::Filtered,
                other => return Err(LlmError::FinishUnknown(out.scrubber.clean(other))),
            },
            "completed" | "" if out.has_tool_call() => FinishReason::ToolUse,
            "completed" | "" if self.is_refused => FinishReason::Refused,
            "completed" | "" if !out.has_parts() => {
                return Err(LlmError::AnswerInvalid("it has no output"));
            }
            "completed" | "" => FinishReason::Complete,
            "cancelled" => return Err(LlmError::Truncated),
            other => return Err(LlmError::FinishUnknown(out.scrubber.clean(other))),
        };
        out.finish(reason);
        Ok(())
    }
}

fn usage(value: &Value, out: &mut Output) {
    if !value.is_object() {
        return;
    }
    let input = &value["input_tokens_details"];
    out.usage(Usage {
        input_tokens: number(value, "input_tokens"),
        cache_read_tokens: number(input, "cached_tokens"),
        cache_write_tokens: number(input, "cache_write_tokens"),
        output_tokens: number(value, "output_tokens"),
        reasoning_tokens: number(&value["output_tokens_details"], "reasoning_tokens"),
        ..Usage::default()
    });
}
