//! Quirks 8 to 15: Anthropic.
//!
//! Longer than 450 lines: the cases of one vendor are read together.

use serde_json::json;

use super::*;
use crate::testing::anthropic;
use crate::{
    CacheLifetime, Effort, FinishReason, Message, ModelTraits, Part, Role, Sampling, Thinking,
    ThinkingDefault, ToolChoice,
};

const MESSAGES: Protocol = Protocol::AnthropicMessages;

/// A model that thinks with a budget and has that output cap.
fn budget(cap: u32) -> ModelTraits {
    ModelTraits {
        sampling: Sampling::WithoutReasoning,
        temperature_max: 1.0,
        thinking: Thinking::Budget {
            min: 1_024,
            max: 60_000,
        },
        output_cap: Some(cap),
        ..ModelTraits::default()
    }
}

/// A model that thinks adaptively, unless it is told not to.
fn adaptive() -> ModelTraits {
    ModelTraits {
        sampling: Sampling::Refused,
        temperature_max: 1.0,
        thinking: Thinking::Effort,
        thinking_default: ThinkingDefault::On,
        efforts: vec![
            Effort::Off,
            Effort::Low,
            Effort::Medium,
            Effort::High,
            Effort::XHigh,
            Effort::Max,
        ],
        output_cap: Some(128_000),
        continues_assistant: false,
        ..ModelTraits::default()
    }
}

fn with(traits: ModelTraits, effort: Option<Effort>) -> ModelRequest {
    let mut request = request();
    request.traits = traits;
    request.effort = effort;
    request
}

#[test]
fn quirk_08_max_tokens_is_always_sent_and_capped() {
    for (cap, asked, sent) in [
        (None, None, 4_096),
        (None, Some(9_000), 9_000),
        (Some(4_096), None, 4_096),
        (Some(4_096), Some(9_000), 4_096),
        (Some(128_000), None, 128_000),
        (Some(128_000), Some(9_000), 9_000),
    ] {
        let mut request = request();
        request.traits.output_cap = cap;
        request.max_output_tokens = asked;
        assert_eq!(
            body(MESSAGES, &request)["max_tokens"],
            sent,
            "{cap:?} {asked:?}"
        );
    }
}

#[test]
fn quirk_09_temperature_is_sent_where_it_is_taken() {
    let sent = |traits, effort, temperature| {
        let mut request = with(traits, effort);
        request.temperature = Some(temperature);
        let body = body(MESSAGES, &request);
        assert_eq!(
            (&body["top_p"], &body["top_k"]),
            (&Value::Null, &Value::Null)
        );
        body["temperature"].clone()
    };
    assert_eq!(sent(adaptive(), Some(Effort::Off), 0.5), Value::Null);
    assert_eq!(sent(budget(64_000), None, 0.5), 0.5);
    assert_eq!(sent(budget(64_000), None, 1.7), 1.0);
    assert_eq!(sent(budget(64_000), Some(Effort::Off), 0.5), 0.5);
    assert_eq!(sent(budget(64_000), Some(Effort::Low), 0.5), Value::Null);
}

#[test]
fn quirk_10_adaptive_models_get_an_effort_and_no_budget() {
    for (effort, thinking, word) in [
        (None, Value::Null, Value::Null),
        (
            Some(Effort::Off),
            json!({ "type": "disabled" }),
            Value::Null,
        ),
        (
            Some(Effort::Minimal),
            json!({ "type": "adaptive" }),
            json!("low"),
        ),
        (
            Some(Effort::High),
            json!({ "type": "adaptive" }),
            json!("high"),
        ),
        (
            Some(Effort::Max),
            json!({ "type": "adaptive" }),
            json!("max"),
        ),
    ] {
        let sent = body(MESSAGES, &with(adaptive(), effort));
        // An effort is never sent together with `disabled`, which some models refuse.
        assert_eq!(
            (&sent["thinking"], &sent["output_config"]["effort"]),
            (&thinking, &word)
        );
    }
    // A model that does not think by default needs no `disabled`, and one that always thinks refuses it.
    for default in [ThinkingDefault::Off, ThinkingDefault::Always] {
        let traits = ModelTraits {
            thinking_default: default,
            ..adaptive()
        };
        let sent = body(MESSAGES, &with(traits, Some(Effort::Off)));
        assert_ne!(sent["thinking"]["type"], "disabled", "{default:?}");
    }
}

#[test]
fn quirk_10_a_budget_is_added_to_max_tokens_and_fits() {
    for (cap, asked, effort, max_tokens, budget_tokens) in [
        (64_000, Some(1_000), Effort::Low, 3_048, Some(2_048)),
        (64_000, Some(1_000), Effort::Minimal, 2_024, Some(1_024)),
        (64_000, Some(60_000), Effort::High, 64_000, Some(4_000)),
        (64_000, Some(64_000), Effort::High, 64_000, Some(1_024)),
        (64_000, None, Effort::High, 64_000, Some(1_024)),
        (1_024, Some(500), Effort::High, 500, None),
    ] {
        let mut request = with(budget(cap), Some(effort));
        request.max_output_tokens = asked;
        let sent = body(MESSAGES, &request);
        assert_eq!(sent["max_tokens"], max_tokens, "{cap} {asked:?}");
        let given = sent["thinking"]["budget_tokens"].as_u64();
        assert_eq!(given, budget_tokens, "{cap} {asked:?}");
        assert!(given.is_none_or(|given| (1_024..max_tokens).contains(&given)));
    }
}

#[test]
fn quirk_10_a_forced_tool_stops_the_thoughts() {
    let mut request = with(adaptive(), Some(Effort::High));
    request.tools.push(tool());
    assert_eq!(body(MESSAGES, &request)["thinking"]["type"], "adaptive");
    request.tool_choice = ToolChoice::Required;
    assert_eq!(body(MESSAGES, &request)["thinking"]["type"], "disabled");
    // The same where the list of levels does not name the one that means off, and where no effort was requested.
    request
        .traits
        .efforts
        .retain(|effort| *effort != Effort::Off);
    assert_eq!(body(MESSAGES, &request)["thinking"]["type"], "disabled");
    request.effort = None;
    assert_eq!(body(MESSAGES, &request)["thinking"]["type"], "disabled");
}

#[test]
fn quirk_11_thoughts_go_back_unchanged() {
    let redacted = json!({ "type": "redacted_thinking", "data": "b3BhcXVl" });
    let answer = anthropic::message(
        &[
            anthropic::thinking_block(0, "thoughts ä", "c2lnbmF0dXJl"),
            anthropic::block(1, redacted.clone(), &[]),
            anthropic::tool_block(2, "toolu_1", "weather", r#"{"city":"Rome"}"#),
        ],
        "tool_use",
    );
    let (events, finish) = decoded(MESSAGES, &answer).unwrap();
    assert_eq!(shown(&events).1, "thoughts ä");
    let mut request = with(budget(64_000), Some(Effort::Low));
    request.messages.push(finish.message);
    let thinking =
        json!({ "type": "thinking", "thinking": "thoughts ä", "signature": "c2lnbmF0dXJl" });
    let sent = body(MESSAGES, &request);
    assert_eq!(sent["messages"][1]["content"][0], thinking);
    assert_eq!(sent["messages"][1]["content"][1], redacted);
    assert_eq!(sent["thinking"]["type"], "enabled");
    for other in [
        Protocol::OpenAiChat,
        Protocol::OpenAiResponses,
        Protocol::GoogleGenerateContent,
    ] {
        let text = body(other, &request).to_string();
        assert!(
            !text.contains("c2lnbmF0dXJl") && !text.contains("thoughts ä"),
            "{other:?}"
        );
    }
    // Another vendor's tool call has no reasoning before it, which the API refuses with a budget.
    request.messages[1]
        .parts
        .retain(|part| !matches!(part, Part::Reasoning(_)));
    assert_eq!(body(MESSAGES, &request)["thinking"], Value::Null);
}

#[test]
fn quirk_12_at_most_four_cache_marks_are_sent() {
    let mut request = with(adaptive(), None);
    request.tools.push(tool());
    request.system = Some("system".to_owned());
    request.cache.tools = Some(CacheLifetime::Long);
    request.cache.system = Some(CacheLifetime::Long);
    request.messages.clear();
    for number in 0..4 {
        let mut message = Message::user(format!("question {number}"));
        message.cache = Some(CacheLifetime::Short);
        request
            .messages
            .extend([message, Message::assistant("answer")]);
    }
    request.messages.push(Message::user("last"));
    let sent = body(MESSAGES, &request);
    assert_eq!(sent.to_string().matches("cache_control").count(), 4);
    // The last marks stay: they cover the longest prompt.
    assert_eq!(sent["tools"][0]["cache_control"], Value::Null);
    let last = &sent["messages"][6]["content"][0];
    assert_eq!(last["cache_control"], json!({ "type": "ephemeral" }));

    request.messages.truncate(1);
    let sent = body(MESSAGES, &request);
    let long = json!({ "type": "ephemeral", "ttl": "1h" });
    assert_eq!(
        (
            &sent["tools"][0]["cache_control"],
            &sent["system"][0]["cache_control"]
        ),
        (&long, &long)
    );
}

#[test]
fn quirk_12_a_cache_mark_is_not_put_on_thoughts() {
    let answer = anthropic::message(
        &[
            anthropic::text_block(0, "Hello"),
            anthropic::thinking_block(1, "t", "s"),
        ],
        "end_turn",
    );
    let mut request = with(budget(64_000), None);
    let mut message = finish(MESSAGES, &answer).unwrap().message;
    message.cache = Some(CacheLifetime::Short);
    request.messages.extend([message, Message::user("Go on.")]);
    let sent = body(MESSAGES, &request);
    let content = &sent["messages"][1]["content"];
    assert_eq!(content[0]["cache_control"]["type"], "ephemeral");
    assert_eq!(content[1]["cache_control"], Value::Null);
}

#[test]
fn quirk_12_input_tokens_include_the_cache() {
    let usage = finish(MESSAGES, &anthropic::text("Hello")).unwrap().usage;
    assert_eq!((usage.input_tokens, usage.cache_read_tokens), (12, 4));
    assert_eq!(
        (usage.cache_write_tokens, usage.cache_write_long_tokens),
        (2, 1)
    );
}

#[test]
fn quirk_13_every_stop_reason_has_its_meaning() {
    for (word, reason) in [
        ("end_turn", FinishReason::Complete),
        ("stop_sequence", FinishReason::Complete),
        ("tool_use", FinishReason::ToolUse),
        ("max_tokens", FinishReason::Length),
        ("model_context_window_exceeded", FinishReason::Length),
        ("pause_turn", FinishReason::Paused),
        ("compaction", FinishReason::Paused),
        ("refusal", FinishReason::Refused),
    ] {
        let body = anthropic::message(&[anthropic::text_block(0, "Hello")], word);
        assert_eq!(finish(MESSAGES, &body).unwrap().reason, reason, "{word}");
    }
    let unknown = anthropic::message(&[anthropic::text_block(0, "Hello")], "brand_new");
    assert_eq!(code(finish(MESSAGES, &unknown)), "FINISH_UNKNOWN");
}

#[test]
fn quirk_13_a_paused_turn_is_sent_back_whole() {
    let search =
        json!({ "type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {} });
    let found = json!({ "type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [{ "url": "u" }] });
    let input = [json!({ "type": "input_json_delta", "partial_json": r#"{"query":"x"}"# })];
    let body_text = anthropic::message(
        &[
            anthropic::block(0, search.clone(), &input),
            anthropic::block(1, found.clone(), &[]),
        ],
        "pause_turn",
    );
    let finish = finish(MESSAGES, &body_text).unwrap();
    let mut request = with(adaptive(), None);
    request.messages.push(finish.message);
    let mut search = search;
    search["input"] = json!({ "query": "x" });
    let sent = body(MESSAGES, &request);
    assert_eq!(
        sent["messages"][1],
        json!({ "role": "assistant", "content": [search, found] })
    );
}

#[test]
fn quirk_14_pings_and_unknown_events_are_skipped() {
    let mut events = vec![json!({ "type": "ping" }), anthropic::start()];
    for event in anthropic::text_block(0, "Hello") {
        events.extend([
            event,
            json!({ "type": "ping" }),
            json!({ "type": "brand_new", "index": 9 }),
        ]);
    }
    let unknown = json!({ "type": "brand_new_delta", "text": "?" });
    events.insert(
        4,
        json!({ "type": "content_block_delta", "index": 0, "delta": unknown }),
    );
    events.extend(anthropic::end("end_turn"));
    let (events, _) = decoded(MESSAGES, &anthropic::stream(&events)).unwrap();
    assert_eq!(shown(&events).0, "Hello");
}

#[test]
fn quirk_14_an_error_may_come_after_status_200() {
    let error = json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } });
    for before in [vec![], vec![anthropic::start()]] {
        let body = anthropic::stream(&[before, vec![error.clone()]].concat());
        let error = finish(MESSAGES, &body).unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), ("OVERLOADED", true));
    }
}

#[test]
fn quirk_14_output_usage_is_cumulative_and_cache_is_kept() {
    let delta = |usage: Value| json!({ "type": "message_delta", "delta": {}, "usage": usage });
    let mut events = vec![anthropic::start()];
    events.extend(anthropic::text_block(0, "Hello"));
    events.push(delta(
        json!({ "output_tokens": 3, "cache_read_input_tokens": null }),
    ));
    events.push(delta(
        json!({ "output_tokens": 7, "cache_creation_input_tokens": null, "input_tokens": null }),
    ));
    events.extend(anthropic::end("end_turn"));
    let usage = finish(MESSAGES, &anthropic::stream(&events)).unwrap().usage;
    assert_eq!(
        (
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_tokens
        ),
        (12, 9, 4)
    );
}

#[test]
fn quirk_14_two_messages_that_overlap_are_an_error() {
    let body = anthropic::stream(&[anthropic::start(), anthropic::start()]);
    assert_eq!(code(finish(MESSAGES, &body)), "ANSWER_INVALID");
}

#[test]
fn quirk_15_a_tool_without_arguments_has_an_empty_object() {
    for arguments in ["", "  ", "{}"] {
        let body = anthropic::message(
            &[anthropic::tool_block(0, "t", "now", arguments)],
            "tool_use",
        );
        let finish = finish(MESSAGES, &body).unwrap();
        let Part::ToolCall(call) = &finish.message.parts[0] else {
            panic!("{finish:?}");
        };
        assert!(call.arguments.is_empty(), "{arguments:?}");
    }
}

#[test]
fn quirk_15_a_tool_call_is_given_when_its_block_closes() {
    let whole = anthropic::message(
        &[anthropic::tool_block(0, "t", "run", r#"{"a":1}"#)],
        "tool_use",
    );
    let close = whole.find("content_block_stop").unwrap();
    let (events, error) = decode(MESSAGES, [&whole.as_bytes()[..close]]);
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, StreamEvent::ToolCall(_))),
        "{events:?}"
    );
    assert_eq!(error, Some(LlmError::Truncated));
    // Arguments that are cut off are not a call. After a limit they are left out; otherwise they are an error.
    let cut =
        |reason| anthropic::message(&[anthropic::tool_block(0, "t", "run", r#"{"a":"#)], reason);
    let finish_cut = finish(MESSAGES, &cut("max_tokens")).unwrap();
    assert_eq!(
        (finish_cut.reason, finish_cut.message.parts.len()),
        (FinishReason::Length, 0)
    );
    assert_eq!(
        code(finish(MESSAGES, &cut("tool_use"))),
        "TOOL_CALL_INVALID"
    );
}

#[test]
fn results_come_first_in_a_turn_and_roles_alternate() {
    let mut request = with(adaptive(), None);
    let result = crate::ToolResult {
        call_id: "t".to_owned(),
        name: "run".to_owned(),
        content: "done".to_owned(),
        is_error: true,
    };
    let result = Message::new(Role::User, vec![Part::ToolResult(result)]);
    request.messages.extend([
        Message::user(""),
        Message::assistant("a"),
        Message::user("b"),
        result,
    ]);
    let sent = body(MESSAGES, &request);
    let roles = sent["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["role"].as_str().unwrap());
    assert_eq!(roles.collect::<Vec<_>>(), ["user", "assistant", "user"]);
    let content = &sent["messages"][2]["content"];
    assert_eq!(
        (&content[0]["type"], &content[0]["is_error"]),
        (&json!("tool_result"), &json!(true))
    );
    assert_eq!(content[1]["text"], "b");
}
