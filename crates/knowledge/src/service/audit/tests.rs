//! Tests of the audit of knowledge.

use super::*;

fn item(n: usize, text: &str) -> Item {
    Item {
        subject: AuditSubject {
            kind: KnowledgeKind::MemoryEntry,
            id: format!("memory_{n}"),
            title: "Leases of workers".into(),
        },
        project: None,
        words: Words::of("Leases of workers", text),
        text: text.to_owned(),
        is_old: false,
        recalls: 0,
    }
}

fn kinds(texts: &[&str]) -> Vec<AuditFindingKind> {
    let items: Vec<Item> = texts
        .iter()
        .enumerate()
        .map(|(n, text)| item(n, text))
        .collect();
    let mut findings = Vec::new();
    pairs_compare(&items, &mut findings);
    findings.into_iter().map(|finding| finding.kind).collect()
}

#[test]
fn pairs_are_duplicates_or_contradictions() {
    use AuditFindingKind::{Contradiction, Duplicate};
    let base = "A lease is renewed every 15 seconds by its worker, before each batch of writes.";
    assert_eq!(
        kinds(&[
            base,
            "A lease is renewed every 15 seconds by its worker, before every batch of writes."
        ]),
        [Duplicate]
    );
    assert_eq!(
        kinds(&[
            base,
            "A lease is renewed every 30 seconds by its worker, before each batch of writes."
        ]),
        [Contradiction]
    );
    assert_eq!(
        kinds(&[
            base,
            "A lease is never renewed by its worker before each batch of 15 writes in seconds."
        ]),
        [Contradiction]
    );
    assert_eq!(
        kinds(&[base, "Pages are read lazily, and their cache is small."]),
        []
    );
}

#[test]
fn secrets_are_told_from_talk_about_them() {
    let token = format!("token: ghp_{}", "a1".repeat(18));
    assert_eq!(secret_in(&token), Some(("a token of GitHub", 1)));
    assert_eq!(
        secret_in("x\n-----BEGIN RSA PRIVATE KEY-----"),
        Some(("a private key", 2))
    );
    assert_eq!(
        secret_in("DB_PASSWORD=hunter2hunter2"),
        Some(("a password", 1))
    );
    assert_eq!(
        secret_in("postgres://app:s3cret-pass@db/x"),
        Some(("a password", 1))
    );
    for talk in [
        "the password is rotated",
        "password: <yours>",
        "PASSWORD=$SECRET1234",
        "https://a.b/c:d@e",
        "sk-ant-short",
    ] {
        assert_eq!(secret_in(talk), None, "{talk}");
    }
}
