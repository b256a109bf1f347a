//! The gateway's transports over real sockets: authentication, response formats, and the end of streams.

mod budgets;
pub(crate) mod client;
mod connections;
mod documents;
mod graphiql;
mod http_rules;
mod nulls;
mod rate;
mod slow_clients;
mod streams;
mod transports;
mod unknown_kinds;
mod websocket;

use chrono::TimeDelta;
use nyxcore_gateway::Limits;
use nyxcore_sync::git::SourcePolicy;
use nyxcore_tenancy::Role;
use nyxcore_tenancy::directory::{self, NewApiToken};
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use crate::support::{store, store_at_rest, tenant};
use client::{Served, code, serve};

const VIEWER: &str = "{ viewer { role tenant { slug } } }";
const RESPONSE: &str = "application/graphql-response+json";

on_both_databases! {
    async fn an_answer_comes_in_the_form_that_was_asked_for(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        for (accept, content_type, status_of_broken) in [
            (None, "application/json", 200),
            (Some("*/*"), "application/json", 200),
            (Some("application/json"), "application/json", 200),
            (Some(RESPONSE), RESPONSE, 400),
            (Some("application/graphql-response+json, application/json;q=0.9"), RESPONSE, 400),
        ] {
            for (query, status) in [(VIEWER, 200), ("{", status_of_broken), ("{ nothing }", status_of_broken)] {
                let mut request = served.post(&json!({"query": query}));
                if let Some(accept) = accept {
                    request = request.header("accept", accept);
                }
                let response = request.send().await.unwrap();
                assert_eq!(response.status().as_u16(), status, "{accept:?} {query}");
                let expected = format!("{content_type}; charset=utf-8");
                assert_eq!(response.headers()["content-type"], expected.as_str());
                let body: Value = response.json().await.unwrap();
                if query == VIEWER {
                    assert_eq!(body, json!({"data": {"viewer": {"role": "OWNER", "tenant": {"slug": "acme"}}}}));
                } else {
                    // A request that was not executed has no data, and its errors have codes.
                    assert!(body.get("data").is_none(), "{body}");
                    assert!(code(&body).starts_with("GRAPHQL_"), "{body}");
                }
            }
        }
        // A field error is part of a response to a valid request.
        let query = json!({"query": "{ project(id: \"nonsense\") { id } }"});
        let response = served.post(&query).header("accept", RESPONSE).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let body: Value = response.json().await.unwrap();
        assert!(body.get("data").is_some() && body["errors"][0]["path"] == json!(["project"]), "{body}");
        let response = served.post(&query).header("accept", "image/png").send().await.unwrap();
        assert_eq!(response.status(), 406);
    }

    async fn post_takes_one_operation_in_json(db: TestDatabase) {
        let served = serve(&db, Limits { body_bytes: 4096, ..Limits::default() }).await;
        let good = json!({"query": VIEWER}).to_string();
        let padded = json!({"query": VIEWER, "pad": "x".repeat(5000)}).to_string();
        for (content_type, body, status, expected) in [
            (Some("application/json"), good.as_str(), 200, ""),
            (Some("Application/JSON; charset=UTF-8"), &good, 200, ""),
            (Some("application/json; charset=latin1"), &good, 415, "UNSUPPORTED_MEDIA_TYPE"),
            (Some("text/plain"), &good, 415, "UNSUPPORTED_MEDIA_TYPE"),
            (Some("application/x-www-form-urlencoded"), "query=%7Bviewer%7Brole%7D%7D", 415, "UNSUPPORTED_MEDIA_TYPE"),
            (Some("multipart/form-data; boundary=x"), &good, 415, "UNSUPPORTED_MEDIA_TYPE"),
            (None, &good, 415, "UNSUPPORTED_MEDIA_TYPE"),
            (Some("application/json"), "{", 400, "BAD_REQUEST"),
            (Some("application/json"), "{}", 400, "BAD_REQUEST"),
            (Some("application/json"), r#"{"query": 1}"#, 400, "BAD_REQUEST"),
            (Some("application/json"), r#"[{"query": "{ viewer { role } }"}]"#, 400, "BATCHING_NOT_SUPPORTED"),
            (Some("application/json"), &padded, 413, "BODY_TOO_LARGE"),
        ] {
            let mut request = served.request("POST", "/graphql").body(body.to_owned());
            if let Some(content_type) = content_type {
                request = request.header("content-type", content_type);
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.status().as_u16(), status, "{content_type:?} {body}");
            let body: Value = response.json().await.unwrap();
            assert_eq!(code(&body), expected, "{body}");
        }
    }

    async fn get_serves_queries_and_nothing_that_changes(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let get = async |parameters: &[(&str, &str)]| {
            let url = url::Url::parse_with_params(&served.url("/graphql"), parameters).unwrap();
            let response = served.client.get(url).bearer_auth(&served.token).send().await.unwrap();
            let (status, allow) = (response.status().as_u16(), response.headers().get("allow").cloned());
            (status, allow, response.json::<Value>().await.unwrap())
        };
        let query = "query A { viewer { role } } query B($skip: Boolean!) { viewer { role @skip(if: $skip) __typename } }";
        let (status, _, body) = get(&[("query", query), ("operationName", "B"), ("variables", r#"{"skip": true}"#)]).await;
        assert_eq!((status, body), (200, json!({"data": {"viewer": {"__typename": "Viewer"}}})));
        let (status, _, body) = get(&[]).await;
        assert_eq!((status, code(&body)), (400, "BAD_REQUEST"));
        let (status, _, body) = get(&[("query", VIEWER), ("variables", "{")]).await;
        assert_eq!((status, code(&body)), (400, "BAD_REQUEST"));
        let mutation = r#"mutation { createProject(input: {name: "x"}) { project { id } } }"#;
        let (status, allow, body) = get(&[("query", mutation)]).await;
        assert_eq!((status, code(&body)), (405, "METHOD_NOT_ALLOWED"));
        assert_eq!(allow.unwrap(), "POST");
        let (_, _, body) = get(&[("query", "{ projects { totalCount } }")]).await;
        assert_eq!(body["data"]["projects"]["totalCount"], 0);
        let (status, _, body) = get(&[("query", "subscription { tenantActivity { seq } }")]).await;
        assert_eq!((status, code(&body)), (406, "NOT_ACCEPTABLE"));
        let response = served.request("DELETE", "/graphql").send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.headers()["allow"].to_str().unwrap()), (405, "GET, POST"));
    }

    async fn the_pages_for_people_load_only_what_this_server_has(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        for page in ["/sign-in", "/invite"] {
            let response = served.client.get(served.url(page)).send().await.unwrap();
            assert_eq!((response.status().as_u16(), &response.headers()["content-type"]), (200, &"text/html; charset=utf-8".parse().unwrap()));
            let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
            assert!(policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"), "{policy}");
            let html = response.text().await.unwrap();
            let quoted = html.split('"').filter(|text| text.starts_with("/assets/") || text.contains("//"));
            let loaded: Vec<&str> = quoted.collect();
            assert_eq!(loaded, ["/assets/account.css", "/assets/account.js"]);
            for path in loaded {
                assert_eq!(served.client.get(served.url(path)).send().await.unwrap().status(), 200, "{path}");
            }
        }
    }

    async fn nobody_gets_in_without_a_good_token(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let served = Served::start(&store, "acme", Limits::default()).await;
        let expiring = served.token_make(Some(store.env().now() + TimeDelta::hours(1))).await;
        let revoked = served.token_make(None).await;
        served.token_revoke(&revoked).await;
        clock.advance(TimeDelta::hours(2));
        let (head, last) = served.token.split_at(served.token.len() - 1);
        let forged = format!("{head}{}", if last == "0" { "1" } else { "0" });
        for authorization in [
            None,
            Some(String::new()),
            Some("Bearer".into()),
            Some("Bearer nyx_nonsense".into()),
            Some(format!("Basic {}", served.token)),
            Some(format!("Bearer {forged}")),
            Some(format!("Bearer {}", expiring.1)),
            Some(format!("Bearer {}", revoked.1)),
        ] {
            for path in ["/graphql", "/api/v1/events/syncs/run_01h455vb4pex5vsknk084sn02q"] {
                // Not even an invalid body is parsed.
                let mut request = served.client.request(if path == "/graphql" { "POST" } else { "GET" }.parse().unwrap(), served.url(path)).body("{");
                if let Some(authorization) = &authorization {
                    request = request.header("authorization", authorization);
                }
                let response = request.send().await.unwrap();
                assert_eq!(response.status(), 401, "{authorization:?}");
                assert_eq!(response.headers()["www-authenticate"], "Bearer");
                assert_eq!(code(&response.json().await.unwrap()), "UNAUTHENTICATED");
            }
        }
        // A token in the URL is refused even with a valid one in the header.
        for query in [format!("access_token={}", served.token), format!("x={}", served.token)] {
            let response = served.request("GET", &format!("/graphql?{query}")).send().await.unwrap();
            assert_eq!(response.status(), 401);
            let body: Value = response.json().await.unwrap();
            assert!(body["errors"][0]["message"].as_str().unwrap().contains("Authorization"), "{body}");
        }
    }

    async fn a_client_that_means_another_tenant_is_told(db: TestDatabase) {
        let store = store(&db).await;
        let served = Served::start(&store, "acme", Limits::default()).await;
        tenant(&store, "other").await;
        for (slug, status) in [("acme", 200), ("other", 403), ("nobody", 403), ("", 403)] {
            let request = served.post(&json!({"query": VIEWER})).header("nyxcore-tenant", slug);
            let response = request.send().await.unwrap();
            assert_eq!(response.status().as_u16(), status, "{slug}");
            let body: Value = response.json().await.unwrap();
            assert_eq!(code(&body), if status == 403 { "TENANT_MISMATCH" } else { "" });
        }
    }

    async fn each_limit_answers_with_its_code_by_every_transport(db: TestDatabase) {
        let served = serve(&db, Limits { header_bytes: 8192, ..Limits::default() }).await;
        let nested = "{ x ".repeat(20);
        for (query, expected) in [
            (format!("{{ viewer {nested}{} }}", "}".repeat(20)), "QUERY_TOO_DEEP"),
            ("{".repeat(5000), "QUERY_TOO_DEEP"),
            ("{ projects(first: 200) { nodes { notes(first: 200) { nodes { id } } } } }".into(), "QUERY_TOO_COMPLEX"),
            (format!("{{ {} }}", (0..31).map(|i| format!("a{i}: __typename ")).collect::<String>()), "QUERY_TOO_MANY_ALIASES"),
            (format!("{{ {} }}", "... @include(if: true) { __typename } ".repeat(11)), "QUERY_TOO_MANY_DIRECTIVES"),
            (format!("{{ {} }}", "__typename ".repeat(2000)), "QUERY_TOO_MANY_TOKENS"),
        ] {
            let request = json!({"query": query});
            let response = served.post(&request).header("accept", RESPONSE).send().await.unwrap();
            assert_eq!(response.status(), 400, "{expected}");
            assert_eq!(code(&response.json().await.unwrap()), expected);
            let mut frames = served.stream(served.post(&request).header("accept", "text/event-stream")).await;
            assert_eq!(code(&frames.next().await.unwrap().json()), expected);
            let mut socket = served.socket_open().await;
            socket.say(json!({"type": "subscribe", "id": "1", "payload": request})).await;
            let answer = socket.hear().await.unwrap();
            assert_eq!((&answer["type"], &answer["payload"][0]["extensions"]["code"]), (&json!("error"), &json!(expected)));
        }
        let padded = served.post(&json!({"query": VIEWER})).header("x-pad", "x".repeat(9000));
        let response = padded.send().await.unwrap();
        assert_eq!((response.status().as_u16(), code(&response.json().await.unwrap())), (431, "HEADERS_TOO_LARGE"));
        let response = served.request("GET", &format!("/{}", "x".repeat(9000))).send().await.unwrap();
        assert_eq!((response.status().as_u16(), code(&response.json().await.unwrap())), (414, "ADDRESS_TOO_LONG"));
        // The introspection query that every client sends first is within all limits.
        let introspection = json!({"query": "{ __schema { types { fields { args { type { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { name } } } } } } } } } } } } } } }"});
        assert_eq!(code(&served.post(&introspection).send().await.unwrap().json().await.unwrap()), "");
    }

    async fn a_full_disk_makes_the_server_unready(db: TestDatabase) {
        let store = store(&db).await;
        let policy = SourcePolicy { data_dir: Some(db.folder().to_owned()), ..SourcePolicy::default() };
        for (free_bytes, status, word) in [(0, 200, "ready"), (u64::MAX, 503, "DISK_FULL")] {
            let limits = Limits { free_bytes, ..Limits::default() };
            let served = Served::start_with(&store, &format!("of-{status}"), limits, policy.clone()).await;
            let response = served.client.get(served.url("/readyz")).send().await.unwrap();
            assert_eq!(response.status(), status);
            assert!(response.text().await.unwrap().contains(word));
        }
    }

    async fn health_needs_no_token_and_every_answer_carries_its_headers(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        for (path, method, status) in [
            ("/healthz", "GET", 200), ("/readyz", "GET", 200), ("/healthz", "POST", 405),
            ("/nothing/here", "GET", 404), ("/api/v1/events/syncs", "GET", 404), ("/graphql/x", "POST", 404),
        ] {
            let request = served.client.request(method.parse().unwrap(), served.url(path));
            let response = request.header("x-request-id", "from-the-proxy.1").send().await.unwrap();
            assert_eq!(response.status().as_u16(), status, "{method} {path}");
            assert_eq!(response.headers()["x-content-type-options"], "nosniff");
            assert_eq!(response.headers()["cache-control"], "no-store");
            assert_eq!(response.headers()["x-request-id"], "from-the-proxy.1");
            let body: Value = response.json().await.unwrap();
            if status != 200 {
                assert!(body["code"].is_string() && body["message"].is_string(), "{body}");
            }
        }
        let own = served.client.get(served.url("/healthz")).header("x-request-id", "not plain\"");
        let id = own.send().await.unwrap().headers()["x-request-id"].to_str().unwrap().to_owned();
        assert!(uuid::Uuid::parse_str(&id).is_ok(), "{id}");
    }
}

impl Served {
    /// A second token of the tenant's owner: its id and its text.
    async fn token_make(
        &self,
        expires_at: Option<chrono::DateTime<chrono::Utc>>,
    ) -> (nyxcore_tenancy::ApiTokenId, String) {
        let scoped = self.store.write(self.tenant).await.unwrap();
        let new = NewApiToken {
            user: self.user,
            name: "a test's".into(),
            role: Role::Member,
            expires_at,
        };
        let (token, text) = directory::api_token_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();
        (token.id, text)
    }

    async fn token_revoke(&self, token: &(nyxcore_tenancy::ApiTokenId, String)) {
        let scoped = self.store.write(self.tenant).await.unwrap();
        directory::api_token_revoke(&scoped, token.0).await.unwrap();
        scoped.commit().await.unwrap();
    }
}
