//! Answers in the form of Google `generateContent`.

use serde_json::{Value, json};

use super::{GREETING, Reply, VendorRequest, chat, pieces, tool_arguments};

/// A stream of chunks.
#[must_use]
pub fn stream(chunks: &[Value]) -> String {
    let chunks = chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n"));
    chunks.collect()
}

/// A chunk with these parts. Its usage is 20 input tokens, 5 of them from the cache, 6 tokens for the answer and 4 for
/// reasoning.
#[must_use]
pub fn chunk(parts: &[Value], finish_reason: Option<&str>) -> Value {
    let mut candidate = json!({ "index": 0, "content": { "role": "model", "parts": parts } });
    if let Some(reason) = finish_reason {
        candidate["finishReason"] = reason.into();
    }
    json!({
        "candidates": [candidate], "modelVersion": "scripted-model", "responseId": "resp-1",
        "usageMetadata": {
            "promptTokenCount": 20, "cachedContentTokenCount": 5, "candidatesTokenCount": 6,
            "thoughtsTokenCount": 4, "totalTokenCount": 30,
        },
    })
}

/// An answer that is only text.
#[must_use]
pub fn text(text: &str) -> String {
    let mut chunks: Vec<Value> = pieces(text)
        .into_iter()
        .map(|text| chunk(&[json!({ "text": text })], None))
        .collect();
    chunks.push(chunk(&[json!({ "text": "" })], Some("STOP")));
    stream(&chunks)
}

/// An error's body.
#[must_use]
pub fn error(code: u16, status: &str, message: &str, details: &Value) -> String {
    json!({ "error": { "code": code, "status": status, "message": message, "details": details } })
        .to_string()
}

pub(super) fn respond(request: &VendorRequest) -> Reply {
    if request.header("x-goog-api-key").is_empty() {
        return Reply::json(403, error(403, "PERMISSION_DENIED", "no key", &json!([])));
    }
    let asked = request.json();
    if request.target.contains(":batchEmbedContents") {
        let requests = asked["requests"].as_array().into_iter().flatten();
        let values = requests.map(|one| {
            json!({ "values": chat::embedding(one["content"]["parts"][0]["text"].as_str().unwrap_or_default()) })
        });
        return Reply::json(
            200,
            json!({ "embeddings": values.collect::<Vec<_>>() }).to_string(),
        );
    }
    let has_result = asked["contents"].to_string().contains("functionResponse");
    let tool = asked["tools"][0]["functionDeclarations"]
        .get(0)
        .filter(|_| !has_result);
    let is_json = asked["generationConfig"]["responseMimeType"] == "application/json";
    let said = if is_json {
        r#"{"answer":42}"#
    } else {
        GREETING
    };
    let whole = match tool {
        Some(tool) => {
            let schema = match &tool["parameters"] {
                Value::Null => &tool["parametersJsonSchema"],
                schema => schema,
            };
            let call = json!({ "name": tool["name"], "args": tool_arguments(schema) });
            chunk(
                &[json!({ "functionCall": call, "thoughtSignature": "c2lnbmF0dXJl" })],
                Some("STOP"),
            )
        }
        None => chunk(&[json!({ "text": said })], Some("STOP")),
    };
    if !request.target.contains(":streamGenerateContent") {
        return Reply::json(200, whole.to_string());
    }
    let body = match tool {
        Some(_) => stream(&[whole]),
        None => text(said),
    };
    Reply::events(body)
}
