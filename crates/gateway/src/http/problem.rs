//! The error response for requests that do not reach the schema: a status, a stable code and a message.

use async_graphql::{Response as GraphqlResponse, ServerError};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use nyxcore_graphql::error::error_with_code;

use super::params::answer_json;

/// A refusal, not yet in the format of the route that answers with it.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    allow: Option<&'static str>,
    /// The codings of a body that are accepted.
    accept_encoding: Option<&'static str>,
    /// The number of seconds after which the client may try again.
    retry_after: Option<i64>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            allow: None,
            accept_encoding: None,
            retry_after: None,
        }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    pub(super) fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
    }

    pub(super) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL",
            "something went wrong on the server",
        )
    }

    /// `allow` is the value of the header `Allow`: the supported methods.
    pub(super) fn method_not_allowed(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                format!("this address supports {allow}"),
            )
        }
    }

    /// Adds the header `Accept-Encoding`, which names the accepted codings of a body.
    pub(super) fn accept_encoding(self, codings: &'static str) -> Self {
        Self {
            accept_encoding: Some(codings),
            ..self
        }
    }

    /// Adds the header `Retry-After`, in seconds.
    pub(super) fn retry_after(self, seconds: i64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    /// The store failed. The database's error message is logged and not sent.
    pub(super) fn store(error: &nyxcore_tenancy::Error) -> Self {
        tracing::error!(?error, "the store failed");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            error.code(),
            error.to_string(),
        )
    }

    /// A service refused the request, or the store failed.
    pub(super) fn service(error: &nyxcore_tenancy::Error) -> Self {
        use nyxcore_tenancy::Error;
        let status = match error {
            Error::Invalid(_) | Error::InvalidCursor => StatusCode::BAD_REQUEST,
            Error::SignInRefused(_) => StatusCode::UNAUTHORIZED,
            Error::Forbidden(_)
            | Error::TokenForbidden { .. }
            | Error::SessionNeeded
            | Error::SignUpClosed => StatusCode::FORBIDDEN,
            Error::NotFound(_) | Error::InvitationInvalid => StatusCode::NOT_FOUND,
            Error::Conflict(_) | Error::LastOwner => StatusCode::CONFLICT,
            Error::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
            _ => return Self::store(error),
        };
        Self {
            retry_after: match error {
                Error::Throttled(seconds) => Some(*seconds),
                _ => None,
            },
            ..Self::new(status, error.code(), error.to_string())
        }
    }

    /// Replaces the message.
    pub(super) fn with_message(self, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..self
        }
    }

    /// Whether the server is at fault and not the request.
    pub(super) fn is_server_fault(&self) -> bool {
        self.status.is_server_error()
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// As a GraphQL error.
    pub(super) fn error(&self) -> ServerError {
        error_with_code(self.code, self.message.as_str())
    }

    /// The response in the format of `/graphql`: `{"errors": [{"message", "extensions": {"code"}}]}`.
    pub(super) fn graphql(self) -> Response {
        let body = answer_json(&GraphqlResponse::from_errors(vec![self.error()]));
        self.respond(body)
    }

    /// The response in the format of the route at this path.
    pub(super) fn at(self, path: &str) -> Response {
        if path == "/graphql" {
            self.graphql()
        } else {
            self.plain()
        }
    }

    /// The response in the format of every other route: `{"code", "message"}`.
    pub(super) fn plain(self) -> Response {
        let body = serde_json::json!({"code": self.code, "message": self.message}).to_string();
        self.respond(body)
    }

    fn respond(self, body: String) -> Response {
        let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
        let mut response = (self.status, json, body).into_response();
        let headers = response.headers_mut();
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(codings) = self.accept_encoding {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(codings));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
