//! Tests of the extractor, on sentences that people write about personas and on arbitrary text.

use std::collections::HashSet;

use proptest::prelude::*;

use super::domains::Domain;
use super::*;

fn domains(text: &str) -> Vec<(&'static str, usize)> {
    specializations_extract(text)
        .into_iter()
        .map(|found| (found.domain, found.count))
        .collect()
}

#[test]
fn there_are_fifteen_domains_in_the_promised_order() {
    let names: Vec<&str> = specialization_domains()
        .into_iter()
        .map(|domain| domain.domain)
        .collect();
    assert_eq!(
        names,
        [
            "frontend",
            "backend",
            "mobile",
            "devops",
            "cloud",
            "security",
            "data-engineering",
            "machine-learning",
            "databases",
            "testing",
            "architecture",
            "design",
            "product",
            "performance",
            "documentation"
        ]
    );
}

#[test]
fn every_keyword_belongs_to_one_domain() {
    let mut seen: HashSet<Vec<String>> = HashSet::new();
    for (phrase, _) in forms_all() {
        assert!(seen.insert(phrase.clone()), "{phrase:?} is listed twice");
        let words = words(&phrase.join(" "));
        let (_, length) = VOCABULARY.longest_at(&words).unwrap();
        assert_eq!(length, phrase.len(), "{phrase:?} is found as a whole");
    }
}

#[test]
fn every_keyword_is_found_by_itself() {
    for (domain, list) in DOMAINS.iter().enumerate() {
        for (listed, weight) in list.keywords() {
            let text = listed.trim_end_matches(['!', '~']);
            assert_eq!(text, text.to_lowercase());
            let found = keywords_of(&format!("We like {text}, a lot."));
            assert_eq!(
                found,
                [Keyword {
                    domain,
                    text,
                    weight
                }]
            );
        }
    }
}

#[test]
fn a_hint_alone_makes_no_domain_and_two_make_one() {
    assert_eq!(domains("We have a table, and yet another table."), []);
    assert_eq!(
        domains("We have a table with an index."),
        [("databases", 2)]
    );
    assert_eq!(domains("We have a database."), [("databases", 1)]);
}

#[test]
fn an_everyday_phrase_speaks_of_no_domain() {
    assert_eq!(domains("A security guard with a test of patience"), []);
    assert_eq!(domains("I react to react to react"), [("frontend", 1)]);
}

#[test]
fn what_tells_more_is_first() {
    // Two occurrences that weigh 2 each, against one that weighs 3 and one that weighs 2.
    let found = specializations_extract("Kotlin and Kotlin, or Docker in a container");
    let scores: Vec<_> = found
        .iter()
        .map(|found| (found.domain, found.count, found.score))
        .collect();
    assert_eq!(scores, [("devops", 2, 5), ("mobile", 2, 4)]);
}

#[test]
fn a_part_of_a_word_is_not_the_word() {
    assert_eq!(
        domains("reactive programming for the testament of a contest"),
        []
    );
    assert_eq!(domains("JavaScript"), [("frontend", 1)]);
    assert_eq!(domains("Java"), [("backend", 1)]);
    assert_eq!(domains("A poet who reacts."), []);
    assert_eq!(domains("going ergo cargo"), []);
    // Each word goes on in another script or with a combining accent, so it is another word.
    assert_eq!(domains("reacté react\u{301} sqlя"), []);
}

#[test]
fn case_and_number_make_no_difference() {
    assert_eq!(
        domains("PostgreSQL DATABASES, a Database; Vulnerabilities"),
        [("databases", 3), ("security", 1)]
    );
}

#[test]
fn each_occurrence_counts_and_each_keyword_is_named_once() {
    let found = specializations_extract("React, react and REACT. CSS.");
    assert_eq!(
        found,
        [SpecializationMatch {
            domain: "frontend",
            label: "Frontend",
            keywords: vec!["react", "css"],
            count: 4,
            score: 12
        }]
    );
}

#[test]
fn a_phrase_is_found_however_its_words_are_joined() {
    for text in ["CI/CD", "ci cd", "Ci-Cd"] {
        assert_eq!(domains(text), [("devops", 1)], "{text}");
    }
    assert_eq!(
        domains("The front. End."),
        [],
        "a phrase does not cross a sentence"
    );
}

#[test]
fn the_longest_of_overlapping_phrases_counts() {
    assert_eq!(domains("React Native"), [("mobile", 1)]);
    assert_eq!(domains("performance testing"), [("performance", 1)]);
}

#[test]
fn of_equal_scores_the_domain_that_is_named_first_is_first() {
    let text = "documentation, benchmarks, kubernetes, react";
    assert_eq!(
        domains(text),
        [
            ("documentation", 1),
            ("performance", 1),
            ("devops", 1),
            ("frontend", 1)
        ]
    );
    let top: Vec<&str> = specializations_top(text)
        .into_iter()
        .map(|found| found.domain)
        .collect();
    assert_eq!(top, ["documentation", "performance", "devops"]);
}

#[test]
fn a_text_that_says_nothing_gives_nothing() {
    assert_eq!(specializations_extract(""), []);
    assert_eq!(
        specializations_extract("A friendly colleague who listens."),
        []
    );
}

#[test]
fn realistic_descriptions_of_personas() {
    let descriptions = [
        "A senior frontend engineer who builds accessible React and TypeScript interfaces, cares about CSS architecture, \
         keyboard navigation and Core Web Vitals, and reviews every pull request for usability.",
        "Backend developer for Rust services: axum, GraphQL APIs, PostgreSQL with row-level security, background jobs. \
         Writes integration tests before the endpoint exists.",
        "Site reliability engineer. Runs Kubernetes on AWS, writes Terraform, keeps Grafana dashboards honest and leads \
         incident response. Believes that every deployment needs a rollback.",
        "Security auditor who hunts for SQL injection, XSS and broken authorization, does threat modelling with the team \
         and knows the OWASP top ten by heart.",
        "You are a meticulous technical writer. You turn code into tutorials, API references, changelogs and release \
         notes that people enjoy reading.",
        "Data engineer with ten years of ETL: Airflow, dbt, Spark and Kafka into Snowflake; obsessed with data quality \
         and slow queries.",
        "Applied ML researcher: fine-tuning LLMs, embeddings and retrieval-augmented generation in PyTorch, with an eye \
         on inference latency and GPU memory usage.",
        "Product manager who writes crisp user stories, keeps the roadmap short and talks to stakeholders weekly; runs \
         A/B tests and follows retention.",
        "A staff architect who untangles monoliths into modular services, weighs trade-offs, writes ADRs and pays down \
         technical debt by refactoring.",
        "Ein Datenbankspezialist für PostgreSQL, MySQL und Redis: Replikation, Sharding, Performance.",
    ];
    let found: Vec<_> = descriptions
        .map(|text| (text, specializations_top(text)))
        .to_vec();
    insta::assert_json_snapshot!(found);
}

fn keywords_all() -> Vec<&'static str> {
    let listed = DOMAINS.iter().flat_map(Domain::keywords);
    listed
        .map(|(listed, _)| listed.trim_end_matches(['!', '~']))
        .collect()
}

/// Keywords between arbitrary text, so that matches are common and word boundaries are tested.
fn any_description() -> impl Strategy<Value = String> {
    let keywords: Vec<&'static str> = keywords_all();
    let piece = prop_oneof![
        4 => proptest::sample::select(keywords).prop_map(str::to_owned),
        2 => proptest::sample::select(vec![" ", ", ", ". ", "-", "\n"]).prop_map(str::to_owned),
        2 => "\\PC{0,6}",
        1 => any::<String>(),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn the_case_of_ascii_letters_never_matters(text in any_description()) {
        prop_assert_eq!(specializations_extract(&text), specializations_extract(&text.to_ascii_uppercase()));
        prop_assert_eq!(specializations_extract(&text), specializations_extract(&text.to_ascii_lowercase()));
    }

    #[test]
    fn the_top_is_at_most_three_and_the_head_of_the_whole(text in any_description()) {
        let (all, top) = (specializations_extract(&text), specializations_top(&text));
        prop_assert!(top.len() <= 3);
        prop_assert_eq!(&all[..top.len()], &top[..]);
        prop_assert!(top.len() == 3 || top.len() == all.len());
    }

    #[test]
    fn the_order_is_by_score(text in any_description()) {
        let found = specializations_extract(&text);
        prop_assert!(found.is_sorted_by_key(|found| Reverse(found.score)));
        for found in found {
            prop_assert!(found.count >= found.keywords.len() && !found.keywords.is_empty());
            prop_assert!(found.score >= SCORE_MIN && found.score as usize >= found.count);
        }
    }

    #[test]
    fn a_keyword_inside_a_longer_word_is_not_found(
        keyword in proptest::sample::select(keywords_all()),
        letter in proptest::sample::select(vec!['q', 'Q', 'ä', 'я', '語', '7']),
    ) {
        for text in [format!("{letter}{keyword}"), format!("{keyword}{letter}")] {
            let found = keywords_of(&text);
            prop_assert!(found.iter().all(|found| found.text != keyword), "{:?} in {}", found, text);
        }
    }
}
