//! A gateway on a free port, and a browser with cookies and origin headers.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use futures::{SinkExt, StreamExt};
use nyxcore_gateway::{Gateway, GatewayOptions, Limits, ServerInfo, SignInOptions};
use nyxcore_outbound::OutboundPolicy;
use nyxcore_sync::git::SourcePolicy;
use nyxcore_tenancy::Store;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::support::{keyring, models};

/// How long a test waits for an expected event.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running gateway on a local port. It ends with the test.
pub(super) struct Site {
    pub(super) address: String,
    client: reqwest::Client,
    task: JoinHandle<std::io::Result<()>>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Site {
    pub(super) async fn start(store: &Store, sign_in: SignInOptions) -> Self {
        // An open stream must end by the signal of a change, because the recheck interval is long.
        let limits = Limits {
            token_recheck: PATIENCE * 10,
            ..Limits::default()
        };
        let keyring = keyring();
        let gateway = Gateway::new(GatewayOptions {
            store: store.clone(),
            source_policy: SourcePolicy::default(),
            analysis_quiet_period: TimeDelta::minutes(3),
            server: ServerInfo {
                version: "0.0.0".into(),
                ..ServerInfo::default()
            },
            limits,
            sign_in,
            models: models(store, &keyring, OutboundPolicy::default()),
            keyring,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let forever = std::future::pending();
        let task = tokio::spawn(nyxcore_gateway::serve(gateway, listener, forever));
        let client = reqwest::Client::builder().timeout(PATIENCE).build();
        Self {
            address,
            client: client.unwrap(),
            task,
        }
    }

    /// A new browser on a page of this site.
    pub(super) fn browser(&self) -> Browser<'_> {
        Browser {
            site: self,
            cookies: BTreeMap::new(),
            headers: BTreeMap::from([("sec-fetch-site", "same-origin".to_owned())]),
        }
    }
}

/// A response: the status, the body as JSON (null if it is not JSON), and the headers.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) headers: HeaderMap,
}

impl Answer {
    /// The status, and the first error's code, for any shape of response; empty if there is none.
    pub(super) fn told(&self) -> (u16, &str) {
        let graphql = self.body["errors"][0]["extensions"]["code"].as_str();
        let code = graphql.or(self.body["code"].as_str()).unwrap_or_default();
        (self.status, code)
    }

    pub(super) fn cookies_set(&self) -> Vec<&str> {
        let set = self.headers.get_all("set-cookie").iter();
        set.map(|cookie| cookie.to_str().unwrap()).collect()
    }
}

#[derive(Clone)]
pub(super) struct Browser<'s> {
    site: &'s Site,
    pub(super) cookies: BTreeMap<String, String>,
    headers: BTreeMap<&'static str, String>,
}

impl Browser<'_> {
    /// The same browser with that header in its requests.
    pub(super) fn with(&self, name: &'static str, value: impl Into<String>) -> Self {
        let mut other = self.clone();
        other.headers.insert(name, value.into());
        other
    }

    pub(super) fn without(&self, name: &'static str) -> Self {
        let mut other = self.clone();
        other.headers.remove(name);
        other
    }

    /// The text of the cookie header, which a test may set to any text.
    fn cookie_text(&self) -> Option<String> {
        let cookies = self.cookies.iter();
        let cookies: Vec<String> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (!cookies.is_empty()).then(|| cookies.join("; "))
    }

    pub(super) async fn send(&mut self, method: &str, path: &str, body: Option<String>) -> Answer {
        let url = format!("http://{}{path}", self.site.address);
        let mut request = self.site.client.request(method.parse().unwrap(), url);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(cookies) = self.cookie_text()
            && !self.headers.contains_key("cookie")
        {
            request = request.header("cookie", cookies);
        }
        if let Some(body) = body {
            if !self.headers.contains_key("content-type") {
                request = request.header("content-type", "application/json");
            }
            request = request.body(body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let answer = Answer {
            status,
            body: serde_json::from_str(&text).unwrap_or_default(),
            headers,
        };
        for set in answer.cookies_set() {
            let (pair, attributes) = set.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    pub(super) async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body.to_string())).await
    }

    pub(super) async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        let body = json!({"email": email, "password": password});
        self.post("/auth/sign-in", body).await
    }

    pub(super) async fn graphql(&mut self, query: &str) -> Answer {
        self.post("/graphql", json!({ "query": query })).await
    }

    /// A WebSocket that has sent that first message (none if null) and read nothing; or the status and code of the
    /// refusal.
    pub(super) async fn socket(&self, init: Value) -> Result<Socket, (u16, String)> {
        let mut request = format!("ws://{}/graphql", self.site.address)
            .into_client_request()
            .unwrap();
        let headers = request.headers_mut();
        headers.insert(
            "sec-websocket-protocol",
            "graphql-transport-ws".parse().unwrap(),
        );
        for (name, value) in &self.headers {
            headers.insert(*name, value.parse().unwrap());
        }
        if let Some(cookies) = self.cookie_text() {
            headers.insert("cookie", cookies.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => {
                let mut socket = Socket(socket);
                if !init.is_null() {
                    socket
                        .say(json!({"type": "connection_init", "payload": init}))
                        .await;
                }
                Ok(socket)
            }
            Err(tungstenite::Error::Http(response)) => {
                let body: Value =
                    serde_json::from_slice(response.body().as_ref().unwrap()).unwrap();
                let code = body["errors"][0]["extensions"]["code"].as_str();
                Err((
                    response.status().as_u16(),
                    code.unwrap_or_default().to_owned(),
                ))
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens a stream of GraphQL responses; resolves to its text when the server ends it.
    pub(super) async fn stream(&self, query: &str) -> impl Future<Output = String> + use<> {
        let url = format!("http://{}/graphql", self.site.address);
        let mut request = self
            .site
            .client
            .post(url)
            .header("accept", "text/event-stream")
            .header("content-type", "application/json")
            .body(json!({ "query": query }).to_string());
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(cookies) = self.cookie_text() {
            request = request.header("cookie", cookies);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        async move { response.text().await.unwrap() }
    }
}

pub(super) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(super) async fn say(&mut self, message: Value) {
        self.0
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }

    /// The next message, or the code with which the connection was closed.
    pub(super) async fn hear(&mut self) -> Result<Value, u16> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.0.next())
                .await
                .expect("a message in time");
            match frame {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => return Err(frame.code.into()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("neither a message nor a close: {other:?}"),
            }
        }
    }

    /// Sends a query and returns the payload of the response.
    pub(super) async fn ask(&mut self, query: &str) -> Value {
        self.say(json!({"type": "subscribe", "id": "q", "payload": {"query": query}}))
            .await;
        let answer = self.hear().await.unwrap();
        assert_eq!(self.hear().await.unwrap()["type"], "complete");
        answer["payload"].clone()
    }
}
