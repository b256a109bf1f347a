//! Whether the process is up, and whether it can serve. Neither needs a token, and neither tells more than that.

use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Server;
use super::problem::Problem;

/// How long the database may take: a load balancer asks every few seconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process is up.
pub(super) async fn healthz() -> Response {
    status("up")
}

/// The database answers, and the server does not end.
pub(super) async fn readyz(State(server): State<Server>) -> Response {
    let unready =
        |code, message: &str| Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, message).plain();
    if server.stopping.is_cancelled() {
        return unready("SERVER_ENDING", "the server ends");
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

fn status(status: &str) -> Response {
    let body = serde_json::json!({ "status": status }).to_string();
    (
        [(header::CONTENT_TYPE, "application/json; charset=utf-8")],
        body,
    )
        .into_response()
}
