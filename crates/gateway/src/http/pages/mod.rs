//! Two small pages for browsers: `/sign-in`, and `/invite` for invitation links. Where the program has a console, its
//! page is at these addresses instead.

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::{Server, console, only_get};

const PAGE: &str = include_str!("account.html");
const SCRIPT: &str = include_str!("account.js");
const STYLE: &str = include_str!("account.css");

/// The page may load and reach only this server, without inline code.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The pages and what they load.
pub(super) fn routes() -> Router<Server> {
    let page = || {
        get(
            async |State(server): State<Server>| match server.gateway.console() {
                Some(console) => console::page(console),
                None => file("text/html; charset=utf-8", PAGE),
            },
        )
        .fallback(only_get)
    };
    Router::new()
        .route("/sign-in", page())
        .route("/invite", page())
        .route(
            "/assets/account.js",
            get(|| async { file("text/javascript; charset=utf-8", SCRIPT) }).fallback(only_get),
        )
        .route(
            "/assets/account.css",
            get(|| async { file("text/css; charset=utf-8", STYLE) }).fallback(only_get),
        )
}

fn file(content_type: &'static str, content: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, content).into_response()
}
