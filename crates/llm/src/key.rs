//! The API key of a vendor.

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::LlmError;

/// The longest key that is accepted, in bytes. Vendors' keys have between 30 and 200; tokens of gateways may have a few
/// kilobytes.
pub const KEY_BYTES_MAX: usize = 8 << 10;

/// A key. It is never printed, and its memory is cleared when it is dropped.
#[derive(Debug, Clone)]
pub struct ApiKey(SecretString);

impl ApiKey {
    /// Parses a key. White space around it is removed, because it comes from copying.
    ///
    /// # Errors
    /// [`LlmError::KeyInvalid`] for an empty key, one that is too long, and one with a line break, a space or another
    /// character that a header cannot carry.
    pub fn parse(key: &str) -> Result<Self, LlmError> {
        // A line break is refused also at the end: it shows that more than the key was copied.
        if key.contains(['\r', '\n']) {
            return Err(LlmError::KeyInvalid("it has a line break"));
        }
        let key = key.trim_matches([' ', '\t']);
        if key.is_empty() {
            return Err(LlmError::KeyInvalid("it is empty"));
        }
        if key.len() > KEY_BYTES_MAX {
            return Err(LlmError::KeyInvalid("it is too long"));
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(LlmError::KeyInvalid(
                "it has a character that is not printable ASCII",
            ));
        }
        Ok(Self(key.into()))
    }

    /// No key, for servers that require none, such as one on the same machine. No header is sent.
    #[must_use]
    pub fn none() -> Self {
        Self(SecretString::default())
    }

    /// Whether this is [`ApiKey::none`].
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.expose().is_empty()
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The value of a header with the key in it, marked as sensitive: it is not printed, and not put into a header
    /// compression table.
    pub(crate) fn header(&self, prefix: &str) -> Result<HeaderValue, LlmError> {
        let text = Zeroizing::new(format!("{prefix}{}", self.expose()));
        let mut value = HeaderValue::try_from(text.as_str())
            .map_err(|_| LlmError::KeyInvalid("a header cannot carry it"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Identifies the key without revealing it: 64 bits of a hash over the key and the server. Data that one key's
    /// account encrypted is sent back to that account only.
    pub(crate) fn fingerprint(&self, server: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(server.as_bytes());
        hash.update([0]);
        hash.update(self.expose().as_bytes());
        hex::encode(&hash.finalize()[..8])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_a_line_break_is_refused() {
        for key in ["sk-1\nX-Evil: 1", "sk-1\r\nHost: x", "sk-1\n", "\rsk-1"] {
            let error = ApiKey::parse(key).unwrap_err();
            assert_eq!(error.code(), "KEY_INVALID");
            assert!(!format!("{error} {error:?}").contains("sk-1"));
        }
    }

    #[test]
    fn a_key_that_no_header_carries_is_refused() {
        let long = "k".repeat(KEY_BYTES_MAX + 1);
        for key in [
            "",
            "  ",
            "sk 1",
            "sk-\u{e9}",
            "sk-\u{0}",
            "sk-\u{7f}",
            &long,
        ] {
            assert_eq!(ApiKey::parse(key).unwrap_err().code(), "KEY_INVALID");
        }
        assert_eq!(ApiKey::parse(" sk-1\t").unwrap().expose(), "sk-1");
    }

    #[test]
    fn a_key_is_never_printed() {
        let key = ApiKey::parse("sk-very-secret").unwrap();
        let header = key.header("Bearer ").unwrap();
        assert!(header.is_sensitive());
        let fingerprint = key.fingerprint("https://a.example");
        assert!(!format!("{key:?} {header:?} {fingerprint}").contains("secret"));
        assert_ne!(fingerprint, key.fingerprint("https://b.example"));
    }
}
