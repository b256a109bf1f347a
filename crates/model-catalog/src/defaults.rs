//! The default models where nobody chose one, and warnings of models that will be shut down.

use chrono::NaiveDate;
use serde::Serialize;

use crate::catalog::{ModelCatalog, ReplacementSource};
use crate::model::{Lifecycle, Model, Provider};

/// The default of each provider. Anthropic's and OpenAI's are product rules; for Google it is the one Gemini model that
/// the product promises to carry, which is also the cheapest of them.
const PROVIDER_DEFAULTS: [(Provider, &str); 3] = [
    (Provider::Anthropic, "claude-sonnet-4-6"),
    (Provider::OpenAi, "gpt-4.1-mini"),
    (Provider::Google, "gemini-2.5-flash-lite"),
];
/// The provider whose default is the overall default: the first in the list.
const DEFAULT_PROVIDER: Provider = Provider::Anthropic;
const FAST: &str = "gpt-4.1-mini";
const EMBEDDING: &str = "text-embedding-3-small";

/// The default models. None of them is shut down on the day for which they were made.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelDefaults<'a> {
    /// One model per provider, in the order of [`Provider::ALL`].
    pub by_provider: Vec<&'a Model>,
    /// For short, frequent calls.
    pub fast: Option<&'a Model>,
    /// For everything else.
    pub default: Option<&'a Model>,
    /// For vectors.
    pub embedding: Option<&'a Model>,
    /// Warnings of the models that these rules name: each that is retiring, or was replaced above because it is shut
    /// down. One per model.
    pub warnings: Vec<ModelWarning>,
}

/// A warning that a model will be shut down, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelWarning {
    /// The model that is shut down.
    pub model_id: String,
    /// The replacement, if any model can replace it.
    pub replacement_id: Option<String>,
    /// The same in a sentence: "GPT-5 is shut down on 2026-12-11; use gpt-6.1-sol".
    pub text: String,
}

impl ModelCatalog {
    /// The ids that the product's rules name for a purpose, the first choice first. They may be shut down.
    #[cfg(feature = "service")]
    pub(crate) fn default_ids(&self, purpose: crate::tenant::DefaultPurpose) -> Vec<&'static str> {
        use crate::tenant::DefaultPurpose as Purpose;
        match purpose {
            Purpose::Default | Purpose::Review => PROVIDER_DEFAULTS.map(|(_, id)| id).into(),
            Purpose::Fast => vec![FAST],
            Purpose::Embedding => vec![EMBEDDING],
        }
    }

    /// The defaults on `today`. A default that is shut down is replaced; where no model can replace it, there is none.
    #[must_use]
    pub fn defaults(&self, today: NaiveDate) -> ModelDefaults<'_> {
        let named = |provider| {
            PROVIDER_DEFAULTS
                .iter()
                .find(|(of, _)| *of == provider)
                .map(|(_, id)| *id)
        };
        let mut warnings: Vec<ModelWarning> = Vec::new();
        for id in PROVIDER_DEFAULTS
            .iter()
            .map(|(_, id)| *id)
            .chain([FAST, EMBEDDING])
        {
            let seen = warnings.iter().any(|warning| warning.model_id == id);
            if let Some(warning) = self.warning_for(id, today).filter(|_| !seen) {
                warnings.push(warning);
            }
        }
        ModelDefaults {
            by_provider: Provider::ALL
                .into_iter()
                .filter_map(named)
                .filter_map(|id| self.living(id, today))
                .collect(),
            fast: self.living(FAST, today),
            default: named(DEFAULT_PROVIDER).and_then(|id| self.living(id, today)),
            embedding: self.living(EMBEDDING, today),
            warnings,
        }
    }

    /// The warning of a model on `today`; `None` for a model with no known end, or an unknown id.
    #[must_use]
    pub fn warning(&self, id: &str, today: NaiveDate) -> Option<String> {
        self.warning_for(id, today).map(|warning| warning.text)
    }

    /// The warnings of all models that are retiring or shut down on `today`, in the order of the data.
    #[must_use]
    pub fn warnings(&self, today: NaiveDate) -> Vec<ModelWarning> {
        self.all()
            .iter()
            .filter_map(|model| self.warning_for(&model.id, today))
            .collect()
    }

    /// The model itself if it answers on `today`, else its replacement.
    fn living(&self, id: &str, today: NaiveDate) -> Option<&Model> {
        let model = self.model(id)?;
        match model.lifecycle(today) {
            Lifecycle::Active | Lifecycle::Retiring => Some(model),
            Lifecycle::ShutDown => self
                .replacement_for(model, today)
                .map(|replacement| replacement.model),
        }
    }

    fn warning_for(&self, id: &str, today: NaiveDate) -> Option<ModelWarning> {
        let model = self.model(id)?;
        let date = model.shutdown_date?;
        let replacement = self.replacement_for(model, today);
        let verb = match model.lifecycle(today) {
            Lifecycle::ShutDown => "was",
            Lifecycle::Active | Lifecycle::Retiring => "is",
        };
        // "Use" marks a replacement from the data; "consider" marks our own suggestion.
        let advice = replacement.map_or_else(String::new, |replacement| match replacement.source {
            ReplacementSource::Named => format!("; use {}", replacement.model.id),
            ReplacementSource::Suggested => format!("; consider {}", replacement.model.id),
        });
        Some(ModelWarning {
            model_id: model.id.clone(),
            replacement_id: replacement.map(|replacement| replacement.model.id.clone()),
            text: format!("{} {verb} shut down on {date}{advice}", model.name),
        })
    }
}
