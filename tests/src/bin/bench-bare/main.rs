//! `bench-bare DATABASE_URL PORT`: a minimal GraphQL server on PostgreSQL with row-level security, as a limit for
//! `bench-gateway`: axum, async-graphql and sqlx, ten connections, and a token that is looked up once. It has no roles,
//! no limits, and no revocation.

mod schema;

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use anyhow::Context;
use async_graphql::{EmptySubscription, Schema};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use sha2::{Digest, Sha256};
use sqlx::Row as _;
use sqlx::postgres::{PgPool, PgPoolOptions};
use uuid::Uuid;

use schema::{Mutation, Query, Tenant};

/// The size of the connection pool.
const POOL: u32 = 10;

#[derive(Clone)]
struct Server {
    schema: Schema<Query, Mutation, EmptySubscription>,
    pool: PgPool,
    /// The cache of the tokens' tenants, by the tokens' hashes.
    tenants: Arc<RwLock<HashMap<[u8; 32], Uuid>>>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let url = words
        .next()
        .context("usage: bench-bare DATABASE_URL PORT")?;
    let port: u16 = words.next().context("a port is missing")?.parse()?;
    let pool = PgPoolOptions::new()
        .max_connections(POOL)
        .connect(&url)
        .await?;
    let schema = Schema::build(Query, Mutation, EmptySubscription)
        .data(pool.clone())
        .finish();
    let server = Server {
        schema,
        pool,
        tenants: Arc::default(),
    };
    let router = Router::new()
        .route("/graphql", post(answer))
        .with_state(server);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    Ok(axum::serve(listener, router).await?)
}

async fn answer(State(server): State<Server>, headers: HeaderMap, body: Bytes) -> Response {
    let tenant = match server.tenant(&headers).await {
        Ok(Some(tenant)) => tenant,
        Ok(None) => return StatusCode::UNAUTHORIZED.into_response(),
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    let Ok(request) = serde_json::from_slice::<async_graphql::Request>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let response = server.schema.execute(request.data(Tenant(tenant))).await;
    match serde_json::to_vec(&response) {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl Server {
    /// The tenant of the bearer token. `None` if there is no token, or an unknown one.
    async fn tenant(&self, headers: &HeaderMap) -> Result<Option<Uuid>, sqlx::Error> {
        let shown = headers.get(header::AUTHORIZATION);
        let shown = shown.and_then(|value| value.to_str().ok());
        let Some(token) = shown.and_then(|value| value.strip_prefix("Bearer ")) else {
            return Ok(None);
        };
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let known = match self.tenants.read() {
            Ok(tenants) => tenants.get(&hash).copied(),
            Err(_) => None,
        };
        if known.is_some() {
            return Ok(known);
        }
        let row = sqlx::query("SELECT tenant FROM bench.caller($1)")
            .bind(hash.to_vec())
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let tenant = row.try_get(0)?;
        if let Ok(mut tenants) = self.tenants.write() {
            tenants.insert(hash, tenant);
        }
        Ok(Some(tenant))
    }
}
