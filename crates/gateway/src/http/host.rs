//! The `Host` header. RFC 9112, section 3.2, requires exactly one, and status 400 if it is missing, repeated or
//! malformed. Proxies that disagree about the host disagree about access.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Version, header};

use super::problem::Problem;

/// Passes where a request names its host as it must. HTTP/1.0 need not, HTTP/2 does it by `:authority`.
///
/// # Errors
/// 400 `HOST_INVALID`.
pub(super) fn check(version: Version, headers: &HeaderMap) -> Result<(), Problem> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let valid = match (hosts.next(), hosts.next()) {
        (None, _) => version != Version::HTTP_11,
        (Some(host), None) => host
            .to_str()
            .ok()
            .and_then(|host| host.parse::<Authority>().ok())
            .is_some_and(|host| !host.host().is_empty() && !host.as_str().contains('@')),
        (Some(_), Some(_)) => false,
    };
    if valid {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::BAD_REQUEST,
        "HOST_INVALID",
        "send exactly one Host header",
    ))
}
