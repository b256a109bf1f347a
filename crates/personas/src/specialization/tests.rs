//! What the extractor promises, on sentences that people write about personas and on arbitrary text.

use std::collections::HashSet;

use proptest::prelude::*;

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
fn every_keyword_belongs_to_one_domain_and_is_found_there() {
    let mut seen: HashSet<Vec<String>> = HashSet::new();
    for domain in &DOMAINS {
        assert!(
            (20..=40).contains(&domain.keywords().count()),
            "{}: {}",
            domain.name,
            domain.keywords().count()
        );
        for keyword in domain.keywords() {
            assert_eq!(keyword, keyword.to_lowercase());
            let phrase: Vec<String> = words(keyword).into_iter().map(|word| word.text).collect();
            assert!(seen.insert(phrase), "{keyword} is listed twice");
            let found = specializations_extract(&format!("We like {keyword}, a lot."));
            assert_eq!(
                found
                    .iter()
                    .map(|found| (found.domain, found.keywords.as_slice()))
                    .collect::<Vec<_>>(),
                [(domain.name, &[keyword][..])]
            );
        }
    }
}

#[test]
fn a_part_of_a_word_is_not_the_word() {
    assert_eq!(
        domains("reactive programming for the testament of a contest"),
        []
    );
    assert_eq!(domains("JavaScript"), [("frontend", 1)]);
    assert_eq!(domains("Java"), [("backend", 1)]);
    assert_eq!(domains("going ergo cargo"), []);
    // The word goes on in another script, or with a combining accent: it is another word.
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
            count: 4
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
fn ties_are_broken_by_the_order_of_the_domains() {
    assert_eq!(
        domains("documentation, performance, kubernetes, react"),
        [
            ("frontend", 1),
            ("devops", 1),
            ("performance", 1),
            ("documentation", 1)
        ]
    );
    let top: Vec<&str> = specializations_top("documentation, performance, kubernetes, react")
        .into_iter()
        .map(|found| found.domain)
        .collect();
    assert_eq!(top, ["frontend", "devops", "performance"]);
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

/// Keywords between arbitrary text, so that matches are common and boundaries are tried.
fn any_description() -> impl Strategy<Value = String> {
    let keywords: Vec<&'static str> = DOMAINS.iter().flat_map(Domain::keywords).collect();
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
    fn the_order_is_by_count_and_then_by_domain(text in any_description()) {
        let position = |name: &str| DOMAINS.iter().position(|domain| domain.name == name);
        for pair in specializations_extract(&text).windows(2) {
            prop_assert!((Reverse(pair[0].count), position(pair[0].domain)) < (Reverse(pair[1].count), position(pair[1].domain)));
            prop_assert!(pair[1].count >= pair[1].keywords.len() && !pair[1].keywords.is_empty());
        }
    }

    #[test]
    fn a_keyword_inside_a_longer_word_is_not_found(
        keyword in proptest::sample::select(DOMAINS.iter().flat_map(Domain::keywords).collect::<Vec<_>>()),
        letter in proptest::sample::select(vec!['q', 'Q', 'ä', 'я', '語', '7']),
    ) {
        for text in [format!("{letter}{keyword}"), format!("{keyword}{letter}")] {
            let found = specializations_extract(&text);
            prop_assert!(found.iter().all(|found| !found.keywords.contains(&keyword)), "{:?} in {}", found, text);
        }
    }
}
