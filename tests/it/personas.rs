//! Personas: their specializations, and how these follow their description.

mod api;
mod matches;
mod models;
mod starter;
mod uses;

use nyxcore_personas::{
    NewPersona, Persona, PersonaChanges, Personas, persona_count, persona_create, persona_delete,
    persona_list, persona_update,
};
use nyxcore_tenancy::{PageRequest, ReadWrite, Repository, Scoped};
use nyxcore_tests::{TestDatabase, on_both_databases};

use crate::support::{store, store_at_rest, tenant};

const FRONTEND: &str = "Builds React and TypeScript front ends on top of GraphQL APIs.";

on_both_databases! {
    async fn specializations_come_from_the_description(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let new = NewPersona { created_by: Some(ada.id), ..described("Fred", FRONTEND) };
        let made = persona_create(&scoped, new).await.unwrap();
        assert_eq!(made.specializations, ["frontend", "backend"]);
        assert!(made.auto_specialized);
        assert_eq!((made.level(), made.success_rate(), made.system_prompt.as_str()), (1, None, ""));
        scoped.commit().await.unwrap();
        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(Personas::require(&scoped, made.id).await.unwrap(), made);
        assert_eq!(made.created_by, Some(ada.id));
    }

    async fn only_derived_specializations_follow_the_description(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let made = persona_create(&scoped, described("Fred", FRONTEND)).await.unwrap();
        clock.advance(chrono::TimeDelta::seconds(1));
        let tests = "Writes unit tests and integration tests with pytest.".to_owned();
        let changes = PersonaChanges { description: Some(tests.clone()), ..Default::default() };
        let changed = persona_update(&scoped, made.id, changes).await.unwrap();
        assert_eq!(changed.specializations, ["testing"]);
        assert!(changed.auto_specialized && changed.updated_at > made.updated_at);

        let given = vec!["security".to_owned(), "cloud".to_owned(), "security".to_owned()];
        let changes = PersonaChanges { specializations: Some(given), ..Default::default() };
        let changed = persona_update(&scoped, made.id, changes).await.unwrap();
        assert_eq!(changed.specializations, ["security", "cloud"]);
        assert!(!changed.auto_specialized);

        let changes = PersonaChanges { description: Some(FRONTEND.into()), ..Default::default() };
        let changed = persona_update(&scoped, made.id, changes).await.unwrap();
        assert_eq!((changed.description.as_str(), changed.specializations.len()), (FRONTEND, 2));
        assert!(!changed.auto_specialized);

        // Removing the given specializations makes them automatic again.
        let changes = PersonaChanges { specializations: Some(vec![]), ..Default::default() };
        let changed = persona_update(&scoped, made.id, changes).await.unwrap();
        assert_eq!(changed.specializations, ["frontend", "backend"]);
        assert!(changed.auto_specialized);
    }

    /// A change of the description and one of the specializations at the same time: whichever is first, explicit
    /// specializations stay.
    async fn a_description_never_overtakes_given_domains(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        for given_first in [true, false] {
            let scoped = store.write(acme.id).await.unwrap();
            let id = persona_create(&scoped, described("Fred", FRONTEND)).await.unwrap().id;
            scoped.commit().await.unwrap();
            let given = PersonaChanges { specializations: Some(vec!["security".into()]), ..Default::default() };
            let text = PersonaChanges { description: Some("Tunes PostgreSQL.".into()), ..Default::default() };
            let (first, second) = if given_first { (given, text) } else { (text, given) };
            let scoped = store.write(acme.id).await.unwrap();
            persona_update(&scoped, id, first).await.unwrap();
            let waiting = tokio::spawn({
                let store = store.clone();
                async move {
                    let scoped = store.write(acme.id).await.unwrap();
                    persona_update(&scoped, id, second).await.unwrap();
                    scoped.commit().await.unwrap();
                }
            });
            // The second change gets as far as it can: to the row's lock, or on SQLite to the queue of writers.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            scoped.commit().await.unwrap();
            waiting.await.unwrap();
            let persona = Personas::require(&store.read(acme.id).await.unwrap(), id).await.unwrap();
            assert_eq!((persona.specializations, persona.auto_specialized), (vec!["security".to_owned()], false));
            assert_eq!(persona.description, "Tunes PostgreSQL.");
        }
    }

    async fn a_persona_changes_only_in_what_is_named(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let new = NewPersona {
            system_prompt: Some("Be brief.".into()),
            traits: vec!["patient".into(), "curious".into()],
            category: Some("engineering".into()),
            ..described("Fred", FRONTEND)
        };
        let made = persona_create(&scoped, new).await.unwrap();
        let changes = PersonaChanges { name: Some(" Freda ".into()), category: Some(" ".into()), ..Default::default() };
        let changed = persona_update(&scoped, made.id, changes).await.unwrap();
        assert_eq!(changed, Persona { name: "Freda".into(), category: None, ..made });
    }

    async fn an_unknown_specialization_is_refused_with_the_list(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let new = NewPersona { specializations: vec!["frontend".into(), "knitting".into()], ..described("Fred", "") };
        let refused = persona_create(&scoped, new).await.unwrap_err();
        assert_eq!(refused.code(), "INVALID_INPUT");
        let text = refused.to_string();
        assert!(text.contains("knitting") && text.contains("data-engineering") && text.contains("documentation"), "{text}");
        for name in ["", "two\nlines"] {
            let refused = persona_create(&scoped, described(name, "")).await.unwrap_err();
            assert_eq!(refused.code(), "INVALID_INPUT");
        }
        assert_eq!(persona_count(&scoped, None).await.unwrap(), 0);
    }

    async fn personas_are_found_by_name_and_description_in_any_case(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        persona_create(&scoped, described("Übersetzer", "100% German")).await.unwrap();
        persona_create(&scoped, described("Fred", FRONTEND)).await.unwrap();
        assert_eq!(names(&scoped, None).await, ["Fred", "Übersetzer"]);
        assert_eq!(names(&scoped, Some("REACT")).await, ["Fred"]);
        assert_eq!(names(&scoped, Some("über")).await, ["Übersetzer"]);
        assert_eq!(names(&scoped, Some("0%")).await, ["Übersetzer"]);
        assert!(names(&scoped, Some("%f")).await.is_empty());
        assert_eq!(persona_count(&scoped, Some("german")).await.unwrap(), 1);
    }

    async fn another_tenants_persona_cannot_be_seen_changed_or_deleted(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        let scoped = store.write(acme.id).await.unwrap();
        let made = persona_create(&scoped, described("Fred", FRONTEND)).await.unwrap();
        scoped.commit().await.unwrap();

        let scoped = store.write(other.id).await.unwrap();
        assert!(names(&scoped, None).await.is_empty());
        assert_eq!(persona_update(&scoped, made.id, PersonaChanges::default()).await.unwrap_err().code(), "NOT_FOUND");
        assert_eq!(persona_delete(&scoped, made.id).await.unwrap_err().code(), "NOT_FOUND");
        scoped.commit().await.unwrap();

        let scoped = store.write(acme.id).await.unwrap();
        persona_delete(&scoped, made.id).await.unwrap();
        assert_eq!(Personas::get(&scoped, made.id).await.unwrap(), None);
    }
}

fn described(name: &str, description: &str) -> NewPersona {
    NewPersona {
        name: name.into(),
        description: description.into(),
        ..NewPersona::default()
    }
}

async fn names(scoped: &Scoped<ReadWrite>, query: Option<&str>) -> Vec<String> {
    let page = persona_list(scoped, query, &PageRequest::first(10))
        .await
        .unwrap();
    page.into_items().into_iter().map(|p| p.name).collect()
}
