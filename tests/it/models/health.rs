//! The health of providers: determined by a check and by every call, with the vendor's message.

use nyxcore_llm::testing::{Reply, VendorRequest, anthropic, respond};
use nyxcore_model_catalog::{
    KeySource, ModelService, Provider, ProviderHealth, ProviderKey, ProviderState,
    operator_key_remove, operator_key_set, provider_key_remove,
};
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::world::{KEY, ModelWorld, PRIVATE, options};

const MODEL: &str = "claude-sonnet-4-6";
/// Anthropic's error for an account without credit.
const NO_CREDIT: &str =
    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.";

impl ModelWorld {
    async fn health(&self, provider: &str) -> ProviderHealth {
        self.service.settled().await;
        let scoped = self.store.read(self.tenant.id).await.unwrap();
        let catalog = self.service.catalog(&scoped).await.unwrap();
        catalog.provider(provider).unwrap().health
    }

    async fn verified(&self, provider: &str) -> ProviderHealth {
        let (tenant, user) = (self.tenant.id, Some(self.owner.id));
        let health = self
            .service
            .verify_provider(tenant, user, provider)
            .await
            .unwrap();
        assert_eq!(health, self.health(provider).await);
        health
    }
}

/// A vendor that returns the list of models for every key, and answers a message with this error.
fn unpaid(request: &VendorRequest) -> Reply {
    match request.method.as_str() {
        "GET" => respond(request),
        _ => Reply::json(400, anthropic::error("invalid_request_error", NO_CREDIT)),
    }
}

on_both_databases! {
    async fn a_provider_that_answers_is_ok(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        assert_eq!(world.health("anthropic").await.state, ProviderState::Unverified);
        let health = world.verified("anthropic").await;
        assert_eq!((health.state, health.message), (ProviderState::Ok, None));
        assert_eq!(health.checked_at, Some(world.store.env().now()));
        // The list of models is free, and the shortest call is in the ledger.
        let row = world.row().await;
        assert_eq!((row.context.purpose.as_str(), row.context.user), ("verify", Some(world.owner.id)));
        assert_eq!(world.vendor.requests().len(), 2);
    }

    async fn an_unpaid_account_is_told_in_the_vendors_words(db: TestDatabase) {
        let world = ModelWorld::with(&db, unpaid).await;
        let health = world.verified("anthropic").await;
        assert_eq!((health.state, health.message.as_deref()), (ProviderState::QuotaExceeded, Some(NO_CREDIT)));
    }

    async fn a_wrong_key_is_told_without_the_key(db: TestDatabase) {
        let refusal = anthropic::error("authentication_error", &format!("invalid x-api-key {KEY}"));
        let world = ModelWorld::replies(&db, [Reply::json(401, refusal)]).await;
        let health = world.verified("anthropic").await;
        assert_eq!(health.state, ProviderState::InvalidKey);
        assert_eq!(health.message.as_deref(), Some("invalid x-api-key [redacted]"));
        // No request is sent with a refused key.
        assert_eq!(world.vendor.requests().len(), 1);
    }

    async fn a_provider_without_a_key_is_not_asked(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        provider_key_remove(&scoped, "anthropic").await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(world.verified("anthropic").await.state, ProviderState::Unconfigured);
        assert_eq!(world.refused(MODEL).await, "PROVIDER_UNCONFIGURED");
        assert!(world.vendor.requests().is_empty());
        let unknown = world.service.verify_provider(world.tenant.id, None, "nobody").await;
        assert_eq!(unknown.unwrap_err().code(), "NOT_FOUND");
    }

    async fn a_server_that_does_not_answer_is_unreachable(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        world.key_set("anthropic", Some("/v1")).await;
        let key = ProviderKey::new(KEY.into(), Some("http://127.0.0.1:9/v1".into()));
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        nyxcore_model_catalog::provider_key_set(&scoped, &world.keyring, PRIVATE, ("anthropic", &key)).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(world.verified("anthropic").await.state, ProviderState::Unreachable);
    }

    async fn every_call_tells_of_its_provider(db: TestDatabase) {
        let limited = Reply::json(429, anthropic::error("rate_limit_error", "slow down")).header("retry-after", "3600");
        let ok = || Reply::events(anthropic::text("Hello"));
        let world = ModelWorld::replies(&db, [ok(), limited, ok()]).await;
        world.ask(MODEL).await.unwrap();
        assert_eq!(world.health("anthropic").await.state, ProviderState::Ok);
        let error = world.ask(MODEL).await.unwrap_err();
        assert_eq!(error.code(), "RATE_LIMITED");
        // A wait of this length is left to the run, and not done within the call.
        assert_eq!(error.retry_after(world.store.env().now()).unwrap().as_secs(), 3_600);
        let health = world.health("anthropic").await;
        assert_eq!((health.state, health.message.as_deref()), (ProviderState::RateLimited, Some("slow down")));
        world.ask(MODEL).await.unwrap();
        assert_eq!(world.health("anthropic").await.state, ProviderState::Ok);
        assert_eq!(world.health("openai").await.state, ProviderState::Unverified);
        world.key_set("anthropic", Some("/v1")).await;
        assert_eq!(world.health("anthropic").await.state, ProviderState::Unverified, "another key is untried");
    }

    async fn the_operators_key_serves_tenants_without_one(db: TestDatabase) {
        let mut world = ModelWorld::new(&db).await;
        let key = ProviderKey::new("zz-of-the-operator-0123456789".into(), Some(world.vendor.url("/v1")));
        operator_key_set(&world.store, &world.keyring, PRIVATE, (Provider::Anthropic, &key)).await.unwrap();
        world.service.operator_keys_refresh();
        world.ask(MODEL).await.unwrap();
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        provider_key_remove(&scoped, "anthropic").await.unwrap();
        scoped.commit().await.unwrap();
        world.ask(MODEL).await.unwrap();
        let sources: Vec<KeySource> = world.ledger().await.iter().map(|row| row.key_source).collect();
        assert_eq!(sources, [KeySource::Tenant, KeySource::Operator]);
        let used = world.vendor.requests();
        assert_eq!(used[0].header("x-api-key"), KEY);
        assert_eq!(used[1].header("x-api-key"), "zz-of-the-operator-0123456789");
        assert!(operator_key_remove(&world.store, Provider::Anthropic).await.unwrap());
        world.service = ModelService::start(options(&world.store, &world.keyring)).unwrap();
        assert_eq!(world.refused(MODEL).await, "PROVIDER_UNCONFIGURED");
    }
}
