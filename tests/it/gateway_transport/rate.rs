//! The request budget of a tenant: the same on each transport, and how it is reported to clients.

use chrono::TimeDelta;
use nyxcore_gateway::Limits;
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use super::client::{Served, code};
use crate::support::store_at_rest;

const QUERY: &str = "{ viewer { role } }";

fn limits(points_per_minute: u64) -> Limits {
    Limits {
        points_per_minute,
        ..Limits::default()
    }
}

/// Sends a query: returns the status, the headers `RateLimit-Policy`, `RateLimit` and `Retry-After`, and the response.
async fn ask(served: &Served, query: &str) -> (u16, [String; 3], Value) {
    let response = served.post(&json!({"query": query})).send().await.unwrap();
    let header = |name: &str| {
        let value = response.headers().get(name);
        value.map_or(String::new(), |value| value.to_str().unwrap().to_owned())
    };
    let headers = ["ratelimit-policy", "ratelimit", "retry-after"].map(header);
    let status = response.status().as_u16();
    (status, headers, response.json().await.unwrap())
}

/// Sends a message of the Model Context Protocol: returns its status and the code of its refusal.
async fn ping(served: &Served) -> (u16, Value) {
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let request = served.request("POST", "/mcp").body(message.to_string());
    let request = request.header("content-type", "application/json");
    let request = request.header("accept", "application/json, text/event-stream");
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let answer: Value = response.json().await.unwrap();
    (status, answer["code"].clone())
}

on_both_databases! {
    async fn a_used_up_budget_refuses_on_every_transport(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let served = Served::start(&store, "acme", limits(1_200)).await;
        for _ in 0..2 {
            assert_eq!(ping(&served).await.0, 200);
        }
        let query = "{ projects(first: 20) { nodes { id name slug } } rateLimit { cost remaining } }";
        let (status, _, answer) = ask(&served, query).await;
        assert_eq!(status, 200, "{answer}");
        let budget = &answer["data"]["rateLimit"];
        let left = 200 - budget["cost"].as_u64().unwrap();
        assert_eq!(budget["remaining"], left, "{answer}");
        let mut status = 200;
        while status == 200 {
            status = ask(&served, QUERY).await.0;
        }
        assert_eq!(status, 429);
        for (transport, answer) in served.ask_each_way(QUERY, &json!({})).await {
            assert_eq!(code(&answer), "RATE_LIMITED", "{transport}: {answer}");
            assert!(answer.get("data").is_none(), "{transport}: {answer}");
        }
        assert_eq!(ping(&served).await, (429, json!("RATE_LIMITED")));
        clock.advance(TimeDelta::minutes(1));
        for (transport, answer) in served.ask_each_way(QUERY, &json!({})).await {
            assert_eq!(answer["data"]["viewer"]["role"], "OWNER", "{transport}: {answer}");
        }
    }

    async fn the_headers_say_how_the_budget_stands(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let served = Served::start(&store, "acme", limits(600)).await;
        let (_, headers, answer) = ask(&served, "{ rateLimit { limit remaining resetAt cost } }").await;
        let budget = &answer["data"]["rateLimit"];
        let cost = budget["cost"].as_u64().unwrap();
        assert!((11..=20).contains(&cost), "{answer}");
        assert_eq!((&budget["limit"], &budget["remaining"]), (&json!(600), &json!(600 - cost)));
        // Ten points are refilled per second.
        assert!(budget["resetAt"].as_str().unwrap().starts_with("2026-01-01T00:00:01."), "{answer}");
        let left = 600 - cost;
        let expected = [r#""points";q=600;w=60"#.to_owned(), format!(r#""points";r={left};t=2"#), String::new()];
        assert_eq!(headers, expected);

        clock.advance(TimeDelta::minutes(1));
        let mut asked = 0;
        let (status, headers, answer) = loop {
            let outcome = ask(&served, QUERY).await;
            asked += 1;
            assert!(asked < 100, "never refused");
            if outcome.0 != 200 {
                break outcome;
            }
        };
        assert_eq!((status, code(&answer)), (429, "RATE_LIMITED"));
        let seconds = answer["errors"][0]["extensions"]["retryAfterSeconds"].as_i64().unwrap();
        assert_eq!(headers[2], seconds.to_string());
        clock.advance(TimeDelta::seconds(seconds));
        assert_eq!(ask(&served, QUERY).await.0, 200);
    }

    async fn without_a_limit_nothing_is_counted(db: TestDatabase) {
        let (store, _clock) = store_at_rest(&db).await;
        let served = Served::start(&store, "acme", limits(0)).await;
        let (status, headers, answer) = ask(&served, "{ rateLimit { limit } }").await;
        assert_eq!((status, &answer["data"]["rateLimit"]), (200, &Value::Null));
        assert_eq!(headers, [String::new(), String::new(), String::new()]);
    }
}
