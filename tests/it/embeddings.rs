//! Vectors beside word search: what is embedded and when, what a question finds by meaning, and what happens if the
//! model changes, fails or costs too much. The vendor is scripted: its vectors encode which of a few subjects a text
//! has.

mod faults;
pub mod local;
mod models;
mod storage;
mod world;

use nyxcore_embeddings::{EMBEDDING_RUN, embedding_start};
use nyxcore_knowledge::{NewMemoryEntry, memory_entry_create};
use nyxcore_runs::{RunFilter, RunStatus, run_list};
use nyxcore_tenancy::PageRequest;
use nyxcore_tests::{TestDatabase, on_both_databases};

use self::world::{Desk, SMALL};

on_both_databases! {
    async fn a_question_finds_what_it_means_in_other_words(db: TestDatabase) {
        let desk = Desk::new(&db).await;
        desk.publish("lease", "Leases", "A lease is renewed every minute.").await;
        desk.publish("invoice", "Invoices", "An invoice is sent every month.").await;
        assert_eq!(desk.titles("prolong").await, [""; 0]);
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        let hits = desk.find("prolong").await;
        assert_eq!(hits.len(), 1);
        assert_eq!(hits[0].title, "Leases");
        let why = &hits[0].explanation;
        assert_eq!((why.word_rank, why.vector_rank, why.kind_rank), (None, Some(1), 1));
        assert!(why.similarity.is_some_and(|similarity| similarity > 0.9), "{why:?}");
    }

    async fn ranks_of_words_and_vectors_are_fused(db: TestDatabase) {
        let desk = Desk::new(&db).await;
        desk.publish("both", "Both", "To prolong a lease.").await;
        desk.publish("words", "Words", "To prolong, prolong and prolong a bill: prolong it.").await;
        desk.publish("vector", "Vector", "A lease, and nothing else.").await;
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        let hits = desk.find("prolong").await;
        assert_eq!(hits[0].title, "Both");
        let rank = |title: &str| {
            let hit = hits.iter().find(|hit| hit.title == title).unwrap();
            (hit.explanation.word_rank.is_some(), hit.explanation.vector_rank.is_some())
        };
        assert_eq!((rank("Both"), rank("Vector")), ((true, true), (false, true)));
    }

    async fn the_same_text_is_embedded_once(db: TestDatabase) {
        let desk = Desk::new(&db).await;
        desk.publish("one", "Leases", "A lease is renewed.").await;
        desk.publish("two", "Leases", "A lease is renewed.").await;
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        assert_eq!(desk.embedded(), 1);
        // Nothing changed, then one text moved to another subject, then one changed.
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        desk.publish("three", "Leases", "A lease is renewed.").await;
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        assert_eq!(desk.embedded(), 1);
        desk.publish("one", "Leases", "A lease is renewed twice.").await;
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        assert_eq!(desk.embedded(), 2);
    }

    async fn a_question_is_remembered_for_its_tenant_alone(db: TestDatabase) {
        let desk = Desk::new(&db).await;
        desk.publish("lease", "Leases", "A lease is renewed.").await;
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        let other = desk.neighbour("other").await;
        other.publish("lease", "Theirs", "A lease is renewed.").await;
        assert_eq!(other.run().await.status, RunStatus::Succeeded);
        let before = desk.embedded();
        assert_eq!(desk.titles("prolong").await, ["Leases"]);
        assert_eq!(desk.titles("prolong").await, ["Leases"]);
        assert_eq!(desk.embedded(), before + 1);
        assert_eq!(other.titles("prolong").await, ["Theirs"]);
        assert_eq!(desk.embedded(), before + 2);
    }

    async fn a_change_of_knowledge_queues_the_run(db: TestDatabase) {
        let desk = Desk::new(&db).await;
        let scoped = desk.models.write().await;
        let new = NewMemoryEntry {
            project_id: None,
            title: "Leases".into(),
            content: "A lease is renewed.".into(),
            tags: Vec::new(),
            created_by: None,
        };
        memory_entry_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();
        let scoped = desk.models.read().await;
        let filter = RunFilter { kinds: vec![EMBEDDING_RUN], ..RunFilter::default() };
        let runs = run_list(&scoped, &filter, &PageRequest::first(10)).await.unwrap().into_items();
        assert_eq!(runs.iter().map(|run| run.status).collect::<Vec<_>>(), [RunStatus::Queued]);
    }

    async fn without_a_default_model_nothing_is_embedded(db: TestDatabase) {
        let desk = Desk::new(&db).await;
        desk.model_set(None).await;
        desk.publish("lease", "Leases", "A lease is renewed.").await;
        let scoped = desk.models.write().await;
        assert_eq!(embedding_start(&scoped).await.unwrap(), None);
        drop(scoped);
        // After the default is removed, no request is sent to the vendor.
        desk.model_set(Some(SMALL)).await;
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        desk.model_set(None).await;
        let before = desk.embedded();
        assert_eq!(desk.titles("prolong").await, [""; 0]);
        assert_eq!(desk.titles("lease").await, ["Leases"]);
        assert_eq!(desk.embedded(), before);
    }
}
