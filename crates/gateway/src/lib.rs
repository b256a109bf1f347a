//! The transports of the API: GraphQL over HTTP, events and WebSockets, the Model Context Protocol, sign-in, and the
//! limits that hold on each of them. The schema itself is [`nyxcore_graphql`]. The only crate that knows axum.
//!
//! ```no_run
//! use nyxcore_gateway::{Gateway, GatewayOptions, serve};
//!
//! async fn listen(options: GatewayOptions) -> std::io::Result<()> {
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:4600").await?;
//!     serve(Gateway::new(options), listener, std::future::pending()).await
//! }
//! ```
//!
//! An embedding program's own server takes [`router`], or executes operations by [`schema_build`], each with a
//! [`RequestContext`] of [`Gateway::services`].

mod console;
mod extension;
mod gateway;
mod http;
mod limits;
mod metrics;
mod nulls;
mod oidc;
mod schema;
mod times;
mod web;

pub use console::{Console, ConsoleFile, LinkPurpose, OneTimeLink};
pub use gateway::{Gateway, GatewayOptions};
pub use http::{MetricsAccess, metrics_serve, router, serve};
pub use limits::{ConnectionLimits, Limits, WRITE_LEAST};
pub use metrics::{Metrics, statement_noted};
pub use nyxcore_graphql::error::error_with_code;
pub use nyxcore_graphql::{NyxSchema, RequestContext, ServerInfo, registrations, schema_sdl};
pub use oidc::OidcProvider;
pub use schema::schema_build;
pub use web::{SignInOptions, TrustedProxies};
