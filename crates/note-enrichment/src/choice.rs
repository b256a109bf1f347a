//! Which model writes an enrichment, if any does.

use std::collections::HashMap;

use nyxcore_model_catalog::{
    DefaultPurpose, ModelError, TenantCatalog, member_defaults, model_choose,
};
use nyxcore_personas::{PersonaId, Personas};
use nyxcore_tenancy::{Access, Error, Repository, Scoped, UserId};

use crate::model::EnrichmentMode;

/// What somebody asks of an enrichment.
#[derive(Debug, Clone, Default)]
pub struct EnrichmentRequest {
    /// For whom it is written: its specializations weigh a little in the retrieval, and the model is asked to be it.
    pub persona_id: Option<PersonaId>,
    /// With a model, without one, or as it comes.
    pub mode: Option<EnrichmentMode>,
    /// Who serves the model. Where it is left out, the catalog says.
    pub provider: Option<String>,
    /// The model's id.
    pub model: Option<String>,
    /// Who asks, for that member's own defaults.
    pub user: Option<UserId>,
}

/// How an enrichment is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum EnrichmentChoice {
    /// Of excerpts.
    #[default]
    Extractive,
    /// By a model.
    Generated {
        /// Who serves it.
        provider: String,
        /// The model's id, as the catalog resolves it.
        model: String,
    },
}

impl EnrichmentChoice {
    /// The mode that it comes to.
    #[must_use]
    pub fn mode(&self) -> EnrichmentMode {
        match self {
            Self::Extractive => EnrichmentMode::Extractive,
            Self::Generated { .. } => EnrichmentMode::Generated,
        }
    }
}

/// Chooses the model: the one that was named; else the persona's default; else the default for the purpose, the
/// member's before the tenant's. Where none of these can be called, the enrichment is extractive, unless a model was
/// asked for.
///
/// # Errors
/// [`Error::NotFound`] for the persona. [`Error::Invalid`] for a provider without a model, and for a model of an
/// extractive enrichment. For a model that was named: [`ModelError::Unknown`], [`ModelError::Hidden`],
/// [`ModelError::ShutDown`], [`ModelError::Unfit`], [`ModelError::ProviderUnconfigured`]. [`ModelError::NotChosen`]
/// where a model was asked for and there is none.
pub async fn enrichment_choose<A: Access>(
    scoped: &Scoped<A>,
    catalog: &TenantCatalog,
    request: &EnrichmentRequest,
) -> Result<EnrichmentChoice, ModelError> {
    let persona = match request.persona_id {
        Some(id) => Some(Personas::require(scoped, id).await?),
        None => None,
    };
    let named = |text: &Option<String>| {
        let text = text.as_deref().map(str::trim).unwrap_or_default();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let (provider, model) = (named(&request.provider), named(&request.model));
    let is_configured = |provider: &str| {
        let provider = catalog.provider(provider);
        provider.is_some_and(|provider| provider.is_configured())
    };
    let invalid = |text: &str| Err(Error::Invalid(text.to_owned()).into());
    if request.mode == Some(EnrichmentMode::Extractive) {
        return match model.or(provider) {
            Some(_) => invalid("an extractive enrichment calls no model: omit provider and model"),
            None => Ok(EnrichmentChoice::Extractive),
        };
    }
    if let Some(model) = model {
        let purpose = DefaultPurpose::Default;
        let found = model_choose(scoped, purpose, provider.as_deref(), &model).await?;
        if !is_configured(&found.model.provider) {
            return Err(ModelError::ProviderUnconfigured(found.model.provider));
        }
        return Ok(EnrichmentChoice::Generated {
            provider: found.model.provider,
            model: found.asked,
        });
    }
    if provider.is_some() {
        return invalid("a provider serves many models: name the model too");
    }
    let today = scoped.env().now().date_naive();
    let own = persona.and_then(|persona| persona.default_model);
    if let Some(own) = own
        && is_configured(&own.provider)
        && let Some(called) = own.standing(catalog, today).called
    {
        return Ok(EnrichmentChoice::Generated {
            provider: own.provider,
            model: called,
        });
    }
    let member = match request.user {
        Some(user) => member_defaults(scoped, user).await?,
        None => HashMap::new(),
    };
    match catalog.default_for(DefaultPurpose::Default, &member, today) {
        Ok(found) if is_configured(&found.model.provider) => Ok(EnrichmentChoice::Generated {
            provider: found.model.provider,
            model: found.asked,
        }),
        Ok(found) if request.mode == Some(EnrichmentMode::Generated) => {
            Err(ModelError::ProviderUnconfigured(found.model.provider))
        }
        Err(error) if request.mode == Some(EnrichmentMode::Generated) => Err(error),
        Ok(_) | Err(_) => Ok(EnrichmentChoice::Extractive),
    }
}
