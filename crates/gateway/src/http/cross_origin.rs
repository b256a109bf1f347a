//! Protection against cross-site request forgery. A browser sends its cookies with requests from other sites, but not
//! a token.
//!
//! The rule is the one of Go's [`CrossOriginProtection`](https://pkg.go.dev/net/http#CrossOriginProtection): a browser
//! gives the origin in `Sec-Fetch-Site`, an old browser in `Origin`. A request with neither does not come from a
//! browser.

use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use url::Url;

use super::problem::Problem;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Accepts a request that does not come from another site.
///
/// # Errors
/// 403 `CROSS_ORIGIN`.
pub(super) fn check(
    headers: &HeaderMap,
    uri: &Uri,
    public_url: Option<&Url>,
) -> Result<(), Problem> {
    let origin = headers
        .get(header::ORIGIN)
        .map(|origin| origin.to_str().unwrap_or("null"));
    let ours = public_url.map(|url| url.origin().ascii_serialization());
    if origin.is_some() && origin == ours.as_deref() {
        return Ok(());
    }
    let site = headers
        .get(FETCH_SITE)
        .map(|site| site.to_str().unwrap_or_default());
    let same = match (site, origin) {
        (Some("same-origin" | "none"), _) | (None, None) => true,
        (Some(_), _) => false,
        (None, Some(origin)) => {
            let host = headers
                .get(header::HOST)
                .and_then(|host| host.to_str().ok());
            let host = host.or(uri.authority().map(|authority| authority.as_str()));
            let from = origin.split_once("://").map(|(_, from)| from);
            from.is_some() && from == host
        }
    };
    if same {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "CROSS_ORIGIN",
        "cross-origin request refused: only pages of this server may send it; behind a proxy, set public_url",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn passes(headers: &[(&'static str, &'static str)], public_url: Option<&str>) -> bool {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect();
        let public_url = public_url.map(|url| Url::parse(url).unwrap());
        check(&headers, &Uri::from_static("/graphql"), public_url.as_ref()).is_ok()
    }

    #[test]
    fn a_browser_says_where_a_request_comes_from() {
        let host = ("host", "nyx.example.org");
        for (headers, expected) in [
            (vec![], true),
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("sec-fetch-site", "none")], true),
            (vec![("sec-fetch-site", "same-site")], false),
            (vec![("sec-fetch-site", "cross-site")], false),
            (vec![("sec-fetch-site", "")], false),
            (vec![("origin", "https://nyx.example.org")], true),
            (vec![("origin", "https://nyx.example.org:8443")], false),
            (vec![("origin", "https://evil.example.org")], false),
            (
                vec![("origin", "https://nyx.example.org.evil.example")],
                false,
            ),
            (vec![("origin", "null")], false),
            (vec![("origin", "")], false),
            // `Sec-Fetch-Site` counts more than an `Origin` that looks like ours.
            (
                vec![
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://nyx.example.org"),
                ],
                false,
            ),
        ] {
            let mut all = vec![host];
            all.extend(&headers);
            assert_eq!(passes(&all, None), expected, "{headers:?}");
        }
    }

    #[test]
    fn behind_a_proxy_the_public_url_is_our_origin() {
        let public = Some("https://nyx.example.org/");
        let inside = ("host", "10.0.0.5:4600");
        assert!(passes(
            &[inside, ("origin", "https://nyx.example.org")],
            public
        ));
        assert!(!passes(
            &[inside, ("origin", "http://nyx.example.org")],
            public
        ));
        assert!(!passes(
            &[inside, ("origin", "https://evil.example.org")],
            public
        ));
        assert!(!passes(
            &[inside, ("origin", "https://nyx.example.org")],
            None
        ));
    }
}
