//! A gateway on a free port that records every statement, and its client.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::options;
use chrono::{DateTime, TimeDelta, Utc};
use futures::{SinkExt, StreamExt};
use nyxcore_gateway::{Gateway, GatewayOptions, Limits, ServerInfo, SignInOptions};
use nyxcore_outbound::OutboundPolicy;
use nyxcore_sync::git::SourcePolicy;
use nyxcore_tenancy::{Env, ManualClock, RandomIds, Store};
use nyxcore_tests::TestDatabase;
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::support::{keyring, models};

/// How long a test waits for an expected event.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Server {
    pub store: Store,
    /// A connection that bypasses row-level security, for checking the stored rows.
    pub superuser: DatabaseConnection,
    client: reqwest::Client,
    address: String,
    heard: Arc<Mutex<Vec<String>>>,
}

/// A response, as text and as JSON.
pub struct Answer {
    pub status: u16,
    pub text: String,
    pub json: Value,
}

impl Server {
    /// Its clock stands still, so nothing is written because a minute has passed.
    pub async fn start(db: &TestDatabase) -> Self {
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let mut options = options(db.app_url());
        let listener = heard.clone();
        options.statement_listener = Some(Arc::new(move |sql: &str, _| {
            listener.lock().unwrap().push(sql.to_owned());
        }));
        // Every request looks up its credential, so that equal requests have equal statements.
        options.credential_recheck = Some(Duration::ZERO);
        options.credential_flush = Duration::from_secs(3_600);
        let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::new(start));
        let env = Env::new(clock, Arc::new(RandomIds::default()));
        let store = Store::connect(&options, env).await.unwrap();
        let keyring = keyring();
        let gateway = Gateway::new(GatewayOptions {
            store: store.clone(),
            source_policy: SourcePolicy::default(),
            analysis_quiet_period: TimeDelta::minutes(3),
            server: ServerInfo {
                version: "0.0.0".into(),
                ..ServerInfo::default()
            },
            // The documents here are long: another test checks the limits of clients.
            limits: Limits {
                depth: 40,
                complexity: 10_000_000,
                tokens: 100_000,
                ..Limits::default()
            },
            sign_in: SignInOptions::new().unwrap(),
            models: models(&store, &keyring, OutboundPolicy::default()),
            keyring,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(nyxcore_gateway::serve(
            gateway,
            listener,
            std::future::pending(),
        ));
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .build()
            .unwrap();
        Self {
            store,
            superuser: db.superuser_connection().await.unwrap(),
            client,
            address,
            heard,
        }
    }

    pub fn request(
        &self,
        token: Option<&str>,
        path: &str,
        body: Option<&Value>,
    ) -> reqwest::RequestBuilder {
        let url = format!("http://{}{path}", self.address);
        let request = match body {
            Some(body) => self
                .client
                .post(url)
                .header("content-type", "application/json")
                .body(body.to_string()),
            None => self.client.get(url),
        };
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn ask(&self, token: Option<&str>, document: &str, variables: &Value) -> Answer {
        let body = json!({"query": document, "variables": variables});
        let response = self
            .request(token, "/graphql", Some(&body))
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        Answer {
            status,
            json: serde_json::from_str(&text).unwrap(),
            text,
        }
    }

    /// Sends a message to `/mcp`, and returns the JSON response.
    pub async fn mcp(&self, token: Option<&str>, method: &str, params: &Value) -> Answer {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let request = self.request(token, "/mcp", Some(&body));
        let request = request.header("accept", "application/json, text/event-stream");
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        Answer {
            status,
            json: serde_json::from_str(&text).unwrap(),
            text,
        }
    }

    /// The statements since the last call.
    pub fn statements(&self) -> Vec<String> {
        let mut statements = std::mem::take(&mut *self.heard.lock().unwrap());
        statements.sort_unstable();
        statements
    }

    /// The first event of a subscription by server-sent events.
    pub async fn first_by_sse(&self, token: &str, body: &Value) -> Option<String> {
        let request = self.request(Some(token), "/graphql", Some(body));
        let mut response = request
            .header("accept", "text/event-stream")
            .send()
            .await
            .unwrap();
        let mut text = String::new();
        while let Some(chunk) = response.chunk().await.unwrap() {
            text.push_str(std::str::from_utf8(&chunk).unwrap());
            let frames = text
                .split_inclusive("\n\n")
                .filter(|frame| frame.ends_with("\n\n"));
            let mut told = frames.filter(|frame| {
                frame.starts_with("event: next") || frame.starts_with("event:next")
            });
            if let Some(frame) = told.next() {
                return Some(frame.to_owned());
            }
        }
        None
    }

    /// An authenticated WebSocket; `Err` with the code with which it was closed.
    pub async fn socket(&self, token: Option<&str>) -> Result<Socket, u16> {
        let mut request = format!("ws://{}/graphql", self.address)
            .into_client_request()
            .unwrap();
        let protocol = "graphql-transport-ws".parse().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let mut socket = Socket(socket);
        let payload = token.map_or(json!({}), |token| json!({"token": token}));
        socket
            .say(&json!({"type": "connection_init", "payload": payload}))
            .await;
        socket.hear().await?;
        Ok(socket)
    }
}

pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub async fn say(&mut self, message: &Value) {
        self.0
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }

    /// The next message; `Err` with the code with which the connection was closed.
    pub async fn hear(&mut self) -> Result<Value, u16> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.0.next()).await;
            match frame.expect("a message in time").unwrap().unwrap() {
                Message::Text(text) => return Ok(serde_json::from_str(&text).unwrap()),
                Message::Close(frame) => return Err(frame.unwrap().code.into()),
                _ => {}
            }
        }
    }

    /// Subscribes; returns the server's message that arrived before the answer to a ping, if any.
    pub async fn subscribe(&mut self, body: &Value) -> Option<Value> {
        self.say(&json!({"type": "subscribe", "id": "1", "payload": body}))
            .await;
        self.say(&json!({"type": "ping"})).await;
        let first = self.hear().await.unwrap();
        (first["type"] != "pong").then_some(first)
    }
}
