//! Which models exist, what they cost, what they can do and how long they will live.
//!
//! The facts are a data file inside the crate (`data/models.json`, which names its own source and date); everything
//! that depends on the day takes that day as an argument, so that a model's shutdown needs no release to be noticed.
//! Without the feature `service` there is no database, and the crate can be embedded anywhere; with it, a tenant's keys of providers are kept sealed.
//!
//! ```
//! use chrono::NaiveDate;
//! use nyxcore_model_catalog::{Lifecycle, ModelFilter, Provider, catalog};
//!
//! let today = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap();
//! let catalog = catalog();
//!
//! // What may be offered today: a model that was shut down is not in the list unless it is asked for.
//! let openai = catalog.models(&ModelFilter { provider: Some(Provider::OpenAi), ..ModelFilter::default() }, today);
//! assert!(openai.iter().all(|model| model.lifecycle(today) != Lifecycle::ShutDown));
//!
//! // What to take when nobody chose.
//! let defaults = catalog.defaults(today);
//! assert_eq!(defaults.fast.unwrap().id, "gpt-4.1-mini");
//!
//! // What to say about a model that is about to go.
//! assert_eq!(
//!     catalog.warning("gpt-5", today).as_deref(),
//!     Some("GPT-5 is shut down on 2026-12-11; use gpt-6.1-sol")
//! );
//! ```

mod catalog;
mod defaults;
mod error;
mod facts;
mod model;
mod name;
mod parameters;
#[cfg(feature = "service")]
mod provider_key;
#[cfg(feature = "service")]
mod registration;

pub use catalog::{ModelCatalog, ModelFilter, Replacement, ReplacementSource, catalog};
pub use defaults::{ModelDefaults, ModelWarning};
pub use error::CatalogError;
pub use model::{Capability, Lifecycle, LongContextPrice, Mode, Model, Prices, Provider};
pub use parameters::{Parameters, WireApi};
#[cfg(feature = "service")]
pub use provider_key::{
    API_KEY_MAX, ProviderKey, provider_key_get, provider_key_remove, provider_key_set,
    providers_configured,
};
#[cfg(feature = "service")]
pub use registration::{PROVIDER_KEY, registration};
