//! Refuses tokens in the URL of a request. URLs are stored in logs, browser histories and proxies. The refusal tells
//! the sender that the token must be revoked.

use std::borrow::Cow;

use axum::http::Uri;
use percent_encoding::percent_decode_str;

use super::problem::Problem;

/// Parameter names under which clients often put a token in a URL.
const TOKEN_NAMES: [&str; 7] = [
    "token",
    "access_token",
    "api_token",
    "api_key",
    "apikey",
    "authorization",
    "auth",
];
/// The prefixes of the secrets that this server issues.
const SECRETS: [&str; 4] = ["nyx_", "nyxs_", "nyxinv_", "nyxwh_"];
/// How often a URL is percent-decoded. Proxies that decode and encode again make two or three layers of escapes.
const DECODINGS: usize = 8;

/// Refuses a URL that contains a token, escaped or not.
///
/// # Errors
/// 401 for a token; 400 for a URL with more layers of escapes than are decoded.
pub(super) fn check(uri: &Uri) -> Result<(), Problem> {
    let mut path = Cow::Borrowed(uri.path());
    let mut query = Cow::Borrowed(uri.query().unwrap_or_default());
    for _ in 0..=DECODINGS {
        if has_secret(&path) || has_secret(&query) || has_token_name(&query) {
            return Err(Problem::unauthenticated(
                "a token must not be in the URL, because URLs are logged: send it in the header \
                 Authorization: Bearer nyx_..., and revoke this token",
            ));
        }
        let (next_path, next_query) = (decode(&path), decode(&query));
        if next_path == path && next_query == query {
            return Ok(());
        }
        (path, query) = (Cow::Owned(next_path), Cow::Owned(next_query));
    }
    Err(Problem::bad_request(
        "the URL is percent-encoded too many times",
    ))
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn has_secret(text: &str) -> bool {
    text.split(|c: char| !is_word(c))
        .any(|word| SECRETS.iter().any(|secret| word.starts_with(secret)))
}

/// Whether a query has a parameter with a token's name. Characters around the name do not matter: `+token`, `token[]`
/// and `access-token` count.
fn has_token_name(query: &str) -> bool {
    query.split(['&', ';']).any(|pair| {
        let name = pair.split('=').next().unwrap_or_default().replace('-', "_");
        let name = name
            .split(|c: char| !is_word(c))
            .find(|word| !word.is_empty());
        let name = name.unwrap_or_default();
        TOKEN_NAMES
            .iter()
            .any(|token| name.eq_ignore_ascii_case(token))
    })
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(address: &str) -> bool {
        check(&address.parse().unwrap()).is_err()
    }

    #[test]
    fn a_token_in_an_address_is_seen_by_name_and_by_form() {
        for address in [
            "/graphql?token=x",
            "/graphql?query=%7Ba%7D&Access_Token=x",
            "/graphql?t=nyx_01h_ab",
            "/auth/session?s=nyxs_01h_ab",
            "/invite?nyxinv=nyxinv_01h_ab",
            "/a?auth",
            "/nyx_01h_ab/b",
            "/a?x=%6eyx_01h",
            "/a?x=%256%65yx_01h",
            "/a?to%6ben=x",
            "/a?x=1%26token=x",
            "/a?x=1;token=x",
            "/a?%2btoken=x",
        ] {
            assert!(is_refused(address), "{address}");
        }
    }

    #[test]
    fn an_address_without_a_token_passes() {
        for address in [
            "/graphql",
            "/graphql?query=%7Btoken%7D",
            "/graphql?query=%7Ba(x:%22token%22)%7D",
            "/graphql?after=3",
            "/auth/oidc/x/callback?code=abc&state=100%25",
            "/a?b=%zz&c=%&d=%f0",
            "/a?tokens=1&mytoken=1&onyx_=1",
        ] {
            assert!(!is_refused(address), "{address}");
        }
    }

    #[test]
    fn endless_escapes_are_refused() {
        let address = format!("/a?x=%{}41", "25".repeat(1000));
        assert!(is_refused(&address));
    }
}
