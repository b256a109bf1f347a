//! Quirks 16 to 19: Google.

use serde_json::json;

use super::*;
use crate::testing::google;
use crate::{
    Effort, EmbeddingRequest, FinishReason, Message, ModelTraits, OutputSchema, Part, Thinking,
    ThinkingDefault,
};

const GOOGLE: Protocol = Protocol::GoogleGenerateContent;

fn with(traits: ModelTraits, effort: Option<Effort>) -> ModelRequest {
    let mut request = request();
    request.traits = traits;
    request.effort = effort;
    request.max_output_tokens = Some(1_000);
    request
}

fn budget(default: ThinkingDefault) -> ModelTraits {
    ModelTraits {
        thinking: Thinking::Budget {
            min: 128,
            max: 24_576,
        },
        thinking_default: default,
        output_cap: Some(65_536),
        ..ModelTraits::default()
    }
}

fn levels(efforts: &[Effort]) -> ModelTraits {
    ModelTraits {
        thinking: Thinking::Effort,
        thinking_default: ThinkingDefault::Always,
        efforts: efforts.to_vec(),
        signed_tool_calls: true,
        ..ModelTraits::default()
    }
}

#[test]
fn quirk_16_thoughts_may_use_up_the_output_tokens() {
    let mut empty = google::chunk(&[], Some("MAX_TOKENS"));
    empty["candidates"][0]["content"] = json!({ "role": "model" });
    let finish = finish(GOOGLE, &google::stream(&[empty])).unwrap();
    assert_eq!(
        (finish.reason, finish.message.parts.len()),
        (FinishReason::Length, 0)
    );
}

#[test]
fn quirk_16_a_budget_is_added_to_the_output_tokens() {
    let sent = body(
        GOOGLE,
        &with(budget(ThinkingDefault::On), Some(Effort::Low)),
    );
    let config = &sent["generationConfig"];
    assert_eq!(config["thinkingConfig"], json!({ "thinkingBudget": 2_048 }));
    assert_eq!(config["maxOutputTokens"], 3_048);
    let sent = body(
        GOOGLE,
        &with(budget(ThinkingDefault::On), Some(Effort::Off)),
    );
    assert_eq!(
        sent["generationConfig"]["thinkingConfig"],
        json!({ "thinkingBudget": 0 })
    );
    // A model that cannot switch thinking off ignores 0, so its minimum is sent.
    let sent = body(
        GOOGLE,
        &with(budget(ThinkingDefault::Always), Some(Effort::Off)),
    );
    let config = &sent["generationConfig"];
    assert_eq!(config["thinkingConfig"], json!({ "thinkingBudget": 128 }));
    assert_eq!(config["maxOutputTokens"], 1_128);
}

#[test]
fn quirk_16_levels_have_their_own_lowest() {
    use Effort::{High, Low, Medium, Minimal, Off};
    for (efforts, asked, sent) in [
        (vec![Minimal, Low, Medium, High], Off, "minimal"),
        (vec![Low, Medium, High], Off, "low"),
        (vec![Low, Medium, High], Minimal, "low"),
        (vec![Low, High], Medium, "low"),
        (vec![Low, High], Effort::Max, "high"),
    ] {
        let body = body(GOOGLE, &with(levels(&efforts), Some(asked)));
        let thinking = &body["generationConfig"]["thinkingConfig"];
        assert_eq!(thinking, &json!({ "thinkingLevel": sent }), "{asked:?}");
    }
}

#[test]
fn quirk_17_every_finish_reason_has_its_meaning() {
    let end = |reason| {
        let chunks = [google::chunk(&[json!({ "text": "Hel" })], Some(reason))];
        finish(GOOGLE, &google::stream(&chunks))
    };
    for reason in [
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
    ] {
        assert_eq!(
            end(reason).unwrap().reason,
            FinishReason::Filtered,
            "{reason}"
        );
    }
    assert_eq!(end("STOP").unwrap().reason, FinishReason::Complete);
    assert_eq!(code(end("OTHER")), "FINISH_UNKNOWN");
    assert_eq!(code(end("FINISH_REASON_UNSPECIFIED")), "TRUNCATED");
    let malformed = end("MALFORMED_FUNCTION_CALL").unwrap_err();
    assert_eq!(
        (malformed.code(), malformed.is_retryable()),
        ("TOOL_CALL_INVALID", true)
    );
}

#[test]
fn quirk_17_a_blocked_prompt_has_no_candidates() {
    let blocked = json!({ "promptFeedback": { "blockReason": "SAFETY" }, "usageMetadata": { "promptTokenCount": 8 } });
    let finish = finish(GOOGLE, &google::stream(&[blocked])).unwrap();
    assert_eq!(
        (finish.reason, finish.usage.input_tokens),
        (FinishReason::Filtered, 8)
    );
}

#[test]
fn quirk_17_stop_ends_tool_calls_too() {
    let call = json!({ "functionCall": { "name": "weather", "args": { "city": "Rome" } } });
    let end = |reason| google::stream(&[google::chunk(std::slice::from_ref(&call), Some(reason))]);
    // The second reason is not Google's own: other servers with its API send it.
    assert_eq!(
        finish(GOOGLE, &end("FUNCTION_CALL")).unwrap().reason,
        FinishReason::ToolUse
    );
    let finish = finish(GOOGLE, &end("STOP")).unwrap();
    assert_eq!(finish.reason, FinishReason::ToolUse);
    let Part::ToolCall(call) = &finish.message.parts[0] else {
        panic!("{finish:?}");
    };
    assert!(!call.id.is_empty() && call.arguments["city"] == "Rome");
}

#[test]
fn quirk_18_signatures_go_back_where_they_were() {
    let parts = [
        json!({ "text": "think", "thought": true, "thoughtSignature": "c2ln" }),
        json!({ "text": "Hello", "thoughtSignature": "dGV4dA==" }),
        json!({ "functionCall": { "name": "weather", "args": {} }, "thoughtSignature": "Y2FsbA==" }),
        json!({ "text": "", "thoughtSignature": "ZW1wdHk=" }),
    ];
    let chunks: Vec<Value> = parts
        .iter()
        .map(|part| google::chunk(std::slice::from_ref(part), None))
        .collect();
    let end = google::chunk(&[], Some("STOP"));
    let (events, finish) = decoded(GOOGLE, &google::stream(&[chunks, vec![end]].concat())).unwrap();
    assert_eq!(shown(&events), ("Hello".to_owned(), "think".to_owned()));
    let mut request = with(levels(&[Effort::Low]), None);
    request.messages.push(finish.message);
    assert_eq!(body(GOOGLE, &request)["contents"][1]["parts"], json!(parts));
    for other in [
        Protocol::OpenAiChat,
        Protocol::OpenAiResponses,
        Protocol::AnthropicMessages,
    ] {
        let text = body(other, &request).to_string();
        assert!(
            !["c2ln", "dGV4dA", "Y2FsbA"]
                .iter()
                .any(|word| text.contains(word)),
            "{other:?}"
        );
    }
}

#[test]
fn quirk_18_a_foreign_tool_call_gets_a_placeholder() {
    let call = |id: &str| {
        Part::ToolCall(crate::ToolCall {
            id: id.to_owned(),
            name: "weather".to_owned(),
            arguments: serde_json::Map::new(),
            signature: None,
        })
    };
    let mut request = with(levels(&[Effort::Low]), None);
    let foreign = Message::new(crate::Role::Assistant, vec![call("a"), call("b")]);
    request.messages.extend([foreign, Message::user("Go on.")]);
    let sent = body(GOOGLE, &request);
    let parts = &sent["contents"][1]["parts"];
    assert_eq!(
        parts[0]["thoughtSignature"],
        "skip_thought_signature_validator"
    );
    assert_eq!(parts[1]["thoughtSignature"], Value::Null);
    request.traits.signed_tool_calls = false;
    assert!(
        !body(GOOGLE, &request)
            .to_string()
            .contains("thoughtSignature")
    );
}

#[test]
fn quirk_19_a_schema_is_written_out_in_the_subset() {
    let mut request = request();
    request.output_schema = Some(OutputSchema {
        name: "answer".to_owned(),
        schema: json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$defs": {
                "Place": {
                    "type": "object",
                    "properties": { "name": { "type": ["string", "null"] } },
                    "additionalProperties": false,
                },
            },
            "type": "object",
            "properties": {
                "from": { "$ref": "#/$defs/Place" },
                "to": { "anyOf": [{ "$ref": "#/$defs/Place" }, { "type": "null" }] },
                "colour": { "enum": ["red", "green"] },
                "rank": { "type": "integer", "enum": [1, 2] },
                "kind": { "const": "trip" },
            },
            "required": ["from"],
        }),
        strict: false,
    });
    let config = body(GOOGLE, &request)["generationConfig"].clone();
    let place = json!({ "type": "object", "properties": { "name": { "type": "string", "nullable": true } } });
    let mut nullable = place.clone();
    nullable["nullable"] = true.into();
    assert_eq!(config["responseMimeType"], "application/json");
    assert_eq!(
        config["responseSchema"],
        json!({
            "type": "object",
            "properties": {
                "from": place,
                "to": nullable,
                "colour": { "type": "string", "enum": ["red", "green"] },
                "rank": { "type": "integer", "description": "One of [1,2]." },
                "kind": { "type": "string", "enum": ["trip"] },
            },
            "required": ["from"],
        })
    );
}

#[test]
fn quirk_19_a_schema_that_never_ends_is_refused() {
    let list = json!({ "type": "object", "properties": { "next": { "$ref": "#" } } });
    let mut wide = json!({ "$defs": { "a0": { "type": "string" } } });
    for depth in 1..9 {
        let below = json!({ "$ref": format!("#/$defs/a{}", depth - 1) });
        let fields = json!({ "w": below, "x": below, "y": below, "z": below });
        wide["$defs"][format!("a{depth}")] = json!({ "type": "object", "properties": fields });
    }
    wide["$ref"] = "#/$defs/a8".into();
    let outside = json!({ "$ref": "https://evil.example/schema" });
    for schema in [list, wide, outside] {
        let mut request = request();
        request.output_schema = Some(OutputSchema {
            name: "answer".to_owned(),
            schema,
            strict: false,
        });
        assert_eq!(code(encode(GOOGLE, &request)), "REQUEST_INVALID");
    }
}

#[tokio::test]
async fn quirk_19_embeddings_go_in_batches_of_a_hundred() {
    let server = VendorServer::start(crate::testing::respond).await;
    let texts: Vec<String> = (0..250).map(|number| format!("text {number}")).collect();
    let request = EmbeddingRequest::new("embedder", texts.clone());
    let all = client(&server, GOOGLE).embed(&request).await.unwrap();
    assert_eq!((all.batches, all.vectors.len()), (3, 250));
    for (text, vector) in texts.iter().zip(&all.vectors) {
        assert_eq!(vector.as_slice(), crate::testing::chat::embedding(text));
    }
    let sizes = server
        .requests()
        .iter()
        .map(|request| request.json()["requests"].as_array().unwrap().len())
        .collect::<Vec<_>>();
    assert_eq!(sizes, [100, 100, 50]);
}

#[tokio::test]
async fn quirk_19_a_rate_limit_says_when_in_its_body() {
    let details = json!([
        { "@type": "type.googleapis.com/google.rpc.QuotaFailure" },
        { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s" },
    ]);
    let words = "You exceeded your current quota, please check your plan and billing details.";
    let limited = google::error(429, "RESOURCE_EXHAUSTED", words, &details);
    let unpaid = google::error(429, "RESOURCE_EXHAUSTED", words, &json!([]));
    let listed = format!("[{limited}]");
    let replies = [
        Reply::json(429, limited),
        Reply::json(429, listed),
        Reply::json(429, unpaid),
    ];
    let server = VendorServer::replies(replies).await;
    let client = client(&server, GOOGLE);
    for _ in 0..2 {
        let error = client.stream(&request()).await.unwrap_err();
        assert_eq!(error.code(), "RATE_LIMITED");
        let wait = crate::RetryAfter::In(Duration::from_millis(34_500));
        assert_eq!(error.retry_after(), Some(wait));
    }
    assert_eq!(code(client.stream(&request()).await), "QUOTA_EXCEEDED");
}

#[test]
fn quirk_19_output_tokens_include_thoughts_and_last_wins() {
    let mut first = google::chunk(&[json!({ "text": "Hel" })], None);
    first["usageMetadata"] =
        json!({ "promptTokenCount": 20, "candidatesTokenCount": 1, "thoughtsTokenCount": 4 });
    let last = google::chunk(&[json!({ "text": "lo" })], Some("STOP"));
    let usage = finish(GOOGLE, &google::stream(&[first, last]))
        .unwrap()
        .usage;
    assert_eq!((usage.output_tokens, usage.reasoning_tokens), (10, 4));
    assert_eq!((usage.input_tokens, usage.cache_read_tokens), (20, 5));
}

#[test]
fn a_model_id_may_name_its_collection() {
    for (model, path) in [
        ("some-model", "models/some-model:streamGenerateContent"),
        (
            "models/some-model",
            "models/some-model:streamGenerateContent",
        ),
        ("tunedModels/mine", "tunedModels/mine:streamGenerateContent"),
    ] {
        let request = ModelRequest::new(model, "Hello");
        let call = crate::google::call(&request, "account").unwrap();
        assert_eq!(call.path.join("/"), path);
    }
}
