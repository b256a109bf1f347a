//! A snapshot of a tenant's catalog: the known models with the tenant's changes.

use std::collections::{HashMap, HashSet};

use nyxcore_llm::Protocol;
use nyxcore_tenancy::secret::secret_names;
use nyxcore_tenancy::{Access, Result, Scoped};

use super::defaults::{DefaultPurpose, defaults_of_tenant};
use super::endpoint::ModelEndpoint;
use super::model::TenantModel;
use crate::catalog::catalog;
use crate::entity::{endpoint, hidden_model, own_model};
use crate::health::{ProviderHealth, ProviderState, health_all};
use crate::ledger::KeySource;
use crate::local::{LOCAL_PROVIDER, LOCAL_PROVIDER_NAME, local_model};
use crate::model::Provider;
use crate::provider_key::KIND;

/// A provider of models to a tenant: a vendor, an endpoint of the tenant, or this process.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderInfo {
    /// The id by which models, keys and states name it.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// The vendor; `None` for an endpoint of the tenant and for the local model.
    pub vendor: Option<Provider>,
    /// The endpoint; `None` for a vendor and for the local model.
    pub endpoint: Option<ModelEndpoint>,
    /// Whose key is used.
    pub key_source: KeySource,
    /// Its health.
    pub health: ProviderHealth,
}

impl ProviderInfo {
    /// Whether its models can be called: it has a key, or it is an endpoint or the local model, which may need none.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.endpoint.is_some() || self.key_source != KeySource::None || self.is_local()
    }

    /// Whether its model is computed in this process.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.id == LOCAL_PROVIDER
    }

    /// The API it speaks.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        match (self.vendor, &self.endpoint) {
            (Some(Provider::Anthropic), _) => Protocol::AnthropicMessages,
            (Some(Provider::OpenAi), _) => Protocol::OpenAiResponses,
            (Some(Provider::Google), _) => Protocol::GoogleGenerateContent,
            (None, Some(endpoint)) => endpoint.protocol.into(),
            (None, None) => Protocol::OpenAiChat,
        }
    }
}

/// The known models, the tenant's own, and the tenant's settings.
#[derive(Debug, Clone)]
pub struct TenantCatalog {
    endpoints: Vec<ModelEndpoint>,
    /// The tenant's own first, then the known ones in the order of the data.
    models: Vec<TenantModel>,
    pub(super) defaults: HashMap<DefaultPurpose, String>,
    keys: HashSet<String>,
    operator_keys: HashSet<String>,
    health: HashMap<String, ProviderHealth>,
}

impl TenantCatalog {
    /// Reads a tenant's catalog. `operator_keys` are the providers that the operator has a key for.
    ///
    /// # Errors
    /// The database fails.
    pub async fn load<A: Access>(
        scoped: &Scoped<A>,
        operator_keys: HashSet<String>,
    ) -> Result<Self> {
        use endpoint::Column;
        let endpoints = scoped.find::<endpoint::Entity>();
        let endpoints = endpoints.order_by_asc(Column::Name).all().await?;
        let own = scoped.find::<own_model::Entity>();
        let own = own.order_by_asc(own_model::Column::ModelId).all().await?;
        let hidden = scoped.find::<hidden_model::Entity>().all().await?;
        let hidden: HashSet<String> = hidden.into_iter().map(|row| row.model_id).collect();
        let own = own.into_iter().map(TenantModel::try_from);
        let mut models = own.collect::<Result<Vec<TenantModel>>>()?;
        let own_ids: HashSet<String> = models.iter().map(|model| model.id.clone()).collect();
        let known = catalog().all().iter();
        let known = known.filter(|model| !own_ids.contains(&model.id));
        models.extend(known.map(TenantModel::from));
        models.extend(local_model().filter(|model| !own_ids.contains(&model.id)));
        for model in &mut models {
            model.is_hidden = hidden.contains(&model.id);
        }
        let endpoints = endpoints.into_iter().map(ModelEndpoint::try_from);
        Ok(Self {
            endpoints: endpoints.collect::<Result<_>>()?,
            models,
            defaults: defaults_of_tenant(scoped).await?,
            keys: secret_names(scoped, KIND).await?.into_iter().collect(),
            operator_keys,
            health: health_all(scoped).await?,
        })
    }

    /// Every model: the tenant's own first, then the known ones. Hidden models and those that were shut down are
    /// included.
    #[must_use]
    pub fn models(&self) -> &[TenantModel] {
        &self.models
    }

    /// The model with exactly this id.
    #[must_use]
    pub fn model(&self, id: &str) -> Option<&TenantModel> {
        self.models.iter().find(|model| model.id == id)
    }

    /// The vendors, then the tenant's endpoints by their names.
    #[must_use]
    pub fn providers(&self) -> Vec<ProviderInfo> {
        let vendors = catalog().providers().into_iter().map(|vendor| {
            let (id, name) = (vendor.id(), vendor.name());
            self.provider_info(id, name, Some(vendor), None)
        });
        let endpoints = self.endpoints.iter().map(|endpoint| {
            let name = &endpoint.name;
            self.provider_info(name, name, None, Some(endpoint.clone()))
        });
        let local = local_model().map(|_| self.local_info());
        vendors.chain(endpoints).chain(local).collect()
    }

    /// The provider with this id.
    #[must_use]
    pub fn provider(&self, id: &str) -> Option<ProviderInfo> {
        if id == LOCAL_PROVIDER {
            return local_model().map(|_| self.local_info());
        }
        if let Some(vendor) = Provider::parse(id) {
            return Some(self.provider_info(id, vendor.name(), Some(vendor), None));
        }
        let endpoint = self.endpoints.iter().find(|endpoint| endpoint.name == id)?;
        Some(self.provider_info(id, id, None, Some(endpoint.clone())))
    }

    /// Whether the provider's models can be called.
    pub(super) fn is_configured(&self, provider: &str) -> bool {
        self.keys.contains(provider)
            || self.operator_keys.contains(provider)
            || (provider == LOCAL_PROVIDER && local_model().is_some())
            || self.endpoints.iter().any(|one| one.name == provider)
    }

    /// The provider of the local model: it needs no key, and does not have to be verified before it can be called.
    fn local_info(&self) -> ProviderInfo {
        let health = self.health.get(LOCAL_PROVIDER).cloned();
        ProviderInfo {
            id: LOCAL_PROVIDER.to_owned(),
            name: LOCAL_PROVIDER_NAME.to_owned(),
            vendor: None,
            endpoint: None,
            key_source: KeySource::None,
            health: health.unwrap_or(ProviderHealth {
                state: ProviderState::Ok,
                checked_at: None,
                message: Some("it is computed by this server".to_owned()),
            }),
        }
    }

    fn provider_info(
        &self,
        id: &str,
        name: &str,
        vendor: Option<Provider>,
        endpoint: Option<ModelEndpoint>,
    ) -> ProviderInfo {
        let key_source = match () {
            () if self.keys.contains(id) => KeySource::Tenant,
            // The operator's key is for vendors only: an endpoint is the tenant's, which would learn the key.
            () if vendor.is_some() && self.operator_keys.contains(id) => KeySource::Operator,
            () => KeySource::None,
        };
        let unknown = |state, message: &str| ProviderHealth {
            state,
            checked_at: None,
            message: Some(message.to_owned()),
        };
        let health = match self.health.get(id) {
            _ if key_source == KeySource::None && endpoint.is_none() => unknown(
                ProviderState::Unconfigured,
                "no key is stored for this provider",
            ),
            Some(health) => health.clone(),
            None => unknown(ProviderState::Unverified, "it was not tried yet"),
        };
        ProviderInfo {
            id: id.to_owned(),
            name: name.to_owned(),
            vendor,
            endpoint,
            key_source,
            health,
        }
    }
}
