//! GraphQL by POST and GET, as in the [GraphQL-over-HTTP
//! specification](https://graphql.github.io/graphql-over-http/draft/).
//!
//! One URL serves JSON, an event stream, a WebSocket or a page, depending on the request. POST requires JSON, so that
//! a form of another site cannot send a request. GET allows queries only.

use async_graphql::Response as GraphqlResponse;
use async_graphql::parser::types::OperationType;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use nyxcore_graphql::RequestContext;
use nyxcore_graphql::error::{is_unavailable, rate_limited_seconds};

use super::accept::{Accepts, Media};
use super::auth::{self, RequestHead, VerifiedCredential};
use super::body::RequestBody;
use super::params::{AddressParams, Params, answer_json, is_request_error};
use super::problem::Problem;
use super::{Server, graphiql, rate, sse, ws};

/// GET: a query, an event stream, a WebSocket, or the page.
pub(super) async fn get(State(server): State<Server>, request: Request) -> Response {
    get_answer(server, request)
        .await
        .unwrap_or_else(Problem::graphql)
}

async fn get_answer(server: Server, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    if parts.headers.contains_key(header::UPGRADE) {
        return ws::upgrade(server, parts).await;
    }
    let accepts = Accepts::read(&parts.headers);
    if accepts.prefers_html() {
        return Ok(graphiql::page());
    }
    let shown = auth::request_authenticate(&server.gateway, RequestHead::parts(&parts)).await?;
    let Query(params) = Query::<AddressParams>::try_from_uri(&parts.uri)
        .map_err(|error| Problem::bad_request(error.body_text()))?;
    execute(&server, &shown, &accepts, params.request()?, true).await
}

/// POST: any operation.
pub(super) async fn post(State(server): State<Server>, request: Request) -> Response {
    post_answer(server, request)
        .await
        .unwrap_or_else(Problem::graphql)
}

async fn post_answer(server: Server, request: Request) -> Result<Response, Problem> {
    let shown = auth::request_authenticate(&server.gateway, RequestHead::request(&request)).await?;
    if !is_json(request.headers()) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "send the request as Content-Type: application/json",
        ));
    }
    let accepts = Accepts::read(request.headers());
    let limits = server.gateway.limits();
    let (parts, body) = request.into_parts();
    let body = RequestBody::open(&parts.headers, body, limits.body_bytes, &limits.connection)?;
    let body = body.whole().await?;
    execute(
        &server,
        &shown,
        &accepts,
        Params::from_body(&body)?.request()?,
        false,
    )
    .await
}

/// JSON in UTF-8: `application/json`, with no other charset than that.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let text = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let mut parts = text.unwrap_or_default().split(';').map(str::trim);
    parts
        .next()
        .is_some_and(|media| media.eq_ignore_ascii_case("application/json"))
        && parts
            .filter_map(|part| part.split_once('='))
            .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
            .all(|(_, charset)| {
                charset
                    .trim_matches([' ', '"'])
                    .eq_ignore_ascii_case("utf-8")
            })
}

async fn execute(
    server: &Server,
    shown: &VerifiedCredential,
    accepts: &Accepts,
    mut request: async_graphql::Request,
    by_get: bool,
) -> Result<Response, Problem> {
    let document = server.gateway.documents().check(&mut request);
    let operation = document.map(|document| document.kind);
    if by_get && operation == Ok(OperationType::Mutation) {
        return Err(Problem::method_not_allowed("POST"));
    }
    let request = request.data(RequestContext::new(
        server.gateway.services(),
        shown.acting.clone(),
    ));
    let json = accepts.json();
    let subscription = operation == Ok(OperationType::Subscription);
    if accepts.names(Media::EventStream) && (subscription || json.is_none()) {
        let response = sse::operation(server, shown, request)?;
        return Ok(rate::with_standing(server, shown, response));
    }
    let not_acceptable =
        |message| Problem::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message);
    let media = json.ok_or_else(|| {
        not_acceptable(
            "accept application/graphql-response+json, application/json or text/event-stream",
        )
    })?;
    if subscription {
        return Err(not_acceptable(
            "a subscription requires text/event-stream or a WebSocket",
        ));
    }
    let response = match operation {
        Ok(_) => server.schema.execute(request).await,
        Err(error) => GraphqlResponse::from_errors(vec![error]),
    };
    let answer = rate::with_standing(server, shown, answer(&response, media));
    Ok(match rate_limited_seconds(&response) {
        Some(seconds) => rate::refused(answer, seconds),
        None => answer,
    })
}

/// With `application/graphql-response+json` the status reflects an invalid request; with `application/json` old
/// clients treat any status but 200 as a server failure. A busy or unreachable database and a used-up budget are
/// reported by status in both.
fn answer(response: &GraphqlResponse, media: Media) -> Response {
    let (status, content_type) = match media {
        Media::GraphqlResponse if is_request_error(response) => (
            StatusCode::BAD_REQUEST,
            "application/graphql-response+json; charset=utf-8",
        ),
        Media::GraphqlResponse => (
            StatusCode::OK,
            "application/graphql-response+json; charset=utf-8",
        ),
        _ => (StatusCode::OK, "application/json; charset=utf-8"),
    };
    let headers = [(header::CONTENT_TYPE, content_type)];
    if is_unavailable(response) {
        let later = [(header::RETRY_AFTER, "1")];
        let body = answer_json(response);
        return (StatusCode::SERVICE_UNAVAILABLE, headers, later, body).into_response();
    }
    (status, headers, answer_json(response)).into_response()
}
