//! Quirks 1 to 7: OpenAI's two APIs.

use serde_json::json;

use super::*;
use crate::testing::{chat, responses};
use crate::{
    Effort, FinishReason, Message, ModelTraits, OutputField, OutputSchema, Part, Role, Sampling,
    StructuredOutput, SystemRole, Thinking, ThinkingDefault, ToolResult, VendorErrorKind,
};

const RESPONSES: Protocol = Protocol::OpenAiResponses;
const CHAT: Protocol = Protocol::OpenAiChat;

/// A reasoning model as the catalog describes one.
fn reasoning() -> ModelTraits {
    ModelTraits {
        sampling: Sampling::WithoutReasoning,
        thinking: Thinking::Effort,
        thinking_default: ThinkingDefault::On,
        efforts: vec![Effort::Off, Effort::Low, Effort::Medium, Effort::High],
        output_field: OutputField::MaxCompletionTokens,
        system_role: SystemRole::Developer,
        structured: StructuredOutput::Schema,
        encrypted_reasoning: true,
        ..ModelTraits::default()
    }
}

fn reasoning_request() -> ModelRequest {
    let mut request = request();
    request.traits = reasoning();
    request.system = Some("Be short.".to_owned());
    request.temperature = Some(0.3);
    request.max_output_tokens = Some(100);
    request
}

#[test]
fn quirk_01_reasoning_models_get_no_temperature() {
    for protocol in [RESPONSES, CHAT] {
        let mut request = reasoning_request();
        for effort in [None, Some(Effort::Low), Some(Effort::High)] {
            request.effort = effort;
            assert_eq!(
                body(protocol, &request)["temperature"],
                Value::Null,
                "{effort:?}"
            );
        }
        // With effort `none` some models accept it, and some never do.
        request.effort = Some(Effort::Off);
        assert_eq!(body(protocol, &request)["temperature"], 0.3);
        request.traits.sampling = Sampling::Refused;
        assert_eq!(body(protocol, &request)["temperature"], Value::Null);
        request.traits = ModelTraits::default();
        request.effort = None;
        assert_eq!(body(protocol, &request)["temperature"], 0.3);
    }
}

#[test]
fn quirk_02_role_and_token_field_follow_the_model() {
    let mut request = reasoning_request();
    let sent = body(CHAT, &request);
    assert_eq!(sent["messages"][0]["role"], "developer");
    assert_eq!(
        (&sent["max_completion_tokens"], &sent["max_tokens"]),
        (&json!(100), &Value::Null)
    );
    assert_eq!(body(RESPONSES, &request)["input"][0]["role"], "developer");
    // Nothing is assumed about an unknown model.
    request.traits = ModelTraits::default();
    let sent = body(CHAT, &request);
    assert_eq!(sent["messages"][0]["role"], "system");
    assert_eq!(
        (&sent["max_completion_tokens"], &sent["max_tokens"]),
        (&Value::Null, &json!(100))
    );
    assert_eq!(body(RESPONSES, &request)["input"][0]["role"], "system");
}

#[test]
fn quirk_03_efforts_are_those_of_the_model() {
    let sent = |efforts: &[Effort], asked| {
        let mut request = reasoning_request();
        request.traits.efforts = efforts.to_vec();
        request.effort = Some(asked);
        let chat = body(CHAT, &request)["reasoning_effort"].clone();
        assert_eq!(body(RESPONSES, &request)["reasoning"]["effort"], chat);
        chat
    };
    use Effort::{High, Low, Max, Medium, Minimal, Off, XHigh};
    let newest = [Off, Low, Medium, High, XHigh, Max];
    assert_eq!(sent(&newest, Max), "max");
    assert_eq!(sent(&newest, Off), "none");
    assert_eq!(sent(&newest, Minimal), "none");
    let older = [Minimal, Low, Medium, High];
    assert_eq!(sent(&older, Max), "high");
    assert_eq!(sent(&older, Off), "minimal");
    assert_eq!(sent(&[], High), Value::Null);
}

#[test]
fn quirk_04_responses_has_no_stop_and_stores_nothing() {
    let mut request = reasoning_request();
    request.stop = vec!["END".to_owned()];
    request.output_schema = Some(OutputSchema {
        name: "answer".to_owned(),
        schema: json!({ "type": "object" }),
        strict: true,
    });
    let sent = body(RESPONSES, &request);
    assert_eq!(sent["store"], false);
    for absent in [
        "stop",
        "seed",
        "top_k",
        "presence_penalty",
        "response_format",
    ] {
        assert_eq!(sent[absent], Value::Null, "{absent}");
    }
    let format = json!({
        "type": "json_schema", "name": "answer", "schema": { "type": "object" }, "strict": true,
    });
    assert_eq!(sent["text"]["format"], format);
}

#[test]
fn quirk_05_encrypted_reasoning_is_replayed_whole() {
    let first = responses::message(&[
        responses::reasoning_item("rs_1", "one", Some("ZW5j")),
        responses::tool_item("fc_1", "call_1", "weather", r#"{"city":"Rome"}"#),
    ]);
    let first = finish(RESPONSES, &first).unwrap();
    let mut request = reasoning_request();
    let result = ToolResult {
        call_id: "call_1".to_owned(),
        name: "weather".to_owned(),
        content: "sunny".to_owned(),
        is_error: false,
    };
    let result = Message::new(Role::User, vec![Part::ToolResult(result)]);
    request.messages.extend([first.message.clone(), result]);
    let sent = body(RESPONSES, &request);
    assert_eq!(sent["include"], json!(["reasoning.encrypted_content"]));
    assert_eq!(sent["previous_response_id"], Value::Null);
    let item = responses::reasoning_item("rs_1", "one", Some("ZW5j"));
    assert_eq!(sent["input"][2], item);
    assert_eq!(sent["input"][3]["type"], "function_call");
    assert_eq!(sent["input"][3]["id"], Value::Null);
    assert_eq!(sent["input"][4]["type"], "function_call_output");

    // Not with another key, nor by another protocol.
    let text = sent.to_string();
    let foreign = crate::responses::call(&request, "another account")
        .unwrap()
        .body;
    assert!(text.contains("ZW5j") && !foreign.to_string().contains("ZW5j"));
    for other in PROTOCOLS.into_iter().filter(|other| *other != RESPONSES) {
        assert!(
            !body(other, &request).to_string().contains("ZW5j"),
            "{other:?}"
        );
    }
}

#[test]
fn quirk_05_reasoning_that_cannot_be_replayed_is_dropped() {
    // Without its encrypted content the vendor does not know the item.
    let first = responses::message(&[
        responses::reasoning_item("rs_1", "one", None),
        responses::text_item("msg_1", "Hello"),
    ]);
    let mut request = reasoning_request();
    request
        .messages
        .push(finish(RESPONSES, &first).unwrap().message);
    assert!(
        !body(RESPONSES, &request)["input"]
            .to_string()
            .contains("reasoning")
    );

    // Without the item that followed it, the reasoning item is refused.
    let mut request = reasoning_request();
    let cut = responses::message(&[responses::reasoning_item("rs_1", "one", Some("ZW5j"))]);
    let message = finish(RESPONSES, &cut).unwrap().message;
    request.messages.extend([message, Message::user("Go on.")]);
    assert!(
        !body(RESPONSES, &request)["input"]
            .to_string()
            .contains("reasoning")
    );
}

#[test]
fn quirk_06_the_end_of_a_response_says_why() {
    let end = |kind: &str, status: &str, change: Value| {
        let mut response = responses::response(status, &[]);
        for (name, value) in change.as_object().unwrap() {
            response[name] = value.clone();
        }
        let mut events = responses::item_events(0, &responses::text_item("m", "Hel"));
        events.push(json!({ "type": kind, "response": response }));
        finish(RESPONSES, &responses::stream(&events))
    };
    for (reason, expected) in [
        ("max_output_tokens", FinishReason::Length),
        ("content_filter", FinishReason::Filtered),
    ] {
        let details = json!({ "incomplete_details": { "reason": reason } });
        let finish = end("response.incomplete", "incomplete", details).unwrap();
        assert_eq!(
            (finish.reason, finish.message.text().as_str()),
            (expected, "Hel")
        );
    }
    let details = json!({ "incomplete_details": { "reason": "new" } });
    assert_eq!(
        code(end("response.incomplete", "incomplete", details)),
        "FINISH_UNKNOWN"
    );
    let failed = json!({ "error": { "code": "server_error", "message": "try later" } });
    let error = end("response.failed", "failed", failed).unwrap_err();
    assert_eq!(
        (error.code(), error.is_retryable()),
        ("VENDOR_FAILED", true)
    );
    let failed = json!({ "error": { "code": "rate_limit_exceeded", "message": "slow" } });
    assert_eq!(
        code(end("response.failed", "failed", failed)),
        "RATE_LIMITED"
    );
}

#[test]
fn quirk_06_a_response_without_output_is_invalid() {
    let done =
        json!({ "type": "response.completed", "response": responses::response("completed", &[]) });
    assert_eq!(
        code(finish(RESPONSES, &responses::stream(&[done]))),
        "ANSWER_INVALID"
    );
    let mut empty = responses::response("completed", &[]);
    empty.as_object_mut().unwrap().remove("output");
    assert_eq!(
        code(finish(RESPONSES, &empty.to_string())),
        "ANSWER_INVALID"
    );
}

#[test]
fn quirk_06_an_error_event_is_retryable_by_its_code() {
    for (code, kind, retryable) in [
        ("server_error", VendorErrorKind::Failed, true),
        ("rate_limit_exceeded", VendorErrorKind::RateLimited, true),
        ("insufficient_quota", VendorErrorKind::QuotaExceeded, false),
        (
            "context_length_exceeded",
            VendorErrorKind::ContextTooLong,
            false,
        ),
        ("invalid_prompt", VendorErrorKind::RequestRefused, false),
    ] {
        for event in [
            json!({ "type": "error", "code": code, "message": "m", "param": null }),
            json!({ "type": "error", "error": { "type": "x", "code": code, "message": "m" } }),
        ] {
            let error = finish(RESPONSES, &responses::stream(&[event])).unwrap_err();
            let LlmError::Vendor(vendor) = &error else {
                panic!("{error:?}");
            };
            assert_eq!(
                (vendor.kind, error.is_retryable()),
                (kind, retryable),
                "{code}"
            );
        }
    }
}

#[test]
fn quirk_06_item_ids_may_change_in_a_stream() {
    let items = [
        responses::tool_item("fc_1", "call_1", "weather", r#"{"city":"Rome"}"#),
        responses::text_item("m_1", "Hello"),
    ];
    let mut events: Vec<Value> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        events.extend(responses::item_events(index as u64, item));
    }
    for (number, event) in events.iter_mut().enumerate() {
        event["item_id"] = format!("rotated-{number}").into();
        if event["item"].is_object() {
            event["item"]["id"] = format!("rotated-{number}").into();
            // Here only the deltas contain the arguments.
            event["item"]["arguments"] = "".into();
        }
    }
    let response = responses::response("completed", &items);
    events.push(json!({ "type": "response.completed", "response": response }));
    let (seen, finish) = decoded(RESPONSES, &responses::stream(&events)).unwrap();
    assert_eq!(shown(&seen).0, "Hello");
    let Part::ToolCall(call) = &finish.message.parts[0] else {
        panic!("{finish:?}");
    };
    assert_eq!(call.arguments["city"], "Rome");
}

#[test]
fn quirk_06_items_of_the_last_event_alone_are_read() {
    let items = [
        responses::text_item("m_1", "Hello"),
        responses::tool_item("fc_1", "call_1", "weather", "{}"),
    ];
    let response = responses::response("completed", &items);
    let done = json!({ "type": "response.completed", "response": response });
    for body in [responses::stream(&[done]), response.to_string()] {
        let (events, finish) = decoded(RESPONSES, &body).unwrap();
        assert_eq!(shown(&events).0, "Hello");
        assert_eq!(finish.reason, FinishReason::ToolUse);
    }
}

#[test]
fn quirk_07_null_roles_types_and_empty_choices_are_read() {
    let chunks = [
        chat::chunk(json!({ "role": null, "type": "", "content": null }), None),
        chat::chunk(json!({ "role": "", "type": null, "content": "Hel" }), None),
        chat::chunk(
            json!({ "content": "lo", "tool_calls": null, "refusal": null }),
            None,
        ),
        chat::chunk(json!({}), Some("stop")),
        chat::usage_chunk(),
    ];
    let (events, finish) = decoded(CHAT, &chat::stream(&chunks)).unwrap();
    assert_eq!(shown(&events).0, "Hello");
    let usage = finish.usage;
    assert_eq!((usage.input_tokens, usage.cache_read_tokens), (20, 5));
    assert_eq!((usage.output_tokens, usage.reasoning_tokens), (10, 4));
}
