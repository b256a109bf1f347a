//! Tests of the scores, without a database.

use chrono::DateTime;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn persona(description: &str, specializations: &[&str]) -> Persona {
    Persona {
        id: PersonaId(Uuid::nil()),
        name: "Ada".into(),
        description: description.into(),
        system_prompt: String::new(),
        traits: Vec::new(),
        specializations: specializations.iter().map(|&name| name.into()).collect(),
        auto_specialized: false,
        category: None,
        default_model: None,
        xp: 0,
        usage_count: 0,
        success_count: 0,
        created_by: None,
        created_at: DateTime::default(),
        updated_at: DateTime::default(),
    }
}

fn reasons(task: &str, persona: Persona) -> Vec<(MatchReasonKind, String, u32)> {
    let found = Task::of(task).compare(persona);
    let reasons = found.map(|found| found.reasons).unwrap_or_default();
    reasons
        .into_iter()
        .map(|reason| (reason.kind, reason.text, reason.weight))
        .collect()
}

#[test]
fn a_domain_weighs_its_share_of_the_task() {
    // The task weighs 6 in databases and 3 in security.
    let task = "Is the PostgreSQL database safe from SQL injection?";
    let only = |specializations: &[&str]| reasons(task, persona("", specializations));
    let database = "Databases: postgresql, database".to_owned();
    let security = "Security: sql injection".to_owned();
    assert_eq!(
        only(&["databases", "security"]),
        [
            (MatchReasonKind::Specialization, database.clone(), 40),
            (MatchReasonKind::Specialization, security.clone(), 15)
        ]
    );
    assert_eq!(
        only(&["frontend", "mobile", "security", "databases"]),
        [
            (MatchReasonKind::Specialization, database, 20),
            (MatchReasonKind::Specialization, security, 10)
        ]
    );
    assert_eq!(only(&["design"]), []);
}

#[test]
fn keywords_and_other_words_count_once() {
    let found = reasons(
        "Translate the React tutorial into Japanese, the whole tutorial",
        persona("Knows React, and how to translate a tutorial.", &[]),
    );
    assert_eq!(
        found,
        [
            (MatchReasonKind::Keyword, "react".to_owned(), 6),
            (MatchReasonKind::Keyword, "tutorial".to_owned(), 6),
            (MatchReasonKind::Word, "translate".to_owned(), 1)
        ]
    );
}

#[test]
fn a_category_counts_as_a_domain_or_as_words_of_the_task() {
    let of = |category: &str, task: &str| {
        let persona = Persona {
            category: Some(category.into()),
            ..persona("", &[])
        };
        reasons(task, persona)
    };
    let counts = |category: &str| [(MatchReasonKind::Category, category.to_owned(), CATEGORY)];
    let task = "Clean the data of our data warehouse";
    assert_eq!(of("Data Engineering", task), counts("Data Engineering"));
    assert_eq!(of("data-engineering", task), counts("data-engineering"));
    assert_eq!(of("Warehouse", task), counts("Warehouse"));
    assert_eq!(of("Legal", task), []);
}

#[test]
fn a_trait_counts_where_all_its_words_stand_in_the_task() {
    let persona = Persona {
        traits: vec!["kind to newcomers".into(), "blunt".into()],
        ..persona("", &[])
    };
    let found = reasons("Be kind, explain it to newcomers", persona);
    assert_eq!(
        found,
        [(
            MatchReasonKind::Trait,
            "kind to newcomers".to_owned(),
            TRAIT
        )]
    );
}

#[test]
fn one_word_in_common_is_no_match() {
    assert_eq!(
        reasons("Water the plants", persona("Likes plants.", &[])),
        []
    );
    let two = reasons(
        "Water the green plants",
        persona("Likes green plants.", &[]),
    );
    assert_eq!(two.len(), 2);
}

proptest! {
    #[test]
    fn the_score_is_the_sum_of_its_reasons(task in "\\PC{0,200}", description in "\\PC{0,200}", shared in "[a-z ]{0,40}") {
        let task = format!("{task} {shared} security database");
        let persona = persona(&format!("{description} {shared} database"), &["security", "databases"]);
        let found = Task::of(&task).compare(persona).unwrap();
        prop_assert_eq!(found.score, found.reasons.iter().map(|reason| reason.weight).sum::<u32>());
        prop_assert!(found.reasons.iter().all(|reason| reason.weight > 0));
        prop_assert!(found.reasons.is_sorted_by_key(|reason| reason.kind));
    }
}
