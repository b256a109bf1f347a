//! Many connections and streams: no client can take all slots.

use std::time::Duration;

use nyxcore_gateway::{ConnectionLimits, Limits};
use nyxcore_tests::{TestDatabase, TestServer, on_both_databases};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite;

use super::client::{PATIENCE, Served, code, run_begin, serve};

/// A request that lasts as long as its connection, because its body never comes. The server waits for the body after it
/// has sent `100 Continue`.
async fn busy(served: &Served) -> TcpStream {
    let mut stream = TcpStream::connect(&served.address).await.unwrap();
    let head = "POST /auth/sign-in HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    timeout(PATIENCE, stream.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100");
    stream
}

async fn status(served: &Served, path: &str) -> u16 {
    let response = served.client.get(served.url(path)).send().await;
    response.map_or(0, |response| response.status().as_u16())
}

/// Raises the open-file limit of this test process.
fn files_allow(least: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < least) {
        let raised = Rlimit {
            current: Some(least),
            maximum: limit.maximum,
        };
        setrlimit(Resource::Nofile, raised).unwrap();
    }
}

fn limits(connection: ConnectionLimits) -> Limits {
    Limits {
        connection,
        ..Limits::default()
    }
}

on_both_databases! {
    async fn idle_connections_make_room_for_others(db: TestDatabase) {
        let served = serve(&db, limits(ConnectionLimits { connections: 20, reserve: 0, ..ConnectionLimits::default() })).await;
        let mut idle = Vec::new();
        for _ in 0..100 {
            idle.push(TcpStream::connect(&served.address).await.unwrap());
            assert_eq!(status(&served, "/sign-in").await, 200);
        }
        // The first idle connection was closed.
        let read = timeout(PATIENCE, idle[0].read(&mut [0; 8])).await.unwrap();
        assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    }

    async fn health_is_answered_by_a_full_server(db: TestDatabase) {
        let served = serve(&db, limits(ConnectionLimits { connections: 4, reserve: 2, ..ConnectionLimits::default() })).await;
        let mut open = Vec::new();
        for _ in 0..4 {
            open.push(busy(&served).await);
        }
        assert_eq!(status(&served, "/sign-in").await, 503);
        for _ in 0..10 {
            assert_eq!(status(&served, "/healthz").await, 200);
            assert_eq!(status(&served, "/readyz").await, 200);
            open.push(TcpStream::connect(&served.address).await.unwrap());
        }
        let response = served.client.get(served.url("/auth/methods")).send().await.unwrap();
        assert_eq!(code(&response.json::<Value>().await.unwrap()), "BUSY");
        drop(open);
        let room = async {
            while status(&served, "/sign-in").await != 200 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, room).await.unwrap();
    }

    async fn a_person_has_no_more_streams_than_the_bound(db: TestDatabase) {
        let served = serve(&db, limits(ConnectionLimits { streams_per_user: 3, ..ConnectionLimits::default() })).await;
        let (run, workers, gate) = run_begin(&served, "a").await;
        let socket = served.socket_open().await;
        let mut plain = served.stream(served.events(run)).await;
        plain.next().await.unwrap();
        let query = json!({"query": "subscription { tenantActivity { seq } }"});
        let stream = || served.post(&query).header("accept", "text/event-stream");
        let graphql = stream().send().await.unwrap();
        for request in [served.events(run), stream()] {
            let response = request.send().await.unwrap();
            assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (429, "1"));
            assert_eq!(code(&response.json().await.unwrap()), "TOO_MANY_STREAMS");
        }
        let mut refused = served.socket(Some("graphql-transport-ws"), Some(json!({"token": served.token}))).await.unwrap();
        assert_eq!(refused.hear().await.unwrap_err().0, 1013);
        // Requests other than streams are served, and a stream that ends makes room.
        assert_eq!(served.post(&json!({"query": "{ viewer { role } }"})).send().await.unwrap().status(), 200);
        drop((socket, graphql, refused));
        let room = async {
            while stream().send().await.unwrap().status() != 200 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, room).await.unwrap();
        drop(plain);
        gate.add_permits(1);
        workers.shutdown().await;
    }

    async fn an_unauthenticated_socket_makes_room_for_others(db: TestDatabase) {
        let served = serve(&db, limits(ConnectionLimits { connections: 5, reserve: 0, ..ConnectionLimits::default() })).await;
        let authenticated = served.socket_open().await;
        let mut strangers = Vec::new();
        for _ in 0..20 {
            strangers.push(served.socket(Some("graphql-transport-ws"), None).await.unwrap());
        }
        let mut authenticated = authenticated;
        authenticated.say(json!({"type": "ping"})).await;
        assert_eq!(authenticated.hear().await.unwrap(), json!({"type": "pong"}));
        assert_eq!(status(&served, "/healthz").await, 200);
    }

    async fn behind_a_proxy_each_client_has_its_own_bound(db: TestDatabase) {
        let connection = ConnectionLimits { per_address: 2, unauthenticated_sockets_per_address: 1, ..ConnectionLimits::default() };
        let served = Served::behind_proxy(&db, limits(connection)).await;
        // As `busy`: the request counts before the next one begins.
        let begin = async |client: &str| {
            let mut stream = TcpStream::connect(&served.address).await.unwrap();
            let head = format!("POST /auth/sign-in HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nX-Forwarded-For: {client}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut answer = [0; 12];
            timeout(PATIENCE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
            assert_eq!(&answer, b"HTTP/1.1 100");
            stream
        };
        let ask = async |client: &str| {
            let request = served.client.get(served.url("/auth/methods")).header("x-forwarded-for", client);
            request.send().await.unwrap().status().as_u16()
        };
        let open = [begin("198.51.100.7").await, begin("198.51.100.7").await];
        assert_eq!(ask("198.51.100.7").await, 429);
        // Other clients use the same proxy, and the proxy itself has no limit.
        for _ in 0..5 {
            assert_eq!(ask("198.51.100.8").await, 200);
        }
        let through = [begin("127.0.0.1").await, begin("127.0.0.1").await, begin("127.0.0.1").await];
        assert_eq!(ask("127.0.0.1").await, 200);
        drop((open, through));
        // Only one of a client's sockets may be unauthenticated.
        let socket = async |client: &str| {
            let mut request = tungstenite::client::IntoClientRequest::into_client_request(format!("ws://{}/graphql", served.address)).unwrap();
            request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
            request.headers_mut().insert("x-forwarded-for", client.parse().unwrap());
            tokio_tungstenite::connect_async(request).await
        };
        let first = socket("198.51.100.9").await.unwrap();
        let Err(tungstenite::Error::Http(refused)) = socket("198.51.100.9").await else {
            panic!("a second unauthenticated socket was taken");
        };
        assert_eq!(refused.status(), 429);
        socket("198.51.100.10").await.unwrap();
        drop(first);
    }

    /// The real program, with a soft limit of 1,024 files that it may raise, and with one that it may not.
    async fn silent_connections_of_one_address_leave_others_served(db: TestDatabase) {
        files_allow(4_096);
        for limit in ["1024:", "1024:1024"] {
            let server = TestServer::start_by(&db, &[], &["prlimit", &format!("--nofile={limit}")]).await.unwrap();
            let address = server.url("").trim_start_matches("http://").to_owned();
            let mut silent = Vec::new();
            for _ in 0..1_100 {
                silent.push(TcpStream::connect(&address).await.unwrap());
            }
            let client = reqwest::Client::builder().timeout(PATIENCE).pool_max_idle_per_host(0).build().unwrap();
            for path in ["/healthz", "/readyz", "/sign-in", "/auth/methods"] {
                let response = client.get(server.url(path)).send().await.unwrap();
                assert_eq!(response.status(), 200, "{limit} {path}\n{}", server.log());
            }
            drop(silent);
        }
    }

    async fn a_server_that_is_told_to_end_ends_in_its_grace_time(db: TestDatabase) {
        let mut server = TestServer::start(&db, &[]).await.unwrap();
        let address = server.url("").trim_start_matches("http://").to_owned();
        let mut slow = Vec::new();
        for begin in ["", "GET /healthz HTTP/1.1\r\nX-Pad: x", "POST /auth/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"] {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            stream.write_all(begin.as_bytes()).await.unwrap();
            slow.push(stream);
        }
        let status = server.terminate(Duration::from_secs(20)).await.unwrap();
        assert!(status.success(), "{status} {}", server.log());
        drop(slow);
    }
}
