//! Which models there are, what they cost and how long they will live.

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chrono::{DateTime, NaiveDate, Utc};
use nyxcore_model_catalog::{Capability, Lifecycle, Model, ModelFilter, Provider, catalog};

use crate::context::operation;
use crate::error::ApiError;

fn today(context: &Context<'_>) -> NaiveDate {
    operation(context).store().env().now().date_naive()
}

/// The models that are known, as of the day of their data.
pub(crate) struct ModelCatalogNode;

#[Object(name = "ModelCatalog")]
impl ModelCatalogNode {
    /// Who offers models.
    async fn providers(&self) -> Vec<ProviderNode> {
        catalog()
            .providers()
            .into_iter()
            .map(ProviderNode)
            .collect()
    }

    /// Models, those that were shut down only where they are asked for.
    async fn models(
        &self,
        context: &Context<'_>,
        provider: Option<String>,
        capability: Option<String>,
        #[graphql(default = false)] include_shut_down: bool,
    ) -> Result<Vec<ModelNode>> {
        let provider =
            provider.map(|id| Provider::parse(&id).ok_or_else(|| unknown("provider", &id)));
        let capability = capability
            .map(|name| Capability::parse(&name).ok_or_else(|| unknown("capability", &name)));
        let filter = ModelFilter {
            provider: provider.transpose()?,
            capability: capability.transpose()?,
            include_shut_down,
        };
        let models = catalog().models(&filter, today(context));
        Ok(models.into_iter().map(ModelNode).collect())
    }

    /// What is used where nobody chose; never a model that was shut down.
    async fn defaults(&self, context: &Context<'_>) -> ModelDefaultsNode {
        let defaults = catalog().defaults(today(context));
        ModelDefaultsNode {
            by_provider: defaults.by_provider.into_iter().map(ModelNode).collect(),
            fast: defaults.fast.map(ModelNode),
            default: defaults.default.map(ModelNode),
            embedding: defaults.embedding.map(ModelNode),
            warnings: defaults
                .warnings
                .into_iter()
                .map(|warning| warning.text)
                .collect(),
        }
    }

    /// What to know about models that were or will be shut down.
    async fn warnings(&self, context: &Context<'_>) -> Vec<String> {
        let warnings = catalog().warnings(today(context));
        warnings.into_iter().map(|warning| warning.text).collect()
    }
}

fn unknown(what: &str, name: &str) -> ApiError {
    ApiError::invalid(format!("no such {what}: {name}"))
}

async fn configured(context: &Context<'_>, provider: Provider) -> Result<bool> {
    let loader = &operation(context).loaders().providers_configured;
    Ok(loader.load_one(provider).await?.is_some())
}

/// Who offers models.
pub(crate) struct ProviderNode(pub(crate) Provider);

#[Object(name = "Provider")]
impl ProviderNode {
    /// Its id, such as `anthropic`.
    async fn id(&self) -> &str {
        self.0.id()
    }

    /// Its name.
    async fn name(&self) -> &str {
        self.0.name()
    }

    /// Whether the tenant has a key for it.
    async fn configured(&self, context: &Context<'_>) -> Result<bool> {
        configured(context, self.0).await
    }

    /// Whether its models can be called.
    async fn health(&self, context: &Context<'_>) -> Result<ProviderHealthNode> {
        let (state, message) = if configured(context, self.0).await? {
            (ProviderState::Unverified, "its key was not tried yet")
        } else {
            let message = "no key is stored for this provider";
            (ProviderState::Unconfigured, message)
        };
        Ok(ProviderHealthNode {
            state,
            checked_at: None,
            message: Some(message.to_owned()),
        })
    }

    /// Its models that were not shut down.
    async fn models(&self, context: &Context<'_>) -> Vec<ModelNode> {
        let filter = ModelFilter {
            provider: Some(self.0),
            ..ModelFilter::default()
        };
        let models = catalog().models(&filter, today(context));
        models.into_iter().map(ModelNode).collect()
    }
}

/// Whether a provider's models can be called.
#[derive(SimpleObject)]
#[graphql(name = "ProviderHealth")]
pub(crate) struct ProviderHealthNode {
    /// How it stands.
    state: ProviderState,
    /// When that was found out.
    checked_at: Option<DateTime<Utc>>,
    /// What there is to say.
    message: Option<String>,
}

/// How a provider stands.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProviderState {
    /// No key.
    Unconfigured,
    /// A key that nobody tried yet.
    Unverified,
    /// It answers.
    Ok,
    /// The key is refused.
    InvalidKey,
    /// The account's quota is used up.
    QuotaExceeded,
    /// Too many requests for now.
    RateLimited,
    /// It does not answer.
    Unreachable,
}

/// A model.
pub(crate) struct ModelNode(&'static Model);

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
    /// Its id at the provider.
    async fn id(&self) -> &str {
        &self.0.id
    }

    /// Who offers it.
    async fn provider(&self) -> ProviderNode {
        ProviderNode(self.0.provider)
    }

    /// Its name for people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The longest input, in tokens.
    async fn context_window(&self) -> Option<u64> {
        Some(self.0.context_window)
    }

    /// The longest answer, in tokens.
    async fn max_output_tokens(&self) -> Option<u64> {
        self.0.max_output_tokens
    }

    /// US dollars for a million tokens of input.
    async fn input_usd_per_mtok(&self) -> Option<f64> {
        Some(self.0.prices.input)
    }

    /// US dollars for a million tokens of output.
    async fn output_usd_per_mtok(&self) -> Option<f64> {
        Some(self.0.prices.output)
    }

    /// Whether it thinks before it answers.
    async fn reasoning(&self) -> bool {
        self.0.reasoning
    }

    /// What it can do.
    async fn capabilities(&self) -> Vec<&'static str> {
        self.0
            .capabilities
            .iter()
            .map(|capability| capability.as_str())
            .collect()
    }

    /// How long it will live, as of today.
    async fn lifecycle(&self, context: &Context<'_>) -> ModelLifecycle {
        self.0.lifecycle(today(context)).into()
    }

    /// The day from which it no longer answers, as YYYY-MM-DD.
    async fn shutdown_date(&self) -> Option<String> {
        self.0.shutdown_date.map(|date| date.to_string())
    }

    /// What to use in its place, where it is or will be shut down.
    async fn replacement(&self, context: &Context<'_>) -> Option<ModelNode> {
        self.0.shutdown_date?;
        let replacement = catalog().replacement_for(self.0, today(context))?;
        Some(ModelNode(replacement.model))
    }
}

/// What is used where nobody chose.
#[derive(SimpleObject)]
#[graphql(name = "ModelDefaults")]
pub(crate) struct ModelDefaultsNode {
    /// One for each provider.
    by_provider: Vec<ModelNode>,
    /// For small and quick work.
    fast: Option<ModelNode>,
    /// For everything else.
    default: Option<ModelNode>,
    /// For vectors.
    embedding: Option<ModelNode>,
    /// Where a named default is no longer to be had, and what took its place.
    warnings: Vec<String>,
}
