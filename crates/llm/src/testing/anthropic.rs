//! Answers in the form of Anthropic Messages.

use serde_json::{Value, json};

use super::{GREETING, Reply, VendorRequest, pieces, tool_arguments};

/// An event as it is sent on the wire.
#[must_use]
pub fn event(value: &Value) -> String {
    let name = value["type"].as_str().unwrap_or_default();
    format!("event: {name}\ndata: {value}\n\n")
}

/// A stream of events.
#[must_use]
pub fn stream(events: &[Value]) -> String {
    events.iter().map(event).collect()
}

/// `message_start`, with 12 input tokens of which 4 were read from the cache and 3 written to it.
#[must_use]
pub fn start() -> Value {
    json!({ "type": "message_start", "message": {
        "id": "msg_01", "type": "message", "role": "assistant", "model": "scripted-model",
        "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": {
            "input_tokens": 5, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 3,
            "cache_creation": { "ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 1 },
            "output_tokens": 1,
        },
    } })
}

/// The events of one content block.
#[must_use]
pub fn block(index: u64, block: Value, deltas: &[Value]) -> Vec<Value> {
    let open = json!({ "type": "content_block_start", "index": index, "content_block": block });
    let deltas = deltas
        .iter()
        .map(|delta| json!({ "type": "content_block_delta", "index": index, "delta": delta }));
    let close = json!({ "type": "content_block_stop", "index": index });
    std::iter::once(open).chain(deltas).chain([close]).collect()
}

/// A block of text.
#[must_use]
pub fn text_block(index: u64, text: &str) -> Vec<Value> {
    let deltas = pieces(text)
        .into_iter()
        .map(|text| json!({ "type": "text_delta", "text": text }));
    block(
        index,
        json!({ "type": "text", "text": "" }),
        &deltas.collect::<Vec<_>>(),
    )
}

/// A block with a tool call, its arguments in pieces of three bytes.
#[must_use]
pub fn tool_block(index: u64, id: &str, name: &str, arguments: &str) -> Vec<Value> {
    let letters: Vec<char> = arguments.chars().collect();
    let deltas = letters.chunks(3).map(|piece| {
        json!({ "type": "input_json_delta", "partial_json": piece.iter().collect::<String>() })
    });
    let open = json!({ "type": "tool_use", "id": id, "name": name, "input": {} });
    block(index, open, &deltas.collect::<Vec<_>>())
}

/// A block of thoughts with their signature.
#[must_use]
pub fn thinking_block(index: u64, thoughts: &str, signature: &str) -> Vec<Value> {
    let open = json!({ "type": "thinking", "thinking": "", "signature": "" });
    let deltas = [
        json!({ "type": "thinking_delta", "thinking": thoughts }),
        json!({ "type": "signature_delta", "signature": signature }),
    ];
    block(index, open, &deltas)
}

/// The end of a message, with 9 output tokens.
#[must_use]
pub fn end(stop_reason: &str) -> Vec<Value> {
    let delta = json!({ "stop_reason": stop_reason, "stop_sequence": null });
    vec![
        json!({ "type": "message_delta", "delta": delta, "usage": { "output_tokens": 9 } }),
        json!({ "type": "message_stop" }),
    ]
}

/// A whole message of the events of these blocks.
#[must_use]
pub fn message(blocks: &[Vec<Value>], stop_reason: &str) -> String {
    let mut events = vec![start(), json!({ "type": "ping" })];
    events.extend(blocks.iter().flatten().cloned());
    events.extend(end(stop_reason));
    stream(&events)
}

/// An answer that is only text.
#[must_use]
pub fn text(text: &str) -> String {
    message(&[text_block(0, text)], "end_turn")
}

/// An error's body.
#[must_use]
pub fn error(kind: &str, message: &str) -> String {
    json!({ "type": "error", "error": { "type": kind, "message": message } }).to_string()
}

pub(super) fn respond(request: &VendorRequest) -> Reply {
    // The vendor accepts its key in either header: newer SDKs send the second.
    if request.header("x-api-key").is_empty() && request.header("authorization").is_empty() {
        return Reply::json(
            401,
            error("authentication_error", "x-api-key header is required"),
        );
    }
    let asked = request.json();
    let last = asked["messages"]
        .as_array()
        .and_then(|messages| messages.last());
    let has_result = last.is_some_and(|last| last.to_string().contains("tool_result"));
    let tool = asked["tools"].get(0).filter(|_| !has_result);
    let is_json = !asked["output_config"]["format"].is_null();
    let said = if is_json {
        r#"{"answer":42}"#
    } else {
        GREETING
    };
    let thinks = ["adaptive", "enabled"]
        .map(Value::from)
        .contains(&asked["thinking"]["type"]);
    if asked["stream"] != true {
        let content = match tool {
            Some(tool) => json!([{
                "type": "tool_use", "id": "toolu_1", "name": tool["name"],
                "input": tool_arguments(&tool["input_schema"]),
            }]),
            None => json!([{ "type": "text", "text": said }]),
        };
        let mut whole = start()["message"].clone();
        whole["content"] = content;
        whole["stop_reason"] = if tool.is_some() {
            "tool_use"
        } else {
            "end_turn"
        }
        .into();
        return Reply::json(200, whole.to_string());
    }
    let mut blocks = Vec::new();
    if thinks {
        blocks.push(thinking_block(0, "Let me think.", "c2lnbmF0dXJl"));
    }
    let index = blocks.len() as u64;
    let reason = match tool {
        Some(tool) => {
            let arguments = tool_arguments(&tool["input_schema"]).to_string();
            let name = tool["name"].as_str().unwrap_or_default();
            blocks.push(tool_block(index, "toolu_1", name, &arguments));
            "tool_use"
        }
        None => {
            blocks.push(text_block(index, said));
            "end_turn"
        }
    };
    Reply::events(message(&blocks, reason))
}
