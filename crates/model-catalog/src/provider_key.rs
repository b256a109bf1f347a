//! A tenant's keys of providers: kept sealed, used by the server, shown to nobody.

use nyxcore_outbound::{Endpoint, OutboundPolicy};
use nyxcore_tenancy::secret::{
    Keyring, Secret, secret_get, secret_names, secret_put, secret_remove,
};
use nyxcore_tenancy::{Access, Action, Error, ReadWrite, Result, Scoped, text};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::model::Provider;
use crate::registration::PROVIDER_KEY;

/// The kind that these secrets are kept under; their name is the provider's id.
const KIND: &str = "provider_key";
/// The longest key, in bytes. A rule of this project: providers' own are around 100 to 200.
pub const API_KEY_MAX: usize = text::API_KEY.max;

/// A key of a provider, with where to use it. It is overwritten when it is dropped and not shown by `Debug`.
#[derive(Serialize, Deserialize)]
pub struct ProviderKey {
    api_key: String,
    base_url: Option<String>,
}

impl std::fmt::Debug for ProviderKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProviderKey(..)")
    }
}

impl Drop for ProviderKey {
    fn drop(&mut self) {
        self.api_key.zeroize();
    }
}

impl ProviderKey {
    /// What somebody says is a key. It is looked at where it is kept.
    pub fn new(api_key: String, base_url: Option<String>) -> Self {
        Self { api_key, base_url }
    }

    /// The key, for the request that needs it.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Where to call the provider's API, if it is not the usual place.
    pub fn base_url(&self) -> Option<&str> {
        self.base_url.as_deref()
    }

    /// The text of an error names the rule and never the key.
    fn check(&self, policy: OutboundPolicy) -> Result<()> {
        let key = self.api_key.as_str();
        if key.is_empty() {
            return Err(Error::Invalid("the key is empty".into()));
        }
        if key.len() > API_KEY_MAX {
            return Err(Error::Invalid(format!(
                "the key is longer than {API_KEY_MAX} bytes"
            )));
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::Invalid(
                "the key has a space or a character that is not printable ASCII: copy it without what is around it".into(),
            ));
        }
        let base_url = self.base_url.as_deref();
        base_url.map_or(Ok(()), |url| base_url_check(url, policy))
    }
}

fn base_url_check(url: &str, policy: OutboundPolicy) -> Result<()> {
    text::BASE_URL.check("the base URL", url)?;
    Endpoint::parse(url, policy)
        .map(drop)
        .map_err(|refusal| Error::Invalid(format!("the base URL {refusal}")))
}

/// Keeps the tenant's key for a provider, in the place of one that was there.
///
/// # Errors
/// [`Error::NotFound`] for a provider that is not known; [`Error::Invalid`] for a key that is empty, longer than
/// [`API_KEY_MAX`] or not printable, and for a base URL that is none or that `policy` does not let the server call.
pub async fn provider_key_set(
    scoped: &Scoped<ReadWrite>,
    keyring: &Keyring,
    policy: OutboundPolicy,
    (provider, key): (&str, &ProviderKey),
) -> Result<Provider> {
    scoped.permit(Action::Update, PROVIDER_KEY, None)?;
    let provider = provider_require(provider)?;
    scoped.audit_detail(serde_json::json!({"provider": provider.id()}));
    key.check(policy)?;
    let sealed = serde_json::to_vec(key).map_err(|_| Error::Invalid("no key".into()))?;
    let sealed = Secret::new(sealed);
    secret_put(scoped, keyring, KIND, provider.id(), &sealed).await?;
    Ok(provider)
}

/// Forgets the tenant's key for a provider, if there is one.
///
/// # Errors
/// [`Error::NotFound`] for a provider that is not known.
pub async fn provider_key_remove(scoped: &Scoped<ReadWrite>, provider: &str) -> Result<Provider> {
    scoped.permit(Action::Delete, PROVIDER_KEY, None)?;
    let provider = provider_require(provider)?;
    scoped.audit_detail(serde_json::json!({"provider": provider.id()}));
    secret_remove(scoped, KIND, provider.id()).await?;
    Ok(provider)
}

/// The tenant's key for a provider, for the program's own calls to it. No client ever gets what this gives.
///
/// # Errors
/// `SECRET_UNREADABLE` where the master key it was sealed with is gone.
pub async fn provider_key_get<A: Access>(
    scoped: &Scoped<A>,
    keyring: &Keyring,
    provider: Provider,
) -> Result<Option<ProviderKey>> {
    let Some(sealed) = secret_get(scoped, keyring, KIND, provider.id()).await? else {
        return Ok(None);
    };
    // What serde says of a key that cannot be read may repeat part of it.
    let key = serde_json::from_slice(sealed.expose()).map_err(|_| Error::SecretUnreadable)?;
    Ok(Some(key))
}

/// The providers that the tenant has a key for.
///
/// # Errors
/// The database fails.
pub async fn providers_configured<A: Access>(scoped: &Scoped<A>) -> Result<Vec<Provider>> {
    scoped.permit(Action::Read, PROVIDER_KEY, None)?;
    let names = secret_names(scoped, KIND).await?;
    Ok(names
        .iter()
        .filter_map(|name| Provider::parse(name))
        .collect())
}

fn provider_require(id: &str) -> Result<Provider> {
    Provider::parse(id).ok_or(Error::NotFound("provider"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, base_url: Option<&str>) -> Result<()> {
        let key = ProviderKey::new(key.to_owned(), base_url.map(str::to_owned));
        key.check(OutboundPolicy::default())
    }

    #[test]
    fn a_key_is_printable_and_of_a_sensible_length() {
        let longest = "k".repeat(API_KEY_MAX);
        for key in ["sk-proj-abc_123", "~!", longest.as_str()] {
            assert!(check(key, None).is_ok());
        }
        let longer = "k".repeat(API_KEY_MAX + 1);
        for key in [
            "",
            "sk abc",
            "sk-abc\n",
            "sk-\r\nX-Injected: 1",
            "sk-\u{7f}",
            "sk-\u{200b}",
            "sk-\u{0}",
            "schlüssel",
            longer.as_str(),
        ] {
            let error = check(key, None).unwrap_err();
            assert_eq!(error.code(), "INVALID_INPUT");
            assert!(
                key.is_empty() || !error.to_string().contains(key),
                "{error}"
            );
        }
    }

    #[test]
    fn a_base_url_is_one_that_the_server_may_call() {
        assert!(check("key", Some("https://llm.example.org/v1")).is_ok());
        let long = format!("https://llm.example.org/{}", "a".repeat(text::BASE_URL.max));
        for url in [
            "",
            "ftp://llm.example.org",
            "https://user:pw@llm.example.org",
            "http://127.0.0.1",
            "http://[::1]",
            "https://169.254.169.254",
            "https://localhost:8080",
            &long,
        ] {
            let error = check("key", Some(url)).unwrap_err();
            assert_eq!(error.code(), "INVALID_INPUT", "{url}");
            assert!(error.to_string().starts_with("the base URL "), "{error}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_a_key() {
        let key = ProviderKey::new("sk-secret".into(), Some("https://private.example".into()));
        assert_eq!(format!("{key:?}"), "ProviderKey(..)");
    }
}
