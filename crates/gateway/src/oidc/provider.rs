//! The operator's settings of a provider.

use std::fmt;
use std::sync::Arc;

use nyxcore_tenancy::secret::Secret;
use url::Url;

/// An OpenID Connect provider that people sign in with, as the operator configures it.
#[derive(Clone)]
pub struct OidcProvider {
    /// Its name in URLs: lower-case letters, digits and hyphens.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The issuer, as in the provider's tokens.
    pub issuer: String,
    /// This server's client id at the provider.
    pub client_id: String,
    /// This server's client secret at the provider.
    pub client_secret: Arc<Secret>,
}

impl fmt::Debug for OidcProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcProvider")
            .field("id", &self.id)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl OidcProvider {
    /// Validates the operator's settings.
    ///
    /// # Errors
    /// A message that says what is wrong, without the secret.
    pub fn check(&self) -> Result<(), String> {
        let id = &self.id;
        if nyxcore_tenancy::directory::slug_check(id).is_err() {
            return Err(format!(
                "the provider's id {id:?} must be lower-case letters, digits and hyphens"
            ));
        }
        let issuer = Url::parse(&self.issuer).ok();
        if !issuer.is_some_and(|url| url.scheme() == "https" || is_loopback(&url)) {
            return Err(format!(
                "the issuer of the provider {id:?} must be an https:// address"
            ));
        }
        if self.client_id.is_empty() || self.client_secret.expose().is_empty() {
            return Err(format!(
                "the provider {id:?} needs a client_id and a client_secret"
            ));
        }
        Ok(())
    }
}

pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(id: &str, issuer: &str, secret: &str) -> OidcProvider {
        OidcProvider {
            id: id.into(),
            name: "Example".into(),
            issuer: issuer.into(),
            client_id: "nyxcore".into(),
            client_secret: Arc::new(Secret::new(secret)),
        }
    }

    #[test]
    fn a_provider_needs_https_but_on_this_machine() {
        for issuer in [
            "https://login.example.org",
            "http://127.0.0.1:9000",
            "http://[::1]:9000",
            "http://localhost:9000/realm",
        ] {
            assert_eq!(provider("a-1", issuer, "secret").check(), Ok(()));
        }
        for (id, issuer, secret) in [
            ("a", "http://login.example.org", "s"),
            ("a", "http://127.0.0.1.example.org", "s"),
            ("a", "login.example.org", "s"),
            ("A b", "https://login.example.org", "s"),
            ("", "https://login.example.org", "s"),
            ("a", "https://login.example.org", ""),
        ] {
            assert!(
                provider(id, issuer, secret).check().is_err(),
                "{id} {issuer}"
            );
        }
    }

    #[test]
    fn debug_does_not_show_the_client_secret() {
        let shown = format!(
            "{:?}",
            provider("a", "https://login.example.org", "hush-hush")
        );
        assert!(!shown.contains("hush"), "{shown}");
    }
}
