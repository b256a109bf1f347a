//! Accepts connections and serves each until it ends, within [`ConnectionLimits`] and within the grace period at
//! shutdown.
//!
//! `axum::serve` has none of these time-outs and limits, so the connections are served with hyper.

mod guarded_body;
mod registry;
mod stream;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::network::network_of;
use super::problem::Problem;
use crate::limits::ConnectionLimits;
use crate::web::TrustedProxies;
use registry::{Bounds, Registry, Service};
use stream::{ClientStream, Patience};

pub(super) use guarded_body::body_guard;
pub(super) use registry::{Lease, RequestGuard};

/// Headers of one request. This is hyper's own default; browsers send about 20.
const HEADERS_MAX: usize = 100;
/// hyper's buffer of one connection, as a multiple of the header limit: headers between the limit and the buffer size
/// get our own error response.
const BUFFER_FACTOR: usize = 2;
/// How long to wait before the next `accept` when the system has no file descriptor or memory for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often the log reports that the system has no resources for a connection.
const ACCEPT_WARNING: Duration = Duration::from_secs(10);
/// How long a client has for its headers on a connection that is served health checks only.
const HEALTH_PATIENCE: Duration = Duration::from_secs(2);

/// The state that all connections share.
pub(super) struct ServerContext {
    pub(super) routes: Router,
    pub(super) limits: ConnectionLimits,
    /// Bytes of a request's address and headers together.
    pub(super) header_bytes: usize,
    pub(super) trusted_proxies: TrustedProxies,
    /// Cancelled when the server begins to shut down.
    pub(super) stopping: CancellationToken,
    /// Connections and WebSockets that are open.
    pub(super) open: TaskTracker,
}

impl ServerContext {
    /// Accepts connections until the server begins to shut down. Then waits for the open ones, but not longer than
    /// `grace`.
    pub(super) async fn serve(self, listener: TcpListener, grace: Duration) {
        let registry = Registry::new(Bounds {
            connections: self.limits.connections,
            per_address: self.limits.per_address,
            reserve: self.limits.reserve,
        });
        let cut_off = CancellationToken::new();
        let mut warned: Option<Instant> = None;
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.stopping.cancelled() => break,
            };
            match accepted {
                Ok((stream, peer)) => self.connection_open(&registry, stream, peer, &cut_off),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Without this the next `accept` fails at once, for as long as the system has no descriptor.
                    registry.evict_one();
                    if warned.is_none_or(|at| at.elapsed() >= ACCEPT_WARNING) {
                        warned = Some(Instant::now());
                        tracing::warn!(%error, "the system accepts no further connections");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        self.open.close();
        if tokio::time::timeout(grace, self.open.wait()).await.is_err() {
            tracing::warn!("requests were still active when the server ended");
            cut_off.cancel();
        }
    }

    fn connection_open(
        &self,
        registry: &Registry,
        stream: TcpStream,
        peer: SocketAddr,
        cut_off: &CancellationToken,
    ) {
        // A connection without a place in the registry is closed at once.
        let Some(lease) = registry.admit(bounded_address(peer.ip(), &self.trusted_proxies)) else {
            tracing::debug!(%peer, "a connection was refused: the connection limit is reached");
            return;
        };
        // An event is sent when it happens, not when there are enough of them for a packet.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let connection = self.connection_serve(lease, stream, peer);
        let cut_off = cut_off.clone();
        self.open.spawn(async move {
            tokio::select! {
                () = connection => {}
                () = cut_off.cancelled() => {}
            }
        });
    }

    fn connection_serve(
        &self,
        lease: Lease,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> impl Future<Output = ()> + Send + use<> {
        let health_only = lease.service() == Service::HealthOnly;
        let headers = self.limits.headers;
        let patience = Patience {
            headers: if health_only {
                headers.min(HEALTH_PATIENCE)
            } else {
                headers
            },
            write_stall: self.limits.write_stall,
        };
        let io = TokioIo::new(ClientStream::new(stream, lease.clone(), patience));
        let routes = TowerToHyperService::new(self.routes.clone());
        let of_request = lease.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let (routes, lease) = (routes.clone(), of_request.clone());
            async move { Ok::<_, Infallible>(request_serve(routes, lease, peer, request).await) }
        });
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            // hyper's time-out begins at the end of the previous request. The client stream has a shorter one for the
            // headers alone.
            .header_read_timeout(self.limits.idle)
            .keep_alive(!health_only)
            .max_headers(HEADERS_MAX)
            .max_buf_size(
                self.header_bytes
                    .saturating_mul(BUFFER_FACTOR)
                    .max(8 * 1024),
            );
        let stopping = self.stopping.clone();
        async move {
            // Boxed once: the connection is moved into nothing larger than this.
            let mut connection = Box::pin(builder.serve_connection(io, service).with_upgrades());
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = lease.evicted() => return,
                () = stopping.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    // Headers that are still coming are not waited for.
                    if lease.evict() {
                        return;
                    }
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, %peer, "a connection ended early");
            }
        }
    }
}

async fn request_serve(
    routes: TowerToHyperService<Router>,
    lease: Lease,
    peer: SocketAddr,
    mut request: Request<Incoming>,
) -> Response<Body> {
    let health = matches!(request.uri().path(), "/healthz" | "/readyz");
    let busy = || {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "BUSY",
            "the server has reached its connection limit; try again later",
        )
        .plain()
    };
    let Some(guard) = lease.begin() else {
        return busy();
    };
    if lease.service() == Service::HealthOnly && !health {
        return busy();
    }
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(lease);
    match routes.call(request).await {
        Ok(response) => body_guard(response, guard),
        Err(never) => match never {},
    }
}

/// The address that a connection counts for; `None` for those that many clients share: loopback, where a proxy of this
/// machine is, and trusted proxies.
pub(super) fn bounded_address(address: IpAddr, trusted_proxies: &TrustedProxies) -> Option<IpAddr> {
    let address = address.to_canonical();
    (!address.is_loopback() && !trusted_proxies.contains(address)).then(|| network_of(address))
}

/// Whether the error concerns only the connection that was to be accepted, so that the next `accept` may succeed.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}
