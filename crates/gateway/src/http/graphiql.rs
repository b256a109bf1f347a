//! GraphiQL: a page at `/graphql` and its files, all served by this server.
//!
//! The distribution is in the repository (`just graphiql` updates it). So it works without internet access, and no
//! other host runs code in a signed-in browser.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use super::problem::Problem;
use super::{Server, only_get};

const PAGE: &str = include_str!("pages/graphiql.html");
/// The page may load and reach only this server. No inline script runs. `data:` is for small images in the style
/// sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The URL of such a file contains a hash of its content, so its content never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// The files, by the names that the page knows them by.
static ASSETS: LazyLock<[Asset; 4]> = LazyLock::new(|| {
    let script = "text/javascript; charset=utf-8";
    let style = "text/css; charset=utf-8";
    [
        Asset::new(
            "graphiql.js",
            script,
            include_bytes!("../../assets/graphiql/graphiql.js.gz"),
            true,
        ),
        Asset::new(
            "graphiql.css",
            style,
            include_bytes!("../../assets/graphiql/graphiql.css.gz"),
            true,
        ),
        Asset::new(
            "start.js",
            script,
            include_bytes!("pages/graphiql_start.js"),
            false,
        ),
        Asset::new(
            "start.css",
            style,
            include_bytes!("pages/graphiql_start.css"),
            false,
        ),
    ]
});

/// The page, with the addresses of its files.
static HTML: LazyLock<String> = LazyLock::new(|| {
    ASSETS.iter().fold(PAGE.to_owned(), |page, asset| {
        page.replace(
            &format!("{{{}}}", asset.name),
            &format!("/assets/graphiql/{}", asset.file),
        )
    })
});

struct Asset {
    name: &'static str,
    /// Its name in URLs, with a hash of its content: `graphiql-0123456789ab.js`.
    file: String,
    /// The hash, as an `ETag`.
    tag: String,
    content_type: &'static str,
    content: &'static [u8],
    gzip: bool,
}

impl Asset {
    fn new(
        name: &'static str,
        content_type: &'static str,
        content: &'static [u8],
        gzip: bool,
    ) -> Self {
        let digest = Sha256::digest(content);
        let hash = hex::encode(&digest[..6]);
        let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
        Self {
            name,
            file: format!("{stem}-{hash}.{ending}"),
            tag: format!("\"{hash}\""),
            content_type,
            content,
            gzip,
        }
    }

    fn response(&self, headers: &HeaderMap) -> Response {
        let cached = headers
            .get(header::IF_NONE_MATCH)
            .and_then(|tags| tags.to_str().ok());
        let fresh = cached.is_some_and(|tags| {
            tags.split(',')
                .any(|tag| tag.trim().trim_start_matches("W/") == self.tag)
        });
        let mut response = if fresh {
            StatusCode::NOT_MODIFIED.into_response()
        } else if self.gzip && !takes_gzip(headers) {
            return Problem::new(
                StatusCode::NOT_ACCEPTABLE,
                "NOT_ACCEPTABLE",
                "this file is served with Content-Encoding: gzip",
            )
            .plain();
        } else {
            let mut response =
                ([(header::CONTENT_TYPE, self.content_type)], self.content).into_response();
            if self.gzip {
                response
                    .headers_mut()
                    .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            response
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(FOREVER));
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if let Ok(tag) = HeaderValue::from_str(&self.tag) {
            headers.insert(header::ETAG, tag);
        }
        response
    }
}

/// The files of the page.
pub(super) fn routes() -> Router<Server> {
    let file = async |Path(file): Path<String>, headers: HeaderMap| match ASSETS
        .iter()
        .find(|asset| asset.file == file)
    {
        Some(asset) => asset.response(&headers),
        None => Problem::not_found("nothing was found at this address").plain(),
    };
    Router::new().route("/assets/graphiql/{file}", get(file).fallback(only_get))
}

/// The page.
pub(super) fn page() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, HTML.as_str()).into_response()
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    takes(headers, "gzip")
}

/// Whether a client accepts a coding. A client without `Accept-Encoding` accepts everything (RFC 9110, section 12.5.3).
pub(super) fn takes(headers: &HeaderMap, coding: &str) -> bool {
    let mut values = headers.get_all(header::ACCEPT_ENCODING).iter().peekable();
    if values.peek().is_none() {
        return true;
    }
    let codings = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let weights = codings.filter_map(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight
            .trim()
            .strip_prefix("q=")
            .and_then(|weight| weight.parse::<f32>().ok());
        Some((name.trim().to_ascii_lowercase(), weight? > 0.0))
    });
    let weights: Vec<(String, bool)> = weights.collect();
    let of = |wanted: &str| {
        weights
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, taken)| *taken)
    };
    of(coding).or(of("*")).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_who_takes_it() {
        let takes = |value: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            }
            takes_gzip(&headers)
        };
        for value in [
            None,
            Some("gzip, deflate, br"),
            Some("*"),
            Some("br;q=1, GZIP;q=0.1"),
        ] {
            assert!(takes(value), "{value:?}");
        }
        for value in ["", "identity", "br", "gzip;q=0", "*;q=0", "gzip;q=0, *"] {
            assert!(!takes(Some(value)), "{value}");
        }
    }

    #[test]
    fn the_page_names_every_file() {
        assert!(
            ASSETS
                .iter()
                .all(|asset| HTML.contains(&format!("\"/assets/graphiql/{}\"", asset.file)))
        );
        assert!(!HTML.contains('{'));
    }
}
