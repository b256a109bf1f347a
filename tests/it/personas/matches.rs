//! The personas that match a task, their order, and the reasons.

use nyxcore_personas::{
    MATCHES_MAX, MatchReasonKind, NewPersona, PersonaMatch, persona_create, persona_matches,
    starter_personas_install,
};
use nyxcore_tenancy::{ReadWrite, Scoped};
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::described;
use crate::support::{store_at_rest, tenant};

async fn matched(scoped: &Scoped<ReadWrite>, task: &str, first: usize) -> Vec<PersonaMatch> {
    let found = persona_matches(scoped, task, first).await.unwrap();
    for one in &found {
        let sum: u32 = one.reasons.iter().map(|reason| reason.weight).sum();
        assert_eq!(one.score, sum, "{}", one.persona.name);
    }
    assert!(found.is_sorted_by_key(|one| std::cmp::Reverse(one.score)));
    found
}

fn names(found: &[PersonaMatch]) -> Vec<&str> {
    found.iter().map(|one| one.persona.name.as_str()).collect()
}

on_both_databases! {
    async fn the_starter_persona_of_a_task_is_first(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        starter_personas_install(&scoped, None).await.unwrap();
        for (task, name) in [
            ("Why does the list of orders re-render on every key press in React?", "Frontend engineer"),
            ("Add a webhook endpoint that is safe to retry.", "Backend engineer"),
            ("The iOS app loses its session after a push notification.", "Mobile engineer"),
            ("This query takes four seconds. Which index is missing in PostgreSQL?", "Database specialist"),
            ("Can somebody with a forged session cookie read another tenant's rows? Look for injection too.", "Security reviewer"),
            ("Write integration tests for the import and find the edge cases.", "Test engineer"),
            ("Should billing become a microservice, or stay a module with a clear boundary?", "Software architect"),
            ("Alerts at night: the Kubernetes deployment restarts and nobody has a rollback.", "Site reliability engineer"),
            ("Profile the import, its latency doubled and it needs too much memory.", "Performance engineer"),
            ("Rewrite the README and add a tutorial for newcomers.", "Technical writer"),
            ("Turn this customer feedback into user stories for the backlog.", "Product manager"),
            ("Draw wireframes for the sign-up flow and plan a usability test.", "UX designer"),
        ] {
            let found = matched(&scoped, task, 3).await;
            assert_eq!(names(&found).first(), Some(&name), "{task}: {:?}", names(&found));
        }
    }

    async fn reasons_name_what_is_shared(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let new = NewPersona {
            category: Some("Databases".into()),
            traits: vec!["patient".into(), "loud".into()],
            ..described("Ines", "Tunes PostgreSQL and knows the billing tables.")
        };
        persona_create(&scoped, new).await.unwrap();
        persona_create(&scoped, described("Fred", "Likes flowers.")).await.unwrap();
        let found = matched(&scoped, "Be patient: our PostgreSQL billing is slow.", 5).await;
        assert_eq!(names(&found), ["Ines"]);
        let reasons: Vec<_> = found[0].reasons.iter().map(|one| (one.kind, one.text.as_str(), one.weight)).collect();
        assert_eq!(reasons, [
            (MatchReasonKind::Specialization, "Databases: postgresql", 60),
            (MatchReasonKind::Category, "Databases", 15),
            (MatchReasonKind::Keyword, "postgresql", 6),
            (MatchReasonKind::Trait, "patient", 3),
            (MatchReasonKind::Word, "billing", 1),
        ]);
        assert_eq!(found[0].score, 85);
    }

    async fn equal_scores_are_in_a_fixed_order(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        // More personas than are read at once. Only the newest and the oldest match.
        for number in 0..130 {
            let text = if number == 0 || number == 129 { "Knows React." } else { "" };
            persona_create(&scoped, described(&format!("P{number}"), text)).await.unwrap();
        }
        for _ in 0..2 {
            assert_eq!(names(&matched(&scoped, "React", 5).await), ["P0", "P129"]);
        }
        assert_eq!(names(&matched(&scoped, "React", 1).await), ["P0"]);
        assert!(matched(&scoped, "React", 0).await.is_empty());
    }

    async fn a_task_out_of_bounds_is_refused(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        for task in ["", " \n", "React\0", &"a".repeat(200_001)] {
            let refused = persona_matches(&scoped, task, 5).await.unwrap_err();
            assert_eq!(refused.code(), "INVALID_INPUT");
        }
        for _ in 0..=MATCHES_MAX {
            persona_create(&scoped, described("Fred", "Knows React.")).await.unwrap();
        }
        assert_eq!(matched(&scoped, "React", 1_000).await.len(), MATCHES_MAX);
    }

    async fn another_tenants_personas_match_nothing(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        let scoped = store.write(acme.id).await.unwrap();
        persona_create(&scoped, described("Fred", "Knows React.")).await.unwrap();
        scoped.commit().await.unwrap();
        let scoped = store.write(other.id).await.unwrap();
        assert!(matched(&scoped, "React", 5).await.is_empty());
    }
}
