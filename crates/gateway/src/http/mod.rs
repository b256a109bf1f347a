//! The transports: GraphQL over HTTP, server-sent events and WebSocket at one address, event streams for simple clients, and health.
//!
//! | address | serves |
//! |---|---|
//! | `/graphql` | POST and GET as the GraphQL-over-HTTP specification says, `text/event-stream` as GraphQL over SSE, `graphql-transport-ws`; GraphiQL to a browser |
//! | `/api/v1/events/{kind}/{id}` | the events of one run, resumable with `Last-Event-ID` |
//! | `/api/v1/audit` | the tenant's audit log as JSON lines, for owners and admins |
//! | `/api/v1/webhooks/github/{tenant}/{source}` | pushes that GitHub tells of, proven by their signature |
//! | `/auth/...` | signing in and out, for browsers; see the modules `session` and `oidc` |
//! | `/sign-in`, `/invite` | two small pages for people |
//! | `/healthz`, `/readyz` | whether the process is up, whether it can serve |
//!
//! Whoever asks is known before anything is parsed. A stream that is open ends when its token or session ends or its role changes, and when the server ends; one
//! whose client left is dropped, and nothing else happens.

mod accept;
mod audit;
mod auth;
mod cookie;
mod cross_origin;
mod events;
mod forwarded;
mod graphiql;
mod graphql;
mod health;
mod invitation;
mod oidc;
mod pages;
mod params;
mod problem;
mod session;
mod sse;
mod webhook;
mod ws;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use futures::FutureExt;
use nyxcore_tenancy::Origin;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::context::Gateway;
use crate::oidc::OidcClient;
use crate::{NyxSchema, schema_build};
use auth::Shown;
use cookie::Cookies;
use forwarded::Remote;
use problem::Problem;
use webhook::WebhookGate;

/// The header that names a request in the log and in the answer.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest request id that is taken over from a client or proxy.
const REQUEST_ID_MAX: usize = 64;

/// What every handler has.
#[derive(Clone)]
struct Server {
    gateway: Gateway,
    schema: NyxSchema,
    /// Cancelled when the server begins to end.
    stopping: CancellationToken,
    /// Whether it listens for this machine only: there cookies need no HTTPS.
    loopback: bool,
    /// The services that people sign in with.
    oidc: Arc<[OidcClient]>,
    /// WebSockets that are open: an upgraded connection is no longer axum's to wait for.
    sockets: TaskTracker,
    /// What keeps webhooks from costing much.
    webhooks: Arc<WebhookGate>,
}

impl Server {
    /// Resolves when an open stream is to end: the server ends, or its token is good no more.
    fn stream_ends(&self, shown: &Shown) -> impl Future<Output = ()> + Send + use<> {
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
}

/// Everything the gateway serves, for a server of one's own. Its cookies are for HTTPS only.
pub fn router(gateway: Gateway) -> Router {
    routes(server(gateway, false))
}

/// Serves the gateway until `shutdown` resolves. Then it takes no more connections, ends the open streams, and waits for the requests
/// under way, but not longer than [`Limits::shutdown_grace`](crate::limits::Limits::shutdown_grace).
///
/// # Errors
/// The listener fails.
pub async fn serve(
    gateway: Gateway,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let grace = gateway.limits().shutdown_grace;
    let loopback = listener.local_addr()?.ip().to_canonical().is_loopback();
    let server = server(gateway, loopback);
    let (stopping, sockets) = (server.stopping.clone(), server.sockets.clone());
    let signal = {
        let stopping = stopping.clone();
        async move {
            shutdown.await;
            stopping.cancel();
        }
    };
    // An event is sent when it happens, not when there are enough of them for a packet.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
    });
    let ended = async {
        axum::serve(
            listener,
            routes(server).into_make_service_with_connect_info::<SocketAddr>(),
        )
        .with_graceful_shutdown(signal)
        .await?;
        sockets.close();
        sockets.wait().await;
        Ok(())
    };
    let too_late = async {
        stopping.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        result = ended => result,
        () = too_late => {
            tracing::warn!("requests were still under way when the server ended");
            Ok(())
        }
    }
}

fn server(gateway: Gateway, loopback: bool) -> Server {
    let providers = gateway.sign_in().oidc.iter();
    let oidc = providers.filter_map(|provider| {
        let failed = |error: reqwest::Error| tracing::error!(%error, provider = provider.id, "a service to sign in with is left out");
        OidcClient::new(provider.clone()).map_err(failed).ok()
    });
    Server {
        schema: schema_build(&gateway),
        oidc: oidc.collect(),
        gateway,
        loopback,
        stopping: CancellationToken::new(),
        sockets: TaskTracker::new(),
        webhooks: Arc::default(),
    }
}

fn routes(server: Server) -> Router {
    let body_bytes = server.gateway.limits().body_bytes;
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/graphql") }))
        .route(
            "/graphql",
            get(graphql::get)
                .post(graphql::post)
                .fallback(async || Problem::method_not_allowed("GET, POST").graphql()),
        )
        .route(
            "/api/v1/events/{kind}/{id}",
            get(events::get).fallback(only_get),
        )
        .route("/api/v1/audit", get(audit::get).fallback(only_get))
        .route(
            "/api/v1/webhooks/github/{tenant}/{source}",
            post(webhook::github)
                .fallback(async || Problem::method_not_allowed("POST").plain())
                .layer(DefaultBodyLimit::max(nyxcore_sync::WEBHOOK_BODY_MAX)),
        )
        .nest("/auth", session::routes().merge(invitation::routes()))
        .merge(pages::routes())
        .merge(graphiql::routes())
        .nest("/auth/oidc", oidc::routes())
        .route("/healthz", get(health::healthz).fallback(only_get))
        .route("/readyz", get(health::readyz).fallback(only_get))
        .fallback(async || Problem::not_found("there is nothing at this address").plain())
        .layer(DefaultBodyLimit::max(body_bytes))
        .layer(from_fn_with_state(server.clone(), observe))
        .with_state(server)
}

async fn only_get() -> Response {
    Problem::method_not_allowed("GET").plain()
}

/// Around every request: its id and its line in the log, the bound on its headers, an answer where a handler panics, and the headers that
/// every answer has. Neither the query string nor any header's value is logged.
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
    let span = tracing::info_span!("request", %id, method = %request.method(), path = request.uri().path());
    let watched = !matches!(request.uri().path(), "/healthz" | "/readyz");
    async move {
        let began = Instant::now();
        let mut response = match oversized(&server, &request) {
            Some(problem) => problem.plain(),
            None => AssertUnwindSafe(next.run(request))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| {
                    tracing::error!("a handler panicked");
                    Problem::internal().plain()
                }),
        };
        answer_headers(&mut response, &id);
        let (status, ms) = (response.status().as_u16(), began.elapsed().as_millis());
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

/// The id that a proxy gave, where it is plain, else one of our own.
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

fn oversized(server: &Server, request: &Request) -> Option<Problem> {
    let most = server.gateway.limits().header_bytes;
    let address = request.uri().path().len() + request.uri().query().map_or(0, str::len);
    if address > most {
        return Some(Problem::new(
            StatusCode::URI_TOO_LONG,
            "ADDRESS_TOO_LONG",
            format!("the address is longer than {most} bytes"),
        ));
    }
    let headers: usize = request
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    (address + headers > most).then(|| {
        Problem::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "HEADERS_TOO_LARGE",
            format!("the headers are larger than {most} bytes"),
        )
    })
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
