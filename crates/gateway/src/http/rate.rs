//! The headers that tell a client the state of its tenant's budget, as in the Internet draft [RateLimit header fields
//! for HTTP](https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/10/).

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use nyxcore_graphql::error::rate_limited_message;
use nyxcore_graphql::rate::{RateState, WINDOW};

use super::Server;
use super::auth::VerifiedCredential;
use super::problem::Problem;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Adds the headers to an answer to that caller. Adds none where there is no limit.
pub(super) fn with_standing(
    server: &Server,
    shown: &VerifiedCredential,
    mut response: Response,
) -> Response {
    let tenant = shown.acting.caller.tenant;
    if let Some(standing) = server.gateway.services().rate_state(tenant) {
        for (name, text) in [(POLICY, policy(standing)), (LIMIT, limit(standing))] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                response.headers_mut().insert(name, value);
            }
        }
    }
    response
}

/// Turns a response into the refusal of a client that must wait for this many seconds.
pub(super) fn refused(mut response: Response, seconds: i64) -> Response {
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, seconds.into());
    response
}

/// The refusal of a request that is not GraphQL.
pub(super) fn problem(seconds: i64) -> Problem {
    let message = rate_limited_message(seconds);
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", message).retry_after(seconds)
}

fn policy(standing: RateState) -> String {
    format!(
        r#""points";q={};w={}"#,
        standing.limit,
        WINDOW.num_seconds()
    )
}

fn limit(standing: RateState) -> String {
    let (remaining, seconds) = (standing.remaining, standing.reset_seconds);
    format!(r#""points";r={remaining};t={seconds}"#)
}
