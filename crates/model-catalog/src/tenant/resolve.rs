//! Resolves a choice to the model that is called.

use std::cmp::Reverse;
use std::collections::HashMap;

use chrono::NaiveDate;

use super::defaults::DefaultPurpose;
use super::model::TenantModel;
use super::view::TenantCatalog;
use crate::catalog::catalog;
use crate::error::ModelError;
use crate::model::{Lifecycle, Provider};
use crate::name::undated;

/// A caller's choice of model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelChoice {
    /// A model by its id: the tenant's own, a known one, a dated version of one, or `provider/id`.
    Model(String),
    /// The default for a purpose: the member's, else the tenant's, else the product's.
    Default(DefaultPurpose),
    /// Models in the order in which they are tried. The next one is tried only before any part of an answer was shown.
    Ordered(Vec<String>),
}

/// A replacement: another model is called than the chosen one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelReplacement {
    /// The model that was chosen.
    pub from: String,
    /// The model that is called.
    pub to: String,
    /// Why, in a sentence: "o4-mini was shut down on 2026-10-23; gpt-5.4-mini is used".
    pub text: String,
}

/// A resolved choice.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedModel {
    /// The id that was asked for.
    pub asked: String,
    /// The model.
    pub model: TenantModel,
    /// The replacement, where the model is not the one that was asked for.
    pub replacement: Option<ModelReplacement>,
}

impl TenantCatalog {
    /// The model for the id `asked` on `today`. One that was shut down is replaced by the one that the data names.
    ///
    /// # Errors
    /// [`ModelError::Unknown`], [`ModelError::Hidden`], [`ModelError::ShutDown`] where no model can replace it.
    pub fn resolve(&self, asked: &str, today: NaiveDate) -> Result<ResolvedModel, ModelError> {
        let model = self
            .find(asked)
            .ok_or_else(|| ModelError::Unknown(asked.to_owned()))?;
        if model.is_hidden {
            return Err(ModelError::Hidden(asked.to_owned()));
        }
        let resolved = |model, replacement| ResolvedModel {
            asked: asked.to_owned(),
            model,
            replacement,
        };
        let Some(date) = model.shutdown_date.filter(|_| is_gone(&model, today)) else {
            return Ok(resolved(model, None));
        };
        let next = self
            .successor(&model, today)
            .ok_or_else(|| ModelError::ShutDown(asked.to_owned()))?;
        let replacement = ModelReplacement {
            from: model.id.clone(),
            to: next.id.clone(),
            text: format!(
                "{} was shut down on {date}; {} is used",
                model.name, next.id
            ),
        };
        Ok(resolved(next, Some(replacement)))
    }

    /// As [`TenantCatalog::resolve`], for a model of `provider`. A replacement is of the same vendor.
    ///
    /// # Errors
    /// As [`TenantCatalog::resolve`]; [`ModelError::Unknown`] for another provider's.
    pub fn resolve_at(
        &self,
        provider: &str,
        asked: &str,
        today: NaiveDate,
    ) -> Result<ResolvedModel, ModelError> {
        let resolved = self.resolve(asked, today)?;
        if resolved.model.provider == provider {
            Ok(resolved)
        } else {
            Err(ModelError::Unknown(format!("{provider}/{asked}")))
        }
    }

    /// The models to try for a choice, in order. `member` are the defaults of the member who asks.
    ///
    /// # Errors
    /// [`ModelError::NotChosen`] where there is no model for a purpose; [`ModelError::Unknown`] for an empty list.
    pub(crate) fn candidates(
        &self,
        choice: &ModelChoice,
        member: &HashMap<DefaultPurpose, String>,
        today: NaiveDate,
    ) -> Result<Vec<Result<ResolvedModel, ModelError>>, ModelError> {
        match choice {
            ModelChoice::Model(id) => Ok(vec![self.resolve(id, today)]),
            ModelChoice::Ordered(ids) if ids.is_empty() => Err(ModelError::Unknown(String::new())),
            ModelChoice::Ordered(ids) => Ok(ids.iter().map(|id| self.resolve(id, today)).collect()),
            ModelChoice::Default(purpose) => {
                let found = self.default_for(*purpose, member, today)?;
                Ok(vec![Ok(found)])
            }
        }
    }

    /// The default for a purpose: what the member or the tenant set; else the product's, where its provider is
    /// configured; else the cheapest fitting model of a configured provider. A default that is hidden, or shut down
    /// without a replacement, is skipped.
    ///
    /// # Errors
    /// [`ModelError::NotChosen`].
    pub fn default_for(
        &self,
        purpose: DefaultPurpose,
        member: &HashMap<DefaultPurpose, String>,
        today: NaiveDate,
    ) -> Result<ResolvedModel, ModelError> {
        let set = [member.get(&purpose), self.defaults.get(&purpose)];
        let set = set.into_iter().flatten();
        if let Some(found) = set.filter_map(|id| self.resolve(id, today).ok()).next() {
            return Ok(found);
        }
        let product = catalog().default_ids(purpose);
        let product = product
            .into_iter()
            .filter_map(|id| self.resolve(id, today).ok());
        let mut configured = product.filter(|found| self.is_configured(&found.model.provider));
        if let Some(found) = configured.next() {
            return Ok(found);
        }
        let fits = |model: &&TenantModel| {
            model.mode == purpose.mode()
                && !model.is_hidden
                && !is_gone(model, today)
                && self.is_configured(&model.provider)
        };
        let fitting = self.models().iter().filter(fits);
        // The cheapest; of equally cheap ones the greatest id, which is the newest of a family.
        let model = fitting.min_by_key(|model| (model.prices.output, Reverse(model.id.clone())));
        let model = model.ok_or(ModelError::NotChosen(purpose))?;
        Ok(ResolvedModel {
            asked: model.id.clone(),
            model: model.clone(),
            replacement: None,
        })
    }

    /// Finds a model by the forms of ids that may be asked for: the id of the tenant's own model, of a known one or of
    /// a dated version of a known one, and each of them as `provider/id`.
    fn find(&self, asked: &str) -> Option<TenantModel> {
        if let Some(model) = self.model(asked) {
            return Some(model.clone());
        }
        if let Some((provider, id)) = asked.split_once('/') {
            // Google's own ids may begin with the name of their collection.
            let is_any = provider == "models";
            let found = self.find(id)?;
            return (is_any || found.provider == provider).then_some(found);
        }
        let base = undated(asked);
        let model = self.model(base).filter(|model| !model.is_own)?;
        let is_pinned = !asked.ends_with("-latest");
        Some(TenantModel {
            // A dated version is sent as it is; else the model's own id is sent, which is the newest version.
            wire_id: if is_pinned { asked } else { base }.to_owned(),
            ..model.clone()
        })
    }

    /// The replacement of a model that was shut down; never a hidden one.
    fn successor(&self, model: &TenantModel, today: NaiveDate) -> Option<TenantModel> {
        let known = catalog().model(undated(&model.wire_id))?;
        let next = catalog().replacement_for(known, today)?.model;
        self.model(&next.id).filter(|next| !next.is_hidden).cloned()
    }
}

fn is_gone(model: &TenantModel, today: NaiveDate) -> bool {
    model.lifecycle(today) == Lifecycle::ShutDown
}

/// The vendor of a provider's id.
pub(crate) fn vendor_of(model: &TenantModel) -> Option<Provider> {
    Provider::parse(&model.provider)
}
