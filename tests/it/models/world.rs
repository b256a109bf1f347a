//! A tenant with a scripted vendor, and the service between them.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use nyxcore_llm::testing::{Reply, VendorRequest, VendorServer};
use nyxcore_llm::{ModelRequest, RetryTimer, TransportOptions};
use nyxcore_model_catalog::{
    BudgetEnforcement, BudgetPeriod, BudgetScope, BudgetStanding, CallContext, EndpointProtocol,
    ModelCallRecord, ModelChoice, ModelError, ModelService, ModelServiceOptions, Nanousd,
    NewBudget, NewEndpoint, NewTenantModel, ProviderKey, UsageFilter, budget_create, budget_list,
    endpoint_set, model_calls_list, provider_key_set, reservations_sweep, tenant_model_set,
};
use nyxcore_outbound::OutboundPolicy;
use nyxcore_tenancy::secret::{Keyring, MasterKey, MasterKeys};
use nyxcore_tenancy::{ManualClock, PageRequest, Store, TenantId};
use nyxcore_tests::TestDatabase;

use crate::support::{self, has_world, store_at_rest};

/// A key that no message may contain.
pub const KEY: &str = "zz-very-secret-key-0123456789";

/// Private addresses are allowed, because the scripted vendor has one.
pub const PRIVATE: OutboundPolicy = OutboundPolicy {
    allow_private: true,
};

/// A timer that does not wait.
#[derive(Debug)]
pub struct NoWait;

impl RetryTimer for NoWait {
    fn now(&self) -> DateTime<Utc> {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
        futures::future::ready(()).boxed()
    }

    fn fraction(&self) -> f64 {
        0.5
    }
}

pub struct ModelWorld {
    world: support::World,
    pub clock: Arc<ManualClock>,
    pub keyring: Keyring,
    pub service: ModelService,
    pub vendor: VendorServer,
}

has_world!(ModelWorld);

/// The options of a service that does not wait, with time-outs that a test can await.
pub fn options(store: &Store, keyring: &Keyring) -> ModelServiceOptions {
    ModelServiceOptions {
        timer: Arc::new(NoWait),
        transport: TransportOptions {
            first_byte_timeout: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(20),
            ..TransportOptions::default()
        },
        ..ModelServiceOptions::new(store.clone(), keyring.clone(), PRIVATE)
    }
}

impl ModelWorld {
    /// A vendor that answers in the format of the requested path.
    pub async fn new(db: &TestDatabase) -> Self {
        Self::with(db, nyxcore_llm::testing::respond).await
    }

    /// A vendor that gives these answers in turn, and then repeats the last one.
    pub async fn replies(db: &TestDatabase, replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::of(db, VendorServer::replies(replies).await).await
    }

    pub async fn with(
        db: &TestDatabase,
        respond: impl Fn(&VendorRequest) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::of(db, VendorServer::start(respond).await).await
    }

    async fn of(db: &TestDatabase, vendor: VendorServer) -> Self {
        let (store, clock) = store_at_rest(db).await;
        let inside = support::World::new(store, "acme").await;
        let keyring = Keyring::new(MasterKeys::one(MasterKey::generate().unwrap()));
        let service = ModelService::start(options(&inside.store, &keyring)).unwrap();
        let world = Self {
            world: inside,
            clock,
            keyring,
            service,
            vendor,
        };
        for provider in ["anthropic", "openai", "google"] {
            world.key_set(provider, Some("/v1")).await;
        }
        world
    }

    /// Another service with other options, such as shorter time-outs.
    pub fn service_with(&mut self, change: impl FnOnce(&mut ModelServiceOptions)) {
        let mut options = options(&self.store, &self.keyring);
        change(&mut options);
        self.service = ModelService::start(options).unwrap();
    }

    /// Stores a key for a vendor, with a path of the scripted server as its address.
    pub async fn key_set(&self, provider: &str, path: Option<&str>) {
        let key = ProviderKey::new(KEY.to_owned(), path.map(|path| self.vendor.url(path)));
        let scoped = self.store.write(self.tenant.id).await.unwrap();
        provider_key_set(&scoped, &self.keyring, PRIVATE, (provider, &key))
            .await
            .unwrap();
        scoped.commit().await.unwrap();
    }

    /// Adds an endpoint of the tenant at the scripted server, with one free model.
    pub async fn endpoint_add(&self, name: &str, model: &str) {
        let scoped = self.store.write(self.tenant.id).await.unwrap();
        let endpoint = NewEndpoint {
            name: name.to_owned(),
            base_url: self.vendor.url("/v1"),
            protocol: EndpointProtocol::OpenAiChat,
            headers: None,
        };
        endpoint_set(&scoped, &self.keyring, PRIVATE, endpoint)
            .await
            .unwrap();
        let model = NewTenantModel {
            id: model.to_owned(),
            provider: name.to_owned(),
            ..NewTenantModel::default()
        };
        tenant_model_set(&scoped, model).await.unwrap();
        scoped.commit().await.unwrap();
    }

    pub fn context(&self) -> CallContext {
        CallContext {
            user: Some(self.owner.id),
            ..CallContext::new(self.tenant.id, "test")
        }
    }

    /// Calls a model with a short prompt.
    pub async fn ask(&self, model: &str) -> Result<String, ModelError> {
        let choice = ModelChoice::Model(model.to_owned());
        let answer = self.service.call(self.context(), choice, short()).await?;
        Ok(answer.finish.message.text())
    }

    /// The error code of a call that must fail.
    pub async fn refused(&self, model: &str) -> &'static str {
        self.ask(model).await.unwrap_err().code()
    }

    /// The ledger, oldest first, after all ended calls are settled.
    pub async fn ledger(&self) -> Vec<ModelCallRecord> {
        self.service.settled().await;
        ledger(&self.store, self.tenant.id).await
    }

    /// The only row of the ledger.
    pub async fn row(&self) -> ModelCallRecord {
        let mut rows = self.ledger().await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0)
    }

    pub async fn budget(
        &self,
        scope: BudgetScope,
        enforcement: BudgetEnforcement,
        limit: Nanousd,
    ) -> NewBudget {
        let budget = NewBudget {
            scope,
            project_id: None,
            user_id: (scope == BudgetScope::Member).then_some(self.owner.id),
            purpose: (scope == BudgetScope::Purpose).then(|| "test".to_owned()),
            period: BudgetPeriod::Month,
            enforcement,
            limit,
        };
        self.budget_add(budget.clone()).await;
        budget
    }

    pub async fn budget_add(&self, budget: NewBudget) {
        let scoped = self.store.write(self.tenant.id).await.unwrap();
        budget_create(&scoped, budget).await.unwrap();
        scoped.commit().await.unwrap();
    }

    pub async fn budgets(&self) -> Vec<BudgetStanding> {
        self.service.settled().await;
        let scoped = self.store.read(self.tenant.id).await.unwrap();
        budget_list(&scoped).await.unwrap()
    }
}

/// Runs a sweep, which must not fail, and returns the number of settled calls.
pub async fn sweep(store: &Store) -> u64 {
    let swept = reservations_sweep(store).await.unwrap();
    assert_eq!(swept.failed, 0);
    swept.settled
}

pub async fn ledger(store: &Store, tenant: TenantId) -> Vec<ModelCallRecord> {
    let scoped = store.read(tenant).await.unwrap();
    let page = PageRequest::first(500);
    let page = model_calls_list(&scoped, None, &page).await.unwrap();
    let mut rows = page.into_items();
    rows.reverse();
    rows
}

/// A prompt and a limit that make a call cheap.
pub fn short() -> ModelRequest {
    ModelRequest {
        max_output_tokens: Some(100),
        ..ModelRequest::new("", "Say hello.")
    }
}

/// The whole of 2026.
pub fn this_year() -> UsageFilter {
    let day = |month, day| NaiveDate::from_ymd_opt(2026, month, day).unwrap();
    UsageFilter {
        from: day(1, 1),
        to: day(12, 31),
        project: None,
    }
}
