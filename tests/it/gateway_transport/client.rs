//! A gateway on a free port, and clients that read its streams frame by frame.

use nyxcore_note_enrichment::NOTE_ENRICHMENT_RUN;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::future::BoxFuture;
use futures::{FutureExt, SinkExt, StreamExt};
use nyxcore_gateway::{Gateway, GatewayOptions, Limits, ServerInfo, SignInOptions, TrustedProxies};
use nyxcore_runs::{
    NewRun, Priority, RunContext, RunFailure, RunHandler, RunId, RunKind, Workers, run_start,
};
use nyxcore_sync::git::SourcePolicy;
use nyxcore_tenancy::directory::{self, NewApiToken};
use nyxcore_tenancy::secret::{Keyring, MasterKey, MasterKeys};
use nyxcore_tenancy::{Role, Store, TenantId, UserId};
use nyxcore_tests::TestDatabase;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::support::{models, store, tenant};

/// How long a test waits for an expected event.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running gateway with a tenant `acme` and its owner's token.
pub(crate) struct Served {
    pub(crate) store: Store,
    pub(crate) tenant: TenantId,
    pub(crate) user: UserId,
    pub(crate) token: String,
    pub(crate) keyring: Keyring,
    pub(crate) client: reqwest::Client,
    pub(crate) address: String,
    ending: Option<oneshot::Sender<()>>,
    pub(crate) task: JoinHandle<std::io::Result<()>>,
}

pub(crate) async fn serve(db: &TestDatabase, limits: Limits) -> Served {
    Served::start(&store(db).await, "acme", limits).await
}

impl Served {
    pub(crate) async fn start(store: &Store, slug: &str, limits: Limits) -> Self {
        Self::start_with(store, slug, limits, SourcePolicy::default()).await
    }

    /// With that policy for the addresses of repositories.
    pub(crate) async fn start_with(
        store: &Store,
        slug: &str,
        limits: Limits,
        source_policy: SourcePolicy,
    ) -> Self {
        let sign_in = SignInOptions::new().unwrap();
        Self::start_as(store, slug, limits, source_policy, sign_in).await
    }

    /// Behind a trusted proxy on this machine.
    pub(crate) async fn behind_proxy(db: &TestDatabase, limits: Limits) -> Self {
        let sign_in = SignInOptions {
            trusted_proxies: TrustedProxies::parse("127.0.0.1").unwrap(),
            ..SignInOptions::new().unwrap()
        };
        let policy = SourcePolicy::default();
        Self::start_as(&store(db).await, "acme", limits, policy, sign_in).await
    }

    async fn start_as(
        store: &Store,
        slug: &str,
        limits: Limits,
        source_policy: SourcePolicy,
        sign_in: SignInOptions,
    ) -> Self {
        let (tenant, owner) = tenant(store, slug).await;
        let scoped = store.write(tenant.id).await.unwrap();
        let new = NewApiToken {
            user: owner.id,
            name: "test".into(),
            role: Role::Owner,
            expires_at: None,
        };
        let (_, token) = directory::api_token_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();
        let keyring = Keyring::new(MasterKeys::one(MasterKey::generate().unwrap()));
        let models = models(store, &keyring, source_policy.outbound());
        let gateway = Gateway::new(GatewayOptions {
            store: store.clone(),
            source_policy,
            analysis_quiet_period: TimeDelta::minutes(3),
            server: ServerInfo {
                version: "0.0.0".into(),
                ..ServerInfo::default()
            },
            limits,
            models,
            keyring: keyring.clone(),
            sign_in,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (ending, end) = oneshot::channel();
        let shutdown = async { end.await.unwrap_or(()) };
        let task = tokio::spawn(nyxcore_gateway::serve(gateway, listener, shutdown));
        // Without a pool: a connection lives as long as its response.
        let client = reqwest::Client::builder()
            .pool_max_idle_per_host(0)
            .timeout(PATIENCE)
            .build()
            .unwrap();
        Self {
            store: store.clone(),
            tenant: tenant.id,
            user: owner.id,
            token,
            keyring,
            client,
            address,
            ending: Some(ending),
            task,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method.parse().unwrap(), self.url(path))
            .bearer_auth(&self.token)
    }

    pub(crate) fn post(&self, body: &Value) -> reqwest::RequestBuilder {
        self.request("POST", "/graphql")
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    /// Sends these bytes, and reads the response until the server closes the connection.
    pub(crate) async fn raw(&self, request: &str) -> String {
        self.raw_exchange(request, false).await
    }

    /// As [`raw`](Self::raw); the client closes its sending half first.
    pub(crate) async fn raw_half_closed(&self, request: &str) -> String {
        self.raw_exchange(request, true).await
    }

    async fn raw_exchange(&self, request: &str, half_closed: bool) -> String {
        let answer = async {
            let mut stream = TcpStream::connect(&self.address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            if half_closed {
                stream.shutdown().await.unwrap();
            }
            let mut answer = Vec::new();
            // A server that closes before it has read everything resets the connection after its response.
            let _reset = stream.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        };
        tokio::time::timeout(PATIENCE, answer)
            .await
            .expect("an answer in time")
    }

    /// Tells the server to shut down.
    pub(crate) fn end(&mut self) {
        self.ending.take().unwrap().send(()).unwrap();
    }

    pub(crate) async fn stream(&self, request: reqwest::RequestBuilder) -> Frames {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Frames {
            response,
            text: String::new(),
        }
    }

    pub(crate) fn events(&self, run: RunId) -> reqwest::RequestBuilder {
        self.request("GET", &format!("/api/v1/events/enrichments/{run}"))
    }

    /// A WebSocket that has sent that first message and read nothing.
    pub(crate) async fn socket(
        &self,
        protocol: Option<&str>,
        init: Option<Value>,
    ) -> Result<Socket, tungstenite::Error> {
        let mut request = format!("ws://{}/graphql", self.address)
            .into_client_request()
            .unwrap();
        if let Some(protocol) = protocol {
            request
                .headers_mut()
                .insert("sec-websocket-protocol", protocol.parse().unwrap());
        }
        let (socket, response) = tokio_tungstenite::connect_async(request).await?;
        assert_eq!(
            response.headers()["sec-websocket-protocol"],
            "graphql-transport-ws"
        );
        let mut socket = Socket(socket);
        if let Some(payload) = init {
            socket
                .say(json!({"type": "connection_init", "payload": payload}))
                .await;
        }
        Ok(socket)
    }

    /// A WebSocket with a completed handshake.
    pub(crate) async fn socket_open(&self) -> Socket {
        let authorization = format!("Bearer {}", self.token);
        let init = json!({"Authorization": authorization});
        let mut socket = self
            .socket(Some("graphql-transport-ws"), Some(init))
            .await
            .unwrap();
        assert_eq!(
            socket.hear().await.unwrap(),
            json!({"type": "connection_ack"})
        );
        socket
    }
}

/// The code of a response's first error, for any shape of response; empty if there is none.
pub(crate) fn code(body: &Value) -> &str {
    let graphql = body["errors"][0]["extensions"]["code"].as_str();
    graphql.or(body["code"].as_str()).unwrap_or_default()
}

/// A frame of an event stream. A comment has no other fields.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Frame {
    pub(crate) id: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) data: Option<String>,
    pub(crate) comment: bool,
}

impl Frame {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.data.as_ref().unwrap()).unwrap()
    }

    pub(crate) fn seq(&self) -> i64 {
        self.id.as_ref().unwrap().parse().unwrap()
    }
}

pub(crate) struct Frames {
    response: reqwest::Response,
    text: String,
}

impl Frames {
    /// The next frame, including keep-alive comments; `None` at the end.
    pub(crate) async fn next_or_comment(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let frame = frame_read(frame);
                self.text = rest.to_owned();
                return Some(frame);
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
            let chunk = chunk.expect("a frame in time").ok().flatten()?;
            self.text += std::str::from_utf8(&chunk).unwrap();
        }
    }

    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            let frame = self.next_or_comment().await?;
            if !frame.comment {
                return Some(frame);
            }
        }
    }

    pub(crate) async fn rest(mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next().await {
            frames.push(frame);
        }
        frames
    }
}

fn frame_read(text: &str) -> Frame {
    let mut frame = Frame::default();
    for line in text.lines() {
        let (field, value) = line.split_once(':').unwrap();
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => frame.comment = true,
            "id" => frame.id = Some(value.to_owned()),
            "event" => frame.event = Some(value.to_owned()),
            "data" => match &mut frame.data {
                Some(data) => *data += &format!("\n{value}"),
                None => frame.data = Some(value.to_owned()),
            },
            other => panic!("a field {other}"),
        }
    }
    frame
}

pub(crate) struct Socket(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn say(&mut self, message: Value) {
        self.0
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }

    /// The next message, or the code and reason with which the connection was closed.
    pub(crate) async fn hear(&mut self) -> Result<Value, (u16, String)> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.0.next())
                .await
                .expect("a message in time");
            match frame {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err((frame.code.into(), frame.reason.to_string()));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("neither a message nor a close: {other:?}"),
            }
        }
    }
}

/// A handler that counts to three, and ends when the test permits it.
struct Counting(Arc<Semaphore>);

impl RunHandler for Counting {
    fn kind(&self) -> RunKind {
        NOTE_ENRICHMENT_RUN
    }

    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        async move {
            context.phase("count", Some(3), Some("steps")).await?;
            self.0.acquire().await.unwrap().forget();
            for step in 1..=3 {
                context.progress(step, None).await?;
            }
            context.check()
        }
        .boxed()
    }
}

/// A run that has begun, which is certain after its first event, and the semaphore that lets it end.
pub(crate) async fn run_begin(served: &Served, subject: &str) -> (RunId, Workers, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let workers = Workers::builder(&served.store)
        .handler(Counting(gate.clone()))
        .start()
        .unwrap();
    (
        run_queue(served, NOTE_ENRICHMENT_RUN, subject).await,
        workers,
        gate,
    )
}

pub(crate) async fn run_queue(served: &Served, kind: RunKind, subject: &str) -> RunId {
    let scoped = served.store.write(served.tenant).await.unwrap();
    let new = NewRun {
        kind,
        subject: subject.into(),
        project_id: None,
        started_by: None,
        input: Value::Null,
        quiet_period: None,
        max_attempts: 1,
        priority: Priority::Normal,
        not_before: None,
    };
    let run = run_start(&scoped, new).await.unwrap().run().id;
    scoped.commit().await.unwrap();
    run
}

/// The number of live tasks once it is stable.
pub(crate) async fn tasks_at_rest() -> usize {
    let mut least = usize::MAX;
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        least = least.min(
            tokio::runtime::Handle::current()
                .metrics()
                .num_alive_tasks(),
        );
    }
    least
}

/// Waits until at most `most` tasks are alive.
pub(crate) async fn tasks_fall_to(most: usize) {
    let alive = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let fallen = async {
        while alive() > most {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let fallen = tokio::time::timeout(PATIENCE, fallen).await;
    assert!(fallen.is_ok(), "{} tasks live, not {most}", alive());
}
