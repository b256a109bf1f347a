//! The client messages of the
//! [`graphql-transport-ws`](https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md) protocol.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::params::{JsonObject, Params};

/// What a client sends. Payloads are objects: the protocol's `Record<string, unknown>`.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ClientMessage {
    ConnectionInit {
        payload: Option<Map<String, Value>>,
    },
    Subscribe {
        id: OperationId,
        payload: JsonObject<Params>,
    },
    Complete {
        id: OperationId,
    },
    Ping {
        payload: Option<Map<String, Value>>,
    },
    Pong {
        #[expect(dead_code, reason = "it is read so that its type is checked")]
        payload: Option<Map<String, Value>>,
    },
}

impl ClientMessage {
    /// Reads a frame's text.
    ///
    /// # Errors
    /// The text is not a message of the protocol.
    pub(super) fn read(text: &str) -> Result<Self, serde_json::Error> {
        let JsonObject(message) = serde_json::from_str(text)?;
        Ok(message)
    }
}

/// A client's id of an operation: a text that is not empty.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct OperationId(pub(super) String);

impl TryFrom<String> for OperationId {
    type Error = &'static str;

    fn try_from(id: String) -> Result<Self, Self::Error> {
        if id.is_empty() {
            return Err("the id of an operation is empty");
        }
        Ok(Self(id))
    }
}
