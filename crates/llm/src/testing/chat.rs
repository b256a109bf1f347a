//! Answers in the form of OpenAI Chat Completions and OpenAI embeddings.

use serde_json::{Value, json};

use super::{GREETING, Reply, VendorRequest, pieces, tool_arguments};

/// A stream of chunks, with its end marker.
#[must_use]
pub fn stream(chunks: &[Value]) -> String {
    let chunks = chunks.iter().map(|chunk| format!("data: {chunk}\n\n"));
    chunks.collect::<String>() + "data: [DONE]\n\n"
}

/// A chunk with that delta.
#[must_use]
pub fn chunk(delta: Value, finish_reason: Option<&str>) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000,
        "model": "scripted-model",
        "choices": [{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason }],
    })
}

/// The chunk with the usage: 20 input tokens, 5 of them from the cache, and 10 output tokens, 4 of them for reasoning.
#[must_use]
pub fn usage_chunk() -> Value {
    let mut chunk = chunk(json!({}), None);
    chunk["choices"] = json!([]);
    chunk["usage"] = usage();
    chunk
}

/// The usage of [`usage_chunk`].
#[must_use]
pub fn usage() -> Value {
    json!({
        "prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30,
        "prompt_tokens_details": { "cached_tokens": 5 },
        "completion_tokens_details": { "reasoning_tokens": 4 },
    })
}

/// The chunks of a text.
#[must_use]
pub fn text_chunks(text: &str) -> Vec<Value> {
    let first = chunk(
        json!({ "role": "assistant", "content": "", "refusal": null }),
        None,
    );
    let rest = pieces(text)
        .into_iter()
        .map(|text| chunk(json!({ "content": text }), None));
    std::iter::once(first).chain(rest).collect()
}

/// An answer that is only text, with its usage.
#[must_use]
pub fn text(text: &str) -> String {
    let mut chunks = text_chunks(text);
    chunks.extend([chunk(json!({}), Some("stop")), usage_chunk()]);
    stream(&chunks)
}

/// A chunk with a piece of a tool call.
#[must_use]
pub fn tool_chunk(call: Value) -> Value {
    chunk(json!({ "tool_calls": [call] }), None)
}

/// An answer of these pieces of tool calls.
#[must_use]
pub fn tools(calls: &[Value]) -> String {
    let mut chunks: Vec<Value> = calls.iter().cloned().map(tool_chunk).collect();
    chunks.extend([chunk(json!({}), Some("tool_calls")), usage_chunk()]);
    stream(&chunks)
}

/// An error's body.
#[must_use]
pub fn error(kind: &str, message: &str, code: &str) -> String {
    json!({ "error": { "message": message, "type": kind, "param": null, "code": code } })
        .to_string()
}

/// An embedding of a text: three numbers computed from its bytes.
#[must_use]
pub fn embedding(text: &str) -> [f32; 3] {
    let sum: u32 = text.bytes().map(u32::from).sum();
    let low = u16::try_from(sum % 1_000).unwrap_or_default();
    let length = u16::try_from(text.len() % 1_000).unwrap_or_default();
    [f32::from(low) / 1_000.0, f32::from(length) / 1_000.0, 0.5]
}

pub(super) fn respond(request: &VendorRequest) -> Reply {
    let asked = request.json();
    if request.target.ends_with("/embeddings") {
        let texts = match &asked["input"] {
            Value::String(text) => vec![text.clone()],
            list => list
                .as_array()
                .into_iter()
                .flatten()
                .map(|text| text.as_str().unwrap_or_default().to_owned())
                .collect(),
        };
        let data = texts.iter().enumerate().map(|(index, text)| {
            json!({ "object": "embedding", "index": index, "embedding": embedding(text) })
        });
        let usage = json!({ "prompt_tokens": 2 * texts.len(), "total_tokens": 2 * texts.len() });
        let body = json!({
            "object": "list", "data": data.collect::<Vec<_>>(), "model": asked["model"], "usage": usage,
        });
        return Reply::json(200, body.to_string());
    }
    let has_result = asked["messages"].to_string().contains(r#""role":"tool""#);
    let tool = asked["tools"]
        .get(0)
        .map(|tool| &tool["function"])
        .filter(|_| !has_result);
    let is_json = !asked["response_format"].is_null();
    let said = if is_json {
        r#"{"answer":42}"#
    } else {
        GREETING
    };
    let call = tool.map(|tool| {
        let arguments = tool_arguments(&tool["parameters"]).to_string();
        json!({
            "index": 0, "id": "call_1", "type": "function",
            "function": { "name": tool["name"], "arguments": arguments },
        })
    });
    let reason = if call.is_some() { "tool_calls" } else { "stop" };
    if asked["stream"] != true {
        let message = match &call {
            Some(call) => {
                json!({ "role": "assistant", "content": null, "refusal": null, "tool_calls": [call] })
            }
            None => json!({ "role": "assistant", "content": said, "refusal": null }),
        };
        let body = json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "scripted-model",
            "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": reason }],
            "usage": usage(),
        });
        return Reply::json(200, body.to_string());
    }
    let mut chunks = match call {
        Some(call) => vec![tool_chunk(call)],
        None => text_chunks(said),
    };
    chunks.push(chunk(json!({}), Some(reason)));
    if asked["stream_options"]["include_usage"] == true {
        chunks.push(usage_chunk());
    }
    Reply::events(stream(&chunks))
}
