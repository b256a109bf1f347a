//! The transports: GraphQL over HTTP, server-sent events and WebSocket at one URL, event streams for simple clients,
//! and health checks.
//!
//! | address | serves |
//! |---|---|
//! | `/graphql` | GraphQL over HTTP by POST and GET, over SSE, and over WebSocket (`graphql-transport-ws`); GraphiQL for a browser |
//! | `/mcp` | the Model Context Protocol for coding agents, by POST, for API tokens |
//! | `/api/v1/events/{kind}/{id}` | the events of one run, resumable with `Last-Event-ID` |
//! | `/api/v1/audit` | the tenant's audit log as JSON lines, for owners and admins |
//! | `/api/v1/webhooks/github/{tenant}/{source}` | GitHub push webhooks, authenticated by signature |
//! | `/auth/...` | sign-in and sign-out for browsers; see the modules `session` and `oidc` |
//! | `/sign-in`, `/invite` | pages of the console, or two small pages without it |
//! | every other address | a page of the console, for a browser's address line |
//! | `/healthz`, `/readyz` | liveness and readiness |
//!
//! The caller is authenticated before anything is parsed. An open stream ends when its token or session ends, its role
//! changes, or the server shuts down. The stream of a disconnected client is dropped without further effect.

mod accept;
mod address;
mod audit;
mod auth;
mod body;
mod connection;
mod console;
mod cookie;
mod cross_origin;
mod events;
mod forwarded;
mod graphiql;
mod graphql;
mod health;
mod host;
mod invitation;
mod link;
mod mcp;
mod metrics;
mod network;
mod oidc;
mod pages;
mod params;
mod problem;
mod rate;
mod session;
mod slots;
mod sse;
mod webhook;
mod ws;
mod ws_message;

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use futures::FutureExt;
use nyxcore_graphql::NyxSchema;
use nyxcore_tenancy::{Origin, UserId};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::gateway::Gateway;
use crate::oidc::OidcClient;
use crate::schema::schema_build;
use auth::VerifiedCredential;
use connection::{ServerContext, body_guard, bounded_address};
use cookie::Cookies;
use forwarded::Remote;
use problem::Problem;
use slots::{Slot, Slots};
use webhook::WebhookGate;

pub use metrics::{MetricsAccess, metrics_serve};

/// The header that names a request in the log and in the answer.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest request id that is taken over from a client or proxy.
const REQUEST_ID_MAX: usize = 64;

/// The state of every handler.
#[derive(Clone)]
struct Server {
    gateway: Gateway,
    schema: NyxSchema,
    /// Cancelled when the server begins to shut down.
    stopping: CancellationToken,
    /// Whether the server listens on loopback only. Then cookies need no HTTPS.
    loopback: bool,
    /// The services that people sign in with.
    oidc: Arc<[OidcClient]>,
    /// Connections and WebSockets that are open.
    open: TaskTracker,
    /// Requests under way from each client behind a trusted proxy.
    clients: Slots<IpAddr>,
    /// WebSockets of each address that have not authenticated yet.
    unauthenticated: Slots<IpAddr>,
    /// WebSockets and event streams of each person.
    streams: Slots<UserId>,
    /// Bounds the cost of webhook requests.
    webhooks: Arc<WebhookGate>,
    /// Whether a tenant was seen. From then on there always is one.
    tenant_seen: Arc<AtomicBool>,
}

impl Server {
    /// Resolves when an open stream must end: the server shuts down, or its credential is no longer valid.
    fn stream_ends(&self, shown: &VerifiedCredential) -> impl Future<Output = ()> + Send + use<> {
        let (stopping, revoked) = (
            self.stopping.clone(),
            auth::credential_ended(self.gateway.clone(), shown.clone()),
        );
        async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = revoked => {}
            }
        }
    }

    /// Takes a place for one more WebSocket or event stream of a person.
    ///
    /// # Errors
    /// 429 `TOO_MANY_STREAMS`.
    fn stream_slot(&self, shown: &VerifiedCredential) -> Result<Slot<UserId>, Problem> {
        let most = self.gateway.limits().connection.streams_per_user;
        let slot = self.streams.take(shown.acting.caller.user, most);
        slot.ok_or_else(|| {
            let message = format!("you have {most} open streams: close one first");
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_STREAMS", message).retry_after(1)
        })
    }

    /// The address whose counts a client adds to; `None` where many clients share it.
    fn bounded_address(&self, address: Option<IpAddr>) -> Option<IpAddr> {
        bounded_address(address?, &self.gateway.sign_in().trusted_proxies)
    }

    /// Takes a place for a request of a client behind a trusted proxy. A client with a direct connection is bounded by
    /// its number of connections.
    ///
    /// # Errors
    /// 429 `TOO_MANY_REQUESTS`.
    fn client_slot(&self, remote: &Remote) -> Result<Option<Slot<IpAddr>>, Problem> {
        let address = remote.address.filter(|_| remote.by_proxy);
        let Some(address) = self.bounded_address(address) else {
            return Ok(None);
        };
        let most = self.gateway.limits().connection.per_address;
        let slot = self.clients.take(address, most).ok_or_else(|| {
            let message =
                format!("{most} requests from your address are active; wait until one ends");
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", message).retry_after(1)
        })?;
        Ok(Some(slot))
    }
}

/// The router of all routes, for an embedding program's own server. Its cookies are for HTTPS only.
pub fn router(gateway: Gateway) -> Router {
    routes(server(gateway, false))
}

/// Serves the gateway until `shutdown` resolves. Then it accepts no more connections, ends the open streams, and waits
/// for active requests, at most for [`Limits::shutdown_grace`](crate::limits::Limits::shutdown_grace).
///
/// # Errors
/// The listener fails.
pub async fn serve(
    gateway: Gateway,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let limits = gateway.limits().clone();
    let loopback = listener.local_addr()?.ip().to_canonical().is_loopback();
    let trusted_proxies = gateway.sign_in().trusted_proxies.clone();
    let server = server(gateway, loopback);
    let (stopping, open) = (server.stopping.clone(), server.open.clone());
    let signal = {
        let stopping = stopping.clone();
        async move {
            shutdown.await;
            stopping.cancel();
            std::future::pending::<()>().await;
        }
    };
    let listening = ServerContext {
        routes: routes(server),
        limits: limits.connection,
        header_bytes: limits.header_bytes,
        trusted_proxies,
        stopping,
        open,
    };
    tokio::select! {
        () = listening.serve(listener, limits.shutdown_grace) => {}
        () = signal => {}
    }
    Ok(())
}

fn server(gateway: Gateway, loopback: bool) -> Server {
    let providers = gateway.sign_in().oidc.iter();
    let oidc = providers.filter_map(|provider| {
        let failed = |error: reqwest::Error| tracing::error!(%error, provider = provider.id, "a sign-in provider is not available");
        OidcClient::new(provider.clone()).map_err(failed).ok()
    });
    Server {
        schema: schema_build(&gateway),
        oidc: oidc.collect(),
        gateway,
        loopback,
        stopping: CancellationToken::new(),
        open: TaskTracker::new(),
        clients: Slots::default(),
        unauthenticated: Slots::default(),
        streams: Slots::default(),
        webhooks: Arc::default(),
        tenant_seen: Arc::default(),
    }
}

fn routes(server: Server) -> Router {
    Router::new()
        .route("/", get(console::home))
        .route(
            "/graphql",
            get(graphql::get)
                .post(graphql::post)
                .fallback(async || Problem::method_not_allowed("GET, POST").graphql()),
        )
        .route(
            "/mcp",
            post(mcp::post).fallback(async || Problem::method_not_allowed("POST").plain()),
        )
        .route(
            "/api/v1/events/{kind}/{id}",
            get(events::get).fallback(only_get),
        )
        .route("/api/v1/audit", get(audit::get).fallback(only_get))
        .route(
            "/api/v1/webhooks/github/{tenant}/{source}",
            post(webhook::github).fallback(async || Problem::method_not_allowed("POST").plain()),
        )
        .nest(
            "/auth",
            session::routes()
                .merge(invitation::routes())
                .merge(link::routes()),
        )
        .merge(pages::routes())
        .merge(graphiql::routes())
        .nest("/auth/oidc", oidc::routes())
        .route("/healthz", get(health::healthz).fallback(only_get))
        .route("/readyz", get(health::readyz).fallback(only_get))
        .fallback(console::fallback)
        .layer(from_fn_with_state(server.clone(), observe))
        .with_state(server)
}

async fn only_get() -> Response {
    Problem::method_not_allowed("GET").plain()
}

/// Wraps every request. It adds the id, the log line, the bound on headers, the answer to a panic of a handler, and the
/// headers that every answer has. It logs neither the query string nor any header's value.
async fn observe(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    let id = request_id(&server, &request);
    let sign_in = server.gateway.sign_in();
    let remote = Remote::of(&request, &sign_in.trusted_proxies);
    let origin = Origin {
        address: remote.address,
        request_id: Some(id.clone()),
    };
    request.extensions_mut().insert(origin);
    let public_url = sign_in.public_url.as_ref();
    let https = remote.https || public_url.is_some_and(|url| url.scheme() == "https");
    let cookies = Cookies::new(https || !server.loopback);
    request.extensions_mut().insert(cookies);
    let refused = request_check(&server, &request);
    // A path that has a token in it is not logged.
    let path = match &refused {
        Ok(()) => request.uri().path(),
        Err(_) => "(refused)",
    };
    let span = tracing::info_span!("request", %id, method = %request.method(), path);
    let watched = !matches!(request.uri().path(), "/healthz" | "/readyz");
    let slot = refused.and_then(|()| server.client_slot(&remote));
    async move {
        let began = Instant::now();
        let mut response = match slot {
            Err(problem) => problem.at(request.uri().path()),
            Ok(slot) => {
                let slot = slot.map(Arc::new);
                request.extensions_mut().insert(ClientSlot(slot.clone()));
                let response = AssertUnwindSafe(next.run(request)).catch_unwind().await;
                let response = response.unwrap_or_else(|_| {
                    tracing::error!("a handler panicked");
                    Problem::internal().plain()
                });
                match slot {
                    Some(slot) => body_guard(response, slot),
                    None => response,
                }
            }
        };
        answer_headers(&mut response, &id);
        let (status, ms) = (response.status().as_u16(), began.elapsed().as_millis());
        if let Some(metrics) = server.gateway.metrics() {
            metrics.response_note(status);
        }
        if watched {
            tracing::info!(status, ms, "answered");
        } else {
            tracing::debug!(status, ms, "answered");
        }
        response
    }
    .instrument(span)
    .await
}

/// The place of a request of a client behind a trusted proxy. Work that outlives the response holds it too.
#[derive(Clone, Default)]
struct ClientSlot(
    #[expect(dead_code, reason = "it is held, and never read")] Option<Arc<Slot<IpAddr>>>,
);

/// Checks the rules that hold for every request.
fn request_check(server: &Server, request: &Request) -> Result<(), Problem> {
    host::check(request.version(), request.headers())?;
    oversized(server, request)?;
    address::check(request.uri())
}

/// The id that a proxy gave, if it has plain characters only, else a new one.
fn request_id(server: &Server, request: &Request) -> String {
    let given = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok());
    let plain = |id: &&str| {
        (1..=REQUEST_ID_MAX).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    match given.filter(plain) {
        Some(id) => id.to_owned(),
        None => server.gateway.store().env().id().to_string(),
    }
}

fn oversized(server: &Server, request: &Request) -> Result<(), Problem> {
    let most = server.gateway.limits().header_bytes;
    let address = request.uri().path().len() + request.uri().query().map_or(0, str::len);
    if address > most {
        return Err(Problem::new(
            StatusCode::URI_TOO_LONG,
            "ADDRESS_TOO_LONG",
            format!("the URL is longer than {most} bytes"),
        ));
    }
    let headers: usize = request
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if address + headers > most {
        return Err(Problem::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "HEADERS_TOO_LARGE",
            format!("the headers are larger than {most} bytes"),
        ));
    }
    Ok(())
}

fn answer_headers(response: &mut Response, id: &str) {
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'",
        ));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
}
