//! Clients that send slowly or do not read: each is disconnected, and uses few resources.

use std::time::Duration;

use nyxcore_gateway::{ConnectionLimits, Limits};
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

use super::VIEWER;
use super::client::{PATIENCE, Served, serve, tasks_at_rest, tasks_fall_to};

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(3600);

/// Limits that no test here reaches, except for those that a test lowers.
fn patient() -> ConnectionLimits {
    ConnectionLimits {
        headers: LONG,
        idle: LONG,
        body: LONG,
        body_idle: LONG,
        write_stall: LONG,
        ..ConnectionLimits::default()
    }
}

async fn serve_with(db: &TestDatabase, connection: ConnectionLimits) -> Served {
    serve(
        db,
        Limits {
            connection,
            ..Limits::default()
        },
    )
    .await
}

async fn connect(served: &Served) -> TcpStream {
    TcpStream::connect(&served.address).await.unwrap()
}

/// The received bytes until the server closes the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _reset = timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("the server closes");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends a byte at intervals until the server closes the connection, and returns the response.
async fn trickle(mut stream: TcpStream, byte: &'static [u8]) -> String {
    let (mut reader, mut writer) = stream.split();
    let sending = async {
        while writer.write_all(byte).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    let reading = timeout(PATIENCE, reader.read_to_end(&mut answer));
    tokio::select! {
        _ = reading => {}
        () = sending => {}
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// A connection that never reads, with a small receive buffer.
async fn deaf(served: &Served, request: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket
        .connect(served.address.parse().unwrap())
        .await
        .unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

on_both_databases! {
    async fn a_connection_that_sends_nothing_ends(db: TestDatabase) {
        let served = serve_with(&db, ConnectionLimits { headers: SHORT, ..patient() }).await;
        let mut stream = connect(&served).await;
        assert_eq!(rest(&mut stream).await, "");
    }

    async fn headers_that_trickle_end(db: TestDatabase) {
        let served = serve_with(&db, ConnectionLimits { headers: SHORT, ..patient() }).await;
        let mut stream = connect(&served).await;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Pad: ").await.unwrap();
        assert!(!trickle(stream, b"x").await.contains("200 OK"));
    }

    async fn headers_of_a_later_request_that_trickle_end(db: TestDatabase) {
        let served = serve_with(&db, ConnectionLimits { headers: SHORT, ..patient() }).await;
        let mut stream = connect(&served).await;
        let good = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
        let mut buffer = [0; 4096];
        for _ in 0..3 {
            stream.write_all(good).await.unwrap();
            let read = timeout(PATIENCE, stream.read(&mut buffer)).await.unwrap().unwrap();
            assert!(buffer[..read].starts_with(b"HTTP/1.1 200"));
            // Longer than the header timeout: between two requests the idle timeout applies.
            tokio::time::sleep(SHORT * 2).await;
        }
        stream.write_all(b"GET /healthz HTTP/1.1\r\nX-Pad: ").await.unwrap();
        assert!(!trickle(stream, b"x").await.contains("200 OK"));
    }

    async fn a_connection_that_is_idle_between_requests_ends(db: TestDatabase) {
        let served = serve_with(&db, ConnectionLimits { headers: SHORT, idle: SHORT, ..patient() }).await;
        let mut stream = connect(&served).await;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        assert!(rest(&mut stream).await.starts_with("HTTP/1.1 200"));
    }

    async fn a_body_that_stops_coming_ends(db: TestDatabase) {
        let served = serve_with(&db, ConnectionLimits { body_idle: SHORT, ..patient() }).await;
        let authorization = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", served.token);
        for path in ["/graphql", "/auth/sign-in", "/auth/sign-up", "/auth/invitations/look", "/api/v1/webhooks/github/a/b"] {
            for coding in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
                let mut stream = connect(&served).await;
                let request = format!("POST {path} HTTP/1.1\r\nHost: x\r\n{authorization}{coding}\r\n\r\n");
                stream.write_all(request.as_bytes()).await.unwrap();
                let answer = rest(&mut stream).await;
                assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("BODY_TIMEOUT"), "{path} {answer}");
            }
        }
    }

    async fn a_body_that_trickles_ends(db: TestDatabase) {
        let served = serve_with(&db, ConnectionLimits { body: SHORT, ..patient() }).await;
        let mut stream = connect(&served).await;
        let head = b"POST /auth/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n";
        stream.write_all(head).await.unwrap();
        let answer = trickle(stream, b" ").await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }

    async fn an_answer_that_nobody_reads_ends(db: TestDatabase) {
        let served = serve_with(&db, ConnectionLimits { write_stall: SHORT, ..patient() }).await;
        served.client.get(served.url("/healthz")).send().await.unwrap();
        let alive = tasks_at_rest().await;
        // More than any system buffers: 20,000 responses of some 400 bytes on one connection.
        let mut stream = deaf(&served, "").await;
        let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20_000);
        let _reset = timeout(PATIENCE, stream.write_all(&request)).await.expect("the server closes");
        tasks_fall_to(alive).await;
    }

    async fn a_stream_of_events_that_nobody_reads_ends(db: TestDatabase) {
        let served = serve_with(&db, ConnectionLimits { write_stall: SHORT, ..patient() }).await;
        served.client.get(served.url("/healthz")).send().await.unwrap();
        let alive = tasks_at_rest().await;
        let body = json!({"query": "{ __schema { types { name description fields { name description } } } }"}).to_string();
        let (token, length) = (&served.token, body.len());
        let request = format!(
            "POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nAccept: text/event-stream\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        // Event streams one after the other: more than any system buffers.
        let stream = deaf(&served, &request.repeat(100)).await;
        tasks_fall_to(alive).await;
        drop(stream);
    }

    async fn a_client_that_reads_slowly_is_served_to_the_end(db: TestDatabase) {
        let stall = Duration::from_secs(2);
        let served = serve_with(&db, ConnectionLimits { write_stall: stall, ..patient() }).await;
        let mut stream = connect(&served).await;
        stream.write_all("GET /sign-in HTTP/1.1\r\nHost: x\r\n\r\n".repeat(4_000).as_bytes()).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        let (began, mut all, mut part) = (Instant::now(), Vec::new(), vec![0; 1 << 20]);
        loop {
            tokio::time::sleep(SHORT).await;
            let before = all.len();
            while all.len() < before + (1 << 19) {
                match timeout(PATIENCE, stream.read(&mut part)).await.unwrap().unwrap() {
                    0 => break,
                    bytes => all.extend_from_slice(&part[..bytes]),
                }
            }
            if all.len() == before {
                break;
            }
        }
        assert!(String::from_utf8_lossy(&all).ends_with("{\"status\":\"up\"}"));
        assert!(began.elapsed() > stall, "it was not slow: {} bytes in {:?}", all.len(), began.elapsed());
    }

    async fn a_server_that_ends_does_not_wait_for_slow_clients(db: TestDatabase) {
        let limits = Limits { connection: patient(), shutdown_grace: Duration::from_millis(500), ..Limits::default() };
        let mut served = serve(&db, limits).await;
        let mut silent = connect(&served).await;
        let mut headers = connect(&served).await;
        headers.write_all(b"GET /healthz HTTP/1.1\r\nX-Pad: x").await.unwrap();
        let mut body = connect(&served).await;
        body.write_all(b"POST /auth/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{").await.unwrap();
        let unread = deaf(&served, &"GET /sign-in HTTP/1.1\r\nHost: x\r\n\r\n".repeat(5_000)).await;
        let idle_socket = served.socket_open().await;
        served.client.post(served.url("/graphql")).bearer_auth(&served.token).header("content-type", "application/json")
            .body(json!({"query": VIEWER}).to_string()).send().await.unwrap();
        let began = Instant::now();
        served.end();
        timeout(PATIENCE, &mut served.task).await.unwrap().unwrap().unwrap();
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        for stream in [&mut silent, &mut headers, &mut body] {
            assert_eq!(rest(stream).await, "");
        }
        drop((unread, idle_socket));
    }
}
