//! Models through GraphQL: keys, endpoints, defaults, budgets and reports, over real sockets.

use nyxcore_gateway::Limits;
use nyxcore_llm::testing::{Reply, VendorServer, anthropic, respond};
use nyxcore_model_catalog::{CallContext, ModelChoice};
use nyxcore_sync::git::SourcePolicy;
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use super::world::{KEY, options, short};
use crate::gateway_transport::client::Served;
use crate::support::store;

struct Api {
    served: Served,
    vendor: VendorServer,
}

impl Api {
    async fn start(db: &TestDatabase) -> Self {
        Self::with(db, VendorServer::start(respond).await).await
    }

    async fn with(db: &TestDatabase, vendor: VendorServer) -> Self {
        let policy = SourcePolicy {
            allow_private: true,
            ..SourcePolicy::default()
        };
        let served = Served::start_with(&store(db).await, "acme", Limits::default(), policy).await;
        Self { served, vendor }
    }

    async fn ask(&self, document: &str, variables: Value) -> Value {
        let body = json!({ "query": document, "variables": variables });
        let answer = self.served.post(&body).send().await.unwrap();
        let text = answer.text().await.unwrap();
        assert!(!text.contains(KEY), "{text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn data(&self, document: &str) -> Value {
        let answer = self.ask(document, json!({})).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].clone()
    }

    async fn code(&self, document: &str) -> String {
        let answer = self.ask(document, json!({})).await;
        answer["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    async fn key_set(&self) {
        let document = "mutation ($key: String!, $url: String) {
            setProviderKey(input: { provider: \"anthropic\", apiKey: $key, baseUrl: $url }) {
                provider { id configured keySource health { state } } } }";
        let variables = json!({ "key": KEY, "url": self.vendor.url("/v1") });
        let provider = &self.ask(document, variables).await["data"]["setProviderKey"]["provider"];
        let expected = json!({ "id": "anthropic", "configured": true, "keySource": "TENANT", "health": { "state": "UNVERIFIED" } });
        assert_eq!(*provider, expected);
    }
}

const VERIFY: &str = "mutation { verifyProvider(input: { provider: \"anthropic\" }) {
    provider { health { state message checkedAt } } } }";

on_both_databases! {
    async fn a_key_is_set_and_verified(db: TestDatabase) {
        let api = Api::start(&db).await;
        let health = api.data(VERIFY).await["verifyProvider"]["provider"]["health"].clone();
        assert_eq!(health["state"], "UNCONFIGURED");
        api.key_set().await;
        let health = api.data(VERIFY).await["verifyProvider"]["provider"]["health"].clone();
        assert_eq!((&health["state"], &health["message"]), (&json!("OK"), &Value::Null));
        assert!(health["checkedAt"].is_string());
        let shown = api.data("{ modelCatalog { providers { id configured health { state } } } }").await;
        assert_eq!(shown["modelCatalog"]["providers"][0]["health"]["state"], "OK");
        assert_eq!(api.code("mutation { verifyProvider(input: { provider: \"nobody\" }) { provider { id } } }").await, "NOT_FOUND");
    }

    async fn an_unpaid_account_is_shown_in_the_vendors_words(db: TestDatabase) {
        let words = "Your credit balance is too low to access the Anthropic API.";
        let unpaid = move |request: &nyxcore_llm::testing::VendorRequest| match request.method.as_str() {
            "GET" => respond(request),
            _ => Reply::json(400, anthropic::error("invalid_request_error", words)),
        };
        let api = Api::with(&db, VendorServer::start(unpaid).await).await;
        api.key_set().await;
        let health = api.data(VERIFY).await["verifyProvider"]["provider"]["health"].clone();
        assert_eq!((&health["state"], &health["message"]), (&json!("QUOTA_EXCEEDED"), &json!(words)));
    }

    async fn an_endpoint_and_its_models_are_in_the_one_catalog(db: TestDatabase) {
        let api = Api::start(&db).await;
        let url = api.vendor.url("/v1");
        let endpoint = format!(
            "mutation {{ setModelEndpoint(input: {{ name: \"gpu\", baseUrl: \"{url}\", protocol: OPENAI_CHAT,
                headers: [{{ name: \"x-org\", value: \"{KEY}\" }}] }}) {{
                provider {{ id configured keySource endpoint {{ baseUrl protocol headerNames }} }} }} }}"
        );
        let provider = api.data(&endpoint).await["setModelEndpoint"]["provider"].clone();
        assert_eq!(provider["endpoint"], json!({ "baseUrl": url, "protocol": "OPENAI_CHAT", "headerNames": ["x-org"] }));
        let model = "mutation { setModel(input: { id: \"big\", provider: \"gpu\", contextWindow: 8192, inputUsdPerMtok: 0.5,
            outputUsdPerMtok: 1.5, capabilities: [\"tools\"] }) { model { id own provider { id } inputUsdPerMtok capabilities lifecycle } } }";
        let model = api.data(model).await["setModel"]["model"].clone();
        let expected = json!({ "id": "big", "own": true, "provider": { "id": "gpu" }, "inputUsdPerMtok": 0.5,
            "capabilities": ["chat", "tools"], "lifecycle": "ACTIVE" });
        assert_eq!(model, expected);
        let listed = api.data("{ modelCatalog { models(provider: \"gpu\") { id } } }").await;
        assert_eq!(listed["modelCatalog"]["models"], json!([{ "id": "big" }]));
        api.data("mutation { setModelHidden(input: { model: \"big\", hidden: true }) { model { hidden } } }").await;
        let listed = api.data("{ modelCatalog { models(provider: \"gpu\") { id } all: models(provider: \"gpu\", includeHidden: true) { hidden } } }").await;
        assert_eq!(listed["modelCatalog"], json!({ "models": [], "all": [{ "hidden": true }] }));
        api.data("mutation { removeModelEndpoint(input: { name: \"gpu\" }) { removedName } }").await;
        assert_eq!(api.code("{ modelCatalog { models(provider: \"gpu\") { id } } }").await, "INVALID_INPUT");
        for bad in [
            "mutation { setModel(input: { id: \"m\", provider: \"openai\", inputUsdPerMtok: -1 }) { model { id } } }",
            "mutation { setModel(input: { id: \"m\", provider: \"openai\", outputUsdPerMtok: 10001 }) { model { id } } }",
            "mutation { setModel(input: { id: \"m\", provider: \"openai\", capabilities: [\"flying\"] }) { model { id } } }",
        ] {
            assert_eq!(api.code(bad).await, "INVALID_INPUT", "{bad}");
        }
    }

    async fn defaults_are_the_tenants_and_ones_own(db: TestDatabase) {
        let api = Api::start(&db).await;
        let shown = "defaults { default { id } fast { id } review { id } own { fast { id } } }";
        let catalog = format!("{{ modelCatalog {{ {shown} }} }}");
        let before = api.data(&catalog).await["modelCatalog"]["defaults"].clone();
        assert_eq!((&before["default"]["id"], &before["fast"]["id"]), (&json!("claude-sonnet-4-6"), &json!("gpt-4.1-mini")));
        let set = |input: &str| format!("mutation {{ setModelDefaults(input: {{ {input} }}) {{ {shown} }} }}");
        let after = api.data(&set("default: \"gpt-4o\", review: \"claude-opus-5\"")).await;
        let after = after["setModelDefaults"]["defaults"].clone();
        assert_eq!((&after["default"]["id"], &after["review"]["id"]), (&json!("gpt-4o"), &json!("claude-opus-5")));
        let after = api.data(&set("scope: OWN, fast: \"claude-haiku-4-5\"")).await["setModelDefaults"]["defaults"].clone();
        assert_eq!((&after["fast"]["id"], &after["own"]["fast"]["id"]), (&json!("claude-haiku-4-5"), &json!("claude-haiku-4-5")));
        let after = api.data(&set("scope: OWN, fast: null")).await["setModelDefaults"]["defaults"].clone();
        assert_eq!((&after["fast"]["id"], &after["own"]["fast"]), (&json!("gpt-4.1-mini"), &Value::Null));
        assert_eq!(api.code(&set("default: \"text-embedding-3-small\"")).await, "MODEL_UNFIT");
        assert_eq!(api.code(&set("default: \"nothing\"")).await, "MODEL_UNKNOWN");
    }

    async fn budgets_and_reports_show_what_a_call_cost(db: TestDatabase) {
        let api = Api::start(&db).await;
        api.key_set().await;
        let create = "mutation { createBudget(input: { scope: TENANT, period: MONTH, enforcement: HARD, limitUsd: 5 }) {
            budget { id limitUsd spentUsd reservedUsd exceeded scope period enforcement } } }";
        let budget = api.data(create).await["createBudget"]["budget"].clone();
        assert_eq!((&budget["limitUsd"], &budget["spentUsd"], &budget["exceeded"]), (&json!(5.0), &json!(0.0), &json!(false)));
        let service = nyxcore_model_catalog::ModelService::start(options(&api.served.store, &api.served.keyring)).unwrap();
        let context = CallContext { user: Some(api.served.user), ..CallContext::new(api.served.tenant, "test") };
        let choice = ModelChoice::Model("claude-sonnet-4-6".into());
        let cost = service.call(context, choice, short()).await.unwrap().cost;
        service.settled().await;
        let shown = "{ budgets { spentUsd reservedUsd } viewer { tenant { usage {
            total { calls usd outputTokens } byModel { provider model usage { usd } } byMember { member { email } } byDay { day } } } } }";
        let shown = api.data(shown).await;
        assert_eq!(shown["budgets"], json!([{ "spentUsd": cost.usd(), "reservedUsd": 0.0 }]));
        let usage = &shown["viewer"]["tenant"]["usage"];
        assert_eq!(usage["total"], json!({ "calls": 1, "usd": cost.usd(), "outputTokens": 9 }));
        assert_eq!(usage["byModel"], json!([{ "provider": "anthropic", "model": "claude-sonnet-4-6", "usage": { "usd": cost.usd() } }]));
        assert_eq!(usage["byMember"], json!([{ "member": { "email": "owner@acme.example" } }]));
        assert_eq!(usage["byDay"].as_array().unwrap().len(), 1);
        // A number that exceeds an `Int` is neither an error nor a fraction.
        let raw = db.superuser_connection().await.unwrap();
        raw.execute_unprepared("UPDATE model_usage_daily SET input_tokens = 5000000000").await.unwrap();
        let shown = api.data("{ viewer { tenant { usage { total { inputTokens } } } } }").await;
        assert_eq!(shown["viewer"]["tenant"]["usage"]["total"], json!({ "inputTokens": 5_000_000_000_i64 }));
        let id = budget["id"].as_str().unwrap();
        let update = format!("mutation {{ updateBudget(input: {{ budgetId: \"{id}\", limitUsd: 0 }}) {{ budget {{ exceeded }} }} }}");
        assert_eq!(api.data(&update).await["updateBudget"]["budget"]["exceeded"], true);
        api.data(&format!("mutation {{ deleteBudget(input: {{ budgetId: \"{id}\" }}) {{ deletedBudgetId }} }}")).await;
        assert_eq!(api.data("{ budgets { id } }").await["budgets"], json!([]));
        for bad in [
            "mutation { createBudget(input: { scope: PROJECT, period: DAY, enforcement: SOFT, limitUsd: 1 }) { budget { id } } }",
            "mutation { createBudget(input: { scope: TENANT, purpose: \"x\", period: DAY, enforcement: SOFT, limitUsd: 1 }) { budget { id } } }",
            "mutation { createBudget(input: { scope: PURPOSE, purpose: \"A b\", period: DAY, enforcement: SOFT, limitUsd: 1 }) { budget { id } } }",
            "mutation { createBudget(input: { scope: TENANT, period: DAY, enforcement: SOFT, limitUsd: -1 }) { budget { id } } }",
        ] {
            assert_eq!(api.code(bad).await, "INVALID_INPUT", "{bad}");
        }
    }
}
