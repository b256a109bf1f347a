//! Tests against the scripted server. The tests with the prefix `quirk_` are the numbered list of the vendors' quirks.

mod embeddings;
mod errors;
mod faults;
mod fuzzed;
mod objects;
mod quirks_anthropic;
mod quirks_compatible;
mod quirks_google;
mod quirks_openai;
mod retries;
mod sse;
mod streams;

use std::time::Duration;

use serde_json::{Value, json};

use crate::testing::{Reply, VendorServer, decode, encode};
use crate::{
    ApiKey, Client, Endpoint, Finish, LlmError, ModelRequest, Protocol, StreamEvent, Tool,
    Transport, TransportOptions,
};

const KEY: &str = "zz-very-secret-key-0123456789";

/// The number of entries in the list of quirks.
const QUIRKS: usize = 23;

const PROTOCOLS: [Protocol; 4] = [
    Protocol::AnthropicMessages,
    Protocol::OpenAiResponses,
    Protocol::OpenAiChat,
    Protocol::GoogleGenerateContent,
];

/// Time-outs that are long enough for loopback and short enough for a test that waits for one.
fn options() -> TransportOptions {
    TransportOptions {
        first_byte_timeout: Duration::from_secs(20),
        idle_timeout: Duration::from_secs(20),
        ..TransportOptions::default()
    }
}

fn client_with(server: &VendorServer, protocol: Protocol, options: TransportOptions) -> Client {
    let endpoint = Endpoint::new(protocol, &server.url("/v1")).unwrap();
    let key = ApiKey::parse(KEY).unwrap();
    Client::with_transport(endpoint, key, Transport::new(options).unwrap()).unwrap()
}

fn client(server: &VendorServer, protocol: Protocol) -> Client {
    client_with(server, protocol, options())
}

#[test]
fn every_quirk_has_a_test_that_names_it() {
    let sources = [
        include_str!("quirks_openai.rs"),
        include_str!("quirks_anthropic.rs"),
        include_str!("quirks_google.rs"),
        include_str!("quirks_compatible.rs"),
    ];
    let named = |number: usize| {
        let name = format!("fn quirk_{number:02}_");
        sources.iter().any(|source| source.contains(&name))
    };
    let missing: Vec<usize> = (1..=QUIRKS).filter(|number| !named(*number)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

fn request() -> ModelRequest {
    ModelRequest::new("some-model", "Say hello.")
}

fn tool() -> Tool {
    Tool {
        name: "weather".to_owned(),
        description: "The weather of a city".to_owned(),
        schema: json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] }),
    }
}

/// An answer of a protocol with only this text.
fn text_reply(protocol: Protocol, text: &str) -> Reply {
    use crate::testing::{anthropic, chat, google, responses};
    Reply::events(match protocol {
        Protocol::AnthropicMessages => anthropic::text(text),
        Protocol::OpenAiResponses => responses::text(text),
        Protocol::OpenAiChat => chat::text(text),
        Protocol::GoogleGenerateContent => google::text(text),
    })
}

/// Decodes a body at once.
fn decoded(protocol: Protocol, body: &str) -> Result<(Vec<StreamEvent>, Finish), LlmError> {
    let (mut events, error) = decode(protocol, [body.as_bytes()]);
    match (error, events.pop()) {
        (Some(error), _) => Err(error),
        (None, Some(StreamEvent::Finish(finish))) => Ok((events, finish)),
        (None, last) => panic!("no finish, but {last:?}"),
    }
}

/// The finish of a body.
fn finish(protocol: Protocol, body: &str) -> Result<Finish, LlmError> {
    decoded(protocol, body).map(|(_, finish)| finish)
}

/// The concatenated deltas of text and of reasoning.
fn shown(events: &[StreamEvent]) -> (String, String) {
    let (mut text, mut reasoning) = (String::new(), String::new());
    for event in events {
        match event {
            StreamEvent::TextDelta(delta) => text.push_str(delta),
            StreamEvent::ReasoningDelta(delta) => reasoning.push_str(delta),
            _ => {}
        }
    }
    (text, reasoning)
}

/// The body that a request is encoded into.
fn body(protocol: Protocol, request: &ModelRequest) -> Value {
    encode(protocol, request).unwrap()
}

/// The code of an expected error.
fn code<T: std::fmt::Debug>(result: Result<T, LlmError>) -> &'static str {
    result.unwrap_err().code()
}
