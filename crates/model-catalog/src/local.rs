//! The local model, which runs in this process: vectors without a key, a network or a price.
//!
//! The program installs it when it starts, as it does the facts about models. It is one more provider with one model:
//! tenants see it in their catalog, may hide it, and may set it or another as their default. Its calls go through the
//! model service like all others. The computation blocks, so it runs on blocking threads, and few of them at once.

use std::sync::{Arc, OnceLock};

use nyxcore_llm::{
    EmbeddingPurpose, EmbeddingRequest, Embeddings, LlmError, Usage, VendorError, VendorErrorKind,
};
use nyxcore_tenancy::{Access, Result, Scoped};
use tokio::sync::Semaphore;

use crate::model::{Capability, Mode};
use crate::money::PriceList;
use crate::tenant::{TenantCatalog, TenantModel};

/// The id of the provider. It contains a character that no endpoint's name can contain, so it never names an endpoint.
pub const LOCAL_PROVIDER: &str = "local_model";
/// The name of the provider, for people.
pub(crate) const LOCAL_PROVIDER_NAME: &str = "Local model";

/// How many batches of documents are computed at once in this process: each uses all threads of the model.
const DOCUMENTS_AT_ONCE: usize = 1;
/// The most questions that are computed at once. They do not wait for documents.
const QUESTIONS_AT_ONCE: usize = 2;

/// A model in this process that computes vectors.
pub trait LocalEmbedder: Send + Sync + 'static {
    /// The id of the model, such as `all-MiniLM-L6-v2`.
    fn id(&self) -> &str;

    /// The length of its vectors.
    fn dimensions(&self) -> u32;

    /// The most tokens of a text that it reads.
    fn tokens_max(&self) -> u64;

    /// Computes the vectors of texts, in their order, on the thread that calls it.
    ///
    /// # Errors
    /// What is wrong, in a sentence for the operator.
    fn embed(&self, texts: &[String]) -> std::result::Result<LocalEmbedding, String>;
}

/// The vectors of texts.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalEmbedding {
    /// One vector a text, in the order of the texts.
    pub vectors: Vec<Vec<f32>>,
    /// The tokens that were read.
    pub tokens: u64,
}

/// The local model with the semaphores that limit its calls.
pub(crate) struct Local {
    embedder: Arc<dyn LocalEmbedder>,
    documents: Arc<Semaphore>,
    questions: Arc<Semaphore>,
}

static INSTALLED: OnceLock<Local> = OnceLock::new();

/// Offers a local model to all tenants. It is done once, when the program starts; later calls change nothing.
pub fn local_embedder_install(embedder: Arc<dyn LocalEmbedder>) {
    let _first = INSTALLED.set(Local {
        embedder,
        documents: Arc::new(Semaphore::new(DOCUMENTS_AT_ONCE)),
        questions: Arc::new(Semaphore::new(QUESTIONS_AT_ONCE)),
    });
}

/// The local model, as a tenant without changes to it sees it; `None` where there is none.
#[must_use]
pub fn local_model() -> Option<TenantModel> {
    let embedder = &local()?.embedder;
    Some(TenantModel {
        id: embedder.id().to_owned(),
        provider: LOCAL_PROVIDER.to_owned(),
        wire_id: embedder.id().to_owned(),
        name: format!("{} (local)", embedder.id()),
        mode: Mode::Embedding,
        context_window: Some(embedder.tokens_max()),
        max_output_tokens: None,
        prices: PriceList::default(),
        capabilities: vec![Capability::Embedding],
        dimensions: Some(embedder.dimensions()),
        shutdown_date: None,
        is_own: false,
        is_hidden: false,
    })
}

/// The model that embeds for a tenant without a default for it: the local one, as `provider/id`. `None` where there is
/// none, where the tenant hides it, and where the tenant has its own model with that id.
///
/// # Errors
/// The database fails.
pub async fn local_default<A: Access>(scoped: &Scoped<A>) -> Result<Option<String>> {
    if local().is_none() {
        return Ok(None);
    }
    let catalog = TenantCatalog::load(scoped, Default::default()).await?;
    let model = catalog
        .models()
        .iter()
        .find(|model| model.provider == LOCAL_PROVIDER);
    let model = model.filter(|model| !model.is_hidden);
    Ok(model.map(|model| format!("{LOCAL_PROVIDER}/{}", model.id)))
}

pub(crate) fn local() -> Option<&'static Local> {
    INSTALLED.get()
}

impl Local {
    /// Computes vectors on a blocking thread, when the semaphore allows it. If the caller gives up waiting, the
    /// computation goes on and holds its permit until it ends.
    ///
    /// # Errors
    /// The same as a vendor's: [`LlmError::RequestInvalid`] for what the model cannot do, and
    /// [`VendorErrorKind::Failed`] where the computation fails.
    pub(crate) async fn embed(
        &self,
        request: &EmbeddingRequest,
    ) -> std::result::Result<Embeddings, LlmError> {
        let refuse = |reason: String| Err(LlmError::RequestInvalid(reason));
        if request.inputs.iter().any(String::is_empty) {
            return refuse("a text to be embedded is empty".to_owned());
        }
        let dimensions = self.embedder.dimensions();
        if request
            .dimensions
            .is_some_and(|wanted| wanted != dimensions)
        {
            return refuse(format!(
                "the vectors of the local model have {dimensions} numbers"
            ));
        }
        let places = match request.purpose {
            Some(EmbeddingPurpose::Query) => &self.questions,
            Some(EmbeddingPurpose::Document) | None => &self.documents,
        };
        let place = Arc::clone(places).acquire_owned().await;
        let (embedder, texts) = (Arc::clone(&self.embedder), request.inputs.clone());
        let computed = tokio::task::spawn_blocking(move || {
            let computed = embedder.embed(&texts);
            drop(place);
            computed
        });
        let computed = computed
            .await
            .unwrap_or_else(|_| Err("it panicked".to_owned()));
        let LocalEmbedding { vectors, tokens } = computed.map_err(failed)?;
        let is_good = |vector: &Vec<f32>| vector.len() == dimensions as usize;
        if vectors.len() != request.inputs.len() || !vectors.iter().all(is_good) {
            return Err(LlmError::AnswerInvalid(
                "vectors are missing or differ in length",
            ));
        }
        Ok(Embeddings {
            vectors,
            usage: Usage {
                input_tokens: tokens,
                ..Usage::default()
            },
            batches: 1,
        })
    }
}

fn failed(message: String) -> LlmError {
    LlmError::Vendor(Box::new(VendorError {
        kind: VendorErrorKind::Failed,
        status: None,
        vendor_code: String::new(),
        message,
        retry_after: None,
        request_id: None,
    }))
}
