//! What a build without the feature `local-embeddings` says of the local model.

use std::path::Path;
use std::sync::Arc;

use nyxcore_model_catalog::LocalEmbedder;

use crate::error::{Error, Result};
use crate::progress::Screen;
use crate::settings::Settings;

/// Offers nothing.
pub fn install(_data_dir: &Path) {}

/// Nothing is to be looked at.
pub fn look(_data_dir: &Path) -> Option<Result<String>> {
    None
}

/// There is none.
///
/// # Errors
/// Always.
pub fn embedder(_data_dir: &Path) -> Result<Arc<dyn LocalEmbedder>> {
    Err(not_built().into())
}

/// There is none to be pulled.
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
