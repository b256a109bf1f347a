//! The metrics, on an address of their own. They are for the operator, and the public address never serves them.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use nyxcore_tenancy::Store;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::ServerContext;
use super::only_get;
use super::problem::Problem;
use crate::limits::{ConnectionLimits, Limits};
use crate::metrics::Metrics;
use crate::web::TrustedProxies;

/// The content type by which Prometheus recognizes the format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The maximum number of open connections. A few servers read the metrics, each by one connection.
const CONNECTIONS_MAX: usize = 32;

/// Who may read the metrics.
#[derive(Clone)]
pub enum MetricsAccess {
    /// Every client that reaches the address.
    Open,
    /// Every client that sends this token as `Authorization: Bearer`. The value is the token's SHA-256.
    Token([u8; 32]),
}

impl MetricsAccess {
    /// Access by a token.
    #[must_use]
    pub fn token(token: &str) -> Self {
        Self::Token(Sha256::digest(token.as_bytes()).into())
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let Self::Token(expected) = self else {
            return true;
        };
        let given = headers.get(header::AUTHORIZATION);
        let given = given.and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.strip_prefix("Bearer "));
        let given: [u8; 32] = Sha256::digest(given.unwrap_or_default().as_bytes()).into();
        given.ct_eq(expected).into()
    }
}

/// The state of the handler.
#[derive(Clone)]
struct MetricsServer {
    metrics: Metrics,
    store: Store,
    access: Arc<MetricsAccess>,
}

/// Serves `/metrics` until `shutdown` resolves.
pub async fn metrics_serve(
    metrics: Metrics,
    store: Store,
    access: MetricsAccess,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let server = MetricsServer {
        metrics,
        store,
        access: Arc::new(access),
    };
    let routes = Router::new()
        .route("/metrics", get(text).fallback(only_get))
        .fallback(async || Problem::not_found("nothing was found at this address").plain())
        .with_state(server);
    let stopping = CancellationToken::new();
    let limits = Limits::default();
    let context = ServerContext {
        routes,
        limits: ConnectionLimits {
            connections: CONNECTIONS_MAX,
            ..limits.connection
        },
        header_bytes: limits.header_bytes,
        trusted_proxies: TrustedProxies::default(),
        stopping: stopping.clone(),
        open: TaskTracker::new(),
    };
    let ended = async move {
        shutdown.await;
        stopping.cancel();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = context.serve(listener, limits.shutdown_grace) => {}
        () = ended => {}
    }
}

async fn text(State(server): State<MetricsServer>, headers: HeaderMap) -> Response {
    if !server.access.admits(&headers) {
        let challenge = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
        return (StatusCode::UNAUTHORIZED, challenge, "a token is required\n").into_response();
    }
    match server.metrics.text(&server.store).await {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics could not be written");
            Problem::internal().plain()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_itself_is_admitted() {
        let access = MetricsAccess::token("let me in");
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            access.admits(&headers)
        };
        assert!(with("Bearer let me in"));
        assert!(!with("Bearer let me i") && !with("let me in") && !with("Basic let me in"));
        assert!(!access.admits(&HeaderMap::new()));
        assert!(MetricsAccess::Open.admits(&HeaderMap::new()));
    }
}
