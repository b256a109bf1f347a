//! The interface of all decoders: the events of a stream, and the turn that they make up.

use std::collections::VecDeque;

use serde_json::{Map, Value};

use crate::event::{Finish, FinishReason, StreamEvent, Usage, UsageSource};
use crate::scrub::Scrubber;
use crate::sse::SseEvent;
use crate::{LlmError, Message, Part, Reasoning, Replay, Role, TextPart, ToolCall, refusal};

/// How many bytes of text count as one token where a vendor reports no usage.
const BYTES_PER_TOKEN: u64 = 4;

/// Turns the events of one vendor's stream into those of this crate.
pub(crate) trait Decoder: Send {
    /// The next event of the stream.
    fn event(&mut self, event: &SseEvent, out: &mut Output) -> Result<(), LlmError>;

    /// Ends the stream. Without a finish the result is [`LlmError::Truncated`], except for an API whose streams have no
    /// explicit end.
    fn end(&mut self, _out: &mut Output) -> Result<(), LlmError> {
        Err(LlmError::Truncated)
    }

    /// Whether the whole answer had arrived when the connection broke. Only the usage may be missing.
    fn is_complete(&self) -> bool {
        false
    }

    /// Decodes an answer that is one JSON value, because the server does not stream. The value is not an error object.
    fn whole(&mut self, _value: Value, _out: &mut Output) -> Result<(), LlmError> {
        Err(LlmError::AnswerInvalid("it is not an event stream"))
    }
}

/// Collects the output of a decoder, and the turn that it makes up.
pub(crate) struct Output {
    pub(crate) scrubber: Scrubber,
    pub(crate) model: Option<String>,
    events: VecDeque<StreamEvent>,
    parts: Vec<Part>,
    usage: Usage,
    has_usage: bool,
    has_tool_call: bool,
    input_bytes: u64,
    output_bytes: u64,
    is_finished: bool,
}

impl Output {
    /// `input_bytes` is the size of the prompt, for an estimate of the usage.
    pub(crate) fn new(scrubber: Scrubber, input_bytes: u64) -> Self {
        Self {
            scrubber,
            model: None,
            events: VecDeque::new(),
            parts: Vec::new(),
            usage: Usage::default(),
            has_usage: false,
            has_tool_call: false,
            input_bytes,
            output_bytes: 0,
            is_finished: false,
        }
    }

    pub(crate) fn next_event(&mut self) -> Option<StreamEvent> {
        self.events.pop_front()
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.is_finished
    }

    pub(crate) fn has_tool_call(&self) -> bool {
        self.has_tool_call
    }

    /// Whether the answer has any part yet.
    pub(crate) fn has_parts(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Adds text. It is appended to the previous text part, unless that one is signed.
    pub(crate) fn text(&mut self, delta: &str) {
        if delta.is_empty() {
            return;
        }
        self.output_bytes += delta.len() as u64;
        if let Some(Part::Text(TextPart {
            text,
            signature: None,
        })) = self.parts.last_mut()
        {
            text.push_str(delta);
        } else {
            self.parts.push(Part::text(delta));
        }
        self.push(StreamEvent::TextDelta(delta.to_owned()));
    }

    /// Adds a text with a signature. It is a part of its own, also where it is empty.
    pub(crate) fn signed_text(&mut self, delta: &str, signature: Option<Replay>) {
        if signature.is_none() {
            return self.text(delta);
        }
        let text = delta.to_owned();
        self.parts.push(Part::Text(TextPart { text, signature }));
        if !delta.is_empty() {
            self.output_bytes += delta.len() as u64;
            self.push(StreamEvent::TextDelta(delta.to_owned()));
        }
    }

    /// Emits reasoning as a delta. [`Output::part`] or [`Output::reasoning_part`] stores it.
    pub(crate) fn reasoning(&mut self, delta: &str) {
        if delta.is_empty() {
            return;
        }
        self.output_bytes += delta.len() as u64;
        self.push(StreamEvent::ReasoningDelta(delta.to_owned()));
    }

    /// Emits reasoning and stores it as a part that is not sent back.
    pub(crate) fn reasoning_part(&mut self, delta: &str) {
        if delta.is_empty() {
            return;
        }
        self.reasoning(delta);
        if let Some(Part::Reasoning(Reasoning { text, replay: None })) = self.parts.last_mut() {
            text.push_str(delta);
        } else {
            let (text, replay) = (delta.to_owned(), None);
            self.parts.push(Part::Reasoning(Reasoning { text, replay }));
        }
    }

    /// Stores a part whose deltas were emitted, or that has none.
    pub(crate) fn part(&mut self, part: Part) {
        self.parts.push(part);
    }

    pub(crate) fn tool_call(&mut self, call: ToolCall) {
        self.has_tool_call = true;
        self.output_bytes += call.name.len() as u64;
        self.parts.push(Part::ToolCall(call.clone()));
        self.push(StreamEvent::ToolCall(call));
    }

    /// Sets the usage so far; it replaces the previous one. Zeros are not a report: every prompt has a token.
    pub(crate) fn usage(&mut self, usage: Usage) {
        let is_zero = usage.input_tokens == 0 && usage.output_tokens == 0;
        if is_zero || self.has_usage && usage == self.usage {
            return;
        }
        self.usage = usage;
        self.has_usage = true;
        self.push(StreamEvent::Usage(usage));
    }

    pub(crate) fn finish(&mut self, reason: FinishReason) {
        if self.is_finished {
            return;
        }
        if !self.has_usage {
            self.usage(Usage {
                input_tokens: self.input_bytes.div_ceil(BYTES_PER_TOKEN),
                output_tokens: self.output_bytes.div_ceil(BYTES_PER_TOKEN),
                source: UsageSource::Estimated,
                ..Usage::default()
            });
        }
        let finish = Finish {
            reason,
            usage: self.usage,
            message: Message::new(Role::Assistant, std::mem::take(&mut self.parts)),
            model: self.model.take(),
        };
        self.push(StreamEvent::Finish(finish));
        self.is_finished = true;
    }

    fn push(&mut self, event: StreamEvent) {
        // No event follows the finish, whatever a server sends.
        if !self.is_finished {
            self.events.push_back(event);
        }
    }
}

/// Parses the data of an event as a JSON object. An error object becomes an error.
pub(crate) fn object(data: &str, scrubber: &Scrubber) -> Result<Value, LlmError> {
    let Ok(value) = serde_json::from_str::<Value>(data) else {
        return Err(LlmError::AnswerInvalid("an event is not JSON"));
    };
    match refusal::from_value(&value, scrubber) {
        Some(error) => Err(error),
        None => Ok(value),
    }
}

/// A text field of an object; empty where it is missing or null.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A number field of an object; 0 where it is missing, null or not a non-negative integer.
pub(crate) fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or_default()
}

/// Parses the arguments of a tool call: an object, or an empty text for a tool without arguments.
pub(crate) fn arguments(text: &str) -> Option<Map<String, Value>> {
    let text = text.trim();
    if text.is_empty() {
        return Some(Map::new());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(arguments)) => Some(arguments),
        Ok(Value::Null) => Some(Map::new()),
        _ => None,
    }
}
