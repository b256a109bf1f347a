//! OpenAI Chat Completions, and the many servers that speak it in their own way.

mod decode;
mod encode;
mod think;
mod tool_calls;

pub(crate) use decode::ChatDecoder;
pub(crate) use encode::{call, learn};
