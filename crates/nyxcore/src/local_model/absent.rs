//! The local model's functions in a build without the feature `local-embeddings`.

use std::path::Path;
use std::sync::Arc;

use nyxcore_model_catalog::LocalEmbedder;

use crate::error::{Error, Result};
use crate::progress::Screen;
use crate::settings::Settings;

/// Does nothing: there is no model to offer.
pub fn install(_data_dir: &Path) {}

/// There is no model to check.
pub fn look(_data_dir: &Path) -> Option<Result<String>> {
    None
}

/// This build has no local model.
///
/// # Errors
/// Always.
pub fn embedder(_data_dir: &Path) -> Result<Arc<dyn LocalEmbedder>> {
    Err(not_built().into())
}

/// This build has no local model.
///
/// # Errors
/// Always.
pub async fn pull(_settings: &Settings, _from: Option<&str>, _screen: &Screen) -> Result<()> {
    Err(not_built().into())
}

fn not_built() -> Error {
    Error::LocalModel {
        code: "LOCAL_MODEL_NOT_BUILT",
        message: "this build has no local model: build it with `cargo build --release --package nyxcore --features \
                  local-embeddings`"
            .into(),
    }
}
