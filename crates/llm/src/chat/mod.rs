//! OpenAI Chat Completions, and the many servers that implement variants of it.

mod decode;
mod encode;
mod think;
mod tool_calls;

pub(crate) use decode::ChatDecoder;
pub(crate) use encode::{call, learn};
