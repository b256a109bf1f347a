//! A tenant's catalog: its own models, aliases of known models, and hidden models.

use std::collections::HashMap;

use chrono::{NaiveDate, TimeDelta};
use nyxcore_model_catalog::{
    Capability, DefaultPurpose, Mode, Nanousd, NewTenantModel, TenantCatalog, model_hide,
    provider_key_remove, tenant_default_set, tenant_model_remove, tenant_model_set,
};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::ConnectionTrait;

use super::world::ModelWorld;
use crate::support::tenant;

impl ModelWorld {
    async fn catalog(&self) -> TenantCatalog {
        let scoped = self.store.read(self.tenant.id).await.unwrap();
        self.service.catalog(&scoped).await.unwrap()
    }

    async fn model_set(&self, model: NewTenantModel) -> Result<(), &'static str> {
        let scoped = self.store.write(self.tenant.id).await.unwrap();
        tenant_model_set(&scoped, model)
            .await
            .map_err(|error| error.code())?;
        scoped.commit().await.map_err(|error| error.code())
    }

    async fn hide(&self, model: &str, hidden: bool) {
        let scoped = self.store.write(self.tenant.id).await.unwrap();
        model_hide(&scoped, model, hidden).await.unwrap();
        scoped.commit().await.unwrap();
    }
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

on_both_databases! {
    async fn an_alias_takes_its_facts_from_the_model_it_leads_to(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let alias = NewTenantModel {
            id: "house-model".into(), provider: "openai".into(), wire_id: Some("gpt-5".into()), ..NewTenantModel::default()
        };
        world.model_set(alias).await.unwrap();
        let catalog = world.catalog().await;
        let (own, known) = (catalog.model("house-model").unwrap(), catalog.model("gpt-5").unwrap());
        assert!(own.is_own && !known.is_own);
        assert_eq!((own.context_window, own.shutdown_date), (known.context_window, known.shutdown_date));
        assert_eq!((own.prices.input, own.prices.output), (known.prices.input, known.prices.output));
        assert!(own.has(Capability::Tools) && own.has(Capability::Reasoning));
        world.ask("house-model").await.unwrap();
        assert_eq!(world.vendor.requests()[0].json()["model"], "gpt-5");
        // The alias is retired together with its target model.
        let resolved = world.catalog().await.resolve("house-model", day(2026, 12, 11)).unwrap();
        assert_eq!(resolved.model.id, "gpt-6.1-sol");
    }

    async fn a_model_of_ones_own_costs_what_the_tenant_says(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        world.endpoint_add("gpu", "big").await;
        let priced = NewTenantModel {
            id: "big".into(), provider: "gpu".into(),
            context_window: Some(1_000), input: Nanousd::from_usd(1.0), output: Nanousd::from_usd(2.0),
            ..NewTenantModel::default()
        };
        world.model_set(priced).await.unwrap();
        world.ask("big").await.unwrap();
        // 20 tokens of input and 10 of output.
        assert_eq!(world.row().await.cost, Nanousd(20_000 + 20_000));
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        tenant_model_remove(&scoped, "big").await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(world.refused("big").await, "MODEL_UNKNOWN");
    }

    async fn what_a_model_cannot_be_is_refused(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let good = || NewTenantModel { id: "m".into(), provider: "openai".into(), ..NewTenantModel::default() };
        for bad in [
            NewTenantModel { id: String::new(), ..good() },
            NewTenantModel { id: "a b".into(), ..good() },
            NewTenantModel { id: "../x".into(), ..good() },
            NewTenantModel { wire_id: Some("a?b".into()), ..good() },
            NewTenantModel { context_window: Some(0), ..good() },
            NewTenantModel { max_output_tokens: Some(u64::MAX), ..good() },
            NewTenantModel { input: Some(Nanousd(-1)), ..good() },
            NewTenantModel { output: Nanousd::from_usd(10_001.0), ..good() },
            NewTenantModel { name: Some("a\u{202e}b".into()), ..good() },
        ] {
            assert_eq!(world.model_set(bad.clone()).await, Err("INVALID_INPUT"), "{bad:?}");
        }
        let nobodys = NewTenantModel { provider: "nobody".into(), ..good() };
        assert_eq!(world.model_set(nobodys).await, Err("NOT_FOUND"));
        world.model_set(good()).await.unwrap();
    }

    async fn a_hidden_model_is_neither_called_nor_a_default(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        world.hide("gpt-4.1-mini", true).await;
        assert_eq!(world.refused("gpt-4.1-mini").await, "MODEL_HIDDEN");
        assert_eq!(world.refused("gpt-4.1-mini-2025-04-14").await, "MODEL_HIDDEN");
        let catalog = world.catalog().await;
        assert!(catalog.model("gpt-4.1-mini").unwrap().is_hidden);
        let fast = catalog.default_for(DefaultPurpose::Fast, &HashMap::new(), day(2026, 1, 1)).unwrap();
        assert_ne!(fast.model.id, "gpt-4.1-mini");
        world.hide("gpt-4.1-mini", false).await;
        world.ask("gpt-4.1-mini").await.unwrap();
    }

    async fn a_default_needs_a_provider_that_is_configured(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let of = async |purpose| {
            let found = world.catalog().await.default_for(purpose, &HashMap::new(), day(2026, 1, 1));
            found.map(|found| found.model.id).map_err(|error| error.code())
        };
        assert_eq!(of(DefaultPurpose::Default).await.as_deref(), Ok("claude-sonnet-4-6"));
        for gone in ["anthropic", "openai"] {
            let scoped = world.store.write(world.tenant.id).await.unwrap();
            provider_key_remove(&scoped, gone).await.unwrap();
            scoped.commit().await.unwrap();
        }
        assert_eq!(of(DefaultPurpose::Default).await.as_deref(), Ok("gemini-2.5-flash-lite"));
        assert_eq!(of(DefaultPurpose::Embedding).await.as_deref(), Ok("gemini-embedding-2"));
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        provider_key_remove(&scoped, "google").await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(of(DefaultPurpose::Default).await, Err("MODEL_NOT_CHOSEN"));
        world.endpoint_add("local", "llama").await;
        assert_eq!(of(DefaultPurpose::Review).await.as_deref(), Ok("llama"));
    }

    async fn a_model_that_nothing_stands_in_for_is_refused_at_its_end(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        world.clock.advance(TimeDelta::days(400));
        world.hide("gpt-6.1-sol", true).await;
        assert_eq!(world.refused("gpt-5").await, "MODEL_SHUT_DOWN");
    }

    async fn a_row_that_cannot_be_read_is_an_error(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        world.endpoint_add("gpu", "big").await;
        let raw = db.superuser_connection().await.unwrap();
        for column in ["tenant_models SET capabilities", "model_endpoints SET header_names"] {
            raw.execute_unprepared(&format!("UPDATE {column} = '7'")).await.unwrap();
            assert_eq!(world.refused("big").await, "INTERNAL", "{column}");
            raw.execute_unprepared(&format!("UPDATE {column} = '[]'")).await.unwrap();
        }
        world.ask("big").await.unwrap();
    }

    async fn one_tenants_catalog_is_not_anothers(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        world.endpoint_add("gpu", "big").await;
        let (rival, _) = tenant(&world.store, "rival").await;
        let scoped = world.store.write(rival.id).await.unwrap();
        let catalog = world.service.catalog(&scoped).await.unwrap();
        assert!(catalog.model("big").is_none() && catalog.provider("gpu").is_none());
        assert!(catalog.providers().iter().all(|provider| !provider.is_configured()));
        let foreign = tenant_default_set(&scoped, DefaultPurpose::Default, Some("big")).await;
        assert_eq!(foreign.unwrap_err().code(), "MODEL_UNKNOWN");
        let theirs = NewTenantModel { id: "mine".into(), provider: "gpu".into(), mode: Some(Mode::Chat), ..NewTenantModel::default() };
        assert_eq!(tenant_model_set(&scoped, theirs).await.unwrap_err().code(), "NOT_FOUND");
    }
}
