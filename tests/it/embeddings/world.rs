//! A tenant with a scripted vendor of vectors, whose length, faults and patience a test sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use futures::StreamExt;
use nyxcore_embeddings::{
    EMBEDDING_RUN, EmbeddingHandler, QuestionMeaning, embedding_catch_up, embedding_start,
    question_embed, question_model,
};
use nyxcore_llm::testing::{Fault, Reply, VendorRequest, chat};
use nyxcore_model_catalog::{
    CallContext, DefaultPurpose, ProviderKey, provider_key_set, tenant_default_set,
};
use nyxcore_retrieval::vector::vector_models;
use nyxcore_retrieval::{
    Document, Hit, KnowledgeKind, SearchRequest, documents_publish, search_with,
};
use nyxcore_runs::{Run, RunId, Runs, Workers, run_follow};
use nyxcore_tenancy::{Repository, Tenant};
use nyxcore_tests::TestDatabase;
use serde_json::json;

use crate::models::world::{KEY, ModelWorld, PRIVATE};
use crate::support;

pub const SMALL: &str = "text-embedding-3-small";
pub const LARGE: &str = "text-embedding-3-large";

/// Each subject has its words, and a position in the vector.
const SUBJECTS: [&[&str]; 2] = [&["lease", "prolong"], &["invoice", "bill"]];

/// How the vendor answers.
#[derive(Default)]
pub struct Script {
    /// The length of its vectors.
    pub length: AtomicUsize,
    /// The number of requests for the model [`LARGE`] that it answers before it refuses the key; 0 for no limit.
    pub refuses_after: AtomicUsize,
    /// Whether it refuses the key of every request.
    pub refuses: AtomicUsize,
    /// Whether it does not answer at all.
    pub is_silent: AtomicUsize,
    answered: AtomicUsize,
}

impl Script {
    fn respond(&self, request: &VendorRequest) -> Reply {
        let asked = request.json();
        if self.is_silent.load(SeqCst) > 0 {
            return Reply::json(200, "{}").fault(Fault::Silence);
        }
        let limit = self.refuses_after.load(SeqCst);
        let is_beyond = asked["model"] == LARGE && limit > 0 && {
            let before = self.answered.fetch_add(1, SeqCst);
            before >= limit
        };
        if is_beyond || self.refuses.load(SeqCst) > 0 {
            let body = chat::error("invalid_request_error", "no such key", "invalid_api_key");
            return Reply::json(401, body);
        }
        let texts = texts(request);
        if texts.iter().any(|text| text.contains("unspeakable")) {
            let body = chat::error("invalid_request_error", "this text is refused", "bad_input");
            return Reply::json(400, body);
        }
        let length = self.length.load(SeqCst);
        let data = texts.iter().enumerate().map(|(index, text)| {
            json!({ "object": "embedding", "index": index, "embedding": vector(text, length) })
        });
        let body = json!({
            "object": "list", "data": data.collect::<Vec<_>>(), "model": asked["model"],
            "usage": { "prompt_tokens": texts.len(), "total_tokens": texts.len() },
        });
        Reply::json(200, body.to_string())
    }
}

fn texts(request: &VendorRequest) -> Vec<String> {
    let asked = request.json();
    let list = asked["input"].as_array().cloned().unwrap_or_default();
    let text = |text: &serde_json::Value| text.as_str().unwrap_or_default().to_owned();
    list.iter().map(text).collect()
}

/// The vector of a text: one dimension for each subject that it has.
pub fn vector(text: &str, length: usize) -> Vec<f32> {
    let text = text.to_lowercase();
    let mut vector = vec![0.0; length];
    // A common dimension, so that no vector is zero.
    vector[length - 1] = 0.1;
    for (place, words) in SUBJECTS.iter().enumerate() {
        if words.iter().any(|word| text.contains(word)) {
            vector[place] = 1.0;
        }
    }
    vector
}

pub struct Desk {
    pub models: Arc<ModelWorld>,
    pub script: Arc<Script>,
    pub tenant: Tenant,
}

impl Desk {
    /// A tenant whose default model for embeddings is the small one.
    pub async fn new(db: &TestDatabase) -> Self {
        let script = Arc::new(Script::default());
        script.length.store(4, SeqCst);
        let vendor = Arc::clone(&script);
        let models = ModelWorld::with(db, move |request| vendor.respond(request)).await;
        let tenant = models.tenant.clone();
        let desk = Self {
            models: Arc::new(models),
            script,
            tenant,
        };
        desk.model_set(Some(SMALL)).await;
        desk
    }

    /// Another tenant of the same server and vendor.
    pub async fn neighbour(&self, slug: &str) -> Self {
        let (tenant, _) = support::tenant(&self.models.store, slug).await;
        let scoped = self.models.store.write(tenant.id).await.unwrap();
        let url = self.models.vendor.url("/v1");
        let key = ProviderKey::new(KEY.to_owned(), Some(url));
        provider_key_set(&scoped, &self.models.keyring, PRIVATE, ("openai", &key))
            .await
            .unwrap();
        scoped.commit().await.unwrap();
        let desk = Self {
            models: Arc::clone(&self.models),
            script: Arc::clone(&self.script),
            tenant,
        };
        desk.model_set(Some(SMALL)).await;
        desk
    }

    pub async fn model_set(&self, model: Option<&str>) {
        let scoped = self.models.store.write(self.tenant.id).await.unwrap();
        tenant_default_set(&scoped, DefaultPurpose::Embedding, model)
            .await
            .unwrap();
        scoped.commit().await.unwrap();
    }

    pub async fn publish(&self, subject: &str, title: &str, body: &str) {
        let document = Document::new(KnowledgeKind::MemoryEntry, subject, title, body);
        let scoped = self.models.store.write(self.tenant.id).await.unwrap();
        documents_publish(&scoped, vec![document]).await.unwrap();
        scoped.commit().await.unwrap();
    }

    pub async fn start(&self) -> RunId {
        let scoped = self.models.store.write(self.tenant.id).await.unwrap();
        let start = embedding_start(&scoped).await.unwrap();
        scoped.commit().await.unwrap();
        start.unwrap().run().id
    }

    pub fn workers(&self) -> Workers {
        Workers::builder(&self.models.store)
            .service(self.models.service.clone())
            .handler(EmbeddingHandler::new())
            .follow_up(EMBEDDING_RUN, embedding_catch_up())
            .start()
            .unwrap()
    }

    /// Starts a run and carries it out.
    pub async fn run(&self) -> Run {
        let run = self.start().await;
        self.finish(run).await
    }

    /// Carries out a run with new workers, and returns it.
    pub async fn finish(&self, run: RunId) -> Run {
        let workers = self.workers();
        let events = run_follow(&self.models.store, self.tenant.id, run, 0);
        events
            .for_each(|event| async move { drop(event.unwrap()) })
            .await;
        workers.shutdown().await;
        let scoped = self.models.store.read(self.tenant.id).await.unwrap();
        Runs::require(&scoped, run).await.unwrap()
    }

    pub async fn meaning(&self, text: &str) -> QuestionMeaning {
        let scoped = self.models.store.read(self.tenant.id).await.unwrap();
        let model = question_model(&scoped).await.unwrap();
        drop(scoped);
        let context = CallContext::new(self.tenant.id, "search");
        match model {
            Some(model) => question_embed(&self.models.service, context, model, text).await,
            None => QuestionMeaning::default(),
        }
    }

    /// Searches as a client does.
    pub async fn find(&self, text: &str) -> Vec<Hit> {
        let meaning = self.meaning(text).await;
        let scoped = self.models.store.read(self.tenant.id).await.unwrap();
        let request = SearchRequest::new(text);
        search_with(&scoped, &request, meaning.vector.as_ref())
            .await
            .unwrap()
    }

    pub async fn titles(&self, text: &str) -> Vec<String> {
        let hits = self.find(text).await;
        hits.into_iter().map(|hit| hit.title).collect()
    }

    /// The number of texts that were sent to the vendor, by all tenants, including refused requests.
    pub fn embedded(&self) -> usize {
        let requests = self.models.vendor.requests();
        requests.iter().map(|request| texts(request).len()).sum()
    }

    /// The models with stored vectors: the id, the length, and whether questions are compared with them.
    pub async fn vectors(&self) -> Vec<(String, u32, bool)> {
        let scoped = self.models.store.read(self.tenant.id).await.unwrap();
        let models = vector_models(&scoped).await.unwrap();
        let models = models.into_iter().map(|(model, is_current)| {
            let id = model.model.rsplit('/').next().unwrap_or_default();
            (id.to_owned(), model.dimensions, is_current)
        });
        let mut models: Vec<_> = models.collect();
        models.sort();
        models
    }
}
