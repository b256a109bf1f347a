//! Spans for an OpenTelemetry collector: the operation within its request, its statements, and no data of the client.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nyxcore_tests::{TestServer, nyxcore_command, run_on_sqlite};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;
use serde_json::json;

use super::{PATIENCE, said};
use crate::support::tenant_by_command;

/// A collector that accepts everything, and the received requests: head and body of each.
fn collector() -> (String, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let (sender, requests) = channel();
    // The thread ends with the test process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let request = request_read(&mut stream);
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).unwrap();
            if sender.send(request).is_err() {
                return;
            }
        }
    });
    (url, requests)
}

fn request_read(stream: &mut impl Read) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "a request was cut off");
        bytes.extend_from_slice(&buffer[..read]);
        let end = bytes.windows(4).position(|found| found == b"\r\n\r\n");
        let Some(end) = end else {
            continue;
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let head = head.to_lowercase();
        let mut lines = head.lines();
        let length = lines.find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.unwrap().parse().unwrap();
        if bytes.len() >= end + 4 + length {
            return (head, bytes[end + 4..].to_vec());
        }
    }
}

#[test]
fn an_operation_is_a_span_within_its_request() {
    run_on_sqlite(|db| async move {
        let token = tenant_by_command(&db, "quinces");
        let (url, requests) = collector();
        let variable = format!("NYXCORE_OTLP_ENDPOINT={url}");
        let started = TestServer::start_by(&db, &[], &["env", &variable]).await;
        let mut server = started.unwrap();
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .build()
            .unwrap();
        let query = json!({ "query": "query HiddenName { viewer { tenant { slug } } }" });
        let request = client.post(server.url("/graphql")).bearer_auth(&token);
        let request = request.header("x-request-id", "request-of-this-test");
        let answer = request.json(&query).send().await.unwrap();
        assert!(answer.status().is_success());
        // The remaining spans are sent at the end.
        let status = server.terminate(Duration::from_secs(30)).await.unwrap();
        assert!(status.success(), "{}", server.log());
        let mut all = Vec::new();
        let mut spans: Vec<Span> = Vec::new();
        while let Ok((head, body)) = requests.recv_timeout(Duration::from_secs(2)) {
            assert!(head.starts_with("post /v1/traces "), "{head}");
            let is_protobuf = head.contains("content-type: application/x-protobuf");
            assert!(is_protobuf, "{head}");
            let export = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
            let scopes = export
                .resource_spans
                .into_iter()
                .flat_map(|one| one.scope_spans);
            spans.extend(scopes.flat_map(|scope| scope.spans));
            all.extend(body);
        }
        let has = |word: &str| {
            all.windows(word.len())
                .any(|found| found == word.as_bytes())
        };
        let words = [
            "nyxcore",
            "operation",
            "viewer",
            "request-of-this-test",
            "db.query.text",
            "SELECT",
        ];
        for word in words {
            assert!(has(word), "{word} is in no span");
        }
        for word in ["HiddenName", "quinces", &token] {
            assert!(!has(word), "{word} is in a span");
        }
        let operation = spans.iter().find(|span| span.name == "operation").unwrap();
        let request = spans
            .iter()
            .find(|span| span.name == "request" && span.span_id == operation.parent_span_id);
        let request = request.expect("the operation is within its request");
        assert!(
            request.parent_span_id.is_empty(),
            "a client chooses no parent"
        );
        let is_statement = |span: &&Span| span.kind == SpanKind::Client as i32;
        let statements: Vec<&Span> = spans.iter().filter(is_statement).collect();
        assert!(!statements.is_empty());
        for statement in statements {
            let parent = spans
                .iter()
                .find(|span| span.span_id == statement.parent_span_id);
            let parent = parent.expect("a statement is within a span");
            assert_eq!(statement.trace_id, parent.trace_id);
            assert!(
                parent.start_time_unix_nano <= statement.start_time_unix_nano,
                "{statement:?}"
            );
            assert!(
                statement.end_time_unix_nano <= parent.end_time_unix_nano,
                "{statement:?}"
            );
        }
        let within = |span: &&Span| {
            span.kind == SpanKind::Client as i32 && span.parent_span_id == operation.span_id
        };
        assert!(spans.iter().any(|span| within(&span)), "{spans:#?}");
    });
}

#[test]
fn a_collector_is_named_by_its_url() {
    run_on_sqlite(|db| async move {
        let mut command = nyxcore_command(&db).unwrap();
        command.env("NYXCORE_OTLP_ENDPOINT", "collector:4318");
        let refused = said(command.args(["serve", "--listen", "127.0.0.1:0"]));
        assert_eq!(refused.code(), "SETTING_INVALID", "{}", refused.err);
    });
}
