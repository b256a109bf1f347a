//! The local embedding model in the data directory. `nyxcore models pull` installs it, and every command that opens the
//! data directory offers it to the tenants.
//!
//! It needs the feature `local-embeddings`. In a build without it, the same functions report that it is missing.

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
