//! Refused requests: without a valid token, with sessions of others, from other sites, and with invalid messages.

use nyxcore_tenancy::directory::api_token_revoke;
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use super::*;

const PING: &str = r#"{"jsonrpc": "2.0", "id": 1, "method": "ping"}"#;

/// Sends a message with these headers besides those of the protocol; returns the status and the response.
async fn post(served: &Served, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
    let mut request = served.client.post(served.url("/mcp")).body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

on_both_databases! {
    async fn nobody_calls_without_a_good_token(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let (revoked, id) = served.agent_as(Role::Member).await;
        revoked.ask("ping", json!({})).await;
        let scoped = served.store.write(served.tenant).await.unwrap();
        api_token_revoke(&scoped, id).await.unwrap();
        scoped.commit().await.unwrap();
        let bearer = format!("Bearer {}", revoked.token);
        let cookie = format!("nyxcore_session={}", served.token);
        let json = ("content-type", "application/json");
        for header in [
            ("x-nothing", ""),
            ("authorization", "Bearer nyx_nonsense"),
            ("authorization", &bearer),
            ("cookie", &cookie),
        ] {
            // The body of an unauthenticated request is not parsed.
            for body in [PING, "{"] {
                let (status, answer) = post(&served, &[json, ("accept", ACCEPT), header], body).await;
                assert_eq!((status, &answer["code"]), (401, &json!("UNAUTHENTICATED")), "{header:?}");
            }
        }
    }

    async fn there_are_no_sessions_of_anybody(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let bearer = format!("Bearer {}", served.token);
        let own = [("authorization", bearer.as_str()), ("content-type", "application/json"), ("accept", ACCEPT)];
        let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a test", "version": "1"}
        }});
        let mut request = served.client.post(served.url("/mcp")).body(hello.to_string());
        for (name, value) in own {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        assert!(response.headers().get("mcp-session-id").is_none());
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["result"]["protocolVersion"], "2025-06-18", "{answer}");
        assert_eq!(answer["result"]["serverInfo"]["name"], "nyxcore", "{answer}");
        assert!(answer["result"]["instructions"].as_str().unwrap().contains("conventions_for"), "{answer}");
        let mut named = own.to_vec();
        named.push(("mcp-session-id", "0197a3b1-another-tenants"));
        let (status, answer) = post(&served, &named, PING).await;
        assert_eq!((status, &answer["code"]), (404, &json!("NOT_FOUND")), "{answer}");
    }

    async fn a_message_is_one_object_in_json(db: TestDatabase) {
        let served = serve(&db, Limits { body_bytes: 4096, ..Limits::default() }).await;
        let bearer = format!("Bearer {}", served.token);
        let own = [("authorization", bearer.as_str()), ("content-type", "application/json"), ("accept", ACCEPT)];
        for (body, status, code) in [
            ("{", 400, -32700),
            ("", 400, -32700),
            ("\u{0}\u{1}nonsense", 400, -32700),
            ("[]", 400, -32600),
            (r#"[{"jsonrpc": "2.0", "id": 1, "method": "ping"}, {"jsonrpc": "2.0", "id": 2, "method": "ping"}]"#, 400, -32600),
            ("17", 400, -32600),
            ("{}", 400, -32600),
            (r#"{"jsonrpc": "2.0", "id": 1, "result": {}}"#, 400, -32600),
        ] {
            let (answered, answer) = post(&served, &own, body).await;
            assert_eq!((answered, &answer["error"]["code"]), (status, &json!(code)), "{body:?}: {answer}");
        }
        let deep = format!("{}1{}", r#"{"a":"#.repeat(500), "}".repeat(500));
        assert_eq!(post(&served, &own, &deep).await.0, 400);
        let (status, answer) = post(&served, &own, &json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"_meta": {"pad": "x".repeat(5000)}}}).to_string()).await;
        assert_eq!((status, &answer["code"]), (413, &json!("BODY_TOO_LARGE")), "{answer}");
        let (status, answer) = post(&served, &own, PING).await;
        assert_eq!((status, answer), (200, json!({"jsonrpc": "2.0", "id": 1, "result": {}})));
        let (status, answer) = post(&served, &own, r#"{"jsonrpc": "2.0", "id": 1, "method": "sing"}"#).await;
        assert_eq!((status, &answer["error"]["code"]), (200, &json!(-32601)), "{answer}");
        let (status, answer) = post(&served, &own, r#"{"jsonrpc": "2.0", "method": "notifications/initialized"}"#).await;
        assert_eq!((status, answer), (202, Value::Null));
    }

    async fn other_methods_types_and_sites_are_refused(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        for method in ["GET", "DELETE", "PUT"] {
            let response = served.request(method, "/mcp").header("accept", ACCEPT).send().await.unwrap();
            let (status, allow) = (response.status().as_u16(), response.headers()["allow"].clone());
            assert_eq!((status, allow.to_str().unwrap()), (405, "POST"), "{method}");
        }
        let bearer = format!("Bearer {}", served.token);
        let own = [("authorization", bearer.as_str())];
        let with = |more: &[(&'static str, &'static str)]| {
            let mut headers: Vec<(&str, &str)> = own.to_vec();
            headers.extend(more);
            headers
        };
        let (json, any) = (("content-type", "application/json"), ("accept", ACCEPT));
        for (headers, status) in [
            (with(&[json, any]), 200),
            (with(&[any]), 415),
            (with(&[("content-type", "text/plain"), any]), 415),
            (with(&[json, ("accept", "image/png")]), 406),
            (with(&[json, any, ("origin", "https://evil.example")]), 403),
            (with(&[json, any, ("origin", "null")]), 403),
            (with(&[json, any, ("sec-fetch-site", "cross-site")]), 403),
        ] {
            let (answered, answer) = post(&served, &headers, PING).await;
            assert_eq!(answered, status, "{headers:?}: {answer}");
        }
    }

    async fn the_newest_protocol_needs_no_handshake(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let bearer = format!("Bearer {}", served.token);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("accept", ACCEPT),
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
            ("mcp-name", "projects"),
        ];
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "a test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "projects", "arguments": {}, "_meta": meta}});
        let (status, answer) = post(&served, &headers, &call.to_string()).await;
        assert_eq!((status, &answer["result"]["isError"]), (200, &json!(false)), "{answer}");
        let mut other = call.clone();
        other["params"]["name"] = json!("search");
        let (status, answer) = post(&served, &headers, &other.to_string()).await;
        assert_eq!(status, 400, "the header names another tool: {answer}");
    }
}
