//! The default model of a persona: accepted models, and the stored value.

use nyxcore_personas::{
    NewPersona, PersonaChanges, PersonaModel, PersonaModelChoice, Personas, persona_create,
    persona_update,
};
use nyxcore_tenancy::{ReadWrite, Repository, Scoped};
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::described;
use crate::models::world::ModelWorld;
use crate::support::{store_at_rest, tenant};

fn choice(provider: Option<&str>, model: &str) -> PersonaModelChoice {
    PersonaModelChoice {
        provider: provider.map(str::to_owned),
        model: model.to_owned(),
    }
}

fn with(choice: PersonaModelChoice) -> NewPersona {
    NewPersona {
        default_model: Some(choice),
        ..described("Fred", "")
    }
}

async fn kept(scoped: &Scoped<ReadWrite>, choice: PersonaModelChoice) -> (String, String) {
    let persona = persona_create(scoped, with(choice)).await.unwrap();
    let model = persona.default_model.unwrap();
    (model.provider, model.model)
}

async fn refused(scoped: &Scoped<ReadWrite>, choice: PersonaModelChoice) -> String {
    let refused = persona_create(scoped, with(choice)).await.unwrap_err();
    refused.code().to_owned()
}

on_both_databases! {
    async fn a_model_is_kept_with_its_provider(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let pair = |provider: &str, model: &str| (provider.to_owned(), model.to_owned());
        let sonnet = "claude-sonnet-4-6";
        assert_eq!(kept(&scoped, choice(None, sonnet)).await, pair("anthropic", sonnet));
        assert_eq!(kept(&scoped, choice(Some("anthropic"), " claude-sonnet-4-6 ")).await, pair("anthropic", sonnet));
        // A dated model version is stored as that version.
        let dated = "claude-sonnet-4-5-20250929";
        assert_eq!(kept(&scoped, choice(None, dated)).await, pair("anthropic", dated));
    }

    async fn a_tenants_own_model_can_be_the_default(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        world.endpoint_add("gpu", "big").await;
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        assert_eq!(kept(&scoped, choice(Some("gpu"), "big")).await, ("gpu".to_owned(), "big".to_owned()));
        assert_eq!(refused(&scoped, choice(Some("openai"), "big")).await, "MODEL_UNKNOWN");
    }

    async fn a_model_that_cannot_be_called_is_refused(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        nyxcore_model_catalog::model_hide(&scoped, "gpt-4.1", true).await.unwrap();
        for (code, choice) in [
            ("MODEL_UNKNOWN", choice(None, "no-such-model")),
            ("MODEL_UNKNOWN", choice(Some("openai"), "claude-sonnet-4-6")),
            ("MODEL_UNKNOWN", choice(Some("nobody"), "claude-sonnet-4-6")),
            ("MODEL_HIDDEN", choice(None, "gpt-4.1")),
            ("MODEL_UNFIT", choice(None, "text-embedding-3-small")),
            ("INVALID_INPUT", choice(None, "")),
            ("INVALID_INPUT", choice(None, "gpt\0")),
            ("INVALID_INPUT", choice(None, &"m".repeat(201))),
            ("INVALID_INPUT", choice(Some(&"p".repeat(100_000)), "gpt-4.1-mini")),
            ("INVALID_INPUT", choice(Some("open ai"), "gpt-4.1-mini")),
        ] {
            assert_eq!(refused(&scoped, choice.clone()).await, code, "{:?}", choice.model.get(..20));
        }
    }

    async fn a_model_is_changed_removed_and_left(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let id = persona_create(&scoped, described("Fred", "")).await.unwrap().id;
        let to = |default_model| PersonaChanges { default_model, ..PersonaChanges::default() };
        let mini = PersonaModel { provider: "openai".into(), model: "gpt-4.1-mini".into() };
        let changed = persona_update(&scoped, id, to(Some(Some(choice(None, "gpt-4.1-mini"))))).await.unwrap();
        assert_eq!(changed.default_model, Some(mini.clone()));
        let named = PersonaChanges { name: Some("Freda".into()), ..PersonaChanges::default() };
        assert_eq!(persona_update(&scoped, id, named).await.unwrap().default_model, Some(mini));
        let refused = persona_update(&scoped, id, to(Some(Some(choice(None, "nothing"))))).await;
        assert_eq!(refused.unwrap_err().code(), "MODEL_UNKNOWN");
        assert_eq!(persona_update(&scoped, id, to(Some(None))).await.unwrap().default_model, None);
        assert_eq!(Personas::require(&scoped, id).await.unwrap().default_model, None);
    }
}
