//! The local model of the process: who uses it, what it costs, and who does not use it. It is scripted like the vendor,
//! and installed for the whole process, which runs only this test.

use std::sync::Arc;

use nyxcore_embeddings::{embedding_start, local_embedding_begin};
use nyxcore_model_catalog::{
    LOCAL_PROVIDER, LocalEmbedder, LocalEmbedding, Nanousd, ProviderState, TenantCatalog,
    local_embedder_install, model_hide,
};
use nyxcore_runs::{RunStatus, Start};
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::world::{Desk, SMALL, vector};

const ID: &str = "subjects";
const LENGTH: u32 = 6;

pub struct Subjects;

impl LocalEmbedder for Subjects {
    fn id(&self) -> &str {
        ID
    }

    fn dimensions(&self) -> u32 {
        LENGTH
    }

    fn tokens_max(&self) -> u64 {
        256
    }

    fn embed(&self, texts: &[String]) -> Result<LocalEmbedding, String> {
        if texts.iter().any(|text| text.contains("unspeakable")) {
            return Err("the model stumbled".to_owned());
        }
        let vectors = texts.iter().map(|text| vector(text, LENGTH as usize));
        Ok(LocalEmbedding {
            vectors: vectors.collect(),
            tokens: texts.len() as u64,
        })
    }
}

/// A tenant without a default model, on a server that has a local one.
async fn desk(db: &TestDatabase) -> Desk {
    let desk = Desk::new(db).await;
    desk.model_set(None).await;
    local_embedder_install(Arc::new(Subjects));
    desk
}

on_both_databases! {
    async fn without_a_default_the_local_model_embeds(db: TestDatabase) {
        let desk = desk(&db).await;
        desk.publish("lease", "Leases", "A lease is renewed.").await;
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        assert_eq!(desk.vectors().await, [(ID.to_owned(), LENGTH, true)]);
        assert_eq!(desk.titles("prolong").await, ["Leases"]);
        assert_eq!(desk.embedded(), 0, "no vendor is asked");
        let rows = desk.models.ledger().await;
        let row = |at: usize| (rows[at].provider.as_str(), rows[at].model.as_str(), rows[at].cost);
        assert_eq!(rows.len(), 2, "{rows:?}");
        assert_eq!((row(0), row(1)), ((LOCAL_PROVIDER, ID, Nanousd::ZERO), (LOCAL_PROVIDER, ID, Nanousd::ZERO)));
        assert_eq!(rows[0].usage.input_tokens, 1);
    }

    async fn a_tenant_sees_the_local_model(db: TestDatabase) {
        let desk = desk(&db).await;
        let scoped = desk.models.read().await;
        let catalog = TenantCatalog::load(&scoped, Default::default()).await.unwrap();
        drop(scoped);
        let model = catalog.model(ID).unwrap();
        assert_eq!((model.provider.as_str(), model.dimensions), (LOCAL_PROVIDER, Some(LENGTH)));
        let provider = catalog.providers().pop().unwrap();
        assert_eq!((provider.id.as_str(), provider.is_configured()), (LOCAL_PROVIDER, true));
        let health = desk.models.service.verify_provider(desk.tenant.id, None, LOCAL_PROVIDER).await.unwrap();
        assert_eq!(health.state, ProviderState::Ok);
    }

    async fn a_default_of_the_tenant_comes_first(db: TestDatabase) {
        let desk = desk(&db).await;
        desk.publish("lease", "Leases", "A lease is renewed.").await;
        desk.model_set(Some(SMALL)).await;
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        assert_eq!(desk.vectors().await, [(SMALL.to_owned(), 4, true)]);
        // After the default is removed, no request is sent to the vendor, even before the local vectors exist.
        desk.model_set(None).await;
        let before = desk.embedded();
        assert_eq!(desk.titles("prolong").await, [""; 0]);
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        assert_eq!(desk.titles("prolong").await, ["Leases"]);
        assert_eq!(desk.embedded(), before);
    }

    async fn a_new_local_model_embeds_from_the_start(db: TestDatabase) {
        let desk = desk(&db).await;
        desk.publish("lease", "Leases", "A lease is renewed.").await;
        let begin = async || local_embedding_begin(&desk.models.store).await.unwrap();
        assert_eq!(begin().await, 1);
        let scoped = desk.models.write().await;
        let start = embedding_start(&scoped).await.unwrap().unwrap();
        drop(scoped);
        assert!(matches!(start, Start::AlreadyActive(_)), "{start:?}");
        assert_eq!(desk.finish(start.run().id).await.status, RunStatus::Succeeded);
        assert_eq!(desk.titles("prolong").await, ["Leases"]);
        assert_eq!(begin().await, 0, "everything has a vector");
        desk.publish("mirror", "Mirrors", "A mirror is deleted.").await;
        desk.model_set(Some(SMALL)).await;
        assert_eq!(begin().await, 0, "the tenant set another model");
    }

    async fn a_hidden_local_model_embeds_nothing(db: TestDatabase) {
        let desk = desk(&db).await;
        desk.publish("lease", "Leases", "A lease is renewed.").await;
        let scoped = desk.models.write().await;
        model_hide(&scoped, ID, true).await.unwrap();
        assert_eq!(embedding_start(&scoped).await.unwrap(), None);
        scoped.commit().await.unwrap();
        assert_eq!(desk.titles("prolong").await, [""; 0]);
    }

    async fn a_local_model_that_fails_leaves_the_words(db: TestDatabase) {
        let desk = desk(&db).await;
        desk.publish("lease", "Leases", "A lease is renewed.").await;
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        let meaning = desk.meaning("unspeakable").await;
        assert_eq!(meaning.vector, None);
        assert!(meaning.failure.unwrap().contains("the model stumbled"));
        assert_eq!(desk.titles("unspeakable lease").await, ["Leases"]);
    }
}
