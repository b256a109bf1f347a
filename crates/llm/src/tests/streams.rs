//! Whole calls: text, tools, images, reasoning, and the end of the connection.

use futures::StreamExt;
use serde_json::json;

use super::*;
use crate::testing::{Fault, GREETING, VendorRequest, anthropic, respond};
use crate::{FinishReason, Image, Message, ModelTraits, Part, Role, ToolResult, UsageSource};

#[tokio::test]
async fn every_vendor_streams_a_text() {
    let server = VendorServer::start(respond).await;
    for protocol in PROTOCOLS {
        let mut stream = client(&server, protocol).stream(&request()).await.unwrap();
        let mut events = Vec::new();
        while let Some(event) = stream.next().await {
            events.push(event.unwrap());
        }
        assert!(stream.next().await.is_none());
        let finishes = events
            .iter()
            .filter(|event| matches!(event, StreamEvent::Finish(_)));
        assert_eq!(finishes.count(), 1, "{protocol:?}");
        let Some(StreamEvent::Finish(finish)) = events.pop() else {
            panic!("{protocol:?} does not end with a finish");
        };
        assert_eq!(shown(&events).0, GREETING, "{protocol:?}");
        assert_eq!(finish.message.text(), GREETING, "{protocol:?}");
        assert_eq!(finish.reason, FinishReason::Complete, "{protocol:?}");
        assert_eq!(
            finish.model.as_deref(),
            Some("scripted-model"),
            "{protocol:?}"
        );
        assert_eq!(finish.usage.source, UsageSource::Reported, "{protocol:?}");
        assert!(
            events.contains(&StreamEvent::Usage(finish.usage)),
            "{protocol:?}"
        );
        let parts = (finish.usage.input_tokens, finish.usage.output_tokens);
        let expected = match protocol {
            Protocol::AnthropicMessages => (12, 9),
            _ => (20, 10),
        };
        assert_eq!(parts, expected, "{protocol:?}");
    }
}

#[tokio::test]
async fn every_vendor_calls_a_tool_and_takes_its_result() {
    let server = VendorServer::start(respond).await;
    for protocol in PROTOCOLS {
        let client = client(&server, protocol);
        let mut request = request();
        request.tools.push(tool());
        let first = client.complete(&request).await.unwrap();
        assert_eq!(first.reason, FinishReason::ToolUse, "{protocol:?}");
        let Some(Part::ToolCall(call)) = first.message.parts.last().cloned() else {
            panic!("{protocol:?}: {first:?}");
        };
        assert_eq!(
            (call.name.as_str(), &call.arguments["city"]),
            ("weather", &json!("Zürich"))
        );
        let result = ToolResult {
            call_id: call.id,
            name: call.name,
            content: "sunny".to_owned(),
            is_error: false,
        };
        let result = Message::new(Role::User, vec![Part::ToolResult(result)]);
        request.messages.extend([first.message, result]);
        let second = client.complete(&request).await.unwrap();
        assert_eq!(second.message.text(), GREETING, "{protocol:?}");
    }
}

#[tokio::test]
async fn an_answer_in_single_bytes_is_the_same() {
    for protocol in PROTOCOLS {
        let whole = text_reply(protocol, GREETING);
        let replies = [whole.clone(), whole.pieces(1)];
        let server = VendorServer::replies(replies).await;
        let client = client(&server, protocol);
        let first = client.complete(&request()).await.unwrap();
        assert_eq!(
            client.complete(&request()).await.unwrap(),
            first,
            "{protocol:?}"
        );
    }
}

#[tokio::test]
async fn dropping_a_stream_closes_the_connection() {
    for protocol in PROTOCOLS {
        let reply = text_reply(protocol, GREETING);
        let half = Fault::Stall(reply.body().len() / 2);
        let server = VendorServer::replies([reply.fault(half)]).await;
        let mut stream = client(&server, protocol).stream(&request()).await.unwrap();
        assert!(stream.next().await.unwrap().is_ok());
        drop(stream);
        let left = tokio::time::timeout(Duration::from_secs(20), server.left(1)).await;
        assert!(left.is_ok(), "{protocol:?}: the connection stays open");
    }
}

#[tokio::test]
async fn dropping_a_call_before_its_answer_closes_too() {
    let server = VendorServer::replies([Reply::events("").fault(Fault::Silence)]).await;
    let client = client(&server, Protocol::OpenAiChat);
    let request = request();
    {
        let call = client.stream(&request);
        futures::pin_mut!(call);
        let wait = tokio::time::timeout(Duration::from_millis(200), &mut call);
        assert!(wait.await.is_err());
    }
    let left = tokio::time::timeout(Duration::from_secs(20), server.left(1)).await;
    assert!(left.is_ok(), "the connection stays open");
}

#[tokio::test]
async fn a_finished_call_leaves_its_connection_to_the_next() {
    // The end of the body comes a moment after the last event.
    let late = |asked: &VendorRequest| respond(asked).pause(Duration::from_millis(20));
    let server = VendorServer::start(late).await;
    for protocol in PROTOCOLS {
        let (client, before) = (client(&server, protocol), server.connections());
        for _ in 0..5 {
            client.complete(&request()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let opened = server.connections() - before;
        assert!(opened < 5, "{protocol:?}: no connection was used again");
    }
}

#[test]
fn nothing_comes_after_the_finish() {
    for protocol in PROTOCOLS {
        let reply = text_reply(protocol, "one");
        let once = String::from_utf8(reply.body().to_vec()).unwrap();
        let (events, error) = decode(protocol, [once.repeat(2).as_bytes()]);
        assert_eq!(error, None, "{protocol:?}");
        let finishes = events
            .iter()
            .filter(|event| matches!(event, StreamEvent::Finish(_)));
        assert_eq!(finishes.count(), 1, "{protocol:?}");
        assert!(
            matches!(events.last(), Some(StreamEvent::Finish(_))),
            "{protocol:?}"
        );
    }
}

#[test]
fn images_go_in_each_vendors_form() {
    let mut request = request();
    let image = Image::from_bytes("image/png", b"\x89PNG");
    request.messages[0].parts.push(Part::Image(image));
    let forms = PROTOCOLS.map(|protocol| body(protocol, &request).to_string());
    for (form, expected) in forms.iter().zip([
        r#""source":{"data":"iVBORw==","media_type":"image/png","type":"base64"}"#,
        r#""image_url":"data:image/png;base64,iVBORw==""#,
        r#""image_url":{"url":"data:image/png;base64,iVBORw=="}"#,
        r#""inlineData":{"data":"iVBORw==","mimeType":"image/png"}"#,
    ]) {
        assert!(form.contains(expected), "{form}");
    }
    request.traits.images = false;
    assert_eq!(
        code(encode(Protocol::OpenAiChat, &request)),
        "REQUEST_INVALID"
    );
}

#[test]
fn a_request_that_makes_no_sense_is_not_sent() {
    let with = |change: &dyn Fn(&mut ModelRequest)| {
        let mut request = request();
        change(&mut request);
        request
    };
    for (name, request) in [
        ("no model", with(&|request| request.model.clear())),
        (
            "a path",
            with(&|request| request.model = "../../admin".to_owned()),
        ),
        (
            "a query",
            with(&|request| request.model = "m?key=1".to_owned()),
        ),
        ("no message", with(&|request| request.messages.clear())),
        (
            "no tokens",
            with(&|request| request.max_output_tokens = Some(0)),
        ),
        (
            "temperature",
            with(&|request| request.temperature = Some(f64::NAN)),
        ),
        (
            "tool name",
            with(&|request| {
                request.tools.push(Tool {
                    name: "a b".to_owned(),
                    ..tool()
                });
            }),
        ),
        (
            "tool",
            with(&|request| {
                request.tool_choice = crate::ToolChoice::Named("other".to_owned());
            }),
        ),
        (
            "tools",
            with(&|request| {
                request.tools.push(tool());
                request.traits.tools = false;
            }),
        ),
        (
            "prefill",
            with(&|request| {
                request.messages.push(Message::assistant("I"));
                request.traits.continues_assistant = false;
            }),
        ),
    ] {
        for protocol in PROTOCOLS {
            assert_eq!(
                code(encode(protocol, &request)),
                "REQUEST_INVALID",
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn what_a_model_does_not_take_is_left_out_and_told() {
    let server = VendorServer::start(respond).await;
    let mut request = request();
    request.temperature = Some(0.5);
    request.stop = vec!["END".to_owned()];
    request.effort = Some(crate::Effort::High);
    request.traits = ModelTraits {
        sampling: crate::Sampling::Refused,
        stop: false,
        ..ModelTraits::default()
    };
    for protocol in PROTOCOLS {
        let stream = client(&server, protocol).stream(&request).await.unwrap();
        let mut fields: Vec<_> = stream
            .omissions()
            .iter()
            .map(|omission| omission.field)
            .collect();
        fields.sort_unstable();
        assert_eq!(fields, ["effort", "stop", "temperature"], "{protocol:?}");
        let sent = server.requests().last().unwrap().json().to_string();
        for word in ["END", "temperature", "0.5", "effort", "thinking"] {
            assert!(!sent.contains(word), "{protocol:?}: {sent}");
        }
    }
}

#[test]
fn messages_survive_being_stored() {
    let body = anthropic::message(
        &[
            anthropic::thinking_block(0, "thoughts", "sig"),
            anthropic::tool_block(1, "toolu_1", "weather", r#"{"city":"Rome"}"#),
        ],
        "tool_use",
    );
    let message = finish(Protocol::AnthropicMessages, &body).unwrap().message;
    let stored = serde_json::to_string(&message).unwrap();
    assert_eq!(serde_json::from_str::<Message>(&stored).unwrap(), message);
}
