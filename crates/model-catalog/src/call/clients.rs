//! The wire clients: one per tenant and provider, on shared connections to addresses that the operator allows.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use nyxcore_llm::{
    AddressRefused, ApiKey, Client, Endpoint, LlmError, Resolver, Transport, TransportOptions,
};
use nyxcore_outbound::{HostResolver, OutboundPolicy};
use nyxcore_tenancy::secret::Keyring;
use nyxcore_tenancy::{Access, Error, Result, Scoped, Store};

use crate::budget::{Budget, budgets_all};
use crate::error::ModelError;
use crate::ledger::KeySource;
use crate::provider_key::{ProviderKey, operator_keys_get, provider_key_get};
use crate::tenant::{ProviderInfo, TenantCatalog, endpoint_headers, vendor_endpoint};

/// The operator's keys, by vendor's id.
#[derive(Default)]
pub(super) struct OperatorKeys(HashMap<String, (DateTime<Utc>, ProviderKey)>);

impl OperatorKeys {
    pub(super) async fn load(store: &Store, keyring: &Keyring) -> Result<Self> {
        let keys = operator_keys_get(store, keyring).await?;
        let keys = keys.into_iter();
        Ok(Self(
            keys.map(|(vendor, since, key)| (vendor.id().to_owned(), (since, key)))
                .collect(),
        ))
    }

    /// Whether both have the same keys, by the times at which they were set.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let since = |keys: &Self, id: &String| keys.0.get(id).map(|(since, _)| *since);
        self.0.len() == other.0.len() && self.0.keys().all(|id| since(self, id) == since(other, id))
    }

    /// The vendors that have a key here.
    pub(super) fn vendors(&self) -> HashSet<String> {
        self.0.keys().cloned().collect()
    }
}

/// A tenant's settings and clients, cached between its calls.
pub(super) struct CachedTenant {
    pub(super) version: i64,
    pub(super) catalog: TenantCatalog,
    pub(super) budgets: Vec<Budget>,
    pub(super) operator: Arc<OperatorKeys>,
    clients: Mutex<HashMap<String, Client>>,
}

impl CachedTenant {
    pub(super) async fn load<A: Access>(
        scoped: &Scoped<A>,
        version: i64,
        operator: Arc<OperatorKeys>,
    ) -> Result<Self> {
        Ok(Self {
            version,
            catalog: TenantCatalog::load(scoped, operator.vendors()).await?,
            budgets: budgets_all(scoped).await?,
            operator,
            clients: Mutex::default(),
        })
    }

    /// The client for a provider, with the tenant's key or the operator's.
    pub(super) async fn client<A: Access>(
        &self,
        scoped: &Scoped<A>,
        keyring: &Keyring,
        transports: &Transports,
        provider: &ProviderInfo,
    ) -> Result<Client, ModelError> {
        if let Some(client) = self.clients().get(&provider.id) {
            return Ok(client.clone());
        }
        if !provider.is_configured() {
            return Err(ModelError::ProviderUnconfigured(provider.id.clone()));
        }
        let own = match provider.key_source {
            KeySource::Tenant => provider_key_get(scoped, keyring, &provider.id).await?,
            KeySource::Operator | KeySource::None => None,
        };
        let key = match provider.key_source {
            KeySource::Operator => self.operator.0.get(&provider.id).map(|(_, key)| key),
            KeySource::Tenant | KeySource::None => own.as_ref(),
        };
        let mut endpoint = match (&provider.endpoint, provider.vendor) {
            (Some(own), _) => Endpoint::new(own.protocol.into(), &own.base_url)?,
            (None, Some(vendor)) => match key.and_then(ProviderKey::base_url) {
                Some(url) => Endpoint::new(provider.protocol(), url)?,
                None => vendor_endpoint(vendor)?,
            },
            (None, None) => return Err(Error::NotFound("provider").into()),
        };
        if let Some(own) = &provider.endpoint {
            for (name, value) in endpoint_headers(scoped, keyring, &own.name).await? {
                endpoint = endpoint.header(&name, &value)?;
            }
        }
        let key = match key {
            Some(key) => ApiKey::parse(key.api_key())?,
            None => ApiKey::none(),
        };
        let transport = transports.for_url(endpoint.base_url().as_str())?;
        let client = Client::with_transport(endpoint, key, transport)?;
        self.clients().insert(provider.id.clone(), client.clone());
        Ok(client)
    }

    fn clients(&self) -> std::sync::MutexGuard<'_, HashMap<String, Client>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The HTTP connections: encrypted ones, and plain ones to private addresses where the operator allows those.
pub(super) struct Transports {
    policy: OutboundPolicy,
    encrypted: Transport,
    plain: Transport,
}

impl Transports {
    pub(super) fn new(
        policy: OutboundPolicy,
        hosts: Arc<dyn HostResolver>,
        options: &TransportOptions,
    ) -> Result<Self, LlmError> {
        let transport = |encrypted| {
            Transport::new(TransportOptions {
                https_only: encrypted,
                resolver: Some(Arc::new(CheckedResolver {
                    policy,
                    encrypted,
                    hosts: Arc::clone(&hosts),
                })),
                ..options.clone()
            })
        };
        Ok(Self {
            policy,
            encrypted: transport(true)?,
            plain: transport(false)?,
        })
    }

    /// The transport for a base URL. The operator's policy may have changed since the URL was stored.
    fn for_url(&self, base_url: &str) -> Result<Transport, LlmError> {
        let endpoint = nyxcore_outbound::Endpoint::parse(base_url, self.policy)
            .map_err(|_| LlmError::AddressRefused)?;
        Ok(match endpoint.is_encrypted() {
            true => self.encrypted.clone(),
            false => self.plain.clone(),
        })
    }
}

/// Finds the addresses of a host and refuses the host where the operator does not allow one of them.
struct CheckedResolver {
    policy: OutboundPolicy,
    encrypted: bool,
    hosts: Arc<dyn HostResolver>,
}

impl Resolver for CheckedResolver {
    fn resolve(&self, host: &str) -> BoxFuture<'static, Result<Vec<IpAddr>, AddressRefused>> {
        let (policy, encrypted) = (self.policy, self.encrypted);
        let hosts = Arc::clone(&self.hosts);
        let host = host.to_owned();
        async move {
            let addresses = match host.parse::<IpAddr>() {
                Ok(address) => vec![address],
                // A name without an address is unreachable, which is another error than a refusal.
                Err(_) => hosts.host_resolve(&host).await.unwrap_or_default(),
            };
            let is_allowed = |address: &IpAddr| policy.address_check(*address, encrypted).is_ok();
            match addresses.iter().all(is_allowed) {
                true => Ok(addresses),
                false => Err(AddressRefused),
            }
        }
        .boxed()
    }
}
