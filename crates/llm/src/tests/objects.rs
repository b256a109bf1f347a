//! Answers with a schema: checked here, repaired once, and then an error.

use serde_json::json;

use super::*;
use crate::testing::respond;
use crate::{OutputSchema, StructuredOutput};

fn schema_request() -> ModelRequest {
    let mut request = request();
    request.traits.structured = StructuredOutput::Schema;
    request.output_schema = Some(OutputSchema {
        name: "answer".to_owned(),
        schema: json!({ "type": "object", "properties": { "answer": { "type": "integer" } }, "required": ["answer"] }),
        strict: false,
    });
    request
}

#[tokio::test]
async fn every_vendor_answers_by_a_schema() {
    let server = VendorServer::start(respond).await;
    for protocol in PROTOCOLS {
        let answer = client(&server, protocol)
            .object(&schema_request())
            .await
            .unwrap();
        assert_eq!(answer.value, json!({ "answer": 42 }), "{protocol:?}");
        assert_eq!(answer.finishes.len(), 1, "{protocol:?}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_repaired_once() {
    for wrong in [
        "{\"answer\": \"many\"}",
        "{\"answer\":",
        "Sure! 42",
        "[]",
        "{}",
        "",
    ] {
        for protocol in PROTOCOLS {
            let (bad, good) = (
                text_reply(protocol, wrong),
                text_reply(protocol, "{\"answer\": 1}"),
            );
            // In the Responses API an empty answer is an error of its own.
            if wrong.is_empty() && protocol == Protocol::OpenAiResponses {
                continue;
            }
            let server = VendorServer::replies([bad, good]).await;
            let answer = client(&server, protocol)
                .object(&schema_request())
                .await
                .unwrap();
            assert_eq!(
                (&answer.value["answer"], answer.finishes.len()),
                (&json!(1), 2)
            );
            let second = server.requests()[1].json().to_string();
            assert!(second.contains("does not fit the JSON Schema"), "{second}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_still_does_not_fit_is_an_error() {
    let wrong = text_reply(Protocol::OpenAiChat, "{\"answer\": \"many\"}");
    let server = VendorServer::replies([wrong]).await;
    let error = client(&server, Protocol::OpenAiChat)
        .object(&schema_request())
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.is_retryable()),
        ("OUTPUT_INVALID", false)
    );
    assert!(error.to_string().contains("/answer"), "{error}");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_fenced_answer_is_read() {
    for fenced in [
        "```json\n{\"answer\": 1}\n```",
        "```\n{\"answer\": 1}```",
        "```{\"answer\": 1}```",
        "\n {\"answer\": 1} ",
    ] {
        let server = VendorServer::replies([text_reply(Protocol::OpenAiChat, fenced)]).await;
        let answer = client(&server, Protocol::OpenAiChat)
            .object(&schema_request())
            .await
            .unwrap();
        assert_eq!(answer.value["answer"], 1, "{fenced}");
    }
}

#[tokio::test]
async fn a_cut_answer_is_not_repaired() {
    let chunks = [crate::testing::chat::chunk(
        json!({ "content": "{\"answer\": 1}" }),
        Some("length"),
    )];
    let server =
        VendorServer::replies([Reply::events(crate::testing::chat::stream(&chunks))]).await;
    let result = client(&server, Protocol::OpenAiChat)
        .object(&schema_request())
        .await;
    assert_eq!(
        (code(result), server.requests().len()),
        ("OUTPUT_INVALID", 1)
    );
}

#[tokio::test]
async fn a_schema_that_is_none_is_refused_before_anything_is_sent() {
    let server = VendorServer::start(respond).await;
    let client = client(&server, Protocol::OpenAiChat);
    for schema in [
        json!({ "type": 7 }),
        json!({ "$ref": "https://evil.example/schema.json" }),
    ] {
        let mut request = schema_request();
        request.output_schema.as_mut().unwrap().schema = schema;
        assert_eq!(code(client.object(&request).await), "REQUEST_INVALID");
    }
    assert_eq!(code(client.object(&request()).await), "REQUEST_INVALID");
    assert_eq!(server.requests().len(), 0);
}
