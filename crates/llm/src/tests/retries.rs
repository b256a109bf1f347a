//! Retries: which errors, how often, how long, and never after a part of the answer was shown.

use std::sync::Mutex;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use serde_json::json;

use super::*;
use crate::testing::{Fault, GREETING, anthropic, chat, google};
use crate::{RetryPolicy, RetryTimer};

/// Does not wait, but records the requested waits.
#[derive(Default)]
struct Timer(Mutex<Vec<Duration>>);

impl RetryTimer for Timer {
    fn now(&self) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339("2026-11-28T12:00:00Z")
            .unwrap()
            .to_utc()
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        self.0.lock().unwrap().push(wait);
        futures::future::ready(()).boxed()
    }

    fn fraction(&self) -> f64 {
        1.0
    }
}

impl Timer {
    fn waits(&self) -> Vec<u64> {
        let waits = self.0.lock().unwrap();
        waits
            .iter()
            .map(|wait| u64::try_from(wait.as_millis()).unwrap())
            .collect()
    }
}

/// Sends with the default policy. Returns the outcome, the number of requests, and the waits in milliseconds.
async fn retried(
    protocol: Protocol,
    replies: Vec<Reply>,
) -> (Result<String, &'static str>, usize, Vec<u64>) {
    let server = VendorServer::replies(replies).await;
    let timer = Timer::default();
    let client = client(&server, protocol);
    let stream = client
        .stream_with_retry(&request(), &RetryPolicy::default(), &timer)
        .await;
    let outcome = match stream {
        Ok(stream) => {
            assert_eq!(stream.attempts() as usize, server.requests().len());
            stream.finish().await
        }
        Err(error) => Err(error),
    };
    let outcome = outcome
        .map(|finish| finish.message.text())
        .map_err(|error| error.code());
    (outcome, server.requests().len(), timer.waits())
}

#[tokio::test]
async fn a_failure_that_may_pass_is_retried() {
    let good = || text_reply(Protocol::AnthropicMessages, GREETING);
    let bad = |status| Reply::json(status, anthropic::error("x", "later"));
    let event = anthropic::error("overloaded_error", "Overloaded");
    let event = Reply::events(anthropic::stream(&[
        anthropic::start(),
        serde_json::from_str(&event).unwrap(),
    ]));
    let mut first = [408, 409, 429, 500, 502, 503, 504, 529].map(bad).to_vec();
    first.extend([
        event,
        good().fault(Fault::Cut(0)),
        good().fault(Fault::Reset(0)),
        good().fault(Fault::End(100)),
        Reply::html(502),
    ]);
    for reply in first {
        let seen = format!("{reply:?}").chars().take(60).collect::<String>();
        let (outcome, requests, waits) =
            retried(Protocol::AnthropicMessages, vec![reply, good()]).await;
        assert_eq!((outcome, requests), (Ok(GREETING.to_owned()), 2), "{seen}");
        assert_eq!(waits, [1_000], "{seen}");
    }
}

#[tokio::test]
async fn a_refusal_is_not_retried() {
    let quota = Reply::json(
        429,
        chat::error("insufficient_quota", "unpaid", "insufficient_quota"),
    );
    let mut replies = [400, 401, 402, 403, 404, 413, 422]
        .map(|status| Reply::json(status, chat::error("x", "no", "")))
        .to_vec();
    replies.extend([quota, Reply::html(200), Reply::json(302, "")]);
    for reply in replies {
        let (outcome, requests, waits) = retried(Protocol::OpenAiChat, vec![reply]).await;
        assert!(outcome.is_err());
        assert_eq!((requests, waits.len()), (1, 0), "{outcome:?}");
    }
}

#[tokio::test]
async fn attempts_and_waits_are_bounded() {
    let failing = Reply::json(500, chat::error("x", "later", ""));
    let (outcome, requests, waits) = retried(Protocol::OpenAiChat, vec![failing]).await;
    assert_eq!(
        (outcome, requests, waits),
        (Err("VENDOR_FAILED"), 3, vec![1_000, 2_000])
    );
    let policy = RetryPolicy {
        attempts: 40,
        ..RetryPolicy::default()
    };
    let error = LlmError::ConnectionReset;
    let wait = |attempt| policy.wait(attempt, &error, &Timer::default());
    assert_eq!(wait(30), Some(Duration::from_secs(16)));
    assert_eq!(wait(40), None);
}

#[tokio::test]
async fn the_vendors_wait_is_kept_up_to_a_minute() {
    let good = || text_reply(Protocol::OpenAiChat, GREETING);
    let limited = |name, value| Reply::json(429, chat::error("x", "slow", "")).header(name, value);
    for (name, value, expected) in [
        ("retry-after", "7", 7_000),
        ("retry-after", "60", 60_000),
        ("retry-after-ms", "2500", 2_500),
        ("retry-after-ms", "3", 1_000),
        ("retry-after", "Sat, 28 Nov 2026 12:00:30 GMT", 30_000),
        ("retry-after", "Sat, 28 Nov 2026 11:00:00 GMT", 1_000),
    ] {
        let (outcome, _, waits) =
            retried(Protocol::OpenAiChat, vec![limited(name, value), good()]).await;
        assert_eq!((outcome.is_ok(), waits), (true, vec![expected]), "{value}");
    }
    for (name, value) in [
        ("retry-after", "61"),
        ("retry-after", "Sat, 28 Nov 2026 13:00:00 GMT"),
    ] {
        let (outcome, requests, _) =
            retried(Protocol::OpenAiChat, vec![limited(name, value), good()]).await;
        assert_eq!((outcome, requests), (Err("RATE_LIMITED"), 1), "{value}");
    }
}

#[tokio::test]
async fn nothing_is_retried_once_something_was_shown() {
    for protocol in PROTOCOLS {
        let whole = text_reply(protocol, GREETING);
        let late = whole.body().len() / 2;
        let replies = vec![whole.clone().fault(Fault::Cut(late)), whole];
        let (outcome, requests, _) = retried(protocol, replies).await;
        assert_eq!((outcome, requests), (Err("TRUNCATED"), 1), "{protocol:?}");
    }
}

#[tokio::test]
async fn usage_alone_is_nothing_that_was_shown() {
    let usage = anthropic::stream(&[anthropic::start()]);
    let good = text_reply(Protocol::AnthropicMessages, GREETING);
    let server = VendorServer::replies([Reply::events(usage), good]).await;
    let client = client(&server, Protocol::AnthropicMessages);
    let timer = Timer::default();
    let stream = client
        .stream_with_retry(&request(), &RetryPolicy::default(), &timer)
        .await
        .unwrap();
    let events: Vec<StreamEvent> = stream.map(Result::unwrap).collect().await;
    assert_eq!(shown(&events).0, GREETING);
}

#[tokio::test]
async fn a_malformed_call_is_retried_once() {
    let malformed = Reply::events(google::stream(&[google::chunk(
        &[],
        Some("MALFORMED_FUNCTION_CALL"),
    )]));
    let good = text_reply(Protocol::GoogleGenerateContent, GREETING);
    let once = retried(
        Protocol::GoogleGenerateContent,
        vec![malformed.clone(), good],
    )
    .await;
    assert_eq!((once.0, once.1), (Ok(GREETING.to_owned()), 2));
    let twice = retried(Protocol::GoogleGenerateContent, vec![malformed]).await;
    assert_eq!((twice.0, twice.1), (Err("TOOL_CALL_INVALID"), 2));
    // A broken call of another vendor is an error as well.
    let broken = json!({ "index": 0, "id": "a", "function": { "name": "run", "arguments": "{" } });
    let broken = retried(
        Protocol::OpenAiChat,
        vec![Reply::events(chat::tools(&[broken]))],
    )
    .await;
    assert_eq!((broken.0, broken.1), (Err("TOOL_CALL_INVALID"), 2));
}
