//! The Model Context Protocol over HTTP: a request is one message, and its answer is JSON.
//!
//! Only an API token is accepted. A browser sends none by itself. So neither a page of another site nor a page whose
//! host name was pointed at this server (DNS rebinding) can call a tool; such requests are refused earlier, by their
//! origin. There are no MCP sessions: a session would have to be bound to its token, end with it, and be known to every
//! replica. So every session id is unknown.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use nyxcore_graphql::rate::MCP_POINTS;
use nyxcore_mcp::{Actor, McpServer, http_service};
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use super::auth::{self, RequestHead};
use super::body::RequestBody;
use super::graphql::is_json;
use super::problem::Problem;
use super::{Server, cross_origin, rate};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// JSON-RPC's code for a body that is not JSON.
const PARSE_ERROR: i64 = -32700;
/// JSON-RPC's code for JSON that is not a request.
const INVALID_REQUEST: i64 = -32600;
/// The first of JSON-RPC's codes for a server's own errors.
const SERVER_ERROR: i64 = -32000;

/// POST: any message of the protocol.
pub(super) async fn post(State(server): State<Server>, request: Request) -> Response {
    answer(server, request).await.unwrap_or_else(Problem::plain)
}

async fn answer(server: Server, request: Request) -> Result<Response, Problem> {
    let gateway = &server.gateway;
    let head = RequestHead::request(&request);
    cross_origin::check(
        head.headers,
        head.uri,
        gateway.sign_in().public_url.as_ref(),
    )?;
    let token = auth::bearer_read(head.headers)?;
    let token = token.ok_or_else(|| {
        Problem::unauthenticated("an API token is required: send Authorization: Bearer nyx_...")
    })?;
    let shown = auth::authenticate(gateway, token, head.tenant_named(), head.origin()).await?;
    if head.headers.contains_key(SESSION) {
        let message = "no such session: this server has none; begin with initialize";
        return Err(Problem::not_found(message));
    }
    if !is_json(head.headers) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "send the message as Content-Type: application/json",
        ));
    }
    let limits = gateway.limits();
    let (parts, body) = request.into_parts();
    let body = RequestBody::open(&parts.headers, body, limits.body_bytes, &limits.connection)?;
    let body = body.whole().await?;
    let message = match message_read(&body) {
        Ok(message) => message,
        Err(Malformed { id, code, text }) => {
            return Ok(refusal(StatusCode::BAD_REQUEST, &id, code, text));
        }
    };
    let tenant = shown.acting.caller.tenant;
    let taken = gateway.services().points_take(tenant, MCP_POINTS);
    if let Err(seconds) = taken {
        let refusal = rate::problem(seconds).plain();
        return Ok(rate::with_standing(&server, &shown, refusal));
    }
    let answering = McpServer::new(gateway.store().clone(), Actor::Caller(shown.acting.clone()));
    let service = http_service(answering, limits.body_bytes);
    let request = Request::from_parts(parts, Body::from(body));
    // The call is cancelled at the time-out, or when the client disconnects.
    match timeout(limits.execution, service.handle(request)).await {
        Ok(response) => {
            let response = response.map(Body::new);
            Ok(rate::with_standing(&server, &shown, response))
        }
        Err(_) => {
            let seconds = limits.execution.as_secs();
            let text =
                format!("EXECUTION_TIMEOUT: the call took longer than {seconds} s and was ended");
            let id = message.get("id").unwrap_or(&Value::Null);
            Ok(refusal(StatusCode::OK, id, SERVER_ERROR, &text))
        }
    }
}

/// A body that is not a message of the protocol.
struct Malformed {
    id: Value,
    code: i64,
    text: &'static str,
}

/// Reads a body as one message.
fn message_read(body: &[u8]) -> Result<Map<String, Value>, Malformed> {
    let malformed = |id: Value, code, text| Err(Malformed { id, code, text });
    let message = match serde_json::from_slice(body) {
        Ok(Value::Object(message)) => message,
        Ok(Value::Array(_)) => {
            let text = "batches are not supported: send one message a request";
            return malformed(Value::Null, INVALID_REQUEST, text);
        }
        Ok(_) => return malformed(Value::Null, INVALID_REQUEST, "a message is an object"),
        Err(_) => return malformed(Value::Null, PARSE_ERROR, "the body is not JSON"),
    };
    if !matches!(message.get("method"), Some(Value::String(_))) {
        let id = message.get("id").cloned().unwrap_or(Value::Null);
        return malformed(id, INVALID_REQUEST, "the message has no method");
    }
    Ok(message)
}

/// A JSON-RPC error for a message that did not reach the MCP service.
fn refusal(status: StatusCode, id: &Value, code: i64, message: &str) -> Response {
    let body = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } });
    let json = [(header::CONTENT_TYPE, "application/json")];
    (status, json, body.to_string()).into_response()
}
