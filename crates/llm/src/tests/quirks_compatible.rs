//! Quirks 20 to 23: servers that implement variants of Chat Completions.

use serde_json::json;

use super::*;
use crate::testing::chat;
use crate::{FinishReason, OutputSchema, Part, StructuredOutput, ToolCall, UsageSource};

const CHAT: Protocol = Protocol::OpenAiChat;

/// The calls that these pieces are assembled into.
fn calls(pieces: &[Value]) -> Result<Vec<(String, String, Value)>, LlmError> {
    let finish = finish(CHAT, &chat::tools(pieces))?;
    assert_eq!(finish.reason, FinishReason::ToolUse);
    let calls = finish.message.parts.into_iter().map(|part| match part {
        Part::ToolCall(ToolCall {
            id,
            name,
            arguments,
            ..
        }) => (id, name, Value::from(arguments)),
        other => panic!("{other:?}"),
    });
    Ok(calls.collect())
}

fn call(id: &str, name: &str, arguments: Value) -> (String, String, Value) {
    (id.to_owned(), name.to_owned(), arguments)
}

#[test]
fn quirk_20_usage_counts_wherever_it_comes() {
    let usage = |prompt: u64, completion: u64| json!({ "prompt_tokens": prompt, "completion_tokens": completion });
    let with = |mut chunk: Value, usage: Value| {
        chunk["usage"] = usage;
        chunk
    };
    let text = || chat::chunk(json!({ "content": "a" }), None);
    let stop = || chat::chunk(json!({}), Some("stop"));
    let empty = || {
        let mut chunk = stop();
        chunk["choices"] = json!([]);
        chunk
    };
    for (name, chunks) in [
        (
            "empty choices",
            vec![text(), stop(), with(empty(), usage(20, 10))],
        ),
        ("finish delta", vec![text(), with(stop(), usage(20, 10))]),
        (
            "cumulative",
            vec![
                with(text(), usage(20, 1)),
                with(text(), usage(20, 2)),
                with(stop(), usage(20, 10)),
            ],
        ),
        (
            "zero at first",
            vec![with(text(), usage(0, 0)), with(stop(), usage(20, 10))],
        ),
        (
            "zero at last",
            vec![
                with(text(), usage(20, 10)),
                with(stop(), usage(0, 0)),
                with(empty(), Value::Null),
            ],
        ),
        (
            "parts",
            vec![with(text(), usage(20, 0)), with(stop(), usage(0, 10))],
        ),
    ] {
        let usage = finish(CHAT, &chat::stream(&chunks)).unwrap().usage;
        assert_eq!(
            (usage.input_tokens, usage.output_tokens),
            (20, 10),
            "{name}"
        );
        assert_eq!(usage.source, UsageSource::Reported, "{name}");
    }
}

#[tokio::test]
async fn quirk_20_missing_usage_is_estimated_and_marked() {
    let mut chunks = chat::text_chunks("four byte words");
    chunks.push(chat::chunk(json!({}), Some("stop")));
    let server = VendorServer::replies([Reply::events(chat::stream(&chunks))]).await;
    let usage = client(&server, CHAT)
        .complete(&request())
        .await
        .unwrap()
        .usage;
    assert_eq!(
        (usage.output_tokens, usage.source),
        (4, UsageSource::Estimated)
    );
    let sent = server.requests()[0].body.len() as u64;
    assert_eq!(usage.input_tokens, sent.div_ceil(4));
}

#[tokio::test]
async fn quirk_20_a_refused_usage_option_is_left_out_and_remembered() {
    let server = VendorServer::start(|request| {
        if request.json()["stream_options"].is_null() {
            return Reply::events(chat::text("Hello"));
        }
        let body = chat::error(
            "invalid_request_error",
            "Unrecognized request argument: stream_options",
            "",
        );
        Reply::json(400, body)
    })
    .await;
    let client = client(&server, CHAT);
    for requests in [2, 3] {
        assert_eq!(
            client.complete(&request()).await.unwrap().message.text(),
            "Hello"
        );
        assert_eq!(server.requests().len(), requests);
    }
}

#[test]
fn quirk_21_tool_calls_with_an_index_are_put_together() {
    let pieces = [
        json!({ "index": 3, "id": "a", "type": "function", "function": { "name": "one", "arguments": "" } }),
        json!({ "index": 7, "id": "b", "function": { "name": "two", "arguments": "{\"y\":" } }),
        json!({ "index": 3, "id": "", "function": { "arguments": "{\"x\":1" } }),
        json!({ "index": 7, "function": { "name": null, "arguments": "2}" } }),
        json!({ "index": 3, "id": null, "function": { "name": "", "arguments": "}" } }),
    ];
    let expected = [
        call("a", "one", json!({ "x": 1 })),
        call("b", "two", json!({ "y": 2 })),
    ];
    assert_eq!(calls(&pieces).unwrap(), expected);
}

#[test]
fn quirk_21_tool_calls_without_an_index_are_told_apart() {
    let expected = [
        call("a", "one", json!({ "x": 1 })),
        call("b", "two", json!({})),
    ];
    let whole = [
        json!({ "id": "a", "function": { "name": "one", "arguments": "{\"x\":1}" } }),
        json!({ "id": "b", "function": { "name": "two", "arguments": "{}" } }),
    ];
    assert_eq!(calls(&whole).unwrap(), expected, "whole calls");
    let pieces = [
        json!({ "id": "a", "function": { "name": "one", "arguments": "" } }),
        json!({ "function": { "arguments": "{\"x\":" } }),
        json!({ "function": { "arguments": "1}" } }),
        json!({ "id": "b", "function": { "name": "two" } }),
    ];
    assert_eq!(calls(&pieces).unwrap(), expected, "pieces");
}

#[test]
fn quirk_21_an_index_may_be_used_again() {
    let expected = [
        call("a", "one", json!({ "x": 1 })),
        call("b", "one", json!({ "x": 2 })),
    ];
    let pieces = [
        json!({ "index": 0, "id": "a", "function": { "name": "one", "arguments": "{\"x\":1}" } }),
        json!({ "index": 0, "id": "b", "function": { "name": "one", "arguments": "{\"x\":" } }),
        json!({ "index": 0, "function": { "arguments": "2}" } }),
    ];
    assert_eq!(calls(&pieces).unwrap(), expected);
    // The same without any id: a name after complete arguments begins another call.
    let nameless = [
        json!({ "index": 0, "id": "", "function": { "name": "one", "arguments": "{\"x\":1}" } }),
        json!({ "index": 0, "id": "", "function": { "name": "one", "arguments": "{\"x\":2}" } }),
    ];
    let found = calls(&nameless).unwrap();
    assert_eq!(
        (&found[0].2, &found[1].2),
        (&json!({ "x": 1 }), &json!({ "x": 2 }))
    );
    assert_ne!(found[0].0, found[1].0);
}

#[test]
fn quirk_21_a_name_may_come_after_the_arguments() {
    let pieces = [
        json!({ "index": 0, "id": "a", "function": { "arguments": "{\"x\":" } }),
        json!({ "index": 0, "function": { "arguments": "1}" } }),
        json!({ "index": 0, "function": { "name": "one" } }),
    ];
    assert_eq!(
        calls(&pieces).unwrap(),
        [call("a", "one", json!({ "x": 1 }))]
    );
    let object =
        [json!({ "index": 0, "id": "a", "function": { "name": "one", "arguments": { "x": 1 } } })];
    assert_eq!(
        calls(&object).unwrap(),
        [call("a", "one", json!({ "x": 1 }))]
    );
}

#[test]
fn quirk_21_json_that_parses_is_not_yet_the_end() {
    let pieces = [
        json!({ "index": 0, "id": "a", "function": { "name": "run", "arguments": "{}" } }),
        json!({ "index": 0, "function": { "arguments": "{\"command\":\"ls\"}" } }),
    ];
    let whole = chat::tools(&pieces);
    let second = whole.find("command").unwrap();
    let (events, error) = decode(CHAT, [&whole.as_bytes()[..second]]);
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, StreamEvent::ToolCall(_))),
        "{events:?}"
    );
    assert_eq!(error, Some(LlmError::Truncated));
    assert_eq!(
        calls(&pieces).unwrap(),
        [call("a", "run", json!({ "command": "ls" }))]
    );
    for broken in [
        "{\"x\":",
        "[1]",
        "1",
        "{\"x\":1}{\"y\":2}",
        "{\"x\":1} or so",
    ] {
        let piece =
            json!({ "index": 0, "id": "a", "function": { "name": "run", "arguments": broken } });
        assert_eq!(code(calls(&[piece])), "TOOL_CALL_INVALID", "{broken}");
    }
}

#[test]
fn quirk_22_thoughts_come_in_several_ways() {
    let text = |name: &str| {
        vec![
            chat::chunk(json!({ name: "thin" }), None),
            chat::chunk(json!({ name: "king", "content": "" }), None),
            chat::chunk(json!({ "content": "Hello" }), None),
            chat::chunk(json!({}), Some("stop")),
        ]
    };
    let tagged = chat::text("<think>thinking</think>\n\nHello");
    for body in [
        chat::stream(&text("reasoning_content")),
        chat::stream(&text("reasoning")),
        tagged.clone(),
    ] {
        let (events, finish) = decoded(CHAT, &body).unwrap();
        assert_eq!(
            shown(&events),
            ("Hello".to_owned(), "thinking".to_owned()),
            "{body}"
        );
        assert_eq!(finish.message.text(), "Hello");
        assert!(matches!(finish.message.parts[0], Part::Reasoning(_)));
        // Servers refuse reasoning in the history.
        let mut next = request();
        next.messages.push(finish.message);
        assert!(!super::body(CHAT, &next).to_string().contains("thinking"));
    }
}

#[test]
fn quirk_22_thoughts_may_outnumber_the_output() {
    let mut chunks = chat::text_chunks("Hello");
    let mut last = chat::usage_chunk();
    last["usage"]["completion_tokens_details"]["reasoning_tokens"] = 40.into();
    chunks.extend([chat::chunk(json!({}), Some("stop")), last]);
    let usage = finish(CHAT, &chat::stream(&chunks)).unwrap().usage;
    assert_eq!((usage.output_tokens, usage.reasoning_tokens), (50, 40));
}

#[tokio::test]
async fn quirk_22_html_or_an_error_with_200_is_an_error() {
    let error = chat::error("server_error", "The model is loading", "");
    let in_stream = format!("data: {error}\n\ndata: [DONE]\n\n");
    let text = r#"{"error":"model 'x' not found"}"#;
    let replies = [
        Reply::html(200),
        Reply::new(200, "text/event-stream", "<html>proxy</html>"),
        Reply::json(200, error.clone()),
        Reply::new(200, "text/event-stream", error),
        Reply::events(in_stream),
        Reply::json(200, text),
    ];
    let expected = [
        "ANSWER_NOT_API",
        "ANSWER_NOT_API",
        "VENDOR_FAILED",
        "VENDOR_FAILED",
        "VENDOR_FAILED",
        "VENDOR_FAILED",
    ];
    let server = VendorServer::replies(replies).await;
    let client = client(&server, CHAT);
    for expected in expected {
        assert_eq!(code(client.complete(&request()).await), expected);
    }
}

#[test]
fn quirk_22_an_end_without_a_reason_is_truncated() {
    let chunks = chat::text_chunks("Hello");
    let done = chat::stream(&chunks);
    let cut = done.strip_suffix("data: [DONE]\n\n").unwrap();
    assert_eq!(code(finish(CHAT, cut)), "TRUNCATED");
    assert_eq!(code(finish(CHAT, "")), "TRUNCATED");
    assert_eq!(code(finish(CHAT, "data: [DONE]\n\n")), "TRUNCATED");
    // The server marked the end with `[DONE]` or with a reason.
    assert_eq!(finish(CHAT, &done).unwrap().reason, FinishReason::Complete);
    let stopped = chat::stream(&[chunks, vec![chat::chunk(json!({}), Some("stop"))]].concat());
    let stopped = stopped.strip_suffix("data: [DONE]\n\n").unwrap();
    assert_eq!(
        finish(CHAT, stopped).unwrap().reason,
        FinishReason::Complete
    );
}

#[test]
fn every_finish_reason_of_chat_has_its_meaning() {
    for (word, expected) in [
        ("stop", Ok(FinishReason::Complete)),
        ("eos_token", Ok(FinishReason::Complete)),
        ("length", Ok(FinishReason::Length)),
        ("content_filter", Ok(FinishReason::Filtered)),
        ("insufficient_system_resource", Err("OVERLOADED")),
        ("abort", Err("TRUNCATED")),
        ("brand_new", Err("FINISH_UNKNOWN")),
    ] {
        let chunks = [chat::chunk(json!({ "content": "a" }), Some(word))];
        let found = finish(CHAT, &chat::stream(&chunks));
        let found = found
            .map(|finish| finish.reason)
            .map_err(|error| error.code());
        assert_eq!(found, expected, "{word}");
    }
    let refused = [chat::chunk(json!({ "refusal": "No." }), Some("stop"))];
    let finish = finish(CHAT, &chat::stream(&refused)).unwrap();
    assert_eq!(
        (finish.reason, finish.message.text().as_str()),
        (FinishReason::Refused, "No.")
    );
}

fn schema_request(structured: StructuredOutput) -> ModelRequest {
    let mut request = request();
    request.traits.structured = structured;
    request.output_schema = Some(OutputSchema {
        name: "answer".to_owned(),
        schema: json!({ "type": "object", "properties": { "answer": { "type": "integer" } }, "required": ["answer"] }),
        strict: false,
    });
    request
}

#[test]
fn quirk_23_a_schema_goes_in_the_form_of_the_server() {
    let sent = |structured| body(CHAT, &schema_request(structured));
    let schema = schema_request(StructuredOutput::Schema)
        .output_schema
        .unwrap()
        .schema;
    let inner = json!({ "name": "answer", "schema": schema, "strict": false });
    let standard = json!({ "type": "json_schema", "json_schema": inner });
    assert_eq!(sent(StructuredOutput::Schema)["response_format"], standard);
    let own = json!({ "type": "json_object", "schema": schema });
    assert_eq!(
        sent(StructuredOutput::ObjectWithSchema)["response_format"],
        own
    );
    let object = sent(StructuredOutput::Object);
    assert_eq!(object["response_format"], json!({ "type": "json_object" }));
    let prompt = sent(StructuredOutput::Prompt);
    assert_eq!(prompt["response_format"], Value::Null);
    for with_prompt in [object, prompt] {
        let system = with_prompt["messages"][0]["content"].as_str().unwrap();
        assert!(
            system.contains("JSON Schema") && system.contains("\"integer\""),
            "{system}"
        );
    }
}

#[tokio::test]
async fn quirk_23_the_form_is_tried_once_and_remembered() {
    for (taken, form) in [
        ("json_schema", StructuredOutput::Schema),
        ("schema", StructuredOutput::ObjectWithSchema),
        ("json_object", StructuredOutput::Object),
        ("", StructuredOutput::Prompt),
    ] {
        let server = VendorServer::start(move |request| {
            let format = &request.json()["response_format"];
            let given = match format["type"].as_str() {
                None => "",
                Some("json_object") if !format["schema"].is_null() => "schema",
                Some(other) => other,
            };
            if given == taken {
                return Reply::events(chat::text(r#"{"answer": 42}"#));
            }
            // The answer of llama-cpp-python 0.3, the form of FastAPI's refusal, and the messages of other servers.
            if given == "json_schema" && taken == "schema" {
                let words = "1 validation error: {'type': 'literal_error', 'loc': ('body', 'response_format', 'type')}";
                return Reply::json(500, chat::error("internal_server_error", words, ""));
            }
            if given == "json_schema" {
                return Reply::json(
                    422,
                    r#"{"detail":[{"loc":["body","response_format","type"],"msg":"x"}]}"#,
                );
            }
            let words = "response_format of this type is not supported";
            Reply::json(400, chat::error("invalid_request_error", words, ""))
        })
        .await;
        let client = client(&server, CHAT);
        let request = schema_request(StructuredOutput::Unknown);
        let first = client.object(&request).await.unwrap();
        assert_eq!(first.value, json!({ "answer": 42 }), "{taken}");
        assert_eq!(client.structured_output(), form);
        let asked = server.requests().len();
        client.object(&request).await.unwrap();
        assert_eq!(server.requests().len(), asked + 1, "{taken}");
    }
}
