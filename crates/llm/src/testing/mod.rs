//! A scripted vendor server on loopback, and direct access to the decoders.
//!
//! The server uses a plain socket and no web framework, because a framework cannot cut, stall or reset an answer at a
//! given byte.

pub mod anthropic;
pub mod chat;
pub mod google;
pub mod responses;
mod server;

use serde_json::Value;

use crate::client::Learnt;
use crate::decoder::{Decoder, Output};
use crate::scrub::Scrubber;
use crate::sse::{SseLimits, SseParser};
use crate::stream::Decoding;
use crate::{LlmError, ModelRequest, Protocol, StreamEvent, StructuredOutput};

pub use server::{Fault, Reply, VendorRequest, VendorServer};

/// The answer of the scripted server's models to a request without tools and schema.
pub const GREETING: &str = "Hello from the scripted server: äöü 🙂.";

/// The account that [`decode`] decodes for.
const ACCOUNT: &str = "account";

/// Decodes the body of an answer with status 200, given in pieces. Returns the events, and the error that ended them.
#[must_use]
pub fn decode<'a>(
    protocol: Protocol,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<StreamEvent>, Option<LlmError>) {
    let limits = SseLimits {
        line: 1 << 20,
        event: 1 << 20,
        total: 4 << 20,
    };
    let out = Output::new(Scrubber::default(), 0);
    let parser = SseParser::new(limits);
    let mut decoding = Decoding::new(parser, decoder(protocol), out, limits.total);
    let mut events = Vec::new();
    for piece in pieces {
        let pushed = decoding.push(piece);
        events.extend(std::iter::from_fn(|| decoding.next_event()));
        if pushed.is_err() || decoding.is_finished() {
            return (events, pushed.err());
        }
    }
    let ended = decoding.end(None);
    events.extend(std::iter::from_fn(|| decoding.next_event()));
    (events, ended.err())
}

fn decoder(protocol: Protocol) -> Box<dyn Decoder> {
    match protocol {
        Protocol::AnthropicMessages => Box::new(crate::anthropic::MessagesDecoder::default()),
        Protocol::OpenAiResponses => {
            Box::new(crate::responses::ResponsesDecoder::new(ACCOUNT.to_owned()))
        }
        Protocol::OpenAiChat => Box::new(crate::chat::ChatDecoder::new(true)),
        Protocol::GoogleGenerateContent => Box::new(crate::google::GenerateDecoder::default()),
    }
}

/// The body that a request is encoded into, before anything was learnt about the endpoint.
///
/// # Errors
/// [`LlmError::RequestInvalid`].
pub fn encode(protocol: Protocol, request: &ModelRequest) -> Result<Value, LlmError> {
    request.check()?;
    let learnt = Learnt {
        structured: StructuredOutput::Schema,
        stream_usage: true,
    };
    let call = match protocol {
        Protocol::AnthropicMessages => crate::anthropic::call(request, ACCOUNT),
        Protocol::OpenAiResponses => crate::responses::call(request, ACCOUNT),
        Protocol::OpenAiChat => crate::chat::call(request, ACCOUNT, learnt),
        Protocol::GoogleGenerateContent => crate::google::call(request, ACCOUNT),
    };
    Ok(call?.body)
}

/// Answers as the vendor of the requested path would: a greeting; a call of the first tool where there are tools and no
/// result yet; `{"answer": 42}` where a schema is given. 404 for other paths.
#[must_use]
pub fn respond(request: &VendorRequest) -> Reply {
    let path = request.target.split('?').next().unwrap_or_default();
    if request.method == "GET" && path.ends_with("/models") {
        // The form of OpenAI and Anthropic. The client also accepts Google's form.
        Reply::json(200, r#"{"data":[{"id":"scripted-model"}]}"#)
    } else if path.ends_with("/messages") {
        anthropic::respond(request)
    } else if path.ends_with("/responses") {
        responses::respond(request)
    } else if path.ends_with("/chat/completions") || path.ends_with("/embeddings") {
        chat::respond(request)
    } else if path.contains(":generateContent")
        || path.contains(":streamGenerateContent")
        || path.contains(":batchEmbedContents")
    {
        google::respond(request)
    } else {
        Reply::json(
            404,
            r#"{"error":{"type":"not_found_error","message":"no such path"}}"#,
        )
    }
}

/// Splits a text into pieces, as a vendor streams it.
fn pieces(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    letters
        .chunks(7)
        .map(|piece| piece.iter().collect())
        .collect()
}

/// The arguments of a tool call: every property of the tool's schema, with a value of its type.
fn tool_arguments(schema: &Value) -> Value {
    let properties = schema["properties"].as_object().into_iter().flatten();
    let values = properties.map(|(name, property)| {
        let kind = property["type"]
            .as_str()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let value = match kind.as_str() {
            "integer" | "number" => 7.into(),
            "boolean" => true.into(),
            _ => "Zürich".into(),
        };
        (name.clone(), value)
    });
    Value::Object(values.collect())
}

/// Answers TLS connections with a self-signed certificate until the process ends, and returns the port.
///
/// # Panics
/// Where no port is free.
#[must_use]
pub fn self_signed_server() -> u16 {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::Arc;

    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificate =
        CertificateDer::from_pem_slice(include_bytes!("../tests/self_signed.crt.pem"))
            .expect("the test's certificate serves");
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../tests/self_signed.key.pem"))
        .expect("the test's certificate serves");
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("the test's certificate serves");
    let config = Arc::new(config);
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("the test's certificate serves");
    let port = listener
        .local_addr()
        .expect("the test's certificate serves")
        .port();
    std::thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let mut tls = rustls::ServerConnection::new(config.clone())
                .expect("the test's certificate serves");
            let mut stream = rustls::Stream::new(&mut tls, &mut socket);
            // The client closes the connection during the handshake.
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
        }
    });
    port
}
