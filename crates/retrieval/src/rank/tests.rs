//! Tests of the order of hits.

use super::shown::whole_lines;
use super::*;

fn candidate(kind: KnowledgeKind, path: &str, body: &str, score: f64) -> Candidate {
    let has_lines = matches!(kind, KnowledgeKind::Code | KnowledgeKind::Document);
    Candidate {
        score,
        kind,
        subject: path.to_owned(),
        subject_id: None,
        title: path.to_owned(),
        body: body.to_owned(),
        path: Some(path.to_owned()),
        source_id: None,
        start_line: has_lines.then_some(1),
        end_line: None,
        stack: None,
        role: has_lines.then(|| FileRole::of_path(path)),
        authority: None,
        alike: 0,
        similarity: None,
    }
}

fn order(question: &str, candidates: Vec<Candidate>) -> Vec<String> {
    hits(question, candidates)
        .into_iter()
        .map(|hit| hit.subject)
        .collect()
}

fn hits(question: &str, candidates: Vec<Candidate>) -> Vec<Hit> {
    let question = Question::read(question);
    let rarities = (0..question.terms.len() * 2)
        .map(|number| (number, 3.0))
        .collect();
    ranked(
        candidates,
        &RankQuery {
            question: &question,
            rarities: &rarities,
            limit: 10,
        },
    )
}

#[test]
fn a_definition_comes_before_what_uses_it() {
    let uses = candidate(
        KnowledgeKind::Code,
        "app.py",
        "x = self._find_error_handler(e)\n",
        2.0,
    );
    let defines = candidate(
        KnowledgeKind::Code,
        "scaffold.py",
        "def _find_error_handler(self, e):\n    pass\n",
        1.6,
    );
    assert_eq!(
        order("_find_error_handler", vec![uses, defines]),
        ["scaffold.py", "app.py"]
    );
}

#[test]
fn a_name_of_two_words_beside_each_other_comes_first() {
    let types = candidate(
        KnowledgeKind::Code,
        "src/types.ts",
        "type Route = {}\n",
        2.0,
    );
    let defines = candidate(
        KnowledgeKind::Code,
        "src/url.ts",
        "export const checkOptionalParameter = (path: string) => {\n}\n",
        1.7,
    );
    let question = "Optional parameters in a route";
    assert_eq!(
        order(question, vec![types.clone(), defines])[0],
        "src/url.ts"
    );
    let folder = candidate(KnowledgeKind::Code, "src/body-limit/index.ts", "x\n", 1.7);
    assert_eq!(
        order("limits the body size", vec![types, folder])[0],
        "src/body-limit/index.ts"
    );
}

#[test]
fn a_named_path_comes_first() {
    let other = candidate(KnowledgeKind::Code, "src/other.py", "lease\n", 2.0);
    let named = candidate(KnowledgeKind::Code, "src/flask/ctx.py", "lease\n", 1.2);
    assert_eq!(
        order(
            "lease in File \"/venv/lib/src/flask/ctx.py\", line 3",
            vec![other, named]
        )[0],
        "src/flask/ctx.py"
    );
}

#[test]
fn documents_stand_behind_code_that_answers() {
    let mut all: Vec<Candidate> = (0..6)
        .map(|n| {
            candidate(
                KnowledgeKind::Document,
                &format!("docs/{n}.md"),
                "lease\n",
                2.0,
            )
        })
        .collect();
    all.extend(
        (0..4).map(|n| candidate(KnowledgeKind::Code, &format!("src/{n}.rs"), "lease\n", 1.9)),
    );
    let order = order("lease", all);
    assert!(
        order[..4].iter().all(|subject| subject.starts_with("src/")),
        "{order:?}"
    );
    assert!(order[4].starts_with("docs/"));
}

#[test]
fn documents_that_are_asked_for_come_first() {
    let code = candidate(KnowledgeKind::Code, "src/lease.rs", "lease\n", 2.0);
    let readme = candidate(KnowledgeKind::Document, "README.md", "lease\n", 2.0);
    assert_eq!(
        order("lease in the readme", vec![code, readme]),
        ["README.md", "src/lease.rs"]
    );
}

#[test]
fn near_copies_are_one_hit_that_counts_them() {
    let copy = |path: &str, alike| Candidate {
        alike,
        ..candidate(KnowledgeKind::Code, path, "lease\n", 2.0)
    };
    let found = hits(
        "lease",
        vec![
            copy("a.rs", 0xff),
            copy("b.rs", 0xfe),
            copy("c.rs", 0x0f00_ff00),
        ],
    );
    let counted: Vec<_> = found
        .iter()
        .map(|hit| (hit.subject.as_str(), hit.alike))
        .collect();
    assert_eq!(counted, [("a.rs", 1), ("c.rs", 0)]);
    let found = hits(
        "lease",
        vec![
            copy("docs/ko/a.md", 0),
            copy("docs/pt/a.md", 0),
            copy("docs/pt/b.md", 0),
        ],
    );
    assert_eq!(found.len(), 2);
}

#[test]
fn what_is_far_below_the_best_is_not_shown() {
    let strong = candidate(KnowledgeKind::Code, "a.rs", "lease worker\n", 5.0);
    let weak = candidate(KnowledgeKind::Code, "b.rs", "worker\n", 0.4);
    assert_eq!(order("lease worker", vec![strong, weak]), ["a.rs"]);
}

#[test]
fn two_habits_of_the_found_folders_come_after_code() {
    let mut all: Vec<Candidate> = (0..5)
        .map(|n| {
            let habit = candidate(KnowledgeKind::CodePattern, "src/lease/a.rs", "lease\n", 3.0);
            Candidate {
                subject: format!("pattern_{n}"),
                ..habit
            }
        })
        .collect();
    all.push(candidate(
        KnowledgeKind::CodePattern,
        "docs/x.rs",
        "lease\n",
        3.0,
    ));
    all.push(candidate(
        KnowledgeKind::Code,
        "src/lease/b.rs",
        "lease\n",
        2.0,
    ));
    assert_eq!(
        order("lease", all),
        ["src/lease/b.rs", "pattern_0", "pattern_1"]
    );
}

#[test]
fn a_habit_that_shares_one_word_of_several_is_no_answer() {
    let habits = |body| {
        let code = candidate(KnowledgeKind::Code, "src/b.rs", "lease\n", 2.0);
        let habit = candidate(KnowledgeKind::CodePattern, "src/a.rs", body, 3.0);
        order("renew the lease of a worker", vec![code, habit])
    };
    assert_eq!(habits("a worker is a struct\n"), ["src/b.rs"]);
    assert_eq!(habits("a worker renews\n"), ["src/b.rs", "src/a.rs"]);
    let in_exemplars = "a worker is a struct\n\nFor example: src/renew.rs:1";
    assert_eq!(habits(in_exemplars), ["src/b.rs"]);
}

#[test]
fn a_convention_is_quoted_only_if_it_is_asked_for() {
    let hits = |question| {
        let code = candidate(KnowledgeKind::Code, "src/b.rs", "tests run\n", 2.0);
        let habit = Candidate {
            role: Some(FileRole::Convention),
            ..candidate(KnowledgeKind::CodePattern, "src/a.rs", "run tests\n", 3.0)
        };
        order(question, vec![code, near(habit, 0.9)])
    };
    assert_eq!(hits("run the tests with a database"), ["src/b.rs"]);
    assert_eq!(hits("how to name tests that run"), ["src/b.rs", "src/a.rs"]);
}

#[test]
fn a_hit_says_why() {
    let found = hits(
        "renew lease",
        vec![candidate(
            KnowledgeKind::Code,
            "src/lease.rs",
            "// renew\nfn renew() {}\n",
            2.0,
        )],
    );
    let explanation = &found[0].explanation;
    let of = |term: &str| {
        explanation
            .terms
            .iter()
            .find(|one| one.term == term)
            .map(|one| one.fields.clone())
    };
    assert_eq!(of("leas"), Some(vec![Field::Path]));
    assert_eq!(
        of("renew"),
        Some(vec![Field::Name, Field::Comment, Field::Body])
    );
    assert_eq!((explanation.kind_rank, explanation.role_weight), (1, 1.0));
    assert_eq!((found[0].start_line, found[0].end_line), (Some(2), Some(2)));
}

#[test]
fn a_part_of_prose_is_shown_in_whole_lines() {
    assert_eq!(
        whole_lines("one\ntwo three\nfour\n", "three"),
        (2, "two three")
    );
    assert_eq!(prose("Bundles are made.", &["bundl"]), "Bundles are made.");
}

fn near(candidate: Candidate, similarity: f64) -> Candidate {
    Candidate {
        similarity: Some(similarity),
        ..candidate
    }
}

#[test]
fn what_words_and_vectors_agree_on_comes_first() {
    let code = |path: &str, score| candidate(KnowledgeKind::Code, path, "leases", score);
    let found = hits(
        "leases",
        vec![
            code("words.rs", 2.0),
            near(code("both.rs", 1.9), 0.8),
            near(code("vector.rs", 0.0), 0.9),
        ],
    );
    let order: Vec<&str> = found.iter().map(|hit| hit.subject.as_str()).collect();
    assert_eq!(order, ["both.rs", "words.rs", "vector.rs"]);
    let of = |at: usize| &found[at].explanation;
    assert_eq!((of(0).word_rank, of(0).vector_rank), (Some(2), Some(2)));
    assert_eq!((of(1).word_rank, of(1).vector_rank), (Some(1), None));
    assert_eq!((of(2).word_rank, of(2).vector_rank), (None, Some(1)));
    assert_eq!(of(2).similarity, Some(0.9));
}

#[test]
fn what_is_not_near_is_not_found_by_its_vector() {
    let code = |path: &str, score| candidate(KnowledgeKind::Code, path, "leases", score);
    let far = || near(code("far.rs", 0.0), 0.1);
    assert_eq!(order("leases", vec![far()]), [""; 0]);
    let beside = || near(code("near.rs", 0.0), 0.9);
    assert_eq!(order("leases", vec![far(), beside()]), ["near.rs"]);
    let less = near(code("less.rs", 0.0), 0.5);
    assert_eq!(order("leases", vec![beside(), less]), ["near.rs"]);
}
