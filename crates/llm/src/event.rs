//! The events of a stream.

use serde::{Deserialize, Serialize};

use crate::{Message, ToolCall};

/// Where the numbers of a [`Usage`] come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageSource {
    /// The vendor reported them.
    #[default]
    Reported,
    /// The vendor reported nothing: they are estimated from the bytes, four a token.
    Estimated,
}

/// The tokens that a call used. The fields mean the same for every vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// All input, including the tokens that were read from and written to the vendor's cache.
    pub input_tokens: u64,
    /// The part of the input that was read from the cache.
    pub cache_read_tokens: u64,
    /// The part of the input that was written to the cache for five minutes.
    pub cache_write_tokens: u64,
    /// The part of the input that was written to the cache for one hour.
    pub cache_write_long_tokens: u64,
    /// All output, with reasoning.
    pub output_tokens: u64,
    /// The part of the output that was reasoning, as far as the vendor reports it.
    pub reasoning_tokens: u64,
    /// Where the numbers come from.
    pub source: UsageSource,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// It is complete.
    Complete,
    /// A limit cut it off: it is not complete.
    Length,
    /// The model asks for tools to be run.
    ToolUse,
    /// The vendor's filter stopped the answer or the prompt.
    Filtered,
    /// The model refused. Leave the turn out of the next request, or the model refuses again.
    Refused,
    /// The vendor paused a long turn. Send the message back as it is, and the model goes on.
    Paused,
}

/// The end of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Finish {
    /// Why it ended.
    pub reason: FinishReason,
    /// The usage of the call.
    pub usage: Usage,
    /// The whole turn, ready to be sent back, with the reasoning and the signatures that the vendor requires.
    pub message: Message,
    /// The id of the model that answered, as the vendor reports it.
    pub model: Option<String>,
}

/// A piece of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamEvent {
    /// More of the text.
    TextDelta(String),
    /// More of the reasoning, as far as the vendor shows it.
    ReasoningDelta(String),
    /// A tool call, complete.
    ToolCall(ToolCall),
    /// The usage so far. A later event replaces it.
    Usage(Usage),
    /// The end. It comes exactly once, as the last event; a stream that ends without it has failed.
    Finish(Finish),
}

impl StreamEvent {
    /// Whether the event shows a user a part of the answer. After such an event the call is not retried.
    #[must_use]
    pub fn is_visible(&self) -> bool {
        !matches!(self, Self::Usage(_))
    }
}

/// An option of the request that was not sent, because the model does not accept it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Omission {
    /// The field of the request.
    pub field: &'static str,
    /// What was done instead, and why.
    pub reason: &'static str,
}
