//! The catalogue itself: look-ups, and replacements for models that are shut down.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use chrono::NaiveDate;
use serde::Serialize;

use crate::error::CatalogError;
use crate::facts;
use crate::model::{Capability, Lifecycle, Model, Provider};

static CATALOG: LazyLock<ModelCatalog> = LazyLock::new(|| {
    ModelCatalog::parse(include_str!("../data/models.json"))
        .expect("the embedded file is checked by the tests")
});

/// The newer facts that an operator installed.
static INSTALLED: OnceLock<ModelCatalog> = OnceLock::new();

/// The catalogue that comes with nyxcore, or the one that was installed.
#[must_use]
pub fn catalog() -> &'static ModelCatalog {
    INSTALLED.get().unwrap_or(&CATALOG)
}

/// Replaces the catalogue that comes with nyxcore, unless that one's data is newer. It is done once, when the program
/// starts; later calls change nothing.
pub fn catalog_install(facts: ModelCatalog) {
    if facts.as_of() >= CATALOG.as_of() {
        let _first = INSTALLED.set(facts);
    }
}

/// All known models, also those that are shut down.
#[derive(Debug, Clone)]
pub struct ModelCatalog {
    as_of: NaiveDate,
    source: String,
    models: Vec<Model>,
    by_id: HashMap<String, usize>,
}

/// Which models to list. The default is every model that still answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ModelFilter {
    /// Only this provider's.
    pub provider: Option<Provider>,
    /// Only those that can do this.
    pub capability: Option<Capability>,
    /// Also those that were shut down.
    pub include_shut_down: bool,
}

/// The replacement of a model that is shut down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Replacement<'a> {
    /// The model to use; it still answers on the day in question.
    pub model: &'a Model,
    /// Where the replacement comes from.
    pub source: ReplacementSource,
}

/// Where a replacement comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplacementSource {
    /// The data names it.
    Named,
    /// The data names none; it is the nearest model by the rule of [`ModelCatalog::replacement_for`].
    Suggested,
}

impl ModelCatalog {
    /// Reads a catalogue from the JSON of a data file.
    ///
    /// # Errors
    /// When the JSON is malformed, lists a model twice, or names a replacement that cannot be one.
    pub fn parse(json: &str) -> Result<Self, CatalogError> {
        let facts = facts::parse(json)?;
        let by_id = facts
            .models
            .iter()
            .enumerate()
            .map(|(index, model)| (model.id.clone(), index))
            .collect();
        Ok(Self {
            as_of: facts.as_of,
            source: facts.source,
            models: facts.models,
            by_id,
        })
    }

    /// The day the data was gathered.
    #[must_use]
    pub const fn as_of(&self) -> NaiveDate {
        self.as_of
    }

    /// Where the data comes from, in the words of the data file.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The model with this id, also if it is shut down.
    #[must_use]
    pub fn model(&self, id: &str) -> Option<&Model> {
        self.by_id.get(id).map(|&index| &self.models[index])
    }

    /// The models that pass the filter on `today`, in the order of the data: by provider, then by id.
    #[must_use]
    pub fn models(&self, filter: &ModelFilter, today: NaiveDate) -> Vec<&Model> {
        self.models
            .iter()
            .filter(|model| {
                filter
                    .provider
                    .is_none_or(|provider| model.provider == provider)
            })
            .filter(|model| {
                filter
                    .capability
                    .is_none_or(|capability| model.has(capability))
            })
            .filter(|model| {
                filter.include_shut_down || model.lifecycle(today) != Lifecycle::ShutDown
            })
            .collect()
    }

    /// Every model, also those that are shut down.
    #[must_use]
    pub fn all(&self) -> &[Model] {
        &self.models
    }

    /// The providers that have a model here, in the order of [`Provider::ALL`].
    #[must_use]
    pub fn providers(&self) -> Vec<Provider> {
        Provider::ALL
            .into_iter()
            .filter(|provider| self.models.iter().any(|model| model.provider == *provider))
            .collect()
    }

    /// The replacement of a model that is retiring or shut down; `None` for a model with no known end, and where no
    /// model can replace it.
    ///
    /// Replacements that the data names are followed until one answers on `today`. Where the data names none, the
    /// nearest model is suggested: of the same provider and mode, with no known end; one that takes at least 80 % of
    /// the input if possible (what was sent yesterday must still fit), equal in reasoning and (for embeddings) in
    /// dimensions if possible; then the nearest output price, the nearest input price, and the greatest id, which is
    /// the newest of a family.
    #[must_use]
    pub fn replacement_for<'a>(
        &'a self,
        model: &'a Model,
        today: NaiveDate,
    ) -> Option<Replacement<'a>> {
        model.shutdown_date?;
        let mut current = model;
        // Named chains were checked for cycles when the data was parsed; a suggested model has no end.
        while let Some(next) = current.replacement.as_deref().and_then(|id| self.model(id)) {
            if next.lifecycle(today) != Lifecycle::ShutDown {
                return Some(Replacement {
                    model: next,
                    source: ReplacementSource::Named,
                });
            }
            current = next;
        }
        let model = self.nearest(current)?;
        Some(Replacement {
            model,
            source: ReplacementSource::Suggested,
        })
    }

    fn nearest(&self, model: &Model) -> Option<&Model> {
        let distance = |candidate: &Model| {
            (
                candidate.context_window * 10 < model.context_window * 8,
                candidate.reasoning != model.reasoning,
                candidate.dimensions != model.dimensions,
                (candidate.prices.output - model.prices.output).abs(),
                (candidate.prices.input - model.prices.input).abs(),
            )
        };
        self.models
            .iter()
            .filter(|candidate| candidate.id != model.id)
            .filter(|candidate| {
                candidate.provider == model.provider && candidate.mode == model.mode
            })
            .filter(|candidate| candidate.shutdown_date.is_none())
            .min_by(|a, b| {
                let (a_smaller, a_reasoning, a_dimensions, a_output, a_input) = distance(a);
                let (b_smaller, b_reasoning, b_dimensions, b_output, b_input) = distance(b);
                (a_smaller, a_reasoning, a_dimensions)
                    .cmp(&(b_smaller, b_reasoning, b_dimensions))
                    .then(a_output.total_cmp(&b_output))
                    .then(a_input.total_cmp(&b_input))
                    .then_with(|| b.id.cmp(&a.id))
            })
    }
}
