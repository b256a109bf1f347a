//! Chooses the model that writes an enrichment, if any does.

use nyxcore_model_catalog::{ModelError, TenantCatalog};
use nyxcore_personas::{ModelWish, PersonaId, Personas, model_wished};
use nyxcore_tenancy::{Access, Error, Repository, Scoped, UserId};

use crate::model::EnrichmentMode;

/// A request for an enrichment.
#[derive(Debug, Clone, Default)]
pub struct EnrichmentRequest {
    /// The persona: its specializations have a small weight in the retrieval, and the model takes it on.
    pub persona_id: Option<PersonaId>,
    /// With a model or without one; `None` uses a model where one can be called.
    pub mode: Option<EnrichmentMode>,
    /// The provider of the model. Where it is left out, the catalog chooses.
    pub provider: Option<String>,
    /// The model's id.
    pub model: Option<String>,
    /// The user who asks; that member's own defaults apply.
    pub user: Option<UserId>,
}

/// Whether a model writes an enrichment, and which.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum EnrichmentChoice {
    /// It consists of excerpts.
    #[default]
    Extractive,
    /// A model writes it.
    Generated {
        /// The model's provider.
        provider: String,
        /// The model's id, as the catalog resolves it.
        model: String,
    },
}

impl EnrichmentChoice {
    /// The mode of the enrichment.
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
    if request.mode == Some(EnrichmentMode::Extractive) {
        if let Some(persona) = request.persona_id {
            Personas::require(scoped, persona).await?;
        }
        let is_named = |text: &Option<String>| {
            let text = text.as_deref().map(str::trim).unwrap_or_default();
            !text.is_empty()
        };
        if is_named(&request.model) || is_named(&request.provider) {
            let reason = "an extractive enrichment calls no model: omit provider and model";
            return Err(Error::Invalid(reason.to_owned()).into());
        }
        return Ok(EnrichmentChoice::Extractive);
    }
    let wish = ModelWish {
        persona_id: request.persona_id,
        provider: request.provider.clone(),
        model: request.model.clone(),
        user: request.user,
        is_required: request.mode == Some(EnrichmentMode::Generated),
    };
    let chosen = model_wished(scoped, catalog, &wish).await?;
    Ok(chosen.map_or(EnrichmentChoice::Extractive, |chosen| {
        EnrichmentChoice::Generated {
            provider: chosen.provider,
            model: chosen.model,
        }
    }))
}
