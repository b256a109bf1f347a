//! Secrets at rest: encrypted with a master key outside of the database, each bound to its tenant, kind and name.
//!
//! A service checks the policy, stores a secret with [`secret_put`] and reads it with [`secret_get`]; these functions
//! do not check the policy. A row that was copied to another tenant, kind or name does not decrypt, and neither does a
//! row with a changed bit. [`secrets_reseal`] re-encrypts a tenant's secrets with the current master key, in small
//! batches, while servers run.

mod keyring;
mod operator;
mod seal;
mod service;

use zeroize::Zeroizing;

pub use keyring::{KEY_BYTES, KeySource, Keyring, MasterKey, MasterKeys};
pub use operator::{
    operator_secret_get, operator_secret_put, operator_secret_remove, operator_secrets_check,
    operator_secrets_reseal, operator_secrets_uses,
};
pub use service::{
    KeyUse, ResealReport, Rotation, SECRET_BYTES_MAX, SecretCounts, secret_get, secret_key_uses,
    secret_names, secret_put, secret_remove, secrets_check, secrets_reseal,
    secrets_rotation_record,
};

/// A secret in the clear. It is overwritten when it is dropped, and shows nothing of itself but to who calls
/// [`Secret::expose`].
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes a secret over.
    pub fn new(value: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// The bytes, for immediate use without a copy.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}
