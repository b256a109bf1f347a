//! The GraphQL schema and its transports. The only crate that knows async-graphql and axum.
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
//! The schema needs no server:
//!
//! ```
//! assert!(nyxcore_gateway::schema_sdl().contains("type Project"));
//! ```

mod console;
mod context;
mod error;
mod http;
mod limits;
mod loaders;
mod loads;
mod metrics;
mod nulls;
mod oidc;
mod one_read;
mod registration;
mod schema;
mod web;

pub use console::{Console, ConsoleFile, LinkPurpose, OneTimeLink};
pub use context::{Gateway, GatewayOptions, RequestContext, ServerInfo};
pub use error::error_with_code;
pub use http::{MetricsAccess, metrics_serve, router, serve};
pub use limits::{ConnectionLimits, Limits, WRITE_LEAST};
pub use metrics::{Metrics, statement_noted};
pub use oidc::OidcProvider;
pub use registration::registrations;
pub use schema::{Mutation, NyxSchema, Query, Subscription, schema_build, schema_sdl};
pub use web::{SignInOptions, TrustedProxies};
