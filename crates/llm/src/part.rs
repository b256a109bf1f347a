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
    /// An image.
    Image(Image),
    /// The model asks for a function to be run.
    ToolCall(ToolCall),
    /// The result of the function.
    ToolResult(ToolResult),
    /// The reasoning of the model. It is sent back complete and unchanged, or not at all.
    Reasoning(Reasoning),
    /// A vendor's data that this crate does not interpret. It is sent back complete and unchanged.
    Vendor(Replay),
}

impl Part {
    /// A text of the caller.
    pub fn text(text: impl Into<String>) -> Self {
        let (text, signature) = (text.into(), None);
        Self::Text(TextPart { text, signature })
    }
}

/// Text, with the signature that the vendor requires back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextPart {
    /// The text.
    pub text: String,
    /// A vendor's signature of the reasoning before this text. Even if the text is empty, the signature must be sent
    /// back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Replay>,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Image {
    /// The image data.
    Data {
        /// Its media type, such as `image/png`.
        media_type: String,
        /// Its bytes in Base64.
        base64: String,
    },
    /// The URL of the image. Google accepts only its own URLs.
    Url(String),
}

impl Image {
    /// Creates an image from its bytes.
    pub fn from_bytes(media_type: impl Into<String>, bytes: &[u8]) -> Self {
        Self::Data {
            media_type: media_type.into(),
            base64: STANDARD.encode(bytes),
        }
    }

    /// The image as a URL, which the OpenAI APIs require.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Data { media_type, base64 } => format!("data:{media_type};base64,{base64}"),
            Self::Url(url) => url.clone(),
        }
    }
}

/// A function that the model asks for. The stream yields it only when it is complete.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The id that the result names. Where the vendor sends none, this crate generates one.
    pub id: String,
    /// The name of the tool.
    pub name: String,
    /// The arguments.
    pub arguments: Map<String, Value>,
    /// A vendor's signature of the reasoning before this call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Replay>,
}

/// The result of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolResult {
    /// The id of the call.
    pub call_id: String,
    /// The name of the tool, which Google requires.
    pub name: String,
    /// The result as text, for the model.
    pub content: String,
    /// Whether the function failed.
    pub is_error: bool,
}

/// The reasoning of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reasoning {
    /// The reasoning or a summary of it, as far as the vendor shows it.
    pub text: String,
    /// The data that is sent back. `None` where the vendor requires nothing back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Replay>,
}

/// Data that a vendor requires back unchanged. It is never sent to another vendor, nor, where it is bound to an
/// account, to another account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replay {
    /// The protocol that it belongs to.
    pub protocol: Protocol,
    /// The fingerprint of the account's key, where the value is valid for that account only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The value.
    pub value: Value,
}

impl Replay {
    /// Creates data that is valid for every account of the protocol.
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
