//! Answers in the form of OpenAI Responses.

use serde_json::{Value, json};

use super::{GREETING, Reply, VendorRequest, pieces, tool_arguments};

/// A stream of events with sequence numbers.
#[must_use]
pub fn stream(events: &[Value]) -> String {
    let numbered = events.iter().enumerate().map(|(number, event)| {
        let mut event = event.clone();
        event["sequence_number"] = number.into();
        let name = event["type"].as_str().unwrap_or_default();
        format!("event: {name}\ndata: {event}\n\n")
    });
    numbered.collect()
}

/// A response with these items. It used 20 input tokens, 5 of them from the cache, and 10 output tokens, 4 of them for
/// reasoning.
#[must_use]
pub fn response(status: &str, output: &[Value]) -> Value {
    json!({
        "id": "resp_1", "object": "response", "created_at": 1_700_000_000, "status": status,
        "error": null, "incomplete_details": null, "instructions": null, "metadata": {},
        "model": "scripted-model", "output": output, "parallel_tool_calls": true,
        "temperature": null, "top_p": null, "tool_choice": "auto", "tools": [],
        "usage": {
            "input_tokens": 20, "input_tokens_details": { "cached_tokens": 5, "cache_write_tokens": 0 },
            "output_tokens": 10, "output_tokens_details": { "reasoning_tokens": 4 }, "total_tokens": 30,
        },
    })
}

/// A message's item.
#[must_use]
pub fn text_item(id: &str, text: &str) -> Value {
    json!({
        "id": id, "type": "message", "role": "assistant", "status": "completed",
        "content": [{ "type": "output_text", "text": text, "annotations": [], "logprobs": [] }],
    })
}

/// A tool call's item.
#[must_use]
pub fn tool_item(id: &str, call_id: &str, name: &str, arguments: &str) -> Value {
    json!({
        "id": id, "type": "function_call", "call_id": call_id, "name": name,
        "arguments": arguments, "status": "completed",
    })
}

/// A reasoning item.
#[must_use]
pub fn reasoning_item(id: &str, summary: &str, encrypted: Option<&str>) -> Value {
    let mut item = json!({
        "id": id, "type": "reasoning", "summary": [{ "type": "summary_text", "text": summary }],
    });
    if let Some(encrypted) = encrypted {
        item["encrypted_content"] = encrypted.into();
    }
    item
}

/// The events of one item, as they are streamed.
#[must_use]
pub fn item_events(index: u64, item: &Value) -> Vec<Value> {
    let kind = item["type"].as_str().unwrap_or_default();
    let id = &item["id"];
    let mut opened = item.clone();
    let delta = |name: &str, delta: String| {
        json!({
            "type": name, "item_id": id, "output_index": index, "content_index": 0,
            "summary_index": 0, "delta": delta, "logprobs": [],
        })
    };
    let mut deltas = Vec::new();
    match kind {
        "message" => {
            opened["content"] = json!([]);
            let text = item["content"][0]["text"].as_str().unwrap_or_default();
            let part =
                json!({ "type": "output_text", "text": "", "annotations": [], "logprobs": [] });
            deltas.push(json!({
                "type": "response.content_part.added", "item_id": id, "output_index": index,
                "content_index": 0, "part": part,
            }));
            let texts = pieces(text).into_iter();
            deltas.extend(texts.map(|text| delta("response.output_text.delta", text)));
            deltas.push(json!({
                "type": "response.output_text.done", "item_id": id, "output_index": index,
                "content_index": 0, "text": text, "logprobs": [],
            }));
            deltas.push(json!({
                "type": "response.content_part.done", "item_id": id, "output_index": index,
                "content_index": 0, "part": item["content"][0],
            }));
        }
        "function_call" => {
            opened["arguments"] = "".into();
            let arguments = item["arguments"].as_str().unwrap_or_default();
            let name = "response.function_call_arguments.delta";
            deltas.extend(pieces(arguments).into_iter().map(|text| delta(name, text)));
            deltas.push(json!({
                "type": "response.function_call_arguments.done", "item_id": id,
                "output_index": index, "name": item["name"], "arguments": arguments,
            }));
        }
        "reasoning" => {
            opened["summary"] = json!([]);
            let text = item["summary"][0]["text"].as_str().unwrap_or_default();
            deltas.push(json!({
                "type": "response.reasoning_summary_part.added", "item_id": id,
                "output_index": index, "summary_index": 0,
                "part": { "type": "summary_text", "text": "" },
            }));
            let name = "response.reasoning_summary_text.delta";
            deltas.extend(pieces(text).into_iter().map(|text| delta(name, text)));
        }
        _ => {}
    }
    let added =
        json!({ "type": "response.output_item.added", "output_index": index, "item": opened });
    let done = json!({ "type": "response.output_item.done", "output_index": index, "item": item });
    std::iter::once(added).chain(deltas).chain([done]).collect()
}

/// A whole response of these items, as it is streamed.
#[must_use]
pub fn message(items: &[Value]) -> String {
    let created = response("in_progress", &[]);
    let mut events = vec![json!({ "type": "response.created", "response": created })];
    for (index, item) in items.iter().enumerate() {
        events.extend(item_events(index as u64, item));
    }
    let response = response("completed", items);
    events.push(json!({ "type": "response.completed", "response": response }));
    stream(&events)
}

/// An answer that is only text.
#[must_use]
pub fn text(text: &str) -> String {
    message(&[text_item("msg_1", text)])
}

pub(super) fn respond(request: &VendorRequest) -> Reply {
    if request.header("authorization").is_empty() {
        return Reply::json(
            401,
            super::chat::error("invalid_request_error", "no key", "invalid_api_key"),
        );
    }
    let asked = request.json();
    let has_result = asked["input"].to_string().contains("function_call_output");
    let tool = asked["tools"].get(0).filter(|_| !has_result);
    let is_json = asked["text"]["format"]["type"] == "json_schema";
    let said = if is_json {
        r#"{"answer":42}"#
    } else {
        GREETING
    };
    let mut items = Vec::new();
    if !asked["include"].is_null() {
        items.push(reasoning_item(
            "rs_1",
            "Let me think.",
            Some("ZW5jcnlwdGVk"),
        ));
    }
    items.push(match tool {
        Some(tool) => {
            let arguments = tool_arguments(&tool["parameters"]).to_string();
            tool_item(
                "fc_1",
                "call_1",
                tool["name"].as_str().unwrap_or_default(),
                &arguments,
            )
        }
        None => text_item("msg_1", said),
    });
    if asked["stream"] == true {
        Reply::events(message(&items))
    } else {
        Reply::json(200, response("completed", &items).to_string())
    }
}
