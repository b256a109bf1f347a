//! The local embedding model in the data directory: `nyxcore models pull` puts it there, and everything that opens the
//! data directory offers it to the tenants.
//!
//! It is a part of builds with the feature `local-embeddings`. Others answer in the same words that they have none.

#[cfg(not(feature = "local-embeddings"))]
mod absent;
#[cfg(feature = "local-embeddings")]
mod download;
#[cfg(feature = "local-embeddings")]
mod present;
#[cfg(feature = "local-embeddings")]
mod pull;

#[cfg(not(feature = "local-embeddings"))]
pub use absent::{embedder, install, look, pull};
#[cfg(feature = "local-embeddings")]
pub use present::{embedder, install, look};
#[cfg(feature = "local-embeddings")]
pub use pull::pull;
