//! Chooses the model of a run: the one that was named, else the persona's, else a default.

use std::collections::HashMap;

use nyxcore_model_catalog::{
    DefaultPurpose, ModelError, TenantCatalog, member_defaults, model_choose,
};
use nyxcore_tenancy::{Access, Error, Repository, Scoped, UserId};

use crate::model::PersonaId;
use crate::repository::Personas;

/// A request for a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelWish {
    /// The persona that the model takes on: its default model comes before those of the member and the tenant.
    pub persona_id: Option<PersonaId>,
    /// The provider of the model. Where it is left out, the catalog chooses.
    pub provider: Option<String>,
    /// The model's id.
    pub model: Option<String>,
    /// The user who asks; that member's own defaults apply.
    pub user: Option<UserId>,
    /// Whether it is an error if no model can be called.
    pub is_required: bool,
}

/// The chosen model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenModel {
    /// The provider.
    pub provider: String,
    /// The model's id, as the catalog resolves it.
    pub model: String,
}

/// Chooses the model: the one that was named; else the persona's default; else the default for the purpose, the
/// member's before the tenant's. `None` where none of these can be called and none is required.
///
/// # Errors
/// [`Error::NotFound`] for the persona. [`Error::Invalid`] for a provider without a model. For a model that was named:
/// [`ModelError::Unknown`], [`ModelError::Hidden`], [`ModelError::ShutDown`], [`ModelError::Unfit`],
/// [`ModelError::ProviderUnconfigured`]. [`ModelError::NotChosen`] where a model is required and there is none.
pub async fn model_wished<A: Access>(
    scoped: &Scoped<A>,
    catalog: &TenantCatalog,
    wish: &ModelWish,
) -> Result<Option<ChosenModel>, ModelError> {
    let persona = match wish.persona_id {
        Some(id) => Some(Personas::require(scoped, id).await?),
        None => None,
    };
    let named = |text: &Option<String>| {
        let text = text.as_deref().map(str::trim).unwrap_or_default();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let (provider, model) = (named(&wish.provider), named(&wish.model));
    let is_configured = |provider: &str| {
        let provider = catalog.provider(provider);
        provider.is_some_and(|provider| provider.is_configured())
    };
    if let Some(model) = model {
        let purpose = DefaultPurpose::Default;
        let found = model_choose(scoped, purpose, provider.as_deref(), &model).await?;
        if !is_configured(&found.model.provider) {
            return Err(ModelError::ProviderUnconfigured(found.model.provider));
        }
        return Ok(Some(ChosenModel {
            provider: found.model.provider,
            model: found.asked,
        }));
    }
    if provider.is_some() {
        let reason = "a provider serves many models: name the model too";
        return Err(Error::Invalid(reason.to_owned()).into());
    }
    let today = scoped.env().now().date_naive();
    let own = persona.and_then(|persona| persona.default_model);
    if let Some(own) = own
        && is_configured(&own.provider)
        && let Some(called) = own.standing(catalog, today).called
    {
        return Ok(Some(ChosenModel {
            provider: own.provider,
            model: called,
        }));
    }
    let member = match wish.user {
        Some(user) => member_defaults(scoped, user).await?,
        None => HashMap::new(),
    };
    match catalog.default_for(DefaultPurpose::Default, &member, today) {
        Ok(found) if is_configured(&found.model.provider) => Ok(Some(ChosenModel {
            provider: found.model.provider,
            model: found.asked,
        })),
        Ok(found) if wish.is_required => {
            Err(ModelError::ProviderUnconfigured(found.model.provider))
        }
        Err(error) if wish.is_required => Err(error),
        Ok(_) | Err(_) => Ok(None),
    }
}
