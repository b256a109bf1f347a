//! The documents of one tenant do not affect the searches of another.

use nyxcore_retrieval::{Document, KnowledgeKind};
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::{ask, document, publish, subjects};
use crate::support::{store, tenant};

/// The given number of notes with that body.
fn notes(subject: &str, body: &str, count: usize) -> Vec<Document> {
    (0..count)
        .map(|n| document(KnowledgeKind::Note, &format!("{subject}-{n}"), body))
        .collect()
}

on_both_databases! {
    async fn other_tenants_words_change_no_order(db: TestDatabase) {
        let store = store(&db).await;
        let (spy, _) = tenant(&store, "spy").await;
        let (victim, _) = tenant(&store, "victim").await;
        for guess in 0..6 {
            let (one, two) = (format!("qzone{guess}"), format!("qztwo{guess}"));
            publish(&store, spy.id, vec![
                document(KnowledgeKind::Note, &format!("one-{guess}"), &format!("T {one}")),
                document(KnowledgeKind::Note, &format!("two-{guess}"), &format!("T {two}")),
            ]).await;
            let question = format!("{one} {two}");
            let before = ask(&store, spy.id, &question).await;
            assert_eq!(before.len(), 2);
            // Another tenant makes the first of the two words common, and then the second.
            let first = before[0].subject.strip_suffix(&format!("-{guess}")).unwrap().to_owned();
            for word in [if first == "one" { &one } else { &two }, if first == "one" { &two } else { &one }] {
                publish(&store, victim.id, notes(word, &format!("T {word}"), 4)).await;
                assert_eq!(ask(&store, spy.id, &question).await, before, "{word}");
            }
        }
    }

    async fn other_tenants_lengths_change_no_order(db: TestDatabase) {
        let store = store(&db).await;
        let (spy, _) = tenant(&store, "spy").await;
        let (victim, _) = tenant(&store, "victim").await;
        let long = "other ".repeat(40);
        publish(&store, spy.id, vec![
            document(KnowledgeKind::Note, "short", "lease"),
            document(KnowledgeKind::Note, "long", &format!("lease lease {long}")),
        ]).await;
        publish(&store, spy.id, notes("filler", "nothing of it", 10)).await;
        let before = ask(&store, spy.id, "lease").await;
        publish(&store, victim.id, notes("long", &"lengthy words ".repeat(2_000), 40)).await;
        assert_eq!(ask(&store, spy.id, "lease").await, before);
    }

    async fn a_word_that_is_rare_in_the_tenant_counts_more(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        publish(&store, acme.id, notes("common", "worker", 20)).await;
        publish(&store, acme.id, vec![document(KnowledgeKind::Note, "rare", "lease")]).await;
        publish(&store, other.id, notes("lease", "lease", 200)).await;
        let hits = ask(&store, acme.id, "worker lease").await;
        // A document with only the common word scores far lower, and is not returned.
        assert_eq!(subjects(&hits), ["rare"]);
    }
}
