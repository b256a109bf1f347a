//! The properties that the fuzzer checks, over answers of the scripted server and over some thousand mutations of them.
//! The mutations are the same in every run.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;

use super::*;
use crate::testing::{anthropic, chat, google, responses};

#[path = "../../fuzz/src/properties.rs"]
mod properties;

/// How many mutations of each target are tried. `LLM_MUTATIONS` in the environment tries more.
const MUTATIONS: u32 = 3_000;

/// Strings that decoders take for the beginning or the end of something.
const PIECES: [&str; 24] = [
    "data: ",
    "\n\n",
    "\r",
    "\r\n\r\n",
    "event: error\n",
    ": ping\n\n",
    "data: [DONE]\n\n",
    "\u{feff}",
    "null",
    "{}",
    "[]",
    "\"\"",
    "-1",
    "18446744073709551616",
    "\"index\":0,",
    "\"type\":\"error\",",
    "\"error\":{\"message\":\"x\"},",
    "\"id\":\"\",",
    "<think>",
    "</think>",
    "\"content\":null,",
    "\\u0000",
    "}",
    "\"",
];

/// The answers that are mutated.
fn seeds(name: &str) -> Vec<String> {
    let call =
        json!({ "index": 0, "id": "a", "function": { "name": "run", "arguments": "{\"x\":" } });
    let rest = json!({ "index": 0, "function": { "arguments": "1}" } });
    match name {
        "anthropic" => vec![
            anthropic::text("Hello"),
            anthropic::message(
                &[
                    anthropic::thinking_block(0, "think", "c2ln"),
                    anthropic::tool_block(1, "t", "run", "{\"x\":1}"),
                    anthropic::block(2, json!({ "type": "server_tool_use", "input": {} }), &[]),
                ],
                "tool_use",
            ),
            anthropic::error("overloaded_error", "Overloaded"),
        ],
        "responses" => vec![
            responses::text("Hello"),
            responses::message(&[
                responses::reasoning_item("r", "think", Some("ZW5j")),
                responses::tool_item("f", "c", "run", "{\"x\":1}"),
            ]),
            responses::response("completed", &[responses::text_item("m", "Hello")]).to_string(),
        ],
        "chat" => vec![
            chat::text("<think>a</think>b"),
            chat::tools(&[call, rest]),
            chat::error("server_error", "later", "x"),
        ],
        "google" => vec![
            google::text("Hello"),
            google::stream(&[google::chunk(
                &[
                    json!({ "text": "t", "thought": true, "thoughtSignature": "c2ln" }),
                    json!({ "functionCall": { "name": "run", "args": {} } }),
                ],
                Some("STOP"),
            )]),
            json!([google::chunk(&[json!({ "text": "a" })], Some("STOP"))]).to_string(),
        ],
        _ => vec![
            "\u{feff}event: a\r\ndata: b\rdata: c\n\n: d\n\ndata: e".to_owned(),
            "data: 🙂\n\n".repeat(40),
        ],
    }
}

/// One mutation: its position as a share of the length, its kind, and its amount.
type Change = (u16, u8, u8);

fn mutate(seed: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for (at, kind, amount) in changes {
        let place = usize::from(*at) * bytes.len() / (usize::from(u16::MAX) + 1);
        let length = usize::from(*amount).min(bytes.len() - place);
        match kind % 5 {
            0 => drop(bytes.drain(place..place + length)),
            1 => {
                let piece = PIECES[usize::from(*amount) % PIECES.len()];
                bytes.splice(place..place, piece.bytes());
            }
            2 => {
                let copy = bytes[place..place + length].to_vec();
                bytes.splice(place..place, copy);
            }
            3 => bytes.truncate(place),
            _ => {
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= *amount;
                }
            }
        }
    }
    bytes
}

/// The property over the seeds, and over that many mutations of them.
fn holds(name: &str, property: fn(&[u8])) {
    let seeds = seeds(name);
    for seed in &seeds {
        property(seed.as_bytes());
    }
    let cases = std::env::var("LLM_MUTATIONS").ok();
    let cases = cases.map_or(MUTATIONS, |cases| cases.parse().expect("a number"));
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(config, random);
    let changes = proptest::collection::vec(any::<Change>(), 1..12);
    let inputs = (any::<prop::sample::Index>(), changes);
    let result = runner.run(&inputs, |(seed, changes)| {
        property(&mutate(seeds[seed.index(seeds.len())].as_bytes(), &changes));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{name}: {error}");
    }
}

#[test]
fn mutated_event_streams_hold_the_properties() {
    holds("sse", properties::sse);
}

#[test]
fn mutated_anthropic_answers_hold_the_properties() {
    holds("anthropic", properties::anthropic);
}

#[test]
fn mutated_responses_hold_the_properties() {
    holds("responses", properties::responses);
}

#[test]
fn mutated_chat_answers_hold_the_properties() {
    holds("chat", properties::chat);
}

#[test]
fn mutated_google_answers_hold_the_properties() {
    holds("google", properties::google);
}

#[test]
fn what_is_mutated_is_a_good_answer() {
    for name in ["anthropic", "responses", "chat", "google"] {
        let protocol = match name {
            "anthropic" => Protocol::AnthropicMessages,
            "responses" => Protocol::OpenAiResponses,
            "chat" => Protocol::OpenAiChat,
            _ => Protocol::GoogleGenerateContent,
        };
        for seed in &seeds(name)[..2] {
            assert!(finish(protocol, seed).is_ok(), "{name}: {seed}");
        }
    }
}
