//! Another model, another length of vectors, and an interrupted run.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use nyxcore_embeddings::embedding_start_anew;
use nyxcore_retrieval::vector::vector_models;
use nyxcore_runs::{RunId, RunStatus, Runs};
use nyxcore_tenancy::Repository;
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::world::{Desk, LARGE, SMALL};

/// More documents than are read at once.
const DOCUMENTS: usize = 40;

impl Desk {
    async fn fill(&self) {
        for number in 0..DOCUMENTS {
            let body = format!("A lease is renewed {number} times.");
            self.publish(&format!("lease-{number}"), "Leases", &body)
                .await;
        }
    }

    async fn error(&self, run: RunId) -> String {
        let scoped = self.models.store.read(self.tenant.id).await.unwrap();
        let run = Runs::require(&scoped, run).await.unwrap();
        run.error.unwrap().code
    }
}

on_both_databases! {
    async fn a_change_of_the_model_leaves_no_gap(db: TestDatabase) {
        let desk = Desk::new(&db).await;
        desk.fill().await;
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        let current = (SMALL.to_owned(), 4, true);
        assert_eq!(desk.vectors().await, std::slice::from_ref(&current));
        desk.model_set(Some(LARGE)).await;
        // The run embeds a part and then fails: questions are still compared with the previous vectors.
        desk.script.refuses_after.store(1, SeqCst);
        let failed = desk.run().await;
        assert_eq!((failed.status, desk.error(failed.id).await.as_str()), (RunStatus::Failed, "PROVIDER_KEY_INVALID"));
        assert_eq!(desk.vectors().await, [(LARGE.to_owned(), 4, false), current]);
        assert!(!desk.titles("prolong").await.is_empty());
        // The embedded part is reused, and the previous vectors are deleted when all new ones exist.
        desk.script.refuses_after.store(0, SeqCst);
        let before = desk.embedded();
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        assert_eq!(desk.embedded() - before, DOCUMENTS - 32);
        assert_eq!(desk.vectors().await, [(LARGE.to_owned(), 4, true)]);
        assert!(!desk.titles("prolong for longer").await.is_empty());
    }

    async fn another_length_in_the_middle_keeps_nothing_of_it(db: TestDatabase) {
        let desk = Desk::new(&db).await;
        desk.publish("lease", "Leases", "A lease is renewed.").await;
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        desk.script.length.store(6, SeqCst);
        desk.publish("invoice", "Invoices", "An invoice is sent.").await;
        let failed = desk.run().await;
        assert_eq!(failed.status, RunStatus::Failed);
        assert_eq!(desk.error(failed.id).await, "EMBEDDING_DIMENSIONS_CHANGED");
        assert_eq!(desk.vectors().await, [(SMALL.to_owned(), 4, true)]);
        // A question with a vector of another length is searched by words.
        let meaning = desk.meaning("lease").await;
        assert!(meaning.failure.is_some_and(|why| why.contains("EMBEDDING_DIMENSIONS_CHANGED")));
        assert_eq!(desk.titles("lease").await, ["Leases"]);
        // Setting the model again is deliberate, so it starts a new run.
        let scoped = desk.models.write().await;
        let run = embedding_start_anew(&scoped).await.unwrap().unwrap().run().id;
        scoped.commit().await.unwrap();
        assert_eq!(desk.finish(run).await.status, RunStatus::Succeeded);
        assert_eq!(desk.vectors().await, [(SMALL.to_owned(), 6, true)]);
        assert_eq!(desk.titles("a bill").await, ["Invoices"]);
    }

    async fn a_worker_that_leaves_hands_on_what_is_left(db: TestDatabase) {
        let desk = Desk::new(&db).await;
        desk.fill().await;
        desk.model_set(Some(LARGE)).await;
        let run = desk.start().await;
        // The worker is stopped while it waits for a response.
        desk.script.is_silent.store(1, SeqCst);
        let workers = desk.workers();
        while desk.embedded() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        workers.shutdown().await;
        let scoped = desk.models.read().await;
        assert_eq!(Runs::require(&scoped, run).await.unwrap().status, RunStatus::Queued);
        assert_eq!(vector_models(&scoped).await.unwrap(), []);
        drop(scoped);
        desk.script.is_silent.store(0, SeqCst);
        assert_eq!(desk.finish(run).await.status, RunStatus::Succeeded);
        assert_eq!(desk.vectors().await, [(LARGE.to_owned(), 4, true)]);
        // Only the batch that was in progress is requested again.
        assert_eq!(desk.embedded(), 32 + DOCUMENTS);
    }
}
