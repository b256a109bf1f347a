//! Maps all errors to the form that a client gets: a message and a stable `extensions.code`.
//!
//! A resolver returns the error of its domain unchanged. It becomes the source of the GraphQL error and is mapped
//! here. An unknown error becomes `INTERNAL`; its text goes to the log, not to the client.

use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, Response, ServerError};
use nyxcore_model_catalog::ModelError;
use nyxcore_sync::SourceError;
use nyxcore_sync::connection::ConnectionError;
use nyxcore_sync::git::GitError;
use nyxcore_tenancy::IdError;

/// An error of the API itself, with its code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ApiError {
    pub code: &'static str,
    pub message: String,
}

impl ApiError {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self {
            code: "INVALID_INPUT",
            message: message.into(),
        }
    }
}

/// An error with a code, for answers that do not come from a resolver.
pub fn error_with_code(code: &'static str, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    error.extensions = Some(extensions);
    error
}

/// The error for a fault of the server. The cause is only logged.
pub fn internal_error() -> ServerError {
    error_with_code("INTERNAL", "something went wrong on the server")
}

/// The extension of an error with the number of seconds after which to try again.
const RETRY_AFTER: &str = "retryAfterSeconds";

/// The refusal of a tenant that has used up its budget. `seconds` is the time until it may try again.
pub(crate) fn rate_limited_error(seconds: i64) -> ServerError {
    let mut error = error_with_code("RATE_LIMITED", rate_limited_message(seconds));
    let extensions = error.extensions.get_or_insert_default();
    extensions.set(RETRY_AFTER, seconds);
    error
}

/// The message for a tenant that has used up its budget.
pub fn rate_limited_message(seconds: i64) -> String {
    format!(
        "the tenant has used up its points of this minute: try again in {seconds} s, with fewer requests or fields"
    )
}

/// The seconds after which to try again, if an answer is the refusal of [`rate_limited_error`].
pub fn rate_limited_seconds(response: &Response) -> Option<i64> {
    let seconds = |error: &ServerError| match error.extensions.as_ref()?.get(RETRY_AFTER)? {
        async_graphql::Value::Number(number) => number.as_i64(),
        _ => None,
    };
    response.errors.iter().find_map(seconds)
}

/// Gives every error of an answer its code.
pub fn error_codes_add(response: &mut Response) {
    response.errors.iter_mut().for_each(error_code);
}

fn error_code(error: &mut ServerError) {
    let coded = error
        .extensions
        .as_ref()
        .is_some_and(|extensions| extensions.get("code").is_some());
    if coded {
        return;
    }
    inside_log(error);
    let (code, message) = match known(error) {
        Some(known) => known,
        None if is_about_the_document(error) => {
            ("GRAPHQL_VALIDATION_FAILED", error.message.clone())
        }
        None => {
            tracing::error!(message = %error.message, path = ?error.path, "a resolver failed");
            ("INTERNAL", "something went wrong on the server".to_owned())
        }
    };
    error.message = message;
    let connection = error.source::<ConnectionError>();
    let retry_after = connection.and_then(ConnectionError::retry_after);
    let retry_after = retry_after.or(is_passing_code(code).then_some(1));
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("code", code);
    if let Some(seconds) = retry_after {
        extensions.set("retryAfter", seconds);
    }
}

/// Whether all errors of an answer say that the database is busy or unreachable. The same request may then succeed a
/// moment later.
pub fn is_unavailable(response: &Response) -> bool {
    let code = |error: &ServerError| match error.extensions.as_ref()?.get("code")? {
        async_graphql::Value::String(code) => Some(is_passing_code(code)),
        _ => None,
    };
    let empty = match &response.data {
        async_graphql::Value::Null => true,
        async_graphql::Value::Object(fields) => fields
            .values()
            .all(|value| *value == async_graphql::Value::Null),
        _ => false,
    };
    empty
        && response
            .errors
            .iter()
            .any(|error| code(error) == Some(true))
}

fn is_passing_code(code: &str) -> bool {
    matches!(code, "DATABASE_BUSY" | "DATABASE_UNREACHABLE")
}

/// The code that an error gets in the answer, for the audit log.
pub fn error_code_of(error: &ServerError) -> &'static str {
    match known(error) {
        Some((code, _)) => code,
        None if is_about_the_document(error) => "GRAPHQL_VALIDATION_FAILED",
        None => "INTERNAL",
    }
}

/// Whether an error is async-graphql's own about the document, its variables or an argument. Such an error has no
/// source. One about the document has no path; one about an argument begins like `InputValueError` in async-graphql
/// 7.2.1. Any other text is a resolver's, and must not be sent to a client.
fn is_about_the_document(error: &ServerError) -> bool {
    const ARGUMENT: [&str; 2] = ["Failed to parse \"", "Expected input type \""];
    error.source.is_none()
        && (error.path.is_empty()
            || ARGUMENT
                .iter()
                .any(|words| error.message.starts_with(words)))
}

fn known(error: &ServerError) -> Option<(&'static str, String)> {
    if let Some(e) = error.source::<nyxcore_tenancy::Error>() {
        return Some((e.code(), e.to_string()));
    }
    // A loader shares one error among all fields that waited for it.
    if let Some(e) = error.source::<Arc<nyxcore_tenancy::Error>>() {
        return Some((e.code(), e.to_string()));
    }
    if let Some(e) = error.source::<ApiError>() {
        return Some((e.code, e.message.clone()));
    }
    if let Some(e) = error.source::<IdError>() {
        return Some(("INVALID_ID", e.to_string()));
    }
    if let Some(e) = error.source::<GitError>() {
        return Some((e.code(), e.to_string()));
    }
    if let Some(e) = error.source::<SourceError>() {
        return Some((e.code(), e.to_string()));
    }
    if let Some(e) = error.source::<ConnectionError>() {
        return Some((e.code(), e.to_string()));
    }
    if let Some(e) = error.source::<ModelError>() {
        return Some((e.code(), e.to_string()));
    }
    None
}

/// Logs the cause of an internal error.
fn inside_log(error: &ServerError) {
    let shared = error.source::<Arc<nyxcore_tenancy::Error>>();
    let connection = match error.source::<ConnectionError>() {
        Some(ConnectionError::Store(error)) => Some(error),
        _ => None,
    };
    let source = match error.source::<SourceError>() {
        Some(SourceError::Store(error)) => Some(error),
        _ => None,
    };
    let model = match error.source::<ModelError>() {
        Some(ModelError::Store(error)) => Some(error),
        _ => None,
    };
    let inside = error
        .source()
        .or(shared.map(|shared| &**shared))
        .or(connection)
        .or(source)
        .or(model);
    match inside {
        Some(nyxcore_tenancy::Error::Database(source)) => {
            tracing::error!(?source, "the database failed");
        }
        Some(nyxcore_tenancy::Error::Unreachable(source)) => {
            tracing::warn!(?source, "the database cannot be reached");
        }
        Some(nyxcore_tenancy::Error::MasterKey(reason)) => {
            tracing::error!(reason, "the master key cannot be used");
        }
        _ => {}
    }
}
