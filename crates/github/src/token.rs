//! The access token of a client.

use secrecy::{ExposeSecret, SecretString};

use crate::GithubError;

/// The longest token, in bytes. A rule of this project: GitHub's own have up to 255.
pub const TOKEN_MAX: usize = 1_000;

/// A personal access token. It is overwritten when it is dropped, and reveals itself only through
/// [`GithubToken::expose`].
#[derive(Debug, Clone)]
pub struct GithubToken(SecretString);

impl GithubToken {
    /// Parses a token, without surrounding space. Only GitHub knows whether it is valid.
    ///
    /// # Errors
    /// [`GithubError::TokenInvalid`] for an empty token, one longer than [`TOKEN_MAX`] or not printable ASCII.
    pub fn parse(text: &str) -> Result<Self, GithubError> {
        let text = text.trim();
        let fits = (1..=TOKEN_MAX).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.into()))
        } else {
            Err(GithubError::TokenInvalid)
        }
    }

    /// The token, for immediate use without a copy.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_printable_and_of_a_sensible_length() {
        assert_eq!(
            GithubToken::parse(" github_pat_A1_b\n").unwrap().expose(),
            "github_pat_A1_b"
        );
        let long = "g".repeat(TOKEN_MAX + 1);
        for text in ["", "  ", "ghp_a b", "ghp_ä", "ghp_\r\nX-Evil: 1", &long] {
            let error = GithubToken::parse(text).unwrap_err();
            assert_eq!(error.code(), "GITHUB_TOKEN_INVALID", "{text:?}");
            assert!(!error.to_string().contains("ghp_"), "{error}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_a_token() {
        let token = GithubToken::parse("ghp_secret").unwrap();
        assert!(!format!("{token:?}").contains("secret"), "{token:?}");
    }
}
