//! HTTP on the byte level: the host, the encoding and end of a body, and tokens in URLs.

use nyxcore_gateway::Limits;
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use super::client::{Served, code, serve};

/// The status of a raw answer, and the code in its body.
fn status_and_code(answer: &str) -> (u16, String) {
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    (status.unwrap_or_default(), code(&body).to_owned())
}

/// A POST with these headers and this body, byte by byte.
fn post(served: &Served, path: &str, headers: &str, body: &str) -> String {
    let token = &served.token;
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\n{headers}\r\n{body}"
    )
}

on_both_databases! {
    async fn a_request_names_its_host_exactly_once(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        for (version, hosts, status) in [
            ("1.1", "", 400),
            ("1.1", "Host: a\r\nHost: b\r\n", 400),
            ("1.1", "Host: a\r\nHost: a\r\n", 400),
            ("1.1", "Host: a\r\nhOST: a\r\n", 400),
            ("1.0", "Host: a\r\nHost: a\r\n", 400),
            ("1.1", "Host:\r\n", 400),
            ("1.1", "Host: a b\r\n", 400),
            ("1.1", "Host: user@a\r\n", 400),
            ("1.1", "Host: a/b\r\n", 400),
            ("1.1", "Host: a:99999x\r\n", 400),
            ("1.1", "Host: a:99999\r\n", 400),
            ("1.1", "Host: a:+80\r\n", 400),
            ("1.1", "Host: a:80\r\n", 200),
            ("1.1", "Host: a\r\n", 200),
            ("1.1", "Host: [::1]:4600\r\n", 200),
            ("1.0", "", 200),
        ] {
            for path in ["/healthz", "http://a/healthz", "/sign-in"] {
                let request = format!("GET {path} HTTP/{version}\r\n{hosts}Connection: close\r\n\r\n");
                let answer = status_and_code(&served.raw(&request).await);
                let expected = if status == 400 { "HOST_INVALID" } else { "" };
                assert_eq!(answer, (status, expected.to_owned()), "{request:?}");
            }
        }
    }

    async fn a_body_that_ends_early_is_a_bad_request(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let hook = format!("/api/v1/webhooks/github/{}/source_x", served.tenant);
        for path in ["/graphql", "/auth/sign-in", "/auth/sign-up", "/auth/tenant", &hook] {
            for (headers, body) in [
                ("Content-Length: 100\r\n", "{\"query\""),
                ("Content-Length: 2\r\n", "{"),
                ("Content-Length: 2\r\n", ""),
                ("Transfer-Encoding: chunked\r\n", "5\r\n{\"que"),
                ("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n"),
                ("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"),
            ] {
                let request = post(&served, path, headers, body);
                let answer = status_and_code(&served.raw_half_closed(&request).await);
                assert_eq!(answer, (400, "BODY_INCOMPLETE".to_owned()), "{path} {headers} {body}");
            }
        }
    }

    async fn a_coded_body_is_refused(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let body = json!({"query": "{ viewer { role } }"}).to_string();
        let length = format!("Content-Length: {}\r\n", body.len());
        let hook = format!("/api/v1/webhooks/github/{}/source_x", served.tenant);
        for coding in ["gzip", "br", "x-unknown", "identity, gzip", "gzip, identity", "IDENTITY\r\nContent-Encoding: gzip"] {
            for path in ["/graphql", "/auth/sign-in", &hook] {
                let headers = format!("{length}Content-Encoding: {coding}\r\n");
                let answer = status_and_code(&served.raw(&post(&served, path, &headers, &body)).await);
                assert_eq!(answer, (415, "CONTENT_ENCODING_NOT_SUPPORTED".to_owned()), "{path} {coding}");
            }
        }
        for coding in ["identity", "Identity", "identity, identity"] {
            let headers = format!("{length}Content-Encoding: {coding}\r\n");
            let answer = served.raw(&post(&served, "/graphql", &headers, &body)).await;
            assert_eq!(status_and_code(&answer), (200, String::new()), "{coding}");
        }
    }

    async fn an_escaped_token_in_an_address_is_refused(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let whole = format!("{}%{:02x}{}", &served.token[..10], served.token.as_bytes()[10], &served.token[11..]);
        let pairs = [
            "x=nyx_01h", "x=%6eyx_01h", "x=%6E%79%78%5F01h", "x=%256eyx_01h", "x=%25256eyx_01h",
            "x=+nyx_01h", "x=%20nyx_01h", "x=%22nyx_01h%22",
            "to%6ben=a", "%74%6f%6b%65%6e=a", "%2574oken=a", "+token+=a", "token%20=a", "token", "TOKEN[]=a", "a=1;token=b", "a=1%26token=b",
            "access%5ftoken=a", "access-token=a", "Api%4Bey=a", "x=nyxs_01h", "x=nyxinv_01h", "x=nyxwh_01h",
        ];
        let whole = [format!("q=see+{whole}"), format!("q={{a}},{whole}"), format!("{}=1", served.token)];
        for pair in pairs.iter().map(|pair| (*pair).to_owned()).chain(whole) {
            for path in ["/graphql", "/healthz", "/readyz", "/sign-in", "/auth/methods", "/nothing", "/api/v1/audit", "/"] {
                let request = format!("GET {path}?a=b&{pair} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
                let answer = status_and_code(&served.raw(&request).await);
                assert_eq!(answer, (401, "UNAUTHENTICATED".to_owned()), "{path} {pair}");
            }
        }
        for path in [served.token.clone(), format!("%6e{}", &served.token[1..])] {
            let request = format!("GET /api/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            assert_eq!(status_and_code(&served.raw(&request).await).0, 401, "{path}");
        }
    }

    async fn an_address_without_a_token_is_served(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        for query in ["", "?a=token", "?query=%7Btoken%7D", "?query=%7Ba(token:%22x%22)%7D", "?x=100%25", "?x=%zz", "?x=%", "?nyx=1", "?tokens=1"] {
            let request = format!("GET /healthz{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            assert_eq!(status_and_code(&served.raw(&request).await).0, 200, "{query}");
        }
    }
}
