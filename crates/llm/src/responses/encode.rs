//! Encodes the requests to OpenAI Responses.

use serde_json::{Value, json};

use crate::client::Call;
use crate::encode::{self, Turn, omit};
use crate::responses::ResponsesDecoder;
use crate::{
    LlmError, ModelRequest, Part, Protocol, Replay, Role, StructuredOutput, SystemRole, ToolChoice,
};

pub(crate) fn call(request: &ModelRequest, account: &str) -> Result<Call, LlmError> {
    let mut omissions = Vec::new();
    let traits = &request.traits;
    let effort = encode::effort(request, &mut omissions);
    let thinks = traits.thinks(effort.or(request.effort));
    let structured = match traits.structured {
        StructuredOutput::Unknown | StructuredOutput::Schema => StructuredOutput::Schema,
        StructuredOutput::ObjectWithSchema => StructuredOutput::Object,
        other => other,
    };

    // Without `store: false` the vendor keeps every answer.
    let mut body = json!({ "model": request.model, "stream": true, "store": false });
    let mut input = Vec::new();
    if let Some(text) = encode::system_text(request, structured) {
        let role = match traits.system_role {
            SystemRole::System => "system",
            SystemRole::Developer => "developer",
        };
        input.push(json!({ "type": "message", "role": role, "content": text }));
    }
    for turn in encode::turns(&request.messages) {
        items(&turn, account, &mut input);
    }
    body["input"] = input.into();
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            json!({
                "type": "function", "name": tool.name, "description": tool.description,
                "parameters": tool.schema, "strict": false,
            })
        });
        body["tools"] = tools.collect();
        body["tool_choice"] = match &request.tool_choice {
            ToolChoice::Auto => "auto".into(),
            ToolChoice::Required => "required".into(),
            ToolChoice::None => "none".into(),
            ToolChoice::Named(name) => json!({ "type": "function", "name": name }),
        };
    }
    if let Some(output) = &request.output_schema {
        match structured {
            StructuredOutput::Schema => {
                body["text"] = json!({ "format": {
                    "type": "json_schema", "name": output.name, "schema": output.schema, "strict": output.strict,
                } });
            }
            StructuredOutput::Object => {
                body["text"] = json!({ "format": { "type": "json_object" } })
            }
            _ => {}
        }
    }
    if let Some(effort) = effort {
        body["reasoning"]["effort"] = effort.word().into();
    }
    if request.show_reasoning && thinks {
        body["reasoning"]["summary"] = "auto".into();
    }
    if traits.encrypted_reasoning {
        body["include"] = json!(["reasoning.encrypted_content"]);
    }
    if let Some(tokens) = encode::output_tokens(request, 0) {
        body["max_output_tokens"] = tokens.into();
    }
    if let Some(temperature) = encode::temperature(request, thinks, &mut omissions) {
        body["temperature"] = temperature.into();
    }
    if !request.stop.is_empty() {
        omit(&mut omissions, "stop", "this API has no texts to stop at");
    }
    Ok(Call {
        path: vec!["responses".to_owned()],
        query: None,
        body,
        omissions,
        decoder: Box::new(ResponsesDecoder::new(account.to_owned())),
    })
}

/// Encodes a turn as items. Reasoning is sent only complete, to its own account, and together with the item after it.
fn items(turn: &Turn<'_>, account: &str, input: &mut Vec<Value>) {
    let mut content = Vec::new();
    let mut thoughts = Vec::new();
    let replayed = |replay: &Replay| {
        replay
            .value_for(Protocol::OpenAiResponses, account)
            .cloned()
    };
    for (part, _) in &turn.parts {
        match part {
            Part::Text(text) if text.text.is_empty() => {}
            Part::Text(text) => {
                if turn.role == Role::Assistant {
                    input.append(&mut thoughts);
                    content.push(json!({ "type": "output_text", "text": text.text }));
                    flush(turn.role, &mut content, input);
                } else {
                    content.push(json!({ "type": "input_text", "text": text.text }));
                }
            }
            Part::Image(image) => {
                content.push(json!({ "type": "input_image", "image_url": image.url() }));
            }
            Part::ToolCall(call) => {
                flush(turn.role, &mut content, input);
                input.append(&mut thoughts);
                input.push(json!({
                    "type": "function_call", "call_id": call.id, "name": call.name,
                    "arguments": encode::arguments_text(&call.arguments),
                }));
            }
            Part::ToolResult(result) => {
                flush(turn.role, &mut content, input);
                input.push(json!({
                    "type": "function_call_output", "call_id": result.call_id,
                    "output": encode::result_text(result),
                }));
            }
            Part::Reasoning(reasoning) => {
                flush(turn.role, &mut content, input);
                thoughts.extend(reasoning.replay.as_ref().and_then(replayed));
            }
            Part::Vendor(replay) => {
                flush(turn.role, &mut content, input);
                if let Some(item) = replayed(replay) {
                    input.append(&mut thoughts);
                    input.push(item);
                }
            }
        }
    }
    flush(turn.role, &mut content, input);
    // The API refuses reasoning without a following item ("without its required following item"), so it is left out.
}

fn flush(role: Role, content: &mut Vec<Value>, input: &mut Vec<Value>) {
    if !content.is_empty() {
        let role = match role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        let content = std::mem::take(content);
        input.push(json!({ "type": "message", "role": role, "content": content }));
    }
}
