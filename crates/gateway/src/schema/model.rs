//! A model, who serves it, and how that one stands.

use std::sync::Arc;

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_model_catalog::{
    EndpointProtocol, KeySource, Lifecycle, ModelEndpoint, Nanousd, ProviderHealth, ProviderInfo,
    ProviderState, TenantCatalog, TenantModel, catalog,
};

use super::catalog::today;

/// Who serves models: a vendor, or an endpoint of the tenant's.
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
    /// Its id, such as `anthropic`, or the endpoint's name.
    async fn id(&self) -> &str {
        &self.info.id
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.info.name
    }

    /// Whether its models can be called: there is a key for it, or it is an endpoint, which may need none.
    async fn configured(&self) -> bool {
        self.info.is_configured()
    }

    /// Whose key is used.
    async fn key_source(&self) -> KeySourceName {
        self.info.key_source.into()
    }

    /// Whether its models can be called now, as far as that is known.
    async fn health(&self) -> ProviderHealthNode {
        self.info.health.clone().into()
    }

    /// Where it is, for an endpoint of the tenant's.
    async fn endpoint(&self) -> Option<ModelEndpointNode> {
        self.info.endpoint.clone().map(ModelEndpointNode::from)
    }

    /// Its models that were not shut down and are not hidden.
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

/// Whether a provider's models can be called.
#[derive(SimpleObject)]
#[graphql(name = "ProviderHealth")]
pub(crate) struct ProviderHealthNode {
    /// How it stands.
    state: ProviderStateName,
    /// When that was found out.
    checked_at: Option<DateTime<Utc>>,
    /// What there is to say: the vendor's words where it refused.
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

/// How a provider stands.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "ProviderState", remote = "ProviderState")]
pub(crate) enum ProviderStateName {
    /// No key.
    Unconfigured,
    /// A key that nobody tried yet.
    Unverified,
    /// It answers.
    Ok,
    /// The key is refused.
    InvalidKey,
    /// The account is not paid, or its quota is used up.
    QuotaExceeded,
    /// Too many requests for now.
    RateLimited,
    /// It does not answer.
    Unreachable,
}

/// Whose key is used.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "KeySource", remote = "KeySource")]
pub(crate) enum KeySourceName {
    /// The tenant's own.
    Tenant,
    /// The operator's, which is for all tenants.
    Operator,
    /// None.
    None,
}

/// An endpoint of the tenant's: any server that speaks one of the known APIs.
#[derive(SimpleObject)]
#[graphql(name = "ModelEndpoint")]
pub(crate) struct ModelEndpointNode {
    /// Its name, which is the provider's id.
    name: String,
    /// Where it is.
    base_url: String,
    /// The API it speaks.
    protocol: EndpointProtocolName,
    /// The names of the headers that are added to each request. Their values are shown to nobody.
    header_names: Vec<String>,
    /// When it was added.
    created_at: DateTime<Utc>,
    /// When it was last changed.
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

/// The API that an endpoint speaks.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "EndpointProtocol", remote = "EndpointProtocol")]
pub(crate) enum EndpointProtocolName {
    /// OpenAI's Chat Completions, which most other servers speak.
    #[graphql(name = "OPENAI_CHAT")]
    OpenAiChat,
    /// OpenAI's Responses.
    #[graphql(name = "OPENAI_RESPONSES")]
    OpenAiResponses,
    /// Anthropic's Messages.
    AnthropicMessages,
    /// Google's `generateContent`.
    GoogleGenerateContent,
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

/// How long a model will live.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "ModelLifecycle", remote = "Lifecycle")]
pub(crate) enum ModelLifecycle {
    /// No end is known.
    Active,
    /// The day of its end is known.
    Retiring,
    /// It no longer answers.
    ShutDown,
}

#[Object(name = "Model")]
impl ModelNode {
    /// The id by which it is chosen.
    async fn id(&self) -> &str {
        &self.model.id
    }

    /// The id that is sent to whoever serves it.
    async fn wire_id(&self) -> &str {
        &self.model.wire_id
    }

    /// Who serves it.
    async fn provider(&self) -> Result<ProviderNode> {
        let info = self.catalog.provider(&self.model.provider);
        let info = info.ok_or(nyxcore_tenancy::Error::NotFound("provider"))?;
        Ok(ProviderNode::new(&self.catalog, info))
    }

    /// Its name for people.
    async fn name(&self) -> &str {
        &self.model.name
    }

    /// Whether the tenant added it.
    async fn own(&self) -> bool {
        self.model.is_own
    }

    /// Whether the tenant hides it: it is not offered and not called.
    async fn hidden(&self) -> bool {
        self.model.is_hidden
    }

    /// The longest input, in tokens.
    async fn context_window(&self) -> Option<u64> {
        self.model.context_window
    }

    /// The longest answer, in tokens.
    async fn max_output_tokens(&self) -> Option<u64> {
        self.model.max_output_tokens
    }

    /// US dollars for a million tokens of input.
    async fn input_usd_per_mtok(&self) -> Option<f64> {
        Some(Nanousd(self.model.prices.input).usd())
    }

    /// US dollars for a million tokens of output.
    async fn output_usd_per_mtok(&self) -> Option<f64> {
        Some(Nanousd(self.model.prices.output).usd())
    }

    /// The length of the vectors it makes.
    async fn dimensions(&self) -> Option<u32> {
        self.model.dimensions
    }

    /// Whether it thinks before it answers.
    async fn reasoning(&self) -> bool {
        self.model.has(nyxcore_model_catalog::Capability::Reasoning)
    }

    /// What it can do.
    async fn capabilities(&self) -> Vec<&'static str> {
        let capabilities = self.model.capabilities.iter();
        capabilities.map(|one| one.as_str()).collect()
    }

    /// How long it will live, as of today.
    async fn lifecycle(&self, context: &Context<'_>) -> ModelLifecycle {
        self.model.lifecycle(today(context)).into()
    }

    /// The day from which it no longer answers, as YYYY-MM-DD.
    async fn shutdown_date(&self) -> Option<String> {
        self.model.shutdown_date.map(|date| date.to_string())
    }

    /// What to use in its place, where it is or will be shut down.
    async fn replacement(&self, context: &Context<'_>) -> Option<ModelNode> {
        self.model.shutdown_date?;
        let known = catalog().model(&self.model.wire_id)?;
        let replacement = catalog().replacement_for(known, today(context))?;
        let model = self.catalog.model(&replacement.model.id)?;
        Some(ModelNode::new(&self.catalog, model.clone()))
    }
}
