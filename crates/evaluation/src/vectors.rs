//! Embeds the documents of the index by a model in this process, as an embedding run does.

use std::sync::Arc;

use nyxcore_model_catalog::{LOCAL_PROVIDER, LocalEmbedder};
use nyxcore_retrieval::vector::{
    PassageVector, VectorBatch, documents_unembedded, vector_model_complete, vectors_known,
    vectors_save,
};
use nyxcore_retrieval::{QuestionVector, VectorModel};
use nyxcore_tenancy::{Store, TenantId};

use crate::run::EvaluationError;

/// Documents that are read and stored at once.
const DOCUMENTS: u64 = 32;

/// An embedder with the name under which its vectors are stored.
pub(crate) struct Vectors {
    embedder: Arc<dyn LocalEmbedder>,
    model: VectorModel,
}

impl Vectors {
    pub(crate) fn new(embedder: Arc<dyn LocalEmbedder>) -> Self {
        let model = VectorModel {
            model: format!("{LOCAL_PROVIDER}/{}", embedder.id()),
            dimensions: embedder.dimensions(),
        };
        Self { embedder, model }
    }

    /// Embeds what has no vector yet, and lets the search use the vectors of this model.
    pub(crate) async fn fill(
        &self,
        store: &Store,
        tenant: TenantId,
    ) -> Result<(), EvaluationError> {
        let of_model = (self.model.model.as_str(), Some(self.model.dimensions));
        let mut after = None;
        loop {
            let scoped = store.read(tenant).await?;
            let open = documents_unembedded(&scoped, of_model, after, DOCUMENTS).await?;
            let Some(last) = open.last() else {
                break;
            };
            after = Some(last.document);
            let passages = || open.iter().flat_map(|document| &document.passages);
            let hashes: Vec<&str> = passages().map(|one| one.hash.as_str()).collect();
            let mut seen = vectors_known(&scoped, &self.model, &hashes).await?;
            drop(scoped);
            let missing = passages().filter(|one| seen.insert(one.hash.clone()));
            let (hashes, texts): (Vec<String>, Vec<String>) = missing
                .map(|one| (one.hash.clone(), one.text.clone()))
                .unzip();
            let vectors = self.embed(texts).await?;
            let vectors = hashes.into_iter().zip(vectors);
            let vectors = vectors.map(|(hash, vector)| PassageVector { hash, vector });
            let batch = VectorBatch {
                vectors: vectors.collect(),
                documents: open,
            };
            let scoped = store.write(tenant).await?;
            vectors_save(&scoped, &self.model, batch).await?;
            scoped.commit().await?;
        }
        let scoped = store.write(tenant).await?;
        vector_model_complete(&scoped, &self.model).await?;
        Ok(scoped.commit().await?)
    }

    /// A question as a vector.
    pub(crate) async fn question(&self, text: &str) -> Result<QuestionVector, EvaluationError> {
        let vector = self.embed(vec![text.to_owned()]).await?.pop();
        Ok(QuestionVector {
            model: self.model.clone(),
            vector: vector.unwrap_or_default().into(),
        })
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EvaluationError> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let embedder = Arc::clone(&self.embedder);
        let computed = tokio::task::spawn_blocking(move || embedder.embed(&texts)).await;
        let computed = computed.unwrap_or_else(|_| Err("it panicked".to_owned()));
        Ok(computed.map_err(EvaluationError::Embedder)?.vectors)
    }
}
