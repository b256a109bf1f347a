//! The rule for outbound connections to repositories, to GitHub and to model APIs.
//!
//! Users choose these addresses, so each could lead into the server's own network. A host name is resolved once, every
//! address is checked against the operator's [`OutboundPolicy`], and the HTTP client connects only to these addresses
//! and follows no redirect. So DNS rebinding has no effect.
//!
//! ```
//! use nyxcore_outbound::{Endpoint, EndpointError, OutboundPolicy, SystemResolver, client_builder};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # rustls::crypto::ring::default_provider().install_default().unwrap();
//! // The default policy allows no private address, and no policy allows a metadata service.
//! let refused = Endpoint::parse("https://169.254.169.254/v1", OutboundPolicy::default());
//! assert!(matches!(refused, Err(EndpointError::Forbidden(_))));
//!
//! // The client connects to the addresses that were checked, and to no others.
//! let policy = OutboundPolicy { allow_private: true };
//! let endpoint = Endpoint::parse("http://127.0.0.1:8080/v1", policy)?;
//! let addresses = endpoint.addresses_resolve(policy, &SystemResolver).await?;
//! let builder = client_builder(endpoint.domain(), &addresses);
//! let client = builder.https_only(endpoint.is_encrypted()).build()?;
//! let other = client.get("http://other.example/").send().await;
//! assert!(other.unwrap_err().is_connect());
//! # Ok(())
//! # }
//! ```

mod address;
mod client;
mod endpoint;
mod policy;

pub use address::{AddressClass, HostResolver, Resolving, SystemResolver, address_class};
pub use client::client_builder;
pub use endpoint::{Endpoint, EndpointError};
pub use policy::{AddressRefusal, OutboundPolicy};
