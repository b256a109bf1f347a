//! Wire clients for language models: Anthropic Messages, OpenAI Responses, OpenAI Chat Completions (and every server
//! that speaks it), Google `generateContent`.
//!
//! It is only a wire client: it knows no database, no tenant and no model's name. The caller says in [`ModelTraits`]
//! what a model accepts. One request type ([`ModelRequest`]) and one answer type ([`ModelStream`]) serve every vendor.
//!
//! - A stream ends with exactly one [`StreamEvent::Finish`] or with an error; one that was cut off is
//!   [`LlmError::Truncated`].
//! - Dropping a stream cancels the HTTP request.
//! - Redirects are not followed, answers are bounded in size and time, and no error, `Debug` or log has a key in it.
//!
//! ```
//! use futures::StreamExt;
//! use nyxcore_llm::{ApiKey, Client, Endpoint, LlmError, ModelRequest, Protocol, StreamEvent};
//!
//! async fn answer(base_url: &str, key: &str) -> Result<String, LlmError> {
//!     let endpoint = Endpoint::new(Protocol::AnthropicMessages, base_url)?;
//!     let client = Client::new(endpoint, ApiKey::parse(key)?)?;
//!     let request = ModelRequest::new("some-model", "Say hello.");
//!     let mut stream = client.stream(&request).await?;
//!     let mut text = String::new();
//!     while let Some(event) = stream.next().await {
//!         if let StreamEvent::TextDelta(delta) = event? {
//!             text.push_str(&delta);
//!         }
//!     }
//!     Ok(text)
//! }
//! # #[cfg(feature = "testing")]
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! #     use nyxcore_llm::testing::{Reply, VendorServer, anthropic};
//! #     let server = VendorServer::replies([Reply::events(anthropic::text("Hello"))]).await;
//! #     assert_eq!(answer(&server.url("/v1"), "key").await.unwrap(), "Hello");
//! # });
//! ```

// The fuzzer's properties, which the tests run too, refer to the crate by its external name.
#[cfg(test)]
extern crate self as nyxcore_llm;

mod anthropic;
mod chat;
mod client;
mod decoder;
mod embedding;
mod encode;
mod endpoint;
mod error;
mod event;
mod google;
mod key;
mod object;
mod part;
mod refusal;
mod request;
mod responses;
mod retry;
mod scrub;
mod sse;
mod stream;
mod traits;
mod transport;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use client::Client;
pub use embedding::{
    EmbeddingPurpose, EmbeddingRequest, Embeddings, GOOGLE_BATCH_INPUTS, OPENAI_BATCH_BYTES,
    OPENAI_BATCH_INPUTS,
};
pub use endpoint::{Endpoint, Protocol};
pub use error::{LlmError, RetryAfter, VendorError, VendorErrorKind};
pub use event::{Finish, FinishReason, Omission, StreamEvent, Usage, UsageSource};
pub use key::{ApiKey, KEY_BYTES_MAX};
pub use object::{ObjectAnswer, OutputCheck};
pub use part::{Image, Part, Reasoning, Replay, TextPart, ToolCall, ToolResult};
pub use request::{
    CacheLifetime, CacheMarks, Effort, Message, ModelRequest, OutputSchema, Role, Tool, ToolChoice,
};
pub use retry::{RetryPolicy, RetryTimer, SystemTimer};
pub use scrub::VENDOR_WORDS_MAX;
pub use sse::{SseEvent, SseLimits, SseParser, SseTooLarge};
pub use stream::ModelStream;
pub use traits::{
    ModelTraits, OutputField, Sampling, StructuredOutput, SystemRole, Thinking, ThinkingDefault,
};
pub use transport::{AddressRefused, Resolver, Transport, TransportOptions};
