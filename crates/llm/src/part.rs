//! The parts of a message.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Protocol;

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Part {
    /// Text.
    Text(TextPart),
    /// A picture.
    Image(Image),
    /// The model asks for a function to be run.
    ToolCall(ToolCall),
    /// What the function gave.
    ToolResult(ToolResult),
    /// What the model thought. It is sent back whole and unchanged, or not at all.
    Reasoning(Reasoning),
    /// Something of the vendor's that this crate does not read, and sends back whole and unchanged.
    Vendor(Replay),
}

impl Part {
    /// A text of the caller's.
    pub fn text(text: impl Into<String>) -> Self {
        let (text, signature) = (text.into(), None);
        Self::Text(TextPart { text, signature })
    }
}

/// Text, with what the vendor wants back with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextPart {
    /// The text.
    pub text: String,
    /// A vendor's signature of the thoughts before this text. The text may be empty: the signature must be sent back
    /// all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Replay>,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Image {
    /// The picture itself.
    Data {
        /// Its media type, such as `image/png`.
        media_type: String,
        /// Its bytes in Base64.
        base64: String,
    },
    /// Where the vendor finds it. Google takes only its own URLs.
    Url(String),
}

impl Image {
    /// A picture by its bytes.
    pub fn from_bytes(media_type: impl Into<String>, bytes: &[u8]) -> Self {
        Self::Data {
            media_type: media_type.into(),
            base64: STANDARD.encode(bytes),
        }
    }

    /// The picture as a URL, as the OpenAI APIs want it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Data { media_type, base64 } => format!("data:{media_type};base64,{base64}"),
            Self::Url(url) => url.clone(),
        }
    }
}

/// A function that the model asks for. It is given only when it is complete.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The id that the result names. Where the vendor gave none, one was made.
    pub id: String,
    /// The name of the tool.
    pub name: String,
    /// The arguments.
    pub arguments: Map<String, Value>,
    /// A vendor's signature of the thoughts before this call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Replay>,
}

/// What a function gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolResult {
    /// The id of the call.
    pub call_id: String,
    /// The name of the tool: Google wants it.
    pub name: String,
    /// The result as text, for the model.
    pub content: String,
    /// Whether the function failed.
    pub is_error: bool,
}

/// What the model thought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reasoning {
    /// The thoughts, or a summary, as far as the vendor shows them.
    pub text: String,
    /// What is sent back. None: the vendor wants nothing back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Replay>,
}

/// What a vendor wants back unchanged. Another vendor, and where the vendor says so another account, never gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replay {
    /// The protocol it came by.
    pub protocol: Protocol,
    /// Names the account without telling its key, where the value is good for that account only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The value.
    pub value: Value,
}

impl Replay {
    /// What is good for every account of the protocol.
    pub(crate) fn new(protocol: Protocol, value: Value) -> Self {
        let account = None;
        Self {
            protocol,
            account,
            value,
        }
    }

    /// The value, where it may be sent to that account of that protocol.
    pub(crate) fn value_for(&self, protocol: Protocol, account: &str) -> Option<&Value> {
        let is_theirs = self.account.as_deref().is_none_or(|own| own == account);
        (self.protocol == protocol && is_theirs).then_some(&self.value)
    }
}
