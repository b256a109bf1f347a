//! The `Host` header. RFC 9112, section 3.2, requires exactly one, and status 400 if it is missing, repeated or
//! malformed. Proxies that disagree about the host disagree about access.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Version, header};

use super::problem::Problem;

/// Accepts a request that names its host as required. HTTP/1.0 need not name it, HTTP/2 names it by `:authority`.
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
            .is_some_and(|host| is_host(&host)),
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

/// A name with an optional port, and no user: `uri-host [ ":" *DIGIT ]`.
fn is_host(authority: &Authority) -> bool {
    let (text, name) = (authority.as_str(), authority.host());
    let port = text.strip_prefix(name);
    let is_port = |port: &str| {
        port.is_empty()
            || port
                .parse::<u16>()
                .is_ok_and(|_| port.as_bytes()[0] != b'+')
    };
    let is_port = port.is_some_and(|port| match port.strip_prefix(':') {
        Some(number) => is_port(number),
        None => port.is_empty(),
    });
    !name.is_empty() && is_port
}
