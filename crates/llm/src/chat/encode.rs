//! Encodes the requests to Chat Completions.

use serde_json::{Value, json};

use crate::chat::ChatDecoder;
use crate::client::{Call, Learnt};
use crate::encode::{self, Turn};
use crate::{
    Image, LlmError, ModelRequest, OutputField, OutputSchema, Part, Protocol, Replay, Role,
    StructuredOutput, SystemRole, ToolChoice, VendorErrorKind,
};

pub(crate) fn call(
    request: &ModelRequest,
    account: &str,
    learnt: Learnt,
) -> Result<Call, LlmError> {
    let mut omissions = Vec::new();
    let traits = &request.traits;
    let structured = structured(request, learnt);
    let effort = encode::effort(request, &mut omissions);
    let thinks = traits.thinks(effort.or(request.effort));

    let mut body = json!({ "model": request.model, "stream": true });
    if traits.stream_usage && learnt.stream_usage {
        body["stream_options"] = json!({ "include_usage": true });
    }
    let mut messages = Vec::new();
    if let Some(text) = encode::system_text(request, structured) {
        let role = match traits.system_role {
            SystemRole::System => "system",
            SystemRole::Developer => "developer",
        };
        messages.push(json!({ "role": role, "content": text }));
    }
    for turn in encode::turns(&request.messages) {
        match turn.role {
            Role::User => user(&turn, &mut messages),
            Role::Assistant => assistant(&turn, account, &mut messages),
        }
    }
    body["messages"] = messages.into();
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            json!({ "type": "function", "function": {
                "name": tool.name, "description": tool.description, "parameters": tool.schema,
            } })
        });
        body["tools"] = tools.collect();
        body["tool_choice"] = match &request.tool_choice {
            ToolChoice::Auto => "auto".into(),
            ToolChoice::Required => "required".into(),
            ToolChoice::None => "none".into(),
            ToolChoice::Named(name) => json!({ "type": "function", "function": { "name": name } }),
        };
    }
    if let Some(format) = request
        .output_schema
        .as_ref()
        .and_then(|output| format(output, structured))
    {
        body["response_format"] = format;
    }
    if let Some(effort) = effort {
        body["reasoning_effort"] = effort.word().into();
    }
    if let Some(tokens) = encode::output_tokens(request, 0) {
        let field = match traits.output_field {
            OutputField::MaxTokens => "max_tokens",
            OutputField::MaxCompletionTokens => "max_completion_tokens",
        };
        body[field] = tokens.into();
    }
    if let Some(temperature) = encode::temperature(request, thinks, &mut omissions) {
        body["temperature"] = temperature.into();
    }
    if let Some(stop) = encode::stop(request, &mut omissions) {
        body["stop"] = stop.into();
    }
    Ok(Call {
        path: vec!["chat".to_owned(), "completions".to_owned()],
        query: None,
        body,
        omissions,
        decoder: Box::new(ChatDecoder::new(traits.think_tags)),
    })
}

/// How the schema is sent: as the model's traits say, or as the client has learnt from the server's refusals.
fn structured(request: &ModelRequest, learnt: Learnt) -> StructuredOutput {
    match request.traits.structured {
        StructuredOutput::Unknown => learnt.structured,
        given => given,
    }
}

fn format(output: &OutputSchema, structured: StructuredOutput) -> Option<Value> {
    match structured {
        StructuredOutput::Unknown | StructuredOutput::Schema => Some(json!({
            "type": "json_schema",
            "json_schema": { "name": output.name, "schema": output.schema, "strict": output.strict },
        })),
        StructuredOutput::ObjectWithSchema => {
            Some(json!({ "type": "json_object", "schema": output.schema }))
        }
        StructuredOutput::Object => Some(json!({ "type": "json_object" })),
        StructuredOutput::Prompt => None,
    }
}

/// What a refusal shows about the server: the next way to try. `None` where the refusal is about something else.
pub(crate) fn learn(request: &ModelRequest, used: Learnt, error: &LlmError) -> Option<Learnt> {
    let LlmError::Vendor(error) = error else {
        return None;
    };
    let is_refusal = (matches!(error.status, Some(400 | 422 | 501))
        || error.kind == VendorErrorKind::RequestRefused)
        && error.kind != VendorErrorKind::QuotaExceeded
        && error.kind != VendorErrorKind::ContextTooLong;
    if !is_refusal {
        return None;
    }
    let text = error.message.to_ascii_lowercase();
    let says = |any: &[&str]| any.iter().any(|words| text.contains(words));
    if used.stream_usage
        && request.traits.stream_usage
        && says(&["stream_options", "include_usage"])
    {
        return Some(Learnt {
            stream_usage: false,
            ..used
        });
    }
    // FastAPI's list of validation errors is not copied into the error's message, which then is `the request does not
    // validate`. Such a refusal may be about the schema.
    let about_schema = says(&[
        "response_format",
        "json_schema",
        "json_object",
        "structured output",
        "does not validate",
        "schema",
    ]);
    if request.output_schema.is_none()
        || request.traits.structured != StructuredOutput::Unknown
        || !about_schema
    {
        return None;
    }
    let structured = match used.structured {
        StructuredOutput::Unknown | StructuredOutput::Schema => StructuredOutput::ObjectWithSchema,
        StructuredOutput::ObjectWithSchema => StructuredOutput::Object,
        StructuredOutput::Object => StructuredOutput::Prompt,
        StructuredOutput::Prompt => return None,
    };
    Some(Learnt { structured, ..used })
}

/// Encodes a user's turn: each tool result as a message, then the rest as one message.
fn user(turn: &Turn<'_>, messages: &mut Vec<Value>) {
    let mut content = Vec::new();
    for (part, _) in &turn.parts {
        match part {
            Part::ToolResult(result) => messages.push(json!({
                "role": "tool", "tool_call_id": result.call_id, "content": encode::result_text(result),
            })),
            Part::Text(text) if !text.text.is_empty() => {
                content.push(json!({ "type": "text", "text": text.text }));
            }
            Part::Image(image) => content.push(image_url(image)),
            // Parts of the model do not belong into a user's turn.
            Part::Text(_) | Part::ToolCall(_) | Part::Reasoning(_) | Part::Vendor(_) => {}
        }
    }
    // Many servers accept only a text here, so a list is sent only where it is needed.
    let content = match content.as_slice() {
        [] => return,
        [only] if only["type"] == "text" => only["text"].clone(),
        _ => content.into(),
    };
    messages.push(json!({ "role": "user", "content": content }));
}

fn image_url(image: &Image) -> Value {
    json!({ "type": "image_url", "image_url": { "url": image.url() } })
}

fn assistant(turn: &Turn<'_>, account: &str, messages: &mut Vec<Value>) {
    let mut text = String::new();
    let mut calls = Vec::new();
    let mut message = json!({ "role": "assistant" });
    let replayed = |replay: &Replay| replay.value_for(Protocol::OpenAiChat, account).cloned();
    for (part, _) in &turn.parts {
        match part {
            Part::Text(part) => text.push_str(&part.text),
            Part::ToolCall(call) => calls.push(json!({
                "id": call.id, "type": "function",
                "function": { "name": call.name, "arguments": encode::arguments_text(&call.arguments) },
            })),
            // Fields that the server requires back, such as `reasoning_details`.
            Part::Vendor(replay) => {
                if let Some(Value::Object(fields)) = replayed(replay)
                    && let Some(message) = message.as_object_mut()
                {
                    message.extend(fields);
                }
            }
            // Servers refuse or ignore reasoning in the history.
            Part::Reasoning(_) | Part::Image(_) | Part::ToolResult(_) => {}
        }
    }
    if text.is_empty() && calls.is_empty() {
        return;
    }
    message["content"] = if text.is_empty() {
        Value::Null
    } else {
        text.into()
    };
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
    }
    messages.push(message);
}
