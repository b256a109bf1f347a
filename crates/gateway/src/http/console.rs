//! The console's pages and files, where the program has a console.
//!
//! Every address that no other route has belongs to the console, if a browser requests a page. So a deep link works,
//! and other clients still get 404. The page loads only files of this server, and runs no inline script; its style
//! sheets carry a nonce.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Redirect, Response};

use super::Server;
use super::accept::Accepts;
use super::graphiql::takes;
use super::problem::Problem;
use crate::console::Console;

/// The URL of such a file contains a hash of its content, so its content never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// Other files are requested again after an hour.
const HOUR: &str = "public, max-age=3600";
/// Bytes of a nonce: 144 bits, without padding in base64.
const NONCE_BYTES: usize = 18;

/// The start page; without a console, GraphiQL.
pub(super) async fn home(State(server): State<Server>) -> Response {
    match server.gateway.console() {
        Some(console) => page(console),
        None => Redirect::temporary("/graphql").into_response(),
    }
}

/// Answers at addresses of no other route: a file or a page of the console, or 404.
pub(super) async fn fallback(State(server): State<Server>, request: Request) -> Response {
    let nothing = || Problem::not_found("nothing was found at this address").plain();
    let read = matches!(*request.method(), Method::GET | Method::HEAD);
    let Some(console) = server.gateway.console().filter(|_| read) else {
        return nothing();
    };
    let path = request.uri().path();
    if let Some(response) = file(console, path, request.headers()) {
        return response;
    }
    let of_a_program = ["/api/", "/auth/", "/assets/", "/console/", "/graphql/"];
    let page_wanted = Accepts::read(request.headers()).prefers_html()
        && !of_a_program.iter().any(|prefix| path.starts_with(prefix));
    if page_wanted {
        page(console)
    } else {
        nothing()
    }
}

/// The page of the console.
pub(super) fn page(console: Console) -> Response {
    let mut random = [0u8; NONCE_BYTES];
    if getrandom::fill(&mut random).is_err() {
        return Problem::internal().plain();
    }
    let nonce = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, random);
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self'; font-src 'self'; \
         connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (headers, (console.page)(&nonce)).into_response()
}

fn file(console: Console, path: &str, headers: &HeaderMap) -> Option<Response> {
    // A client without the header accepts every coding by the RFC. But such a client is old, so it gets the file
    // uncompressed.
    let named = headers.contains_key(header::ACCEPT_ENCODING);
    let (br, gzip) = (
        named && takes(headers, "br"),
        named && takes(headers, "gzip"),
    );
    let file = (console.file)(path, br, gzip)?;
    let cached = if file.immutable { FOREVER } else { HOUR };
    let mut response = file.content.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(file.content_type),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cached));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if let Some(coding) = file.coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    Some(response)
}
