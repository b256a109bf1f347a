//! A minimal front end: GraphQL over POST, subscriptions over WebSocket and over SSE.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// A caller of a server's API.
pub struct Api {
    url: String,
    ws_url: String,
    token: String,
    client: reqwest::Client,
}

/// The fields of every event, and the status of a run at its end.
pub const EVENT: &str = "__typename runId seq
    ... on RunPhaseStarted { phase }
    ... on RunProgressed { progress { phase done total unit } }
    ... on RunMessage { level text }
    ... on RunFinished { run { id status error { code message } } }";

impl Api {
    pub fn new(server: &nyxcore_tests::TestServer, token: &str) -> Self {
        Self {
            url: server.url("/graphql"),
            ws_url: server.ws_url("/graphql"),
            token: token.to_owned(),
            client: reqwest::Client::builder().build().unwrap(),
        }
    }

    /// The whole response.
    pub async fn post(&self, query: &str, variables: Value) -> Value {
        let answer = self
            .client
            .post(&self.url)
            .bearer_auth(&self.token)
            .header("content-type", "application/json")
            .body(json!({"query": query, "variables": variables}).to_string())
            .send()
            .await
            .unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// The data of a response without errors.
    pub async fn ask(&self, query: &str, variables: Value) -> Value {
        let answer = self.post(query, variables).await;
        assert!(answer.get("errors").is_none(), "{query}\n{answer:#}");
        answer["data"].clone()
    }

    /// The code of a response's first error.
    pub async fn refused(&self, query: &str, variables: Value) -> String {
        let answer = self.post(query, variables).await;
        let code = &answer["errors"][0]["extensions"]["code"];
        code.as_str()
            .unwrap_or_else(|| panic!("no error with a code for {query}: {answer:#}"))
            .to_owned()
    }

    /// A run's events after a number by WebSocket: all of them up to the run's end, or the first `limit`, after which
    /// the connection is dropped without a close frame. An error ends the list and is its last item.
    pub async fn events_by_websocket(&self, run: &str, after: i64, limit: usize) -> Vec<Value> {
        self.subscribe(&subscription(run, after), limit).await
    }

    /// As [`Api::events_by_websocket`], for any subscription.
    pub async fn subscribe(&self, payload: &Value, limit: usize) -> Vec<Value> {
        let mut request = self.ws_url.as_str().into_client_request().unwrap();
        let protocol = "graphql-transport-ws".parse().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let authorization = format!("Bearer {}", self.token);
        let init = json!({"type": "connection_init", "payload": {"Authorization": authorization}});
        socket.send(Message::text(init.to_string())).await.unwrap();
        let mut events = Vec::new();
        while let Some(message) = socket.next().await {
            let Message::Text(text) = message.unwrap() else {
                continue;
            };
            let message: Value = serde_json::from_str(&text).unwrap();
            match message["type"].as_str().unwrap() {
                "connection_ack" => {
                    let subscribe = json!({"type": "subscribe", "id": "1", "payload": payload});
                    socket
                        .send(Message::text(subscribe.to_string()))
                        .await
                        .unwrap();
                }
                "next" => events.push(event_of(&message["payload"])),
                "error" => events.push(message["payload"].clone()),
                "complete" => break,
                "ping" => {
                    let pong = json!({"type": "pong"}).to_string();
                    socket.send(Message::text(pong)).await.unwrap();
                }
                _ => {}
            }
            if events.len() == limit {
                break;
            }
        }
        events
    }

    /// As [`Api::events_by_websocket`], over server-sent events.
    pub async fn events_by_sse(&self, run: &str, after: i64, limit: usize) -> Vec<Value> {
        let answer = self
            .client
            .post(&self.url)
            .bearer_auth(&self.token)
            .header("content-type", "application/json")
            .header("accept", "text/event-stream")
            .body(subscription(run, after).to_string())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let mut bytes = answer.bytes_stream();
        let mut text = String::new();
        let mut events = Vec::new();
        while let Some(chunk) = bytes.next().await {
            text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
            while let Some((frame, rest)) = text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = frame.lines().find_map(|line| line.strip_prefix(name));
                    line.map(|value| value.trim_start().to_owned())
                };
                match field("event:").as_deref() {
                    Some("next") => {
                        let data = field("data:").unwrap();
                        events.push(event_of(&serde_json::from_str(&data).unwrap()));
                    }
                    Some("complete") => return events,
                    _ => {}
                }
                text = rest.to_owned();
                if events.len() == limit {
                    return events;
                }
            }
        }
        events
    }
}

fn subscription(run: &str, after: i64) -> Value {
    json!({
        "query": format!("subscription ($run: ID!, $after: Int!) {{ runEvents(runId: $run, after: $after) {{ {EVENT} }} }}"),
        "variables": {"run": run, "after": after},
    })
}

/// The event of an execution result, or the result's first error.
fn event_of(result: &Value) -> Value {
    match result["data"]["runEvents"].as_object() {
        Some(event) => Value::Object(event.clone()),
        None => result["errors"][0].clone(),
    }
}

/// The numbers of events.
pub fn seqs(events: &[Value]) -> Vec<i64> {
    events.iter().map(|e| e["seq"].as_i64().unwrap()).collect()
}
