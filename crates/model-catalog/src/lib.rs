//! Which models exist, what they cost, what they can do and when they are shut down.
//!
//! The facts are a data file inside the crate (`data/models.json`, which names its own source and date). Everything
//! that depends on the day takes that day as an argument, so that a model's shutdown needs no release to be noticed.
//! Without the feature `service` there is no database, and the crate can be embedded anywhere. With it, the crate also
//! makes all calls of models: it has tenants' own models, endpoints, defaults and sealed keys, the health of providers,
//! budgets, the ledger of calls, and [`ModelService`], through which all other crates call a model.
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
//!
//! With `service`, a tenant's key is sealed, a call goes through the `ModelService`, and the ledger has its cost:
//!
//! ```
//! # #[cfg(feature = "service")] {
//! use nyxcore_llm::ModelRequest;
//! use nyxcore_llm::testing::{VendorServer, respond};
//! use nyxcore_model_catalog::{
//!     CallContext, ModelChoice, ModelService, ModelServiceOptions, ProviderKey, model_calls_list, provider_key_set,
//! };
//! use nyxcore_outbound::OutboundPolicy;
//! use nyxcore_tenancy::PageRequest;
//! use nyxcore_tenancy::secret::{Keyring, MasterKey, MasterKeys};
//!
//! # nyxcore_tests::example!(|store, tenant| [nyxcore_model_catalog::registration()];
//! // A server on this machine that answers as the vendor does.
//! let vendor = VendorServer::start(respond).await;
//! let outbound = OutboundPolicy { allow_private: true };
//! let keyring = Keyring::new(MasterKeys::one(MasterKey::generate()?));
//! let key = ProviderKey::new("not-a-real-key-0123456789".into(), Some(vendor.url("/v1")));
//! let scoped = store.write(tenant.id).await?;
//! provider_key_set(&scoped, &keyring, outbound, ("anthropic", &key)).await?;
//! scoped.commit().await?;
//!
//! let service = ModelService::start(ModelServiceOptions::new(store.clone(), keyring, outbound))?;
//! let choice = ModelChoice::Model("claude-sonnet-4-6".into());
//! let context = CallContext::new(tenant.id, "greeting");
//! let answer = service.call(context, choice, ModelRequest::new("", "Say hello.")).await?;
//! service.settled().await;
//! let calls = model_calls_list(&store.read(tenant.id).await?, None, &PageRequest::first(1)).await?.into_items();
//! assert_eq!(calls[0].cost, answer.cost);
//! # );
//! # }
//! ```

#[cfg(feature = "service")]
mod budget;
#[cfg(feature = "service")]
mod call;
mod catalog;
mod defaults;
#[cfg(feature = "service")]
mod entity;
mod error;
mod facts;
#[cfg(feature = "service")]
mod health;
#[cfg(feature = "service")]
mod ledger;
#[cfg(feature = "service")]
mod local;
mod model;
mod money;
mod name;
#[cfg(feature = "service")]
mod named;
#[cfg(feature = "service")]
mod provider_key;
#[cfg(feature = "service")]
mod registration;
#[cfg(feature = "service")]
mod tenant;
#[cfg(feature = "service")]
mod traits;
mod update;

#[cfg(feature = "service")]
pub use budget::{
    Budget, BudgetEnforcement, BudgetId, BudgetPeriod, BudgetScope, BudgetStanding, NewBudget,
    RunBudget, budget_create, budget_delete, budget_list, budget_standing, budget_update,
    run_budget_get, run_budget_set,
};
#[cfg(feature = "service")]
pub use call::{
    CallInfo, EmbeddingAnswer, EmbeddingInput, ModelAnswer, ModelCall, ModelService,
    ModelServiceOptions, ObjectAnswer, QuestionEmbedding, QuestionFailure,
};
pub use catalog::{
    ModelCatalog, ModelFilter, Replacement, ReplacementSource, catalog, catalog_install,
};
pub use defaults::{ModelDefaults, ModelWarning};
pub use error::CatalogError;
#[cfg(feature = "service")]
pub use error::ModelError;
#[cfg(feature = "service")]
pub use health::{ProviderHealth, ProviderState};
#[cfg(feature = "service")]
pub use ledger::{
    CallContext, CallObserver, CallOutcome, CallReport, KeySource, ModelCallId, ModelCallRecord,
    ReservationSweep, RunUsage, TokenSource, UsageFilter, UsageGroup, UsageKey, UsageSum,
    model_calls_list, reservations_sweep, run_usage, usage_rows, usage_total,
};
#[cfg(feature = "service")]
pub use local::{
    LOCAL_PROVIDER, LocalEmbedder, LocalEmbedding, local_default, local_embedder_install,
    local_model,
};
pub use model::{Capability, Lifecycle, LongContextPrice, Mode, Model, Prices, Provider};
pub use money::{Nanousd, PriceList, TokenCounts};
#[cfg(feature = "service")]
pub use provider_key::{
    API_KEY_MAX, ProviderKey, operator_key_remove, operator_key_set, provider_key_get,
    provider_key_remove, provider_key_set, provider_verify_permit,
};
#[cfg(feature = "service")]
pub use registration::{
    BUDGET, MODEL_CALL, MODEL_SETTINGS, OWN_MODEL_DEFAULT, PROVIDER_KEY, RUN_BUDGET, registration,
};
#[cfg(feature = "service")]
pub use tenant::{
    DefaultPurpose, EndpointProtocol, ModelChoice, ModelEndpoint, ModelReplacement, NewEndpoint,
    NewTenantModel, PRICE_MAX, ProviderInfo, ResolvedModel, TenantCatalog, TenantModel,
    endpoint_remove, endpoint_set, member_default_set, member_defaults, model_choose, model_hide,
    tenant_default_get, tenant_default_set, tenant_model_remove, tenant_model_set,
};
pub use update::{CatalogUpdate, CatalogUpdateError, catalog_update};
