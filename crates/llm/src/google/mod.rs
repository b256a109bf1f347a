//! Google `generateContent`.

mod decode;
mod encode;
mod schema;

pub(crate) use decode::GenerateDecoder;
pub(crate) use encode::call;
