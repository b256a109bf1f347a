//! Client WebSockets with one subscription each, and the events that arrive on them.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures::{SinkExt, StreamExt, TryStreamExt};
use nyxcore_tests::bench::Server;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// The source addresses of the clients, in turn.
const SOURCES: [Ipv4Addr; 4] = [
    Ipv4Addr::new(127, 0, 0, 2),
    Ipv4Addr::new(127, 0, 0, 3),
    Ipv4Addr::new(127, 0, 0, 4),
    Ipv4Addr::new(127, 0, 0, 5),
];
/// The number of sockets that are opened concurrently.
const OPENING: usize = 32;
/// The timeout of opening a socket and subscribing.
const PATIENCE: Duration = Duration::from_secs(60);

type Socket = WebSocketStream<TcpStream>;

/// An event that arrived.
pub struct Arrival {
    /// The number of the socket.
    pub socket: usize,
    /// The id of the event's run.
    pub run: String,
    /// The time at which it was read.
    pub at: Instant,
}

/// Open sockets. They are closed on drop.
pub struct Sockets {
    arrivals: mpsc::UnboundedReceiver<Arrival>,
    /// One reader per socket; it ends with its socket.
    readers: JoinSet<anyhow::Error>,
}

impl Sockets {
    /// Opens so many sockets, each with the subscription.
    ///
    /// # Errors
    /// A socket is refused, or not subscribed in time.
    pub async fn open(server: &Server, count: usize, subscription: &str) -> anyhow::Result<Self> {
        let (sender, arrivals) = mpsc::unbounded_channel();
        let mut readers = JoinSet::new();
        let opened = futures::stream::iter(0..count)
            .map(|number| async move {
                let socket = timeout(PATIENCE, socket_open(server, number, subscription));
                let socket = socket.await.context("it took too long")?;
                let context = || format!("socket {number} of {}", server.label);
                anyhow::Ok((number, socket.with_context(context)?))
            })
            .buffer_unordered(OPENING);
        let mut opened = std::pin::pin!(opened);
        while let Some((number, socket)) = opened.try_next().await? {
            readers.spawn(read(number, socket, sender.clone()));
        }
        Ok(Self { arrivals, readers })
    }

    /// The times at which each socket received the first event of a run, by the socket's number, and the number of
    /// sockets that received it again. Waits until all have received it, or nothing more arrives.
    ///
    /// # Errors
    /// A socket closed.
    pub async fn collect(
        &mut self,
        run: &str,
        count: usize,
        silence: Duration,
    ) -> anyhow::Result<(Vec<Option<Instant>>, usize)> {
        let mut times = vec![None; count];
        let (mut missing, mut again) = (count, 0);
        // After the last event, a moment for duplicates to arrive.
        let moment = Duration::from_millis(300);
        loop {
            let patience = if missing == 0 { moment } else { silence };
            let Ok(Some(arrival)) = timeout(patience, self.arrivals.recv()).await else {
                break;
            };
            if arrival.run != run {
                continue;
            }
            match &mut times[arrival.socket] {
                Some(_) => again += 1,
                time => {
                    *time = Some(arrival.at);
                    missing -= 1;
                }
            }
        }
        if let Some(ended) = self.readers.try_join_next() {
            bail!("a socket closed: {:#}", ended?);
        }
        Ok((times, again))
    }
}

/// Opens a socket, authenticates, subscribes, and waits until the server has read the subscription.
async fn socket_open(server: &Server, number: usize, subscription: &str) -> anyhow::Result<Socket> {
    let tcp = TcpSocket::new_v4()?;
    tcp.bind(SocketAddr::from((SOURCES[number % SOURCES.len()], 0)))?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, server.port()));
    let stream = tcp.connect(address).await?;
    stream.set_nodelay(true)?;
    let mut request = format!("ws://{address}/graphql").into_client_request()?;
    let protocol = "graphql-transport-ws".parse()?;
    request
        .headers_mut()
        .insert("Sec-WebSocket-Protocol", protocol);
    // This process has thousands of clients, so the buffers are small.
    let config = WebSocketConfig::default()
        .read_buffer_size(1024)
        .write_buffer_size(0);
    let (mut socket, _) =
        tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
    let token = server.token.as_deref().context("a token")?;
    let init = json!({
        "type": "connection_init",
        "payload": { "Authorization": format!("Bearer {token}") },
    });
    send(&mut socket, &init).await?;
    expect(&mut socket, "connection_ack").await?;
    let subscribe = json!({ "type": "subscribe", "id": "1", "payload": { "query": subscription } });
    send(&mut socket, &subscribe).await?;
    send(&mut socket, &json!({ "type": "ping" })).await?;
    expect(&mut socket, "pong").await?;
    Ok(socket)
}

async fn send(socket: &mut Socket, message: &Value) -> anyhow::Result<()> {
    Ok(socket.send(Message::text(message.to_string())).await?)
}

/// Reads until a message of that type.
async fn expect(socket: &mut Socket, wanted: &str) -> anyhow::Result<()> {
    loop {
        let message = socket.next().await.context("the socket closed")??;
        if let Message::Close(frame) = &message {
            bail!("the server closed the socket: {frame:?}");
        }
        if let Message::Text(text) = message {
            let message: Value = serde_json::from_str(&text)?;
            if message["type"] == wanted {
                return Ok(());
            }
            ensure!(message["type"] == "ping", "{wanted} expected: {message}");
        }
    }
}

/// Reports each event, and answers pings, until the socket ends.
async fn read(
    number: usize,
    mut socket: Socket,
    sender: mpsc::UnboundedSender<Arrival>,
) -> anyhow::Error {
    match read_all(number, &mut socket, &sender).await {
        Ok(()) => anyhow::anyhow!("socket {number}: the server ended it"),
        Err(error) => error.context(format!("socket {number}")),
    }
}

async fn read_all(
    number: usize,
    socket: &mut Socket,
    sender: &mpsc::UnboundedSender<Arrival>,
) -> anyhow::Result<()> {
    while let Some(message) = socket.next().await {
        // The time of arrival is taken before the frame is parsed.
        let at = Instant::now();
        let text = match message? {
            Message::Text(text) => text,
            Message::Close(frame) => bail!("closed: {frame:?}"),
            // Sent at once, and not with the next message.
            Message::Ping(_) => {
                socket.flush().await?;
                continue;
            }
            _ => continue,
        };
        let message: Value = serde_json::from_str(&text)?;
        match message["type"].as_str() {
            Some("next") => {
                let run = message["payload"]["data"]["tenantActivity"]["runId"].as_str();
                let run = run.with_context(|| message.to_string())?.to_owned();
                let socket = number;
                if sender.send(Arrival { socket, run, at }).is_err() {
                    return Ok(());
                }
            }
            Some("ping") => send(socket, &json!({ "type": "pong" })).await?,
            Some("pong") => {}
            _ => bail!("unexpected: {message}"),
        }
    }
    Ok(())
}
