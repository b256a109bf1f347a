//! A tenant with a model of the scripted server, a note about leases and one item of every kind of knowledge.

use futures::StreamExt;
use nyxcore_embeddings::QuestionMeaning;
use nyxcore_llm::testing::{Reply, VendorRequest, chat};
use nyxcore_model_catalog::{
    DefaultPurpose, Nanousd, NewTenantModel, RunUsage, run_usage, tenant_default_set,
    tenant_model_set,
};
use nyxcore_note_enrichment::{
    EnrichmentHandler, EnrichmentPreview, EnrichmentRequest, NOTE_ENRICHMENT_RUN, NoteEnrichment,
    enrichment_failed, enrichment_get, enrichment_preview, enrichment_start_for,
};
use nyxcore_projects::NoteId;
use nyxcore_runs::{EventBody, Run, RunId, Runs, Workers, WorkersBuilder, run_follow};
use nyxcore_tenancy::{Repository, Store, TenantId};
use nyxcore_tests::TestDatabase;
use serde_json::{Value, json};

use super::world::{World, world};
use crate::models::world::ModelWorld;

/// A model that costs a dollar per million tokens.
pub const MODEL: &str = "tiny";

pub struct Lab {
    pub models: ModelWorld,
    pub world: World,
}

impl Lab {
    /// A tenant whose default model gives these answers in turn, and then repeats the last one.
    pub async fn new(db: &TestDatabase, replies: impl IntoIterator<Item = Reply>) -> Self {
        let models = ModelWorld::replies(db, replies).await;
        models.endpoint_add("local", MODEL).await;
        let lab = Self {
            world: world(&models.store, models.tenant.id).await,
            models,
        };
        lab.model_set(None).await;
        let scoped = lab.store().write(lab.tenant()).await.unwrap();
        let purpose = DefaultPurpose::Default;
        tenant_default_set(&scoped, purpose, Some(MODEL))
            .await
            .unwrap();
        scoped.commit().await.unwrap();
        lab
    }

    pub fn store(&self) -> &Store {
        &self.models.store
    }

    pub fn tenant(&self) -> TenantId {
        self.models.tenant.id
    }

    /// Sets the model's context window in tokens.
    pub async fn model_set(&self, context_window: Option<u64>) {
        let scoped = self.store().write(self.tenant()).await.unwrap();
        let model = NewTenantModel {
            id: MODEL.to_owned(),
            provider: "local".to_owned(),
            input: Some(Nanousd(1_000_000_000)),
            output: Some(Nanousd(1_000_000_000)),
            context_window,
            ..NewTenantModel::default()
        };
        tenant_model_set(&scoped, model).await.unwrap();
        scoped.commit().await.unwrap();
    }

    pub async fn preview(&self, note: NoteId, request: &EnrichmentRequest) -> EnrichmentPreview {
        let scoped = self.store().read(self.tenant()).await.unwrap();
        let catalog = self.models.service.catalog(&scoped).await.unwrap();
        enrichment_preview(&scoped, &catalog, note, request, QuestionMeaning::default())
            .await
            .unwrap()
    }

    pub async fn start(&self, note: NoteId, request: &EnrichmentRequest) -> RunId {
        let scoped = self.store().read(self.tenant()).await.unwrap();
        let catalog = self.models.service.catalog(&scoped).await.unwrap();
        drop(scoped);
        let scoped = self.store().write(self.tenant()).await.unwrap();
        let (start, _) = enrichment_start_for(&scoped, &catalog, note, request)
            .await
            .unwrap();
        assert!(start.is_started());
        scoped.commit().await.unwrap();
        start.run().id
    }

    pub fn workers(&self) -> WorkersBuilder {
        Workers::builder(self.store())
            .service(self.models.service.clone())
            .handler(EnrichmentHandler::new())
            .failed(NOTE_ENRICHMENT_RUN, enrichment_failed())
    }

    /// Carries out a run with workers, and returns it with its events.
    pub async fn work(&self, run: RunId) -> (Run, Vec<EventBody>) {
        let workers = self.workers().start().unwrap();
        let events = self.events(run).await;
        workers.shutdown().await;
        self.models.service.settled().await;
        let scoped = self.store().read(self.tenant()).await.unwrap();
        (Runs::require(&scoped, run).await.unwrap(), events)
    }

    pub async fn events(&self, run: RunId) -> Vec<EventBody> {
        let events = run_follow(self.store(), self.tenant(), run, 0);
        events.map(|event| event.unwrap().body).collect().await
    }

    /// Enriches the world's note with the defaults, and returns the enrichment and its run.
    pub async fn enriched(&self) -> (NoteEnrichment, Run, Vec<EventBody>) {
        let run = self
            .start(self.world.note.id, &EnrichmentRequest::default())
            .await;
        let (run, events) = self.work(run).await;
        (self.read(run.id).await, run, events)
    }

    /// The error code of the enrichment of the world's note, which must fail.
    pub async fn failed(&self) -> String {
        let (enrichment, run, _) = self.enriched().await;
        assert_eq!(enrichment.markdown, None);
        run.error.unwrap().code
    }

    pub async fn read(&self, run: RunId) -> NoteEnrichment {
        let scoped = self.store().read(self.tenant()).await.unwrap();
        enrichment_get(&scoped, run).await.unwrap().unwrap()
    }

    pub async fn usage(&self, run: RunId) -> Option<RunUsage> {
        let scoped = self.store().read(self.tenant()).await.unwrap();
        run_usage(&scoped, &[run.0]).await.unwrap().remove(&run.0)
    }
}

/// An answer that matches the schema.
pub fn answer(markdown: &str, points: Value) -> Reply {
    let value = json!({ "markdown": markdown, "action_points": points, "open_questions": ["Who renews it?"] });
    said(&value.to_string())
}

/// An answer with that text.
pub fn said(text: &str) -> Reply {
    Reply::events(chat::text(text))
}

/// The texts of a request: the system text, and the user's.
pub fn told(request: &VendorRequest) -> (String, String) {
    let body = request.json();
    let of = |role: &str| {
        let messages = body["messages"].as_array().unwrap();
        let message = messages.iter().find(|message| message["role"] == role);
        let content = &message.unwrap_or_else(|| panic!("nothing of {role}: {body}"))["content"];
        match content {
            Value::String(text) => text.clone(),
            parts => parts[0]["text"].as_str().unwrap().to_owned(),
        }
    };
    (of("system"), of("user"))
}
