//! Liveness and readiness. Both work without a token and reveal nothing else.

use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Server;
use super::problem::Problem;

/// How long the database may take. Load balancers check every few seconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers that the process is up.
pub(super) async fn healthz() -> Response {
    status("up")
}

/// Ready if the database answers, the disk has room, and the server does not shut down.
pub(super) async fn readyz(State(server): State<Server>) -> Response {
    let unready =
        |code, message: &str| Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, message).plain();
    if server.stopping.is_cancelled() {
        return unready("SERVER_ENDING", "the server ends");
    }
    if disk_is_full(&server) {
        return unready("DISK_FULL", "the disk of the data directory is full");
    }
    match tokio::time::timeout(PATIENCE, server.gateway.store().ping()).await {
        Ok(Ok(())) => status("ready"),
        Ok(Err(error)) => {
            tracing::warn!(?error, "the database does not answer");
            unready("DATABASE_UNREACHABLE", "the database does not answer")
        }
        Err(_) => unready(
            "DATABASE_UNREACHABLE",
            "the database does not answer in time",
        ),
    }
}

/// Whether the disk of the mirrors has too little free space. A server without a data directory has no such disk.
fn disk_is_full(server: &Server) -> bool {
    let folder = server.gateway.source_policy().data_dir.as_deref();
    let Some(Ok(found)) = folder.map(rustix::fs::statvfs) else {
        return false;
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    if free < server.gateway.limits().free_bytes {
        tracing::warn!(free, "the disk of the data directory is full");
        return true;
    }
    false
}

fn status(status: &str) -> Response {
    let body = serde_json::json!({ "status": status }).to_string();
    (
        [(header::CONTENT_TYPE, "application/json; charset=utf-8")],
        body,
    )
        .into_response()
}
