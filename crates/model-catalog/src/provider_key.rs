//! A tenant's keys of providers: kept sealed, used by the server, shown to nobody.

use nyxcore_tenancy::secret::{
    Keyring, Secret, secret_get, secret_names, secret_put, secret_remove,
};
use nyxcore_tenancy::{Access, Action, Error, ReadWrite, Resource, Result, Scoped};
use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::Zeroize;

use crate::model::Provider;

/// The kind that these secrets are kept under; their name is the provider's id.
const KIND: &str = "provider_key";
/// The longest key, in bytes. A rule of this project: providers' own are around 100 to 200.
pub const API_KEY_MAX: usize = 8 * 1024;
/// The longest base URL, in bytes. A rule of this project.
const BASE_URL_MAX: usize = 2_000;

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
    fn check(&self) -> Result<()> {
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
        self.base_url.as_deref().map_or(Ok(()), base_url_check)
    }
}

fn base_url_check(text: &str) -> Result<()> {
    let refused = || {
        Error::Invalid("the base URL must be https:// or http:// with a host, and without a user, a password, a query or a fragment".into())
    };
    if text.len() > BASE_URL_MAX {
        return Err(refused());
    }
    let url = Url::parse(text).map_err(|_| refused())?;
    let plain = matches!(url.scheme(), "https" | "http")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if plain { Ok(()) } else { Err(refused()) }
}

/// Keeps the tenant's key for a provider, in the place of one that was there.
///
/// # Errors
/// [`Error::NotFound`] for a provider that is not known; [`Error::Invalid`] for a key that is empty, longer than [`API_KEY_MAX`] or not printable, and for
/// a base URL that is none.
pub async fn provider_key_set(
    scoped: &Scoped<ReadWrite>,
    keyring: &Keyring,
    provider: &str,
    key: &ProviderKey,
) -> Result<Provider> {
    scoped.permit(Action::Update, Resource::ProviderKey, None)?;
    let provider = provider_require(provider)?;
    scoped.audit_detail(serde_json::json!({"provider": provider.id()}));
    key.check()?;
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
    scoped.permit(Action::Delete, Resource::ProviderKey, None)?;
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
    scoped.permit(Action::Read, Resource::ProviderKey, None)?;
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
        ProviderKey::new(key.to_owned(), base_url.map(str::to_owned)).check()
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
    fn a_base_url_is_a_plain_address_of_the_web() {
        for url in ["https://llm.example.org/v1", "http://127.0.0.1:8080"] {
            assert!(check("key", Some(url)).is_ok(), "{url}");
        }
        for url in [
            "",
            "llm.example.org",
            "ftp://llm.example.org",
            "file:///etc/passwd",
            "https://user:pw@llm.example.org",
            "https://llm.example.org/?key=1",
            "https://llm.example.org/#a",
            "javascript:alert(1)",
        ] {
            assert!(check("key", Some(url)).is_err(), "{url}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_a_key() {
        let key = ProviderKey::new("sk-secret".into(), Some("https://private.example".into()));
        assert_eq!(format!("{key:?}"), "ProviderKey(..)");
    }
}
