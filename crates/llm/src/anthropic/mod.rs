//! Anthropic Messages.

mod decode;
mod encode;

pub(crate) use decode::MessagesDecoder;
pub(crate) use encode::call;

/// The version of the API that this module supports.
pub(crate) const VERSION: &str = "2023-06-01";
