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

use secrecy::{ExposeSecret, SecretSlice, SecretString};
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

/// A decrypted secret. It is overwritten on drop, and only [`Secret::expose`] shows its bytes.
#[derive(Debug)]
pub struct Secret(SecretSlice<u8>);

impl Secret {
    /// Takes over the bytes of a secret.
    pub fn new(value: impl Into<Vec<u8>>) -> Self {
        // The secret is copied at its exact length: shrinking the buffer would leave the old one in memory.
        let value = Zeroizing::new(value.into());
        Self(value.to_vec().into())
    }

    /// The bytes, for immediate use without a copy.
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

/// A secret text. The source buffer is overwritten.
pub fn secret_text(text: impl Into<String>) -> SecretString {
    let text = Zeroizing::new(text.into());
    text.as_str().into()
}

/// Serializes a secret text into a value that is encrypted next: `#[serde(serialize_with = "secret_serialize")]`. By
/// default a secret text cannot be serialized.
///
/// # Errors
/// The error of the serializer.
pub fn secret_serialize<S: serde::Serializer>(
    secret: &SecretString,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_a_secret() {
        let shown = format!("{:?} {:?}", Secret::new("s3cret"), secret_text("s3cret"));
        assert!(!shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn a_secret_has_exactly_its_bytes() {
        let mut long = String::with_capacity(100);
        long.push_str("s3cret");
        assert_eq!(Secret::new(long).expose(), b"s3cret");
    }
}
