//! The metrics of a server: in the exposition format, without any tenant's data, and never at the public address.

mod exposition;

use std::net::TcpListener;

use nyxcore_tests::{TestDatabase, TestServer, nyxcore_command, on_both_databases, run_on_sqlite};
use serde_json::{Value, json};

use super::{PATIENCE, said};
use crate::support::tenant_by_command;
use exposition::{Exposition, Kind};

/// The token of the metrics endpoint.
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

async fn get(url: &str, token: Option<&str>) -> (u16, String, String) {
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .build()
        .unwrap();
    let mut request = client.get(url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let content_type = answer.headers().get("content-type");
    let content_type = content_type
        .map_or("", |value| value.to_str().unwrap())
        .to_owned();
    (status, content_type, answer.text().await.unwrap())
}

async fn ask(server: &TestServer, token: &str, query: &str) -> Value {
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .build()
        .unwrap();
    let request = client.post(server.url("/graphql")).bearer_auth(token);
    let answer = request
        .json(&json!({ "query": query }))
        .send()
        .await
        .unwrap();
    answer.json().await.unwrap()
}

on_both_databases! {
    async fn metrics_count_what_was_asked_by_the_schemas_names(db: TestDatabase) {
        let token = tenant_by_command(&db, "quinces");
        let address = free_address();
        let server = TestServer::start(&db, &["--metrics", &address, "--workers", "1"]).await.unwrap();
        for _ in 0..3 {
            let answer = ask(&server, &token, "query VerySecretName { viewer { tenant { slug } } }").await;
            assert_eq!(answer["data"]["viewer"]["tenant"]["slug"], "quinces");
        }
        ask(&server, &token, "mutation { createProject(input: { name: \"Medlars\" }) { project { id } } }").await;
        ask(&server, &token, r#"{ project(id: "project_00000000000000000000000000") { id } }"#).await;
        ask(&server, &token, "{ noSuchField }").await;
        ask(&server, &token, "{").await;
        let (status, content_type, text) = get(&format!("http://{address}/metrics"), None).await;
        assert_eq!(status, 200);
        assert!(content_type.starts_with("application/openmetrics-text; version=1.0.0"), "{content_type}");
        let metrics = Exposition::parse(&text);
        let operation = |kind: &str, operation: &str, outcome: &str| {
            let labels = [("kind", kind), ("operation", operation), ("outcome", outcome)];
            metrics.value("nyxcore_operations_total", &labels)
        };
        assert_eq!(operation("query", "viewer", "ok"), Some(3.0), "{text}");
        assert_eq!(operation("mutation", "createProject", "ok"), Some(1.0), "{text}");
        let took = [("kind", "query"), ("operation", "viewer")];
        assert_eq!(metrics.value("nyxcore_operation_duration_seconds_count", &took), Some(3.0));
        let statements = metrics.value("nyxcore_operation_statements_sum", &took).unwrap();
        assert!(statements >= 1.0, "{text}");
        assert_eq!(metrics.value("nyxcore_database_up", &[]), Some(1.0));
        assert!(metrics.value("nyxcore_database_connections_max", &[]).unwrap() >= 1.0);
        assert!(metrics.value("nyxcore_statements_total", &[]).unwrap() >= statements);
        assert_eq!(metrics.kind("nyxcore_operation_duration_seconds"), Some(Kind::Histogram));
        assert_eq!(metrics.kind("nyxcore_subscriptions"), Some(Kind::Gauge));
        for word in ["quinces", "VerySecretName", "noSuchField", "Medlars", &token] {
            assert!(!text.contains(word), "{word} is in the metrics");
        }
        let (status, _, text) = get(&server.url("/metrics"), Some(&token)).await;
        assert!(status == 404 && !text.contains("nyxcore_"), "{status} {text}");
    }

    async fn waiting_runs_are_counted_by_kind_and_state(db: TestDatabase) {
        let world = crate::support::World::new(crate::support::store(&db).await, "acme").await;
        let scoped = world.write().await;
        let new = nyxcore_runs::NewRun {
            kind: crate::support::WORK,
            subject: "one".into(),
            input: Value::Null,
            priority: nyxcore_runs::Priority::Interactive,
            max_attempts: 1,
            project_id: None,
            started_by: None,
            quiet_period: None,
            not_before: None,
        };
        nyxcore_runs::run_start(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();
        let census = nyxcore_runs::run_census(&world.store).await.unwrap();
        assert_eq!(census.len(), 1, "{census:?}");
        assert_eq!((census[0].kind.as_str(), census[0].runs), ("WORK", 1));
        let waits = census[0].available_since.unwrap() <= world.store.env().now();
        assert!(waits && census[0].status == nyxcore_runs::RunStatus::Queued);
    }

    async fn a_slow_operation_is_logged_by_its_documents_hash(db: TestDatabase) {
        let token = tenant_by_command(&db, "acme");
        let by = ["env", "NYXCORE_SLOW_OPERATION_MS=0"];
        let server = TestServer::start_by(&db, &[], &by).await.unwrap();
        ask(&server, &token, "query HiddenName { viewer { role } }").await;
        let log = server.log();
        let line = log.lines().find(|line| line.contains("slow operation"));
        let line = line.unwrap_or_else(|| panic!("nothing is slow:\n{log}"));
        assert!(line.contains("viewer") && line.contains("document"), "{line}");
        assert!(!log.contains("HiddenName"), "{log}");
    }
}

#[test]
fn metrics_on_a_network_need_a_token() {
    run_on_sqlite(|db| async move {
        let mut command = nyxcore_command(&db).unwrap();
        let refused =
            said(command.args(["serve", "--listen", "127.0.0.1:0", "--metrics", "0.0.0.0:0"]));
        assert_eq!(refused.code(), "SETTING_INVALID", "{}", refused.err);
        assert!(
            refused.err.contains("NYXCORE_METRICS_TOKEN"),
            "{}",
            refused.err
        );
        let address = free_address();
        let variable = format!("NYXCORE_METRICS_TOKEN={TOKEN}");
        let (arguments, by) = (["--metrics", &address], ["env", &variable]);
        let server = TestServer::start_by(&db, &arguments, &by).await.unwrap();
        let url = format!("http://{address}/metrics");
        assert_eq!(get(&url, None).await.0, 401);
        assert_eq!(get(&url, Some("another")).await.0, 401);
        let (status, _, text) = get(&url, Some(TOKEN)).await;
        assert!(
            status == 200 && text.ends_with("# EOF\n"),
            "{status} {text}"
        );
        assert!(!server.log().contains(TOKEN));
    });
}
