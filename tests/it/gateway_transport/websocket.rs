//! GraphQL over WebSocket, message by message as the `graphql-transport-ws` protocol defines.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use nyxcore_gateway::Limits;
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{self, Message};

use super::VIEWER;
use super::client::{PATIENCE, run_begin, serve, tasks_at_rest, tasks_fall_to};

const PROTOCOL: Option<&str> = Some("graphql-transport-ws");

fn subscribe(id: &str, query: &str) -> Value {
    json!({"type": "subscribe", "id": id, "payload": {"query": query}})
}

const FOLLOW: &str = "subscription { tenantActivity { seq } }";

on_both_databases! {
    async fn both_token_forms_serve_every_operation_type(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let (run, workers, gate) = run_begin(&served, "a").await;
        for init in [
            json!({"Authorization": format!("Bearer {}", served.token)}),
            json!({"authorization": format!("bearer {}", served.token), "Nyxcore-Tenant": "acme"}),
            json!({"token": served.token}),
        ] {
            let mut socket = served.socket(PROTOCOL, Some(init)).await.unwrap();
            assert_eq!(socket.hear().await.unwrap(), json!({"type": "connection_ack"}));
            socket.say(subscribe("q", VIEWER)).await;
            let answer = socket.hear().await.unwrap();
            assert_eq!((&answer["id"], &answer["type"], &answer["payload"]["data"]["viewer"]["role"]), (&json!("q"), &json!("next"), &json!("OWNER")));
            assert_eq!(socket.hear().await.unwrap(), json!({"id": "q", "type": "complete"}));
        }
        let mut socket = served.socket_open().await;
        socket.say(subscribe("m", r#"mutation { createProject(input: {name: "Made by WebSocket"}) { project { slug } } }"#)).await;
        assert_eq!(socket.hear().await.unwrap()["payload"]["data"]["createProject"]["project"]["slug"], "made-by-websocket");
        socket.hear().await.unwrap();
        socket.say(subscribe("s", &format!("subscription {{ runEvents(runId: \"{run}\") {{ seq }} }}"))).await;
        assert_eq!(socket.hear().await.unwrap(), json!({"id": "s", "type": "next", "payload": {"data": {"runEvents": {"seq": 1}}}}));
        // While it waits, other operations are served; each sees the data that was committed before it.
        socket.say(subscribe("p", "{ projects { totalCount } }")).await;
        assert_eq!(socket.hear().await.unwrap()["payload"]["data"]["projects"]["totalCount"], 1);
        assert_eq!(socket.hear().await.unwrap(), json!({"id": "p", "type": "complete"}));
        gate.add_permits(1);
        let mut seq = 1;
        loop {
            let message = socket.hear().await.unwrap();
            if message["type"] == "complete" {
                break;
            }
            seq += 1;
            assert_eq!(message["payload"]["data"]["runEvents"]["seq"], seq);
        }
        assert!(seq > 1);
        workers.shutdown().await;
    }

    async fn who_breaks_the_protocol_is_closed_with_its_code(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let good = || Some(json!({"token": served.token}));
        let other = || Some(json!({"token": served.token, "Nyxcore-Tenant": "other"}));
        for (init, message, expected) in [
            (Some(json!({})), None, 4403),
            (None, Some(json!({"type": "connection_init"})), 4403),
            (Some(json!({"token": "nyx_nonsense"})), None, 4403),
            (other(), None, 4403),
            (None, Some(subscribe("1", VIEWER)), 4401),
            (None, Some(json!({"type": "start", "id": "1"})), 4400),
            (None, Some(json!("hello")), 4400),
            (good(), Some(json!({"type": "connection_init"})), 4429),
            (good(), Some(json!({"type": "subscribe", "id": "1"})), 4400),
        ] {
            let mut socket = served.socket(PROTOCOL, init.clone()).await.unwrap();
            if expected == 4429 || (init.is_some() && expected == 4400) {
                socket.hear().await.unwrap();
            }
            if let Some(message) = &message {
                socket.say(message.clone()).await;
            }
            let (code, reason) = socket.hear().await.unwrap_err();
            assert_eq!(code, expected, "{init:?} {message:?} {reason}");
        }
        let mut socket = served.socket_open().await;
        socket.0.send(Message::binary(b"{}".as_slice())).await.unwrap();
        assert_eq!(socket.hear().await.unwrap_err().0, 4400);
        let mut socket = served.socket_open().await;
        socket.say(subscribe("1", FOLLOW)).await;
        socket.say(subscribe("1", FOLLOW)).await;
        assert_eq!(socket.hear().await.unwrap_err(), (4409, "Subscriber for 1 already exists".into()));
    }

    async fn who_does_not_say_who_it_is_in_time_is_closed(db: TestDatabase) {
        let served = serve(&db, Limits { handshake: Duration::from_millis(50), ..Limits::default() }).await;
        let mut socket = served.socket(PROTOCOL, None).await.unwrap();
        assert_eq!(socket.hear().await.unwrap_err(), (4408, "Connection initialisation timeout".into()));
    }

    async fn other_subprotocols_are_refused_before_the_upgrade(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        for protocol in [None, Some("graphql-ws"), Some("soap, xmpp")] {
            let Err(tungstenite::Error::Http(response)) = served.socket(protocol, None).await else {
                panic!("{protocol:?} was taken");
            };
            assert_eq!(response.status(), 400);
            let body: Value = serde_json::from_slice(response.body().as_ref().unwrap()).unwrap();
            assert_eq!(body["errors"][0]["extensions"]["code"], "SUBPROTOCOL_NOT_ACCEPTABLE");
        }
        // The right protocol is chosen from several.
        served.socket(Some("graphql-ws, graphql-transport-ws"), None).await.unwrap();
    }

    async fn invalid_operations_keep_the_connection_open(db: TestDatabase) {
        let served = serve(&db, Limits { operations_per_connection: 2, ..Limits::default() }).await;
        let mut socket = served.socket_open().await;
        for (payload, expected) in [
            (json!({"query": "{ nothing }"}), "GRAPHQL_VALIDATION_FAILED"),
            (json!({"query": "{"}), "GRAPHQL_PARSE_FAILED"),
            (json!({}), "BAD_REQUEST"),
        ] {
            socket.say(json!({"type": "subscribe", "id": "1", "payload": payload})).await;
            let answer = socket.hear().await.unwrap();
            assert_eq!((&answer["type"], &answer["id"]), (&json!("error"), &json!("1")));
            assert_eq!(answer["payload"][0]["extensions"]["code"], expected);
        }
        socket.say(subscribe("1", FOLLOW)).await;
        socket.say(subscribe("2", FOLLOW)).await;
        socket.say(subscribe("3", VIEWER)).await;
        assert_eq!(socket.hear().await.unwrap()["payload"][0]["extensions"]["code"], "TOO_MANY_OPERATIONS");
        // A completed operation makes room, and its id is free again.
        socket.say(json!({"type": "complete", "id": "1"})).await;
        socket.say(subscribe("1", VIEWER)).await;
        assert_eq!(socket.hear().await.unwrap()["type"], "next");
        assert_eq!(socket.hear().await.unwrap(), json!({"id": "1", "type": "complete"}));
        socket.say(json!({"type": "ping", "payload": {"n": 1}})).await;
        assert_eq!(socket.hear().await.unwrap(), json!({"type": "pong", "payload": {"n": 1}}));
    }

    async fn a_subscription_that_its_client_completes_says_no_more(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let (run, workers, gate) = run_begin(&served, "a").await;
        let mut socket = served.socket_open().await;
        let query = format!("subscription {{ runEvents(runId: \"{run}\") {{ seq }} }}");
        socket.say(subscribe("1", &query)).await;
        assert_eq!(socket.hear().await.unwrap()["type"], "next");
        socket.say(json!({"type": "complete", "id": "1"})).await;
        socket.say(json!({"type": "ping"})).await;
        assert_eq!(socket.hear().await.unwrap(), json!({"type": "pong"}));
        gate.add_permits(1);
        // Another subscription of the same connection sees the end of the run; the first one received nothing.
        socket.say(subscribe("2", &query)).await;
        loop {
            let message = socket.hear().await.unwrap();
            assert_eq!(message["id"], "2");
            if message["type"] == "complete" {
                break;
            }
        }
        workers.shutdown().await;
    }

    async fn only_unresponsive_clients_are_disconnected(db: TestDatabase) {
        let served = serve(&db, Limits { keepalive: Duration::from_millis(40), ..Limits::default() }).await;
        // The first connection creates long-lived objects, such as the pool's connections.
        drop(served.socket_open().await);
        let alive = tasks_at_rest().await;
        // A client that does not read, so it answers no ping.
        let dead = served.socket_open().await;
        tasks_fall_to(alive).await;
        drop(dead);
        let mut living = served.socket_open().await;
        for _ in 0..10 {
            let frame = tokio::time::timeout(PATIENCE, living.0.next()).await.unwrap();
            assert!(matches!(frame, Some(Ok(Message::Ping(_)))), "{frame:?}");
        }
        living.say(subscribe("1", VIEWER)).await;
        assert_eq!(living.hear().await.unwrap()["type"], "next");
    }

    async fn a_message_past_the_limit_closes_the_connection_and_says_so(db: TestDatabase) {
        let served = serve(&db, Limits { body_bytes: 4096, ..Limits::default() }).await;
        let mut socket = served.socket_open().await;
        socket.say(subscribe("1", &format!("{VIEWER}{}", " ".repeat(5000)))).await;
        assert_eq!(socket.hear().await.unwrap_err().0, 1009);
    }

    async fn an_unreadable_frame_is_closed_with_its_code(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let reserved = Frame::message(vec![1], OpCode::Data(Data::Reserved(3)), true);
        let no_utf8 = Frame::message(vec![0xc3, 0x28], OpCode::Data(Data::Text), true);
        let no_start = Frame::message(vec![b'a'], OpCode::Data(Data::Continue), true);
        for (frame, code) in [(reserved, 1002), (no_utf8, 1007), (no_start, 1002)] {
            let mut socket = served.socket_open().await;
            socket.0.send(Message::Frame(frame)).await.unwrap();
            assert_eq!(socket.hear().await.unwrap_err().0, code);
        }
    }

    async fn a_client_that_closes_gets_its_code_back(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        for code in [Some(1000_u16), Some(1001), Some(4999), None] {
            for acknowledged in [false, true] {
                let mut socket = if acknowledged {
                    let mut socket = served.socket_open().await;
                    socket.say(subscribe("1", FOLLOW)).await;
                    socket
                } else {
                    served.socket(PROTOCOL, None).await.unwrap()
                };
                let frame = code.map(|code| CloseFrame { code: code.into(), reason: "bye".into() });
                socket.0.send(Message::Close(frame)).await.unwrap();
                let answer = loop {
                    match tokio::time::timeout(PATIENCE, socket.0.next()).await.unwrap() {
                        Some(Ok(Message::Close(frame))) => break frame.map(|frame| u16::from(frame.code)),
                        Some(Ok(_)) => {}
                        other => panic!("{code:?} {acknowledged}: no close frame: {other:?}"),
                    }
                };
                assert_eq!(answer, code, "{acknowledged}");
                // Then the connection is closed properly.
                assert!(tokio::time::timeout(PATIENCE, socket.0.next()).await.unwrap().is_none());
            }
        }
    }

    async fn a_message_of_the_wrong_shape_closes_with_4400(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let payload = |payload: Value| json!({"type": "subscribe", "id": "1", "payload": payload});
        for message in [
            subscribe("", VIEWER),
            json!({"type": "complete", "id": ""}),
            json!({"type": "complete"}),
            json!({"type": "subscribe", "id": 1, "payload": {"query": VIEWER}}),
            json!(["subscribe", "1", {"query": VIEWER}]),
            json!([{"type": "ping"}]),
            payload(json!([VIEWER])),
            payload(json!([VIEWER, null, {}, null])),
            payload(json!(VIEWER)),
            payload(Value::Null),
            payload(json!({"query": 1})),
            payload(json!({"query": [VIEWER]})),
            payload(json!({"query": VIEWER, "variables": []})),
            payload(json!({"query": VIEWER, "variables": [1]})),
            payload(json!({"query": VIEWER, "variables": "{}"})),
            payload(json!({"query": VIEWER, "extensions": []})),
            payload(json!({"query": VIEWER, "extensions": 1})),
            payload(json!({"query": VIEWER, "operationName": {}})),
            json!({"type": "ping", "payload": [1]}),
            json!({"type": "pong", "payload": "x"}),
            json!({"type": "connection_init", "payload": []}),
        ] {
            let mut socket = served.socket_open().await;
            socket.say(message.clone()).await;
            let (code, reason) = socket.hear().await.expect_err(&message.to_string());
            assert_eq!(code, 4400, "{message} {reason}");
        }
        for init in [json!(["x"]), json!("x"), json!(1)] {
            let mut socket = served.socket(PROTOCOL, Some(init.clone())).await.unwrap();
            assert_eq!(socket.hear().await.expect_err(&init.to_string()).0, 4400, "{init}");
        }
    }
}
