//! Embeddings: batches, order, formats and invalid answers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;
use crate::testing::{chat, respond};
use crate::{EmbeddingPurpose, EmbeddingRequest, UsageSource};

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("text {number}")).collect()
}

#[tokio::test]
async fn texts_are_embedded_in_their_order() {
    let server = VendorServer::start(respond).await;
    for protocol in [
        Protocol::OpenAiChat,
        Protocol::OpenAiResponses,
        Protocol::GoogleGenerateContent,
    ] {
        let mut request = EmbeddingRequest::new("embedder", texts(5));
        request.batch_inputs = 2;
        request.dimensions = Some(3);
        request.purpose = Some(EmbeddingPurpose::Query);
        let all = client(&server, protocol).embed(&request).await.unwrap();
        assert_eq!(all.batches, 3);
        for (text, vector) in request.inputs.iter().zip(&all.vectors) {
            assert_eq!(vector.as_slice(), chat::embedding(text), "{protocol:?}");
        }
        // Google reports no usage: four bytes count as a token, for each batch.
        let expected = match protocol {
            Protocol::GoogleGenerateContent => (8, UsageSource::Estimated),
            _ => (10, UsageSource::Reported),
        };
        assert_eq!((all.usage.input_tokens, all.usage.source), expected);
    }
}

#[tokio::test]
async fn batches_are_bounded_by_number_and_bytes() {
    let server = VendorServer::start(respond).await;
    let client = client(&server, Protocol::OpenAiChat);
    let sizes = |from: usize| -> Vec<usize> {
        let requests = server.requests();
        let sizes = requests[from..]
            .iter()
            .map(|request| request.json()["input"].as_array().unwrap().len());
        sizes.collect()
    };
    client
        .embed(&EmbeddingRequest::new("embedder", texts(2_050)))
        .await
        .unwrap();
    assert_eq!(sizes(0), [2_048, 2]);
    let mut request = EmbeddingRequest::new(
        "embedder",
        vec![
            "x".repeat(40),
            "y".repeat(40),
            "z".repeat(300),
            "w".to_owned(),
        ],
    );
    request.batch_bytes = 80;
    client.embed(&request).await.unwrap();
    assert_eq!(sizes(2), [2, 1, 1]);
}

#[tokio::test]
async fn nothing_to_embed_asks_nobody() {
    let server = VendorServer::start(respond).await;
    let none = EmbeddingRequest::new("embedder", Vec::new());
    let all = client(&server, Protocol::OpenAiChat)
        .embed(&none)
        .await
        .unwrap();
    assert_eq!((all.vectors.len(), server.requests().len()), (0, 0));
    let empty = EmbeddingRequest::new("embedder", vec![String::new()]);
    assert_eq!(
        code(client(&server, Protocol::OpenAiChat).embed(&empty).await),
        "REQUEST_INVALID"
    );
    let one = EmbeddingRequest::new("embedder", texts(1));
    assert_eq!(
        code(
            client(&server, Protocol::AnthropicMessages)
                .embed(&one)
                .await
        ),
        "REQUEST_INVALID"
    );
}

#[tokio::test]
async fn an_answer_may_be_out_of_order_or_in_base64() {
    let bytes: Vec<u8> = [0.25_f32, -1.5]
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    let body = json!({ "data": [
        { "index": 1, "embedding": [2.0, 3.0] },
        { "index": 0, "embedding": STANDARD.encode(bytes) },
    ] });
    let server = VendorServer::replies([Reply::json(200, body.to_string())]).await;
    let request = EmbeddingRequest::new("embedder", texts(2));
    let all = client(&server, Protocol::OpenAiChat)
        .embed(&request)
        .await
        .unwrap();
    assert_eq!(all.vectors, [[0.25, -1.5], [2.0, 3.0]]);
}

#[tokio::test]
async fn vectors_that_do_not_fit_are_an_error() {
    for (data, expected) in [
        (
            json!([
                { "index": 0, "embedding": [1.0] },
                { "index": 0, "embedding": [2.0] },
                { "index": 1, "embedding": [1.0] },
            ]),
            "ANSWER_INVALID",
        ),
        (
            json!([{ "index": 0, "embedding": [1.0] }]),
            "ANSWER_INVALID",
        ),
        (
            json!([{ "index": 0, "embedding": [1.0] }, { "index": 0, "embedding": [1.0] }]),
            "ANSWER_INVALID",
        ),
        (
            json!([{ "index": 0, "embedding": [1.0] }, { "index": 7, "embedding": [1.0] }]),
            "ANSWER_INVALID",
        ),
        (
            json!([{ "index": 0, "embedding": [1.0] }, { "index": 1, "embedding": [1.0, 2.0] }]),
            "ANSWER_INVALID",
        ),
        (
            json!([{ "index": 0, "embedding": [] }, { "index": 1, "embedding": [] }]),
            "ANSWER_INVALID",
        ),
        (
            json!([{ "index": 0, "embedding": ["x"] }, { "index": 1, "embedding": [1.0] }]),
            "ANSWER_INVALID",
        ),
        (
            json!([{ "index": 0, "embedding": [1e300] }, { "index": 1, "embedding": [1.0] }]),
            "ANSWER_INVALID",
        ),
        (
            json!([{ "index": 0, "embedding": "AAAA" }, { "index": 1, "embedding": [1.0] }]),
            "ANSWER_INVALID",
        ),
    ] {
        let body = json!({ "data": data }).to_string();
        let server = VendorServer::replies([Reply::json(200, body.clone())]).await;
        let request = EmbeddingRequest::new("embedder", texts(2));
        let result = client(&server, Protocol::OpenAiChat).embed(&request).await;
        assert_eq!(code(result), expected, "{body}");
    }
    for (reply, expected) in [
        (Reply::html(200), "ANSWER_NOT_API"),
        (Reply::json(200, "{"), "ANSWER_INVALID"),
        (
            Reply::json(200, chat::error("x", "no", "")),
            "VENDOR_FAILED",
        ),
        (Reply::json(429, chat::error("x", "no", "")), "RATE_LIMITED"),
    ] {
        let server = VendorServer::replies([reply]).await;
        let request = EmbeddingRequest::new("embedder", texts(1));
        assert_eq!(
            code(client(&server, Protocol::OpenAiChat).embed(&request).await),
            expected
        );
    }
}
