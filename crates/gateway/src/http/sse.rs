//! Streams of server-sent events, and GraphQL over them: the
//! [distinct-connections mode](https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md) of GraphQL over SSE.

use std::convert::Infallible;

use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};

use super::Server;
use super::auth::VerifiedCredential;
use super::connection::body_guard;
use super::params::answer_json;
use super::problem::Problem;

/// Asks a proxy in front (nginx) to pass events on without buffering.
const UNBUFFERED: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-accel-buffering"),
    HeaderValue::from_static("no"),
);

/// Streams one operation: `next` for each answer, `complete` at its end. Failures are answers too, since the
/// `EventSource` of a browser cannot read another status.
pub(super) fn operation(
    server: &Server,
    shown: &VerifiedCredential,
    request: async_graphql::Request,
) -> Result<Response, Problem> {
    let answers = server
        .schema
        .execute_stream(request)
        .map(|answer| Event::default().event("next").data(answer_json(&answer)));
    // A browser's listener never gets an event without a line of data, and axum writes no such line for an empty text.
    let complete = futures::stream::once(async { Event::default().event("complete").data("\n") });
    events(server, shown, answers.chain(complete))
}

/// A response of these events, with keep-alive comments between them. It ends early, without a `complete`, when its
/// token is revoked or the server shuts down. The client reconnects and learns which of them it was.
///
/// # Errors
/// The person has too many streams open.
pub(super) fn events(
    server: &Server,
    shown: &VerifiedCredential,
    events: impl Stream<Item = Event> + Send + 'static,
) -> Result<Response, Problem> {
    let slot = server.stream_slot(shown)?;
    let events = events
        .take_until(Box::pin(server.stream_ends(shown)))
        .map(Ok::<_, Infallible>);
    let keep_alive = KeepAlive::new().interval(server.gateway.limits().keepalive);
    let response = ([UNBUFFERED], Sse::new(events).keep_alive(keep_alive)).into_response();
    Ok(body_guard(response, slot))
}
