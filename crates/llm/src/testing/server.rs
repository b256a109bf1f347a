//! The scripted server: its requests, its replies, and its faults.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The maximum size of a request, in bytes.
const REQUEST_BYTES_MAX: usize = 64 << 20;

/// A request that the server received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorRequest {
    /// The method, mostly `POST`.
    pub method: String,
    /// The path and the query.
    pub target: String,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl VendorRequest {
    /// The value of a header; empty where it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let mut values = self.headers.iter().filter(|(given, _)| given == name);
        values.next().map_or("", |(_, value)| value)
    }

    /// The body as JSON; null where it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A fault of an answer. The numbers are bytes of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// No fault.
    #[default]
    None,
    /// The connection closes after so many bytes, without the end of the body.
    Cut(usize),
    /// The body ends properly after so many bytes.
    End(usize),
    /// The answer stalls after so many bytes, and the connection stays open.
    Stall(usize),
    /// The connection is reset after so many bytes.
    Reset(usize),
    /// The body is repeated without an end.
    Endless,
    /// No byte is sent, not even of the head.
    Silence,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    fault: Fault,
    piece_bytes: usize,
    pause: Duration,
}

impl Reply {
    /// An answer with that status, content type and body.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: body.into(),
            fault: Fault::None,
            piece_bytes: usize::MAX,
            pause: Duration::ZERO,
        }
    }

    /// An event stream.
    pub fn events(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, "text/event-stream; charset=utf-8", body)
    }

    /// JSON.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, "application/json", body)
    }

    /// A web page.
    #[must_use]
    pub fn html(status: u16) -> Self {
        let body = "\n<!DOCTYPE html><html><body><h1>Please sign in</h1></body></html>";
        Self::new(status, "text/html", body)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the fault of the answer.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.fault = fault;
        self
    }

    /// Inverts every bit of the byte at `at` of the body.
    #[must_use]
    pub fn garble(mut self, at: usize) -> Self {
        if let Some(byte) = self.body.get_mut(at) {
            *byte = !*byte;
        }
        self
    }

    /// Sends the body in pieces of that many bytes.
    #[must_use]
    pub fn pieces(mut self, bytes: usize) -> Self {
        self.piece_bytes = bytes.max(1);
        self
    }

    /// Waits after each piece.
    #[must_use]
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

type Responder = dyn Fn(&VendorRequest) -> Reply + Send + Sync;

/// The server. It serves until it is dropped.
pub struct VendorServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    respond: Box<Responder>,
    requests: Mutex<Vec<VendorRequest>>,
    connections: AtomicUsize,
    /// How many answers the client abandoned before their end.
    left: watch::Sender<usize>,
}

impl Shared {
    fn remember(&self, request: VendorRequest) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.push(request);
    }
}

impl VendorServer {
    /// Starts a server on a free port.
    ///
    /// # Panics
    /// Where no port is free.
    pub async fn start(respond: impl Fn(&VendorRequest) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at(0, respond).await
    }

    /// Starts a server on that port of loopback.
    ///
    /// # Panics
    /// Where the port is taken.
    pub async fn start_at(
        port: u16,
        respond: impl Fn(&VendorRequest) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .expect("the port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            respond: Box::new(respond),
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            left: watch::Sender::new(0),
        });
        let serving = shared.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.connections.fetch_add(1, Ordering::Relaxed);
                let shared = serving.clone();
                tokio::spawn(async move {
                    // A client that disconnects in the middle is part of a test, and not an error of the server.
                    let _ = connection_serve(stream, &shared).await;
                });
            }
        });
        Self {
            address,
            shared,
            task,
        }
    }

    /// Starts a server that sends these answers one after the other, and then repeats the last one.
    ///
    /// # Panics
    /// Where there is no answer.
    pub async fn replies(replies: impl IntoIterator<Item = Reply>) -> Self {
        let mut left: Vec<Reply> = replies.into_iter().collect();
        assert!(!left.is_empty(), "there is no answer");
        left.reverse();
        let left = Mutex::new(left);
        Self::start(move |_| {
            let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
            match left.len() {
                1 => left[0].clone(),
                _ => left.pop().expect("there is an answer"),
            }
        })
        .await
    }

    /// A URL on it: `http://127.0.0.1:<port>` and the path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<VendorRequest> {
        let requests = self.shared.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many connections were opened so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Waits until the client has abandoned this many answers before their end.
    pub async fn left(&self, answers: usize) {
        let mut left = self.shared.left.subscribe();
        // The sender lives as long as the server.
        let _ = left.wait_for(|count| *count >= answers).await;
    }
}

impl Drop for VendorServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connection_serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some(request) = request_read(&mut stream, &mut buffer).await? {
        let reply = (shared.respond)(&request);
        shared.remember(request);
        let fault = reply.fault;
        let written = reply_write(&mut stream, &reply).await;
        let is_gone = match (fault, &written) {
            (Fault::Stall(_) | Fault::Silence, Ok(())) => {
                // Until the client closes its side, or breaks the connection.
                while let Ok(1..) = stream.read(&mut [0; 1024]).await {}
                true
            }
            _ => written.is_err(),
        };
        if is_gone {
            shared.left.send_modify(|count| *count += 1);
        }
        match fault {
            Fault::Reset(_) => {
                stream.set_zero_linger()?;
                return Ok(());
            }
            Fault::None | Fault::End(_) if !is_gone => {}
            _ => return Ok(()),
        }
    }
    Ok(())
}

/// Reads the next request; `None` where the client has closed the connection.
async fn request_read(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<VendorRequest>> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidData);
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if buffer.len() > REQUEST_BYTES_MAX {
            return Err(invalid());
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let method = first.next().unwrap_or_default().to_owned();
    let target = first.next().unwrap_or_default().to_owned();
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers: Vec<(String, String)> = headers
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(Ok(0), |(_, value)| value.parse::<usize>());
    let length = length.ok().filter(|length| *length <= REQUEST_BYTES_MAX);
    let end = head_end + 4 + length.ok_or_else(invalid)?;
    while buffer.len() < end {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    let rest = buffer.split_off(end);
    let body = buffer.split_off(head_end + 4);
    *buffer = rest;
    Ok(Some(VendorRequest {
        method,
        target,
        headers,
        body,
    }))
}

async fn reply_write(stream: &mut TcpStream, reply: &Reply) -> io::Result<()> {
    if reply.fault == Fault::Silence {
        return Ok(());
    }
    let mut head = format!(
        "HTTP/1.1 {} Scripted\r\ntransfer-encoding: chunked\r\n",
        reply.status
    );
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    let length = match reply.fault {
        Fault::Cut(at) | Fault::End(at) | Fault::Stall(at) | Fault::Reset(at) => at,
        Fault::None | Fault::Endless | Fault::Silence => usize::MAX,
    };
    let body = &reply.body[..reply.body.len().min(length)];
    loop {
        for piece in body.chunks(reply.piece_bytes.min(body.len().max(1))) {
            stream
                .write_all(format!("{:x}\r\n", piece.len()).as_bytes())
                .await?;
            stream.write_all(piece).await?;
            stream.write_all(b"\r\n").await?;
            if !reply.pause.is_zero() {
                tokio::time::sleep(reply.pause).await;
            }
        }
        if reply.fault != Fault::Endless {
            break;
        }
    }
    if matches!(reply.fault, Fault::None | Fault::End(_)) {
        stream.write_all(b"0\r\n\r\n").await?;
    }
    stream.flush().await
}
