//! The model catalog: the available models with prices, lifecycle and provider. Every model picker uses this one
//! query.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Object, Result, SimpleObject};
use chrono::NaiveDate;
use nyxcore_model_catalog::{
    Capability, DefaultPurpose, Lifecycle, TenantCatalog, TenantModel, catalog, member_defaults,
};
use nyxcore_tenancy::Error;

use super::model::{ModelNode, ProviderNode};
use crate::context::operation;
use crate::error::ApiError;

pub(super) fn today(context: &Context<'_>) -> NaiveDate {
    operation(context).store().env().now().date_naive()
}

/// The tenant's catalog as the operation sees it.
pub(crate) async fn tenant_catalog(context: &Context<'_>) -> Result<Arc<TenantCatalog>> {
    let op = operation(context);
    let scoped = op.read().await?;
    let catalog = op.services().models.catalog(&scoped).await?;
    Ok(Arc::new(catalog))
}

/// The models that the tenant can choose: the known models as of `asOf`, and the tenant's own models.
pub(crate) struct ModelCatalogNode(pub(crate) Arc<TenantCatalog>);

impl ModelCatalogNode {
    fn node(&self, model: &TenantModel) -> ModelNode {
        ModelNode::new(&self.0, model.clone())
    }
}

#[Object(name = "ModelCatalog")]
impl ModelCatalogNode {
    /// The providers: vendors first, then the tenant's own endpoints.
    async fn providers(&self) -> Vec<ProviderNode> {
        let providers = self.0.providers().into_iter();
        providers
            .map(|info| ProviderNode::new(&self.0, info))
            .collect()
    }

    /// The models, the tenant's own first. Includes shut down and hidden models only on request.
    async fn models(
        &self,
        context: &Context<'_>,
        provider: Option<String>,
        capability: Option<String>,
        #[graphql(default = false)] include_shut_down: bool,
        #[graphql(default = false)] include_hidden: bool,
    ) -> Result<Vec<ModelNode>> {
        if let Some(id) = &provider
            && self.0.provider(id).is_none()
        {
            return Err(unknown("provider", id).into());
        }
        let capability = capability
            .map(|name| Capability::parse(&name).ok_or_else(|| unknown("capability", &name)))
            .transpose()?;
        let today = today(context);
        let is_listed = |model: &&TenantModel| {
            provider.as_ref().is_none_or(|id| model.provider == *id)
                && capability.is_none_or(|capability| model.has(capability))
                && (include_shut_down || model.lifecycle(today) != Lifecycle::ShutDown)
                && (include_hidden || !model.is_hidden)
        };
        let models = self.0.models().iter().filter(is_listed);
        Ok(models.map(|model| self.node(model)).collect())
    }

    /// The default models. The caller's choice comes first, then the tenant's, then the product's. A shut down model
    /// is never a default.
    async fn defaults(&self, context: &Context<'_>) -> Result<ModelDefaultsNode> {
        defaults_node(context, &self.0).await
    }

    /// Warnings about models that were or will be shut down.
    async fn warnings(&self, context: &Context<'_>) -> Vec<String> {
        let warnings = catalog().warnings(today(context));
        warnings.into_iter().map(|warning| warning.text).collect()
    }

    /// The date of the data about known models, as YYYY-MM-DD.
    async fn as_of(&self) -> String {
        catalog().as_of().to_string()
    }
}

/// The defaults of the caller.
pub(crate) async fn defaults_node(
    context: &Context<'_>,
    tenant: &Arc<TenantCatalog>,
) -> Result<ModelDefaultsNode> {
    let op = operation(context);
    let scoped = op.read().await?;
    let member = member_defaults(&scoped, op.caller().user).await?;
    let today = today(context);
    let product = catalog().defaults(today);
    let mut warnings: Vec<String> = product
        .warnings
        .into_iter()
        .map(|warning| warning.text)
        .collect();
    let known = |id: &str| tenant.resolve(id, today).ok();
    let mut of = |purpose, product: Option<&str>| {
        let found = tenant.default_for(purpose, &member, today).ok();
        // Without a configured provider, the product's default is shown.
        let found = found.or_else(|| product.and_then(known))?;
        let said = found.replacement.map(|replacement| replacement.text);
        warnings.extend(said.filter(|text| !warnings.contains(text)));
        Some(ModelNode::new(tenant, found.model))
    };
    let id =
        |model: Option<&'static nyxcore_model_catalog::Model>| model.map(|model| model.id.as_str());
    let default = of(DefaultPurpose::Default, id(product.default));
    let fast = of(DefaultPurpose::Fast, id(product.fast));
    let embedding = of(DefaultPurpose::Embedding, id(product.embedding));
    let review = of(DefaultPurpose::Review, id(product.default));
    let by_provider = product
        .by_provider
        .iter()
        .filter_map(|model| known(&model.id));
    Ok(ModelDefaultsNode {
        by_provider: by_provider
            .map(|found| ModelNode::new(tenant, found.model))
            .collect(),
        default,
        fast,
        embedding,
        review,
        own: own(tenant, &member, today),
        warnings,
    })
}

/// The models that the caller has chosen.
fn own(
    tenant: &Arc<TenantCatalog>,
    member: &HashMap<DefaultPurpose, String>,
    today: NaiveDate,
) -> OwnModelDefaultsNode {
    let of = |purpose| {
        let id = member.get(&purpose)?;
        let found = tenant.resolve(id, today).ok()?;
        Some(ModelNode::new(tenant, found.model))
    };
    OwnModelDefaultsNode {
        default: of(DefaultPurpose::Default),
        fast: of(DefaultPurpose::Fast),
        embedding: of(DefaultPurpose::Embedding),
        review: of(DefaultPurpose::Review),
    }
}

fn unknown(what: &str, name: &str) -> ApiError {
    ApiError::invalid(format!("no such {what}: {name}"))
}

/// The provider with this id, read again after a change.
pub(crate) async fn provider_node(context: &Context<'_>, id: &str) -> Result<ProviderNode> {
    let catalog = tenant_catalog(context).await?;
    let info = catalog.provider(id).ok_or(Error::NotFound("provider"))?;
    Ok(ProviderNode::new(&catalog, info))
}

/// The models that are used when none is chosen.
#[derive(SimpleObject)]
#[graphql(name = "ModelDefaults")]
pub(crate) struct ModelDefaultsNode {
    /// The default model of each vendor.
    by_provider: Vec<ModelNode>,
    /// The default for small and fast tasks.
    fast: Option<ModelNode>,
    /// The default for all other tasks.
    default: Option<ModelNode>,
    /// The default for embeddings.
    embedding: Option<ModelNode>,
    /// The default for reviews.
    review: Option<ModelNode>,
    /// The caller's own defaults.
    own: OwnModelDefaultsNode,
    /// Warnings about default models that are no longer available, with their replacements.
    warnings: Vec<String>,
}

/// A member's own default models. A null field falls back to the tenant's default.
#[derive(SimpleObject)]
#[graphql(name = "OwnModelDefaults")]
pub(crate) struct OwnModelDefaultsNode {
    /// The default for small and fast tasks.
    fast: Option<ModelNode>,
    /// The default for all other tasks.
    default: Option<ModelNode>,
    /// The default for embeddings.
    embedding: Option<ModelNode>,
    /// The default for reviews.
    review: Option<ModelNode>,
}
