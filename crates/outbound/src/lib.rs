//! The rule for outbound connections to repositories, to GitHub and to model APIs.
//!
//! Users choose these addresses, so each could lead into the server's own network. A host name is resolved once, every
//! address is checked against the operator's [`OutboundPolicy`], and the HTTP client connects only to these addresses
//! and follows no redirect. So DNS rebinding has no effect.
//!
//! ```
//! use nyxcore_outbound::{Endpoint, EndpointError, OutboundPolicy, SystemResolver, client_builder};
//!
//! async fn client(base_url: &str) -> Result<reqwest::Client, Box<dyn std::error::Error>> {
//!     let policy = OutboundPolicy::default();
//!     let endpoint = Endpoint::parse(base_url, policy)?;
//!     let addresses = endpoint.addresses_resolve(policy, &SystemResolver).await?;
//!     let builder = client_builder(endpoint.domain(), &addresses);
//!     Ok(builder.https_only(endpoint.is_encrypted()).build()?)
//! }
//!
//! let refused = Endpoint::parse("https://169.254.169.254/v1", OutboundPolicy::default());
//! assert!(matches!(refused, Err(EndpointError::Forbidden(_))));
//! ```

mod address;
mod client;
mod endpoint;
mod policy;

pub use address::{AddressClass, HostResolver, Resolving, SystemResolver, address_class};
pub use client::client_builder;
pub use endpoint::{Endpoint, EndpointError};
pub use policy::{AddressRefusal, OutboundPolicy};
