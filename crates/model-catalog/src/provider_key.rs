//! API keys of providers, a tenant's own and the operator's for all tenants: stored encrypted, used by the server,
//! shown to nobody. A provider is a vendor, such as OpenAI, or an endpoint of the tenant.

use chrono::{DateTime, Utc};
use nyxcore_outbound::{Endpoint, OutboundPolicy};
use nyxcore_tenancy::secret::{
    Keyring, Secret, operator_secret_get, operator_secret_put, operator_secret_remove, secret_get,
    secret_put, secret_remove, secret_text,
};
use nyxcore_tenancy::{Access, Action, Error, ReadWrite, Result, Scoped, Store, text};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::model::Provider;
use crate::registration::PROVIDER_KEY;
use crate::tenant::{endpoint_get, provider_state_delete, settings_changed};

/// The kind under which these secrets are stored; their name is the provider's id.
pub(crate) const KIND: &str = "provider_key";
/// The longest key, in bytes. A rule of this project: providers' own are around 100 to 200.
pub const API_KEY_MAX: usize = text::API_KEY.max;

/// A key of a provider, with the base URL to use it at. It is overwritten when it is dropped and not shown by `Debug`.
#[derive(Serialize, Deserialize)]
pub struct ProviderKey {
    #[serde(serialize_with = "nyxcore_tenancy::secret::secret_serialize")]
    api_key: SecretString,
    base_url: Option<String>,
}

/// Shows nothing: the base URL may be private, too.
impl std::fmt::Debug for ProviderKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProviderKey(..)")
    }
}

impl ProviderKey {
    /// A key that is not validated yet. It is validated when it is stored.
    pub fn new(api_key: String, base_url: Option<String>) -> Self {
        Self {
            api_key: secret_text(api_key),
            base_url,
        }
    }

    /// The key, for the request that needs it.
    pub fn api_key(&self) -> &str {
        self.api_key.expose_secret()
    }

    /// The base URL of the provider's API, if it is not the usual one.
    pub fn base_url(&self) -> Option<&str> {
        self.base_url.as_deref()
    }

    fn sealable(&self) -> Result<Secret> {
        let sealed = serde_json::to_vec(self).map_err(|_| Error::Invalid("no key".into()))?;
        Ok(Secret::new(sealed))
    }

    /// Parses a decrypted key. The error drops serde's message, which may repeat part of the key.
    fn opened(sealed: &Secret) -> Result<Self> {
        serde_json::from_slice(sealed.expose()).map_err(|_| Error::SecretUnreadable)
    }

    /// Validates the key. An error names the rule and never the key.
    fn check(&self, policy: OutboundPolicy) -> Result<()> {
        let key = self.api_key();
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

pub(crate) fn base_url_check(url: &str, policy: OutboundPolicy) -> Result<()> {
    text::BASE_URL.check("the base URL", url)?;
    Endpoint::parse(url, policy)
        .map(drop)
        .map_err(|refusal| Error::Invalid(format!("the base URL {refusal}")))
}

/// Stores the tenant's key for a provider, in place of an earlier one. The known health of the provider is deleted,
/// because it was found out with another key.
///
/// # Errors
/// [`Error::NotFound`] for a provider that is neither a vendor nor an endpoint of the tenant. [`Error::Invalid`] for a
/// key that is empty, longer than [`API_KEY_MAX`] or not printable, for a base URL that is malformed or that `policy`
/// does not allow, and for one that is given for an endpoint.
pub async fn provider_key_set(
    scoped: &Scoped<ReadWrite>,
    keyring: &Keyring,
    policy: OutboundPolicy,
    (provider, key): (&str, &ProviderKey),
) -> Result<()> {
    scoped.permit(Action::Update, PROVIDER_KEY, None)?;
    provider_require(scoped, provider).await?;
    scoped.audit_detail(serde_json::json!({"provider": provider}));
    key.check(policy)?;
    if Provider::parse(provider).is_none() && key.base_url.is_some() {
        return Err(Error::Invalid(
            "an endpoint has its base URL already: change the endpoint".into(),
        ));
    }
    secret_put(scoped, keyring, KIND, provider, &key.sealable()?).await?;
    provider_state_delete(scoped, provider).await?;
    settings_changed(scoped).await
}

/// Deletes the tenant's key for a provider, if there is one.
///
/// # Errors
/// [`Error::NotFound`] for a provider that is neither a vendor nor an endpoint of the tenant's.
pub async fn provider_key_remove(scoped: &Scoped<ReadWrite>, provider: &str) -> Result<()> {
    scoped.permit(Action::Delete, PROVIDER_KEY, None)?;
    provider_require(scoped, provider).await?;
    scoped.audit_detail(serde_json::json!({"provider": provider}));
    secret_remove(scoped, KIND, provider).await?;
    provider_state_delete(scoped, provider).await?;
    settings_changed(scoped).await
}

/// The tenant's key for a provider, for the program's own calls to it. It is never returned to a client.
///
/// # Errors
/// `SECRET_UNREADABLE` where the master key it was sealed with is gone.
pub async fn provider_key_get<A: Access>(
    scoped: &Scoped<A>,
    keyring: &Keyring,
    provider: &str,
) -> Result<Option<ProviderKey>> {
    let sealed = secret_get(scoped, keyring, KIND, provider).await?;
    sealed
        .map(|sealed| ProviderKey::opened(&sealed))
        .transpose()
}

/// Checks the permission to verify a provider with the tenant's key, and records it in the audit log.
///
/// # Errors
/// [`Error::Forbidden`](nyxcore_tenancy::Error::Forbidden); [`Error::NotFound`] for a provider that is neither a vendor
/// nor an endpoint of the tenant's.
pub async fn provider_verify_permit(scoped: &Scoped<ReadWrite>, provider: &str) -> Result<()> {
    scoped.permit(Action::Update, PROVIDER_KEY, None)?;
    scoped.audit_detail(serde_json::json!({"provider": provider, "verified": true}));
    provider_require(scoped, provider).await
}

/// Stores the operator's key for a vendor, which serves every tenant that has none of its own.
///
/// # Errors
/// As [`provider_key_set`], except for endpoints, which belong to a tenant.
pub async fn operator_key_set(
    store: &Store,
    keyring: &Keyring,
    policy: OutboundPolicy,
    (vendor, key): (Provider, &ProviderKey),
) -> Result<()> {
    key.check(policy)?;
    operator_secret_put(store, keyring, KIND, vendor.id(), &key.sealable()?).await
}

/// Deletes the operator's key for a vendor, and returns whether there was one.
///
/// # Errors
/// The database refuses.
pub async fn operator_key_remove(store: &Store, vendor: Provider) -> Result<bool> {
    operator_secret_remove(store, KIND, vendor.id()).await
}

/// The operator's keys with the time at which each was stored.
pub(crate) async fn operator_keys_get(
    store: &Store,
    keyring: &Keyring,
) -> Result<Vec<(Provider, DateTime<Utc>, ProviderKey)>> {
    let mut keys = Vec::new();
    for (name, since, sealed) in operator_secret_get(store, keyring, KIND).await? {
        if let Some(vendor) = Provider::parse(&name) {
            keys.push((vendor, since, ProviderKey::opened(&sealed)?));
        }
    }
    Ok(keys)
}

/// Checks that the id is that of a vendor or of the tenant's endpoint.
async fn provider_require<A: Access>(scoped: &Scoped<A>, id: &str) -> Result<()> {
    if Provider::parse(id).is_some() || endpoint_get(scoped, id).await?.is_some() {
        return Ok(());
    }
    Err(Error::NotFound("provider"))
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
