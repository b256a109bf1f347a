//! A model as a tenant sees it: a known one, or one of its own.

use chrono::NaiveDate;

use crate::model::{Capability, Lifecycle, Mode, Model};
use crate::money::PriceList;

/// A model that a tenant can choose.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantModel {
    /// The id by which it is chosen.
    pub id: String,
    /// Its provider: a vendor's id, or the name of an endpoint of the tenant.
    pub provider: String,
    /// The id that is sent to the provider.
    pub wire_id: String,
    /// The name for people.
    pub name: String,
    /// The kind of calls that it takes.
    pub mode: Mode,
    /// The longest input, in tokens; `None` where the tenant did not say.
    pub context_window: Option<u64>,
    /// The longest output, in tokens.
    pub max_output_tokens: Option<u64>,
    /// What it costs.
    pub prices: PriceList,
    /// What it can do, in the order of [`Capability::ALL`].
    pub capabilities: Vec<Capability>,
    /// The length of the vectors it makes; absent for chat models.
    pub dimensions: Option<u32>,
    /// The first day on which it no longer answers, if that is known.
    pub shutdown_date: Option<NaiveDate>,
    /// Whether the tenant added it.
    pub is_own: bool,
    /// Whether the tenant hides it: it is not offered, and not called.
    pub is_hidden: bool,
}

impl TenantModel {
    /// Whether the model can do this.
    #[must_use]
    pub fn has(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// The phase of the model's life on `today`.
    #[must_use]
    pub fn lifecycle(&self, today: NaiveDate) -> Lifecycle {
        Lifecycle::on(self.shutdown_date, today)
    }
}

impl From<&Model> for TenantModel {
    fn from(model: &Model) -> Self {
        Self {
            id: model.id.clone(),
            provider: model.provider.id().to_owned(),
            wire_id: model.id.clone(),
            name: model.name.clone(),
            mode: model.mode,
            context_window: Some(model.context_window),
            max_output_tokens: model.max_output_tokens,
            prices: PriceList::from(&model.prices),
            capabilities: model.capabilities.clone(),
            dimensions: model.dimensions,
            shutdown_date: model.shutdown_date,
            is_own: false,
            is_hidden: false,
        }
    }
}
