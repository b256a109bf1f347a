//! The local model, which is loaded from the data directory at its first use.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use nyxcore_local_embeddings::{DIMENSIONS, LocalModel, MODEL_ID, ModelFolder};
use nyxcore_model_catalog::{LocalEmbedder, LocalEmbedding, local_embedder_install};

use crate::error::{Error, Result};

/// The folder of models in the data directory.
pub(super) const FOLDER: &str = "models";

/// The folder of the model.
pub(super) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FOLDER).join(MODEL_ID)
}

/// Offers the model to all tenants, if it is installed. If it is damaged, the server starts without it and logs a
/// warning.
pub fn install(data_dir: &Path) {
    if !path(data_dir).exists() {
        return;
    }
    match embedder(data_dir) {
        Ok(embedder) => local_embedder_install(embedder),
        Err(error) => tracing::warn!("the local model is not used: {error}"),
    }
}

/// Checks the model and describes it. `None` if it is not installed, which is not a problem.
pub fn look(data_dir: &Path) -> Option<Result<String>> {
    let path = path(data_dir);
    if !path.exists() {
        return Some(Ok("not there; `nyxcore models pull` brings it".to_owned()));
    }
    let told = embedder(data_dir).map(|embedder| {
        let (id, dimensions) = (embedder.id(), embedder.dimensions());
        format!("{id}, {dimensions} numbers, in {}", path.display())
    });
    Some(told)
}

/// Opens the model, but does not load its weights yet.
///
/// # Errors
/// The model is not installed, or is damaged.
pub fn embedder(data_dir: &Path) -> Result<Arc<dyn LocalEmbedder>> {
    let folder = ModelFolder::open(path(data_dir)).map_err(|error| Error::LocalModel {
        code: "LOCAL_MODEL_MISSING",
        message: error.to_string(),
    })?;
    Ok(Arc::new(LazyModel {
        folder,
        model: Mutex::new(None),
    }))
}

/// The model. From its first use on it takes 90 MB of memory.
struct LazyModel {
    folder: ModelFolder,
    model: Mutex<Option<Arc<LocalModel>>>,
}

impl LazyModel {
    /// Loads the model once. After a failure the next call tries again.
    fn model(&self) -> std::result::Result<Arc<LocalModel>, String> {
        let mut model = self.model.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(model) = &*model {
            return Ok(Arc::clone(model));
        }
        let read = LocalModel::open(&self.folder).map_err(|error| error.to_string())?;
        Ok(Arc::clone(model.insert(Arc::new(read))))
    }
}

impl LocalEmbedder for LazyModel {
    fn id(&self) -> &str {
        MODEL_ID
    }

    fn dimensions(&self) -> u32 {
        DIMENSIONS
    }

    fn tokens_max(&self) -> u64 {
        self.folder.tokens_max() as u64
    }

    fn embed(&self, texts: &[String]) -> std::result::Result<LocalEmbedding, String> {
        let computed = self
            .model()?
            .embed(texts)
            .map_err(|error| error.to_string())?;
        Ok(LocalEmbedding {
            vectors: computed.vectors,
            tokens: computed.tokens,
        })
    }
}
