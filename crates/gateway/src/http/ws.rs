//! GraphQL over WebSocket: the
//! [`graphql-transport-ws`](https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md) subprotocol, and no other.
//!
//! Why it is not the implementation of async-graphql-axum: `docs/decisions/0011-graphql-over-http-is-our-own.md`.
//!
//! Longer than 450 lines: the states of one connection are one type.

use std::collections::HashMap;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;

use async_graphql::Response as GraphqlResponse;
use axum::extract::FromRequestParts;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use futures::StreamExt;
use futures::stream::{AbortHandle, BoxStream, SelectAll, abortable};
use nyxcore_graphql::RequestContext;
use nyxcore_graphql::error::internal_error;
use nyxcore_tenancy::{Origin, UserId};
use serde_json::{Map, Value};
use tokio::time::{Duration, Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::auth::{self, RequestHead, VerifiedCredential};
use super::connection::{Lease, RequestGuard};
use super::params::{JsonObject, Params, answer_json, is_request_error, json};
use super::problem::Problem;
use super::slots::Slot;
use super::ws_message::{ClientMessage, OperationId};
use super::{ClientSlot, Server};

const PROTOCOL: &str = "graphql-transport-ws";
/// How long a client may take to answer a close frame.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long a connection stays open when its last message cannot be read to the end, such as a message beyond the
/// limit. The kernel resets a connection that is closed with unread bytes. The client then loses the close frame if it
/// has not read it.
const RESET_DELAY: Duration = Duration::from_millis(250);
/// The longest reason that fits a close frame (RFC 6455: 125 bytes less the code).
const REASON_MAX: usize = 123;
/// Bytes that are read at once, which each socket has room for. Longer messages are allowed; most are shorter.
const READ_BUFFER: usize = 1024;

/// The end of a connection.
enum End {
    /// The client has disconnected, or no longer responds.
    Left,
    /// The client has sent a close frame, which is answered.
    ClosedByClient,
    /// Closes with a code of the protocol or of RFC 6455, and a reason.
    Close(u16, String),
}

impl End {
    fn close(code: u16, reason: impl Into<String>) -> Self {
        Self::Close(code, reason.into())
    }

    fn server_ends() -> Self {
        Self::close(1001, "the server ends")
    }

    /// The end by a frame that cannot be read, with the codes of RFC 6455, 7.4.1. axum does not expose tungstenite's
    /// error type, only its text.
    fn unreadable(error: &str) -> Self {
        if error.contains("Space limit exceeded") {
            Self::close(1009, "the message is too large")
        } else if error.contains("UTF-8 encoding error") {
            Self::close(1007, "a text message is not UTF-8")
        } else if error.contains("without closing handshake") {
            Self::Left
        } else if let Some((_, rule)) = error.split_once("WebSocket protocol error: ") {
            Self::close(1002, rule)
        } else {
            Self::Left
        }
    }

    fn refused(problem: &Problem) -> Self {
        // 1013: try again later.
        let code = if problem.is_server_fault() {
            1013
        } else {
            4403
        };
        Self::close(code, problem.message())
    }
}

/// An operation's answer, or its end.
type Step = (String, Option<GraphqlResponse>);

/// Upgrades a request to a WebSocket, if it names the subprotocol.
pub(super) async fn upgrade(server: Server, mut parts: Parts) -> Result<Response, Problem> {
    let shown = auth::upgrade_authenticate(&server.gateway, RequestHead::parts(&parts)).await?;
    let origin = RequestHead::parts(&parts).origin();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &())
        .await
        .map_err(|rejection| Problem::bad_request(rejection.body_text()))?
        .protocols([PROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "SUBPROTOCOL_NOT_ACCEPTABLE",
            format!("offer the subprotocol {PROTOCOL}"),
        ));
    }
    let limits = server.gateway.limits();
    let most = limits.body_bytes;
    // No caller is known before `connection_init`, also where a cookie was sent. Until then an address may have few
    // sockets.
    let unauthenticated = match server.bounded_address(origin.address) {
        Some(address) => {
            let bound = limits.connection.unauthenticated_sockets_per_address;
            let slot = server.unauthenticated.take(address, bound);
            Some(slot.ok_or_else(|| too_many_unauthenticated(bound))?)
        }
        None => None,
    };
    let lease = parts.extensions.get::<Lease>().cloned();
    let client = parts.extensions.get::<ClientSlot>().cloned();
    let open = server.open.token();
    Ok(upgrade
        .max_message_size(most)
        .max_frame_size(most)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .on_upgrade(move |socket| {
            // Boxed, so that its memory is not copied into each future that it is moved into.
            let connection = Box::new(Connection {
                server,
                socket,
                origin,
                lease,
                operations: SelectAll::new(),
                running: HashMap::new(),
                heard: Instant::now(),
                _open: open,
                _client: client,
            });
            connection.run(shown, unauthenticated)
        }))
}

fn too_many_unauthenticated(most: usize) -> Problem {
    let message = format!("{most} WebSockets from your address are not authenticated yet");
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "TOO_MANY_CONNECTIONS",
        message,
    )
    .retry_after(1)
}

struct Connection {
    server: Server,
    socket: WebSocket,
    origin: Origin,
    /// The connection's place among all others; `None` where an embedding program serves the connections.
    lease: Option<Lease>,
    operations: SelectAll<BoxStream<'static, Step>>,
    running: HashMap<String, AbortHandle>,
    /// When the client last sent a frame.
    heard: Instant,
    /// Held while the connection is open, so that the end of the server waits for it.
    _open: TaskTrackerToken,
    /// The place of the upgrade request; behind a trusted proxy, a client has few.
    _client: Option<ClientSlot>,
}

/// The places that a socket holds while it is open and authenticated.
struct Places {
    _stream: Slot<UserId>,
    _connection: Option<RequestGuard>,
}

impl Connection {
    async fn run(
        mut self: Box<Self>,
        shown: Option<VerifiedCredential>,
        unauthenticated: Option<Slot<IpAddr>>,
    ) {
        // Boxed, so that the memory that authentication needs is freed before the socket waits.
        let known = Box::pin(self.handshake(shown)).await;
        drop(unauthenticated);
        let end = match known {
            Ok((shown, _places)) => Box::pin(self.serve(&shown)).await,
            Err(end) => Err(end),
        };
        match end {
            Err(End::Close(code, reason)) => Box::pin(self.close(code, reason)).await,
            Err(End::ClosedByClient) => Box::pin(self.drain(true)).await,
            Err(End::Left) | Ok(()) => {}
        }
    }

    /// Waits for `connection_init` and authenticates the caller.
    async fn handshake(
        &mut self,
        shown_before: Option<VerifiedCredential>,
    ) -> Result<(VerifiedCredential, Places), End> {
        let stopping = self.server.stopping.clone();
        let lease = self.lease.clone();
        let mut evicted = Box::pin(async {
            match &lease {
                Some(lease) => lease.evicted().await,
                None => std::future::pending().await,
            }
        });
        let mut too_late = Box::pin(sleep(self.server.gateway.limits().handshake));
        loop {
            let frame = tokio::select! {
                frame = self.socket.recv() => frame,
                () = stopping.cancelled() => return Err(End::server_ends()),
                () = &mut evicted => return Err(End::Left),
                () = &mut too_late => return Err(End::close(4408, "Connection initialisation timeout")),
            };
            match self.read(frame)? {
                Some(ClientMessage::ConnectionInit { payload }) => {
                    // Boxed, so that a socket that waits for this message does not hold the memory for it.
                    let shown = Box::pin(auth::init_authenticate(
                        &self.server.gateway,
                        payload.as_ref(),
                        shown_before,
                        self.origin.clone(),
                    ));
                    let shown = shown.await.map_err(|problem| End::refused(&problem))?;
                    let places = self.places(&shown)?;
                    self.send(r#"{"type":"connection_ack"}"#.into()).await?;
                    return Ok((shown, places));
                }
                Some(ClientMessage::Subscribe { .. }) => {
                    return Err(End::close(4401, "Unauthorized"));
                }
                Some(ClientMessage::Ping { payload }) => self.pong(payload).await?,
                Some(ClientMessage::Complete { .. } | ClientMessage::Pong { .. }) | None => {}
            }
        }
    }

    fn places(&self, shown: &VerifiedCredential) -> Result<Places, End> {
        let stream = self.server.stream_slot(shown);
        // 1013: try again later.
        let stream = stream.map_err(|problem| End::close(1013, problem.message()))?;
        // From here on the connection is not closed to make room for another.
        let connection = match &self.lease {
            Some(lease) => Some(lease.begin().ok_or(End::Left)?),
            None => None,
        };
        Ok(Places {
            _stream: stream,
            _connection: connection,
        })
    }

    /// Serves operations until the connection ends.
    async fn serve(&mut self, shown: &VerifiedCredential) -> Result<(), End> {
        let keepalive = self.server.gateway.limits().keepalive;
        let stopping = self.server.stopping.clone();
        let mut revoked = Box::pin(auth::credential_ended(
            self.server.gateway.clone(),
            shown.clone(),
        ));
        let mut signs_of_life = interval(keepalive);
        signs_of_life.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopping.cancelled() => return Err(End::server_ends()),
                () = &mut revoked => return Err(End::close(4403, "the token or session is no longer valid, or its role has changed")),
                _ = signs_of_life.tick() => {
                    if self.heard.elapsed() > keepalive * 3 {
                        return Err(End::Left);
                    }
                    // Every WebSocket answers a ping frame by itself; the protocol's own ping asks the application.
                    Box::pin(self.send(Message::Ping(Default::default()))).await?;
                }
                frame = self.socket.recv() => {
                    if let Some(message) = self.read(frame)? {
                        // Boxed like the other rare steps: a socket that waits does not hold their memory.
                        Box::pin(self.handle_message(shown, message)).await?;
                    }
                }
                Some((id, answer)) = self.operations.next(), if !self.operations.is_empty() => {
                    Box::pin(self.tell(id, answer)).await?;
                }
            }
        }
    }

    /// The message in a frame; `None` where the frame is only a ping or a pong.
    fn read(
        &mut self,
        frame: Option<Result<Message, axum::Error>>,
    ) -> Result<Option<ClientMessage>, End> {
        self.heard = Instant::now();
        match frame {
            Some(Ok(Message::Text(text))) => ClientMessage::read(&text)
                .map(Some)
                .map_err(|error| End::close(4400, format!("invalid protocol message: {error}"))),
            Some(Ok(Message::Binary(_))) => Err(End::close(4400, "messages are text")),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
            Some(Ok(Message::Close(_))) => Err(End::ClosedByClient),
            Some(Err(error)) => Err(End::unreadable(&error.to_string())),
            None => Err(End::Left),
        }
    }

    async fn handle_message(
        &mut self,
        shown: &VerifiedCredential,
        message: ClientMessage,
    ) -> Result<(), End> {
        match message {
            ClientMessage::ConnectionInit { .. } => {
                Err(End::close(4429, "Too many initialisation requests"))
            }
            ClientMessage::Ping { payload } => self.pong(payload).await,
            ClientMessage::Pong { .. } => Ok(()),
            ClientMessage::Complete {
                id: OperationId(id),
            } => {
                // Its stream is dropped when the operations are next polled.
                if let Some(operation) = self.running.remove(&id) {
                    operation.abort();
                }
                Ok(())
            }
            ClientMessage::Subscribe {
                id: OperationId(id),
                payload: JsonObject(params),
            } => self.subscribe(shown, id, params).await,
        }
    }

    async fn subscribe(
        &mut self,
        shown: &VerifiedCredential,
        id: String,
        params: Params,
    ) -> Result<(), End> {
        if self.running.contains_key(&id) {
            return Err(End::close(
                4409,
                format!("Subscriber for {id} already exists"),
            ));
        }
        let most = self.server.gateway.limits().operations_per_connection;
        let request = if self.running.len() < most {
            params.request()
        } else {
            Err(Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "TOO_MANY_OPERATIONS",
                format!("{most} operations are active on this connection: complete one first"),
            ))
        };
        match request {
            Ok(request) => {
                let request = request.data(RequestContext::new(
                    self.server.gateway.services(),
                    shown.acting.fresh(),
                ));
                let answers = AssertUnwindSafe(self.server.schema.execute_stream(request));
                // A panic is the end of its operation, and not of the others on the socket.
                let answers = answers.catch_unwind().map(|answer| {
                    answer.unwrap_or_else(|_| {
                        tracing::error!("an operation panicked");
                        GraphqlResponse::from_errors(vec![internal_error()])
                    })
                });
                let of = id.clone();
                let last = futures::stream::iter([(id.clone(), None)]);
                let steps = answers
                    .map(move |answer| (of.clone(), Some(answer)))
                    .chain(last);
                let (steps, operation) = abortable(steps);
                self.operations.push(steps.boxed());
                self.running.insert(id, operation);
                Ok(())
            }
            Err(problem) => self.tell_error(&id, &[problem.error()]).await,
        }
    }

    /// Sends an operation's answer or its end. An operation that failed before it was executed is answered with
    /// `error`, which ends it.
    async fn tell(&mut self, id: String, answer: Option<GraphqlResponse>) -> Result<(), End> {
        match answer {
            Some(answer) if is_request_error(&answer) => {
                if let Some(operation) = self.running.remove(&id) {
                    operation.abort();
                }
                self.tell_error(&id, &answer.errors).await
            }
            Some(answer) => {
                let message = format!(
                    r#"{{"id":{},"type":"next","payload":{}}}"#,
                    json(&id),
                    answer_json(&answer)
                );
                self.send(message.into()).await
            }
            None => {
                self.running.remove(&id);
                let message = format!(r#"{{"id":{},"type":"complete"}}"#, json(&id));
                self.send(message.into()).await
            }
        }
    }

    async fn tell_error(
        &mut self,
        id: &str,
        errors: &[async_graphql::ServerError],
    ) -> Result<(), End> {
        let message = format!(
            r#"{{"id":{},"type":"error","payload":{}}}"#,
            json(&id),
            json(&errors)
        );
        self.send(message.into()).await
    }

    async fn pong(&mut self, payload: Option<Map<String, Value>>) -> Result<(), End> {
        let message = match payload {
            Some(payload) => format!(r#"{{"type":"pong","payload":{}}}"#, json(&payload)),
            None => r#"{"type":"pong"}"#.to_owned(),
        };
        self.send(message.into()).await
    }

    /// Sends a message. A client that does not take it in time counts as disconnected.
    async fn send(&mut self, message: Message) -> Result<(), End> {
        let patience = self.server.gateway.limits().keepalive * 3;
        match timeout(patience, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Left),
        }
    }

    /// Sends the close frame with the reason, and waits briefly for the answer, so that the client can read the reason.
    async fn close(&mut self, code: u16, mut reason: String) {
        while reason.len() > REASON_MAX {
            reason.pop();
        }
        self.operations.clear();
        let frame = CloseFrame {
            code,
            reason: reason.into(),
        };
        // A client that does not take the close frame is not waited for any longer.
        let sent = timeout(FAREWELL, self.socket.send(Message::Close(Some(frame)))).await;
        if matches!(sent, Ok(Ok(()))) {
            self.drain(false).await;
        }
    }

    /// Reads until the connection is closed, for a short time at most. Reading also sends the answer to a close frame
    /// of the client.
    async fn drain(&mut self, answered: bool) {
        let rest = async {
            let mut answered = answered;
            while let Some(Ok(message)) = self.socket.recv().await {
                answered |= matches!(message, Message::Close(_));
            }
            if !answered {
                sleep(RESET_DELAY).await;
            }
        };
        // Without an answer the connection is closed all the same.
        let _ = timeout(FAREWELL, rest).await;
    }
}
