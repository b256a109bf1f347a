//! The two transports: HTTP, and a pair of streams such as the standard streams of a process.

use std::future::Future;
use std::io;
use std::sync::Arc;

use rmcp::service::ServerInitializeError;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};

use tokio::io::{AsyncRead, AsyncWrite};

use crate::server::McpServer;

/// Answers HTTP requests. Its `handle` takes one and resolves to the response.
pub type HttpService = StreamableHttpService<McpServer, NeverSessionManager>;

/// Creates the service for one request of the server's actor. There are no sessions: each request is authenticated and
/// answered by itself, with JSON. So any replica can answer it, no state is kept between requests, and a revoked token
/// is refused at the next one. The caller has checked the `Host` and `Origin` headers and bounds the body.
#[must_use]
pub fn http_service(server: McpServer, body_bytes: usize) -> HttpService {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_sse_keep_alive(None)
        .disable_allowed_hosts()
        .disable_allowed_origins()
        .with_max_request_body_bytes(body_bytes);
    let make = move || Ok(server.clone());
    StreamableHttpService::new(make, Arc::new(NeverSessionManager::default()), config)
}

/// Answers on a pair of streams, a message a line, until the input ends or `end` resolves.
///
/// # Errors
/// The client does not begin as the protocol requires, or a stream fails.
pub async fn serve_streams<R, W>(
    server: McpServer,
    (read, write): (R, W),
    end: impl Future<Output = ()>,
) -> io::Result<()>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let serving = async {
        let running = match rmcp::serve_server(server, (read, write)).await {
            Ok(running) => running,
            // It is not an error if a client disconnects before its first message.
            Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
            Err(error) => return Err(io::Error::other(error.to_string())),
        };
        let ended = running.waiting().await;
        ended.map(|_reason| ()).map_err(io::Error::other)
    };
    tokio::select! {
        served = serving => served,
        () = end => Ok(()),
    }
}
