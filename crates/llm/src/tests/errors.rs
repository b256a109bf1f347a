//! Errors of vendors: the code, the message, the wait, and no key in any of them.

use serde_json::json;

use super::*;
use crate::testing::{anthropic, chat, google};
use crate::{RetryAfter, VendorErrorKind};

async fn refused(protocol: Protocol, reply: Reply) -> LlmError {
    let server = VendorServer::replies([reply]).await;
    client(&server, protocol)
        .stream(&request())
        .await
        .unwrap_err()
}

#[tokio::test]
async fn every_status_has_its_code() {
    for (status, expected, retryable) in [
        (400, "REQUEST_REFUSED", false),
        (401, "UNAUTHENTICATED", false),
        (402, "QUOTA_EXCEEDED", false),
        (403, "FORBIDDEN", false),
        (404, "MODEL_NOT_FOUND", false),
        (408, "VENDOR_TIMEOUT", true),
        (409, "VENDOR_CONFLICT", true),
        (413, "REQUEST_TOO_LARGE", false),
        (422, "REQUEST_REFUSED", false),
        (429, "RATE_LIMITED", true),
        (500, "VENDOR_FAILED", true),
        (502, "VENDOR_FAILED", true),
        (503, "OVERLOADED", true),
        (504, "VENDOR_TIMEOUT", true),
        (529, "OVERLOADED", true),
    ] {
        let bodies = [
            Reply::json(status, chat::error("some_error", "the words", "")),
            Reply::html(status),
            Reply::json(status, ""),
            Reply::new(status, "text/plain", "the words"),
            Reply::json(status, "{\"error\":null}"),
        ];
        for reply in bodies {
            let error = refused(Protocol::OpenAiChat, reply).await;
            assert_eq!(
                (error.code(), error.is_retryable()),
                (expected, retryable),
                "{status}"
            );
        }
    }
}

#[tokio::test]
async fn an_unpaid_account_is_told_in_the_vendors_words() {
    let credit = "Your credit balance is too low to access the Anthropic API. \
        Please go to Plans & Billing to upgrade or purchase credits.";
    let quota = "You exceeded your current quota, please check your plan and billing details.";
    let unpaid = google::error(429, "RESOURCE_EXHAUSTED", quota, &json!([]));
    for (protocol, reply, words) in [
        (
            Protocol::AnthropicMessages,
            Reply::json(400, anthropic::error("invalid_request_error", credit)),
            credit,
        ),
        (
            Protocol::OpenAiChat,
            Reply::json(
                429,
                chat::error("insufficient_quota", quota, "insufficient_quota"),
            ),
            quota,
        ),
        (
            Protocol::OpenAiResponses,
            Reply::json(
                429,
                chat::error("insufficient_quota", quota, "insufficient_quota"),
            ),
            quota,
        ),
        (
            Protocol::OpenAiChat,
            Reply::json(
                402,
                chat::error("unknown_error", "Insufficient Balance", ""),
            ),
            "Insufficient Balance",
        ),
        (
            Protocol::GoogleGenerateContent,
            Reply::json(429, unpaid),
            quota,
        ),
    ] {
        let error = refused(protocol, reply).await;
        let LlmError::Vendor(vendor) = &error else {
            panic!("{error:?}");
        };
        assert_eq!(
            (error.code(), vendor.message.as_str()),
            ("QUOTA_EXCEEDED", words)
        );
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn what_the_text_says_counts_before_a_general_status() {
    let long = "This model's maximum context length is 8192 tokens.";
    let invalid = google::error(
        400,
        "INVALID_ARGUMENT",
        "API key not valid.",
        &json!([{ "reason": "API_KEY_INVALID" }]),
    );
    for (protocol, reply, kind) in [
        (
            Protocol::OpenAiChat,
            Reply::json(400, chat::error("x", long, "context_length_exceeded")),
            VendorErrorKind::ContextTooLong,
        ),
        (
            Protocol::AnthropicMessages,
            Reply::json(
                400,
                anthropic::error("x", "prompt is too long: 210000 tokens"),
            ),
            VendorErrorKind::ContextTooLong,
        ),
        (
            Protocol::GoogleGenerateContent,
            Reply::json(400, invalid),
            VendorErrorKind::Unauthenticated,
        ),
    ] {
        let error = refused(protocol, reply).await;
        assert_eq!(error.code(), kind.code());
    }
}

#[tokio::test]
async fn the_wait_is_read_in_every_form() {
    let at = chrono::DateTime::parse_from_rfc3339("2026-11-28T12:00:30Z")
        .unwrap()
        .to_utc();
    let ms = |number| Some(RetryAfter::In(Duration::from_millis(number)));
    for (headers, expected) in [
        (vec![("retry-after", "7")], ms(7_000)),
        (vec![("retry-after", "1.5")], ms(1_500)),
        (
            vec![("retry-after", "7"), ("retry-after-ms", "250")],
            ms(250),
        ),
        (
            vec![("retry-after", "7"), ("retry-after-ms", "soon")],
            ms(7_000),
        ),
        (
            vec![("Retry-After", "Sat, 28 Nov 2026 12:00:30 GMT")],
            Some(RetryAfter::At(at)),
        ),
        (vec![("retry-after", "99999999999")], ms(86_400_000)),
        (vec![("retry-after", "-5")], None),
        (vec![("retry-after", "NaN")], None),
        (vec![("retry-after", "tomorrow")], None),
        (vec![], None),
    ] {
        let mut reply = Reply::json(429, chat::error("x", "slow down", ""));
        for (name, value) in &headers {
            reply = reply.header(name, value);
        }
        let error = refused(Protocol::OpenAiChat, reply).await;
        assert_eq!(error.retry_after(), expected, "{headers:?}");
    }
    assert_eq!(
        RetryAfter::At(at).wait(at - chrono::TimeDelta::seconds(9)),
        Duration::from_secs(9)
    );
    assert_eq!(
        RetryAfter::At(at).wait(at + chrono::TimeDelta::seconds(9)),
        Duration::ZERO
    );
}

#[tokio::test]
async fn no_error_has_a_key_in_it() {
    let echo = format!("Incorrect API key provided: {KEY}. Send Authorization: Bearer {KEY}");
    let masked = "Incorrect API key provided: zz-very-*****6789.".to_owned();
    for words in [echo, masked] {
        for protocol in PROTOCOLS {
            let replies = [
                Reply::json(401, chat::error("x", &words, &words)),
                Reply::json(401, anthropic::error(&words, &words)),
                Reply::json(
                    401,
                    google::error(401, &words, &words, &json!([{ "reason": words }])),
                ),
                Reply::new(401, "text/plain", words.clone()),
                Reply::json(401, "{}").header("request-id", &words),
            ];
            for reply in replies {
                let error = refused(protocol, reply).await;
                assert_eq!(error.code(), "UNAUTHENTICATED");
                let all = format!("{error} {error:?}");
                for part in ["zz-very", "secret-key", "6789"] {
                    assert!(!all.contains(part), "{protocol:?}: {all}");
                }
            }
            // The words also come in the middle of a stream, and in a finish reason.
            let events = [
                format!("data: {}\n\n", chat::error("x", &words, "")),
                format!(
                    "data: {}\n\ndata: [DONE]\n\n",
                    chat::chunk(json!({}), Some(&words))
                ),
            ];
            for body in events {
                let server = VendorServer::replies([Reply::events(body)]).await;
                let error = client(&server, protocol)
                    .complete(&request())
                    .await
                    .unwrap_err();
                let all = format!("{error} {error:?}");
                assert!(!all.contains("zz-very") && !all.contains("6789"), "{all}");
            }
        }
    }
}

#[tokio::test]
async fn the_key_goes_into_its_header_and_nowhere_else() {
    let server = VendorServer::start(crate::testing::respond).await;
    for protocol in PROTOCOLS {
        let client = client(&server, protocol);
        client.complete(&request()).await.unwrap();
        let sent = server.requests().pop().unwrap();
        let with_key: Vec<&str> = sent
            .headers
            .iter()
            .filter(|(_, value)| value.contains(KEY))
            .map(|(name, _)| name.as_str())
            .collect();
        let expected = match protocol {
            Protocol::AnthropicMessages => "x-api-key",
            Protocol::GoogleGenerateContent => "x-goog-api-key",
            Protocol::OpenAiChat | Protocol::OpenAiResponses => "authorization",
        };
        assert_eq!(with_key, [expected]);
        assert!(!sent.target.contains(KEY) && !String::from_utf8_lossy(&sent.body).contains(KEY));
        assert!(!format!("{client:?}").contains(KEY));
    }
    let without = Endpoint::new(Protocol::OpenAiChat, &server.url("/v1")).unwrap();
    let without = Client::new(without, ApiKey::none()).unwrap();
    let _ = without.complete(&request()).await;
    assert_eq!(server.requests().pop().unwrap().header("authorization"), "");
}

#[tokio::test]
async fn an_endpoints_own_headers_are_sent_and_scrubbed() {
    let words = "the tenant own-header-secret-value is unknown";
    let server = VendorServer::replies([Reply::json(403, chat::error("x", words, ""))]).await;
    let endpoint = Endpoint::new(Protocol::OpenAiChat, &server.url("/v1")).unwrap();
    let endpoint = endpoint
        .header("X-Tenant", "own-header-secret-value")
        .unwrap();
    let client = Client::new(endpoint, ApiKey::parse(KEY).unwrap()).unwrap();
    let error = client.complete(&request()).await.unwrap_err();
    assert_eq!(
        server.requests()[0].header("x-tenant"),
        "own-header-secret-value"
    );
    assert!(!format!("{error} {error:?} {client:?}").contains("own-header-secret"));
}

#[tokio::test]
async fn the_vendors_request_id_is_kept() {
    let reply =
        Reply::json(500, anthropic::error("api_error", "Internal")).header("request-id", "req_42");
    let error = refused(Protocol::AnthropicMessages, reply).await;
    let LlmError::Vendor(vendor) = error else {
        panic!("{error:?}");
    };
    assert_eq!(vendor.request_id.as_deref(), Some("req_42"));
    assert_eq!(
        (vendor.status, vendor.vendor_code.as_str()),
        (Some(500), "api_error")
    );
}

#[tokio::test]
async fn an_answer_that_is_not_the_apis_is_invalid() {
    for (protocol, body) in [
        (Protocol::OpenAiChat, "{\"hello\": 1}"),
        (Protocol::OpenAiChat, "data: [1]\n\ndata: nothing\n\n"),
        (Protocol::AnthropicMessages, "{\"hello\": 1}"),
        (
            Protocol::AnthropicMessages,
            "data: {\"type\":\"content_block_stop\",\"index\":4}\n\n",
        ),
        (
            Protocol::AnthropicMessages,
            "data: {\"type\":\"content_block_delta\",\"index\":4}\n\n",
        ),
        (Protocol::OpenAiResponses, "{\"hello\": 1}"),
        (
            Protocol::GoogleGenerateContent,
            "data: nothing\n\ndata: {}\n\n",
        ),
    ] {
        assert_eq!(code(finish(protocol, body)), "ANSWER_INVALID", "{body}");
    }
}

#[tokio::test]
async fn the_list_of_models_shows_that_the_key_is_taken() {
    let google = r#"{"models":[{"name":"models/gemini-x"},{"name":"models/y"}]}"#;
    for (protocol, body, ids) in [
        (
            Protocol::OpenAiChat,
            r#"{"data":[{"id":"a"},{"id":"b"}]}"#,
            ["a", "b"],
        ),
        (Protocol::GoogleGenerateContent, google, ["gemini-x", "y"]),
    ] {
        let server = VendorServer::replies([Reply::json(200, body)]).await;
        assert_eq!(client(&server, protocol).models().await.unwrap(), ids);
        let asked = &server.requests()[0];
        assert_eq!(
            (asked.method.as_str(), asked.target.as_str()),
            ("GET", "/v1/models")
        );
    }
    let refused = Reply::json(
        401,
        r#"{"error":{"type":"authentication_error","message":"no"}}"#,
    );
    let server = VendorServer::replies([refused]).await;
    let listed = client(&server, Protocol::AnthropicMessages).models().await;
    assert_eq!(code(listed), "UNAUTHENTICATED");
    let server = VendorServer::replies([Reply::json(200, "{}")]).await;
    let listed = client(&server, Protocol::OpenAiChat).models().await;
    assert_eq!(code(listed), "ANSWER_INVALID");
}
