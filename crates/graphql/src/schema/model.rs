//! Models, their providers, and the health of the providers.

use std::sync::Arc;

use async_graphql::{Context, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_model_catalog::{
    EndpointProtocol, KeySource, Lifecycle, ModelEndpoint, Nanousd, ProviderHealth, ProviderInfo,
    ProviderState, TenantCatalog, TenantModel, catalog,
};

use super::catalog::today;
use super::mirror::mirror;

/// A model provider: a vendor, one of the tenant's endpoints, or the local model of the server.
pub(crate) struct ProviderNode {
    catalog: Arc<TenantCatalog>,
    info: ProviderInfo,
}

impl ProviderNode {
    pub(crate) fn new(catalog: &Arc<TenantCatalog>, info: ProviderInfo) -> Self {
        Self {
            catalog: Arc::clone(catalog),
            info,
        }
    }
}

#[Object(name = "Provider")]
impl ProviderNode {
    /// The id, such as `anthropic`, the name of the endpoint, or `local_model`.
    async fn id(&self) -> &str {
        &self.info.id
    }

    /// The display name.
    async fn name(&self) -> &str {
        &self.info.name
    }

    /// Whether its models can be called: it has a key, or is an endpoint or the local model, which may need none.
    async fn configured(&self) -> bool {
        self.info.is_configured()
    }

    /// The origin of the key in use.
    async fn key_source(&self) -> KeySourceName {
        self.info.key_source.into()
    }

    /// The last known health.
    async fn health(&self) -> ProviderHealthNode {
        self.info.health.clone().into()
    }

    /// The endpoint, if the provider is one of the tenant's endpoints.
    async fn endpoint(&self) -> Option<ModelEndpointNode> {
        self.info.endpoint.clone().map(ModelEndpointNode::from)
    }

    /// The models that are neither shut down nor hidden.
    async fn models(&self, context: &Context<'_>) -> Vec<ModelNode> {
        let today = today(context);
        let models = self.catalog.models().iter().filter(|model| {
            model.provider == self.info.id
                && model.lifecycle(today) != Lifecycle::ShutDown
                && !model.is_hidden
        });
        models
            .map(|model| ModelNode::new(&self.catalog, model.clone()))
            .collect()
    }
}

/// The health of a provider.
#[derive(SimpleObject)]
#[graphql(name = "ProviderHealth")]
pub(crate) struct ProviderHealthNode {
    /// The state.
    state: ProviderStateName,
    /// The time of the last check.
    checked_at: Option<DateTime<Utc>>,
    /// Details, such as the error message of the vendor.
    message: Option<String>,
}

impl From<ProviderHealth> for ProviderHealthNode {
    fn from(health: ProviderHealth) -> Self {
        Self {
            state: health.state.into(),
            checked_at: health.checked_at,
            message: health.message,
        }
    }
}

mirror! {
    /// The state of a provider.
    pub(crate) enum ProviderStateName = "ProviderState" {
        /// No key is set.
        Unconfigured,
        /// A key is set but was not verified.
        Unverified,
        /// Calls succeed.
        Ok,
        /// The key was rejected.
        InvalidKey,
        /// The account has no credit, or its quota is exhausted.
        QuotaExceeded,
        /// The rate limit is exceeded.
        RateLimited,
        /// The provider does not respond.
        Unreachable,
    }
}

mirror! {
    /// The origin of the key in use.
    pub(crate) enum KeySourceName = "KeySource" {
        /// The tenant's own key.
        Tenant,
        /// The operator's key, which all tenants share.
        Operator,
        /// No key.
        None,
    }
}

/// One of the tenant's endpoints: any server that implements one of the supported APIs.
#[derive(SimpleObject)]
#[graphql(name = "ModelEndpoint")]
pub(crate) struct ModelEndpointNode {
    /// The name. It is also the provider's id.
    name: String,
    /// The base URL.
    base_url: String,
    /// The API it implements.
    protocol: EndpointProtocolName,
    /// The names of the headers that are added to each request. Their values are never returned.
    header_names: Vec<String>,
    /// The time of creation.
    created_at: DateTime<Utc>,
    /// The time of the last change.
    updated_at: DateTime<Utc>,
}

impl From<ModelEndpoint> for ModelEndpointNode {
    fn from(endpoint: ModelEndpoint) -> Self {
        Self {
            name: endpoint.name,
            base_url: endpoint.base_url,
            protocol: endpoint.protocol.into(),
            header_names: endpoint.header_names,
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
        }
    }
}

mirror! {
    /// The API of an endpoint.
    pub(crate) enum EndpointProtocolName = "EndpointProtocol" {
        /// OpenAI Chat Completions, supported by most other servers.
        #[graphql(name = "OPENAI_CHAT")]
        OpenAiChat,
        /// OpenAI Responses.
        #[graphql(name = "OPENAI_RESPONSES")]
        OpenAiResponses,
        /// Anthropic Messages.
        AnthropicMessages,
        /// Google `generateContent`.
        GoogleGenerateContent,
    }
}

/// A model.
pub(crate) struct ModelNode {
    catalog: Arc<TenantCatalog>,
    model: TenantModel,
}

impl ModelNode {
    pub(crate) fn new(catalog: &Arc<TenantCatalog>, model: TenantModel) -> Self {
        Self {
            catalog: Arc::clone(catalog),
            model,
        }
    }
}

mirror! {
    /// The lifecycle state of a model.
    pub(crate) enum ModelLifecycle = "ModelLifecycle" of "Lifecycle" {
        /// No shutdown date is known.
        Active,
        /// A shutdown date is announced.
        Retiring,
        /// The model is shut down.
        ShutDown,
    }
}

#[Object(name = "Model")]
impl ModelNode {
    /// The id by which the model is chosen.
    async fn id(&self) -> &str {
        &self.model.id
    }

    /// The model id that is sent to the provider.
    async fn wire_id(&self) -> &str {
        &self.model.wire_id
    }

    /// The provider.
    async fn provider(&self) -> Result<ProviderNode> {
        let info = self.catalog.provider(&self.model.provider);
        let info = info.ok_or(nyxcore_tenancy::Error::NotFound("provider"))?;
        Ok(ProviderNode::new(&self.catalog, info))
    }

    /// The display name.
    async fn name(&self) -> &str {
        &self.model.name
    }

    /// Whether the tenant added the model.
    async fn own(&self) -> bool {
        self.model.is_own
    }

    /// Whether the tenant hides the model. A hidden model is not offered and cannot be called.
    async fn hidden(&self) -> bool {
        self.model.is_hidden
    }

    /// The maximum input, in tokens.
    async fn context_window(&self) -> Option<u64> {
        self.model.context_window
    }

    /// The maximum output, in tokens.
    async fn max_output_tokens(&self) -> Option<u64> {
        self.model.max_output_tokens
    }

    /// The price of a million input tokens, in US dollars.
    async fn input_usd_per_mtok(&self) -> Option<f64> {
        Some(Nanousd(self.model.prices.input).usd())
    }

    /// The price of a million output tokens, in US dollars.
    async fn output_usd_per_mtok(&self) -> Option<f64> {
        Some(Nanousd(self.model.prices.output).usd())
    }

    /// The number of dimensions of its vectors.
    async fn dimensions(&self) -> Option<u32> {
        self.model.dimensions
    }

    /// Whether it is a reasoning model.
    async fn reasoning(&self) -> bool {
        self.model.has(nyxcore_model_catalog::Capability::Reasoning)
    }

    /// The capabilities.
    async fn capabilities(&self) -> Vec<&'static str> {
        let capabilities = self.model.capabilities.iter();
        capabilities.map(|one| one.as_str()).collect()
    }

    /// The lifecycle state as of today.
    async fn lifecycle(&self, context: &Context<'_>) -> ModelLifecycle {
        self.model.lifecycle(today(context)).into()
    }

    /// The shutdown date, as YYYY-MM-DD.
    async fn shutdown_date(&self) -> Option<String> {
        self.model.shutdown_date.map(|date| date.to_string())
    }

    /// The recommended replacement, if the model is or will be shut down.
    async fn replacement(&self, context: &Context<'_>) -> Option<ModelNode> {
        self.model.shutdown_date?;
        let known = catalog().model(&self.model.wire_id)?;
        let replacement = catalog().replacement_for(known, today(context))?;
        let model = self.catalog.model(&replacement.model.id)?;
        Some(ModelNode::new(&self.catalog, model.clone()))
    }
}
