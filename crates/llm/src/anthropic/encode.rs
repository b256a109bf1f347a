//! Encodes the requests to Anthropic Messages.

use serde_json::{Map, Value, json};

use crate::anthropic::MessagesDecoder;
use crate::client::Call;
use crate::encode::{self, Turn, omit};
use crate::{
    CacheLifetime, Effort, Image, LlmError, ModelRequest, Omission, Part, Protocol, Role,
    StructuredOutput, Thinking, ThinkingDefault, ToolChoice,
};

/// The maximum number of cache marks in one request of the API.
const CACHE_MARKS_MAX: usize = 4;
/// The output limit where neither the caller nor the model's traits set one. Every model of the vendor accepts it.
const OUTPUT_TOKENS_DEFAULT: u32 = 4_096;

pub(crate) fn call(request: &ModelRequest, account: &str) -> Result<Call, LlmError> {
    let mut omissions = Vec::new();
    let (thinking, effort, max_tokens) = thinking(request, &mut omissions);
    let thinks = match &thinking {
        Some(thinking) => thinking["type"] != "disabled",
        None => request.traits.thinking_default != ThinkingDefault::Off,
    };
    let mut marks = Marks::new(request, &mut omissions);
    let structured = match request.traits.structured {
        StructuredOutput::Schema => StructuredOutput::Schema,
        _ => StructuredOutput::Prompt,
    };

    let mut body = json!({ "model": request.model, "max_tokens": max_tokens, "stream": true });
    if !request.tools.is_empty() {
        body["tools"] = tools(request, &mut marks);
        body["tool_choice"] = tool_choice(&request.tool_choice);
    }
    if let Some(text) = encode::system_text(request, structured) {
        let mut block = json!({ "type": "text", "text": text });
        marks.put(&mut block, request.cache.system);
        body["system"] = json!([block]);
    }
    let turns = encode::turns(&request.messages);
    let messages = turns.iter().map(|turn| message(turn, account, &mut marks));
    let messages: Vec<Value> = messages.flatten().collect();
    if messages.is_empty() {
        let reason = "there is nothing in the messages that can be sent";
        return Err(LlmError::RequestInvalid(reason.to_owned()));
    }
    body["messages"] = messages.into();
    if let Some(temperature) = encode::temperature(request, thinks, &mut omissions) {
        body["temperature"] = temperature.into();
    }
    if let Some(stop) = encode::stop(request, &mut omissions) {
        body["stop_sequences"] = stop.into();
    }
    if let Some(thinking) = thinking {
        body["thinking"] = thinking;
    }
    let mut output = Map::new();
    if let Some(effort) = effort {
        output.insert("effort".to_owned(), effort.word().into());
    }
    if let Some(schema) = &request.output_schema
        && structured == StructuredOutput::Schema
    {
        let format = json!({ "type": "json_schema", "schema": schema.schema });
        output.insert("format".to_owned(), format);
    }
    if !output.is_empty() {
        body["output_config"] = output.into();
    }
    Ok(Call {
        path: vec!["messages".to_owned()],
        query: None,
        body,
        omissions,
        decoder: Box::new(MessagesDecoder::default()),
    })
}

/// The parameter `thinking`, the effort beside it, and `max_tokens`.
fn thinking(
    request: &ModelRequest,
    omissions: &mut Vec<Omission>,
) -> (Option<Value>, Option<Effort>, u32) {
    let traits = &request.traits;
    let cap = traits.output_cap.unwrap_or(u32::MAX);
    let answer = request.max_output_tokens.or(traits.output_cap);
    let answer = answer.unwrap_or(OUTPUT_TOKENS_DEFAULT).min(cap);
    let is_forced = matches!(
        request.tool_choice,
        ToolChoice::Required | ToolChoice::Named(_)
    ) && !request.tools.is_empty();
    let mut asked = request.effort;
    // The API refuses thinking together with a tool that must be called.
    let may_stop = traits.thinking_default != ThinkingDefault::Always;
    if is_forced && may_stop && asked != Some(Effort::Off) && traits.thinks(asked) {
        omit(
            omissions,
            "effort",
            "the model does not think when it must call a tool",
        );
        asked = Some(Effort::Off);
    }
    let off = || match traits.thinking_default {
        ThinkingDefault::On => Some(json!({ "type": "disabled" })),
        ThinkingDefault::Off | ThinkingDefault::Always => None,
    };
    let shown = |mut thinking: Value| {
        if request.show_reasoning {
            thinking["display"] = "summarized".into();
        }
        Some(thinking)
    };
    match (traits.thinking, asked) {
        // Without a requested effort the vendor's default applies.
        (_, None) => (None, None, answer),
        (_, Some(Effort::Off)) if traits.thinking_default != ThinkingDefault::Always => {
            (off(), None, answer)
        }
        (Thinking::Unsupported, Some(_)) => {
            omit(omissions, "effort", "the model does not think");
            (None, None, answer)
        }
        (Thinking::Effort, Some(asked)) => {
            let adaptive = shown(json!({ "type": "adaptive" }));
            // `none` is not an effort of this API: without thinking there is no effort.
            let words = traits
                .efforts
                .iter()
                .filter(|effort| **effort != Effort::Off);
            let lower = words.clone().filter(|effort| **effort <= asked).max();
            let given = lower.or(words.min()).copied();
            if given != Some(asked) {
                omit(
                    omissions,
                    "effort",
                    "the nearest level that the model takes was sent",
                );
            }
            (adaptive, given, answer)
        }
        (Thinking::Budget { min, .. }, Some(asked)) => {
            let budget = traits.budget(asked).unwrap_or(min);
            let max_tokens = answer.saturating_add(budget).min(cap);
            // The room for the answer is kept. If the cap is too low, the thinking budget is reduced, down to the
            // minimum of the API.
            let budget = budget.min(max_tokens.saturating_sub(answer)).max(min);
            if budget >= max_tokens || lacks_thoughts(request) {
                omit(
                    omissions,
                    "effort",
                    "there is no room for thoughts, or the last turn has none",
                );
                return (off(), None, answer);
            }
            (
                shown(json!({ "type": "enabled", "budget_tokens": budget })),
                None,
                max_tokens,
            )
        }
    }
}

/// With a thinking budget, the API requires the thoughts before the tool calls that the results belong to. Another
/// vendor's history has none.
fn lacks_thoughts(request: &ModelRequest) -> bool {
    let mut turns = request.messages.iter().rev();
    let last = turns.find(|message| message.role == Role::Assistant);
    last.is_some_and(|message| {
        let has = |is: fn(&Part) -> bool| message.parts.iter().any(is);
        has(|part| matches!(part, Part::ToolCall(_)))
            && !has(|part| match part {
                Part::Reasoning(reasoning) => {
                    let replay = reasoning.replay.as_ref();
                    replay.is_some_and(|replay| replay.protocol == Protocol::AnthropicMessages)
                }
                _ => false,
            })
    })
}

/// Sets the cache marks, within the API's maximum.
struct Marks {
    /// How many of the first marks are left out: the last ones cover the longest prompt.
    skipped: usize,
    is_short_seen: bool,
}

impl Marks {
    fn new(request: &ModelRequest, omissions: &mut Vec<Omission>) -> Self {
        let fixed = [
            request.cache.tools.filter(|_| !request.tools.is_empty()),
            request.cache.system.filter(|_| request.system.is_some()),
        ];
        let fixed = fixed.iter().flatten().count();
        let turns = encode::turns(&request.messages);
        let parts = turns.iter().flat_map(|turn| &turn.parts);
        let marks = fixed + parts.filter(|(_, mark)| mark.is_some()).count();
        if marks > CACHE_MARKS_MAX {
            omit(
                omissions,
                "cache",
                "the vendor takes four marks; the last ones were sent",
            );
        }
        Self {
            skipped: marks.saturating_sub(CACHE_MARKS_MAX),
            is_short_seen: false,
        }
    }

    fn put(&mut self, block: &mut Value, mark: Option<CacheLifetime>) {
        let Some(mark) = mark else { return };
        if self.skipped > 0 {
            self.skipped -= 1;
            return;
        }
        // The API requires marks with the longer lifetime first.
        self.is_short_seen |= mark == CacheLifetime::Short;
        block["cache_control"] = if self.is_short_seen {
            json!({ "type": "ephemeral" })
        } else {
            json!({ "type": "ephemeral", "ttl": "1h" })
        };
    }
}

fn tools(request: &ModelRequest, marks: &mut Marks) -> Value {
    let tools = request.tools.iter().map(|tool| {
        json!({ "name": tool.name, "description": tool.description, "input_schema": tool.schema })
    });
    let mut tools: Vec<Value> = tools.collect();
    if let Some(last) = tools.last_mut() {
        marks.put(last, request.cache.tools);
    }
    tools.into()
}

fn tool_choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!({ "type": "auto" }),
        ToolChoice::Required => json!({ "type": "any" }),
        ToolChoice::None => json!({ "type": "none" }),
        ToolChoice::Named(name) => json!({ "type": "tool", "name": name }),
    }
}

/// Encodes a turn. `None` if no part of it can be sent.
fn message(turn: &Turn<'_>, account: &str, marks: &mut Marks) -> Option<Value> {
    let mut content: Vec<Value> = Vec::new();
    for (part, mark) in &turn.parts {
        let block = block(part, account);
        if let Some(mut block) = block {
            marks.put(&mut block, *mark);
            content.push(block);
        }
    }
    if turn.role == Role::User {
        // Tool results must come first: they answer the previous turn. The sort is stable.
        content.sort_by_key(|block| block["type"] != "tool_result");
    }
    let role = match turn.role {
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    (!content.is_empty()).then(|| json!({ "role": role, "content": content }))
}

fn block(part: &Part, account: &str) -> Option<Value> {
    let replayed = |replay: &crate::Replay| {
        let value = replay.value_for(Protocol::AnthropicMessages, account);
        value.cloned()
    };
    match part {
        // The API refuses an empty text.
        Part::Text(text) if text.text.is_empty() => None,
        Part::Text(text) => Some(json!({ "type": "text", "text": text.text })),
        Part::Image(Image::Data { media_type, base64 }) => Some(json!({
            "type": "image",
            "source": { "type": "base64", "media_type": media_type, "data": base64 },
        })),
        Part::Image(Image::Url(url)) => {
            Some(json!({ "type": "image", "source": { "type": "url", "url": url } }))
        }
        Part::ToolCall(call) => Some(json!({
            "type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments,
        })),
        Part::ToolResult(result) => {
            let mut block = json!({
                "type": "tool_result", "tool_use_id": result.call_id, "content": result.content,
            });
            if result.is_error {
                block["is_error"] = true.into();
            }
            Some(block)
        }
        Part::Reasoning(reasoning) => reasoning.replay.as_ref().and_then(replayed),
        Part::Vendor(replay) => replayed(replay),
    }
}
