//! A TCP proxy that a test can interrupt: connections stay open, but no data passes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Forwards connections from its own port to an address on this machine, until it is dropped.
pub struct Proxy {
    port: u16,
    /// Connections so far.
    count: Arc<AtomicU64>,
    /// Connections up to this number are held.
    held: Arc<watch::Sender<u64>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// A proxy for a port on loopback.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(port: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let own = listener.local_addr()?.port();
        let count = Arc::new(AtomicU64::new(0));
        let held = Arc::new(watch::Sender::new(0));
        let target = SocketAddr::from(([127, 0, 0, 1], port));
        let (counted, holding) = (Arc::clone(&count), Arc::clone(&held));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
                let gate = holding.subscribe();
                tokio::spawn(async move {
                    let Ok(server) = TcpStream::connect(target).await else {
                        return;
                    };
                    let (client_out, client_in) = client.into_split();
                    let (server_out, server_in) = server.into_split();
                    tokio::join!(
                        forward(client_out, server_in, number, gate.clone()),
                        forward(server_out, client_in, number, gate),
                    );
                });
            }
        });
        Ok(Self {
            port: own,
            count,
            held,
            task,
        })
    }

    /// The port of the proxy.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The number of connections so far.
    pub fn connections(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// Stops all data from now on, on existing and on new connections.
    pub fn hold(&self) {
        self.held.send_replace(u64::MAX);
    }

    /// Lets data of new connections pass; existing ones stay held.
    pub fn hold_only_old(&self) {
        self.held.send_replace(self.connections());
    }

    /// Lets all data pass again, the held data first.
    pub fn release(&self) {
        self.held.send_replace(0);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    number: u64,
    mut gate: watch::Receiver<u64>,
) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(read) = from.read(&mut buffer).await {
        if gate.wait_for(|held| number > *held).await.is_err() {
            return;
        }
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    // The other side may be closed already.
    let _gone = to.shutdown().await;
}
