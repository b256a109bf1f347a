//! Properties that hold for any bytes that a server may send. The fuzzer looks for bytes that violate them; the tests
//! check them over the corpus and over mutations of it.

use nyxcore_llm::testing::decode;
use nyxcore_llm::{LlmError, Protocol, SseEvent, SseLimits, SseParser, StreamEvent};

/// The parser of server-sent events.
pub fn sse(data: &[u8]) {
    let limits = SseLimits {
        line: 256,
        event: 512,
        total: 2_048,
    };
    let parse = |pieces: [&[u8]; 2]| -> (Vec<SseEvent>, bool) {
        let mut parser = SseParser::new(limits);
        let mut events = Vec::new();
        for piece in pieces {
            if parser.push(piece, |event| events.push(event)).is_err() {
                return (events, false);
            }
        }
        let last = parser.finish();
        let is_good = last.is_ok();
        events.extend(last.ok().flatten());
        (events, is_good)
    };
    let (events, is_good) = parse([data, &[]]);
    assert_eq!(parse(halves(data)), (events.clone(), is_good));
    for event in &events {
        // A byte that is not UTF-8 becomes a replacement character of three bytes.
        assert!(event.data.len() <= 3 * limits.event && event.name.len() <= 3 * limits.line);
        assert!(!event.data.contains('\r') && !event.name.contains(['\r', '\n']));
    }
    assert!(!is_good || data.len() <= limits.total);
}

/// Anthropic Messages.
pub fn anthropic(data: &[u8]) {
    decoder(Protocol::AnthropicMessages, data);
}

/// OpenAI Responses.
pub fn responses(data: &[u8]) {
    decoder(Protocol::OpenAiResponses, data);
}

/// OpenAI Chat Completions.
pub fn chat(data: &[u8]) {
    decoder(Protocol::OpenAiChat, data);
}

/// Google `generateContent`.
pub fn google(data: &[u8]) {
    decoder(Protocol::GoogleGenerateContent, data);
}

/// An answer ends with one finish or with one error. The division of its bytes into chunks changes nothing. The
/// streamed text equals the text of the finish.
fn decoder(protocol: Protocol, data: &[u8]) {
    let (events, error) = decode(protocol, [data]);
    let finishes = events
        .iter()
        .filter(|event| matches!(event, StreamEvent::Finish(_)))
        .count();
    assert_eq!(finishes, usize::from(error.is_none()));
    if let Some(StreamEvent::Finish(finish)) = events.last() {
        let shown: String = events
            .iter()
            .filter_map(|event| match event {
                StreamEvent::TextDelta(delta) => Some(delta.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(finish.message.text(), shown);
        assert!(shown.len() <= 8 * data.len());
    } else {
        assert_eq!(finishes, 0, "something comes after the finish");
    }
    if let Some(error) = &error {
        assert!(error.to_string().chars().count() < 1_000, "{error}");
        assert!(!matches!(
            error,
            LlmError::RequestInvalid(_) | LlmError::KeyInvalid(_)
        ));
    }
    let (again, error_again) = decode(protocol, halves(data));
    assert_eq!((again, error_again), (events, error));
}

/// Cuts the bytes in two; the first byte selects the position of the cut.
fn halves(data: &[u8]) -> [&[u8]; 2] {
    let first = usize::from(data.first().copied().unwrap_or_default());
    let (one, two) = data.split_at(first * data.len() / 256);
    [one, two]
}
