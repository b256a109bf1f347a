//! All calls of models: resolve the model, build the request, check, reserve, call, fall back, settle.

mod admit;
mod clients;
mod desk;
mod embed;
mod open;
mod question;
mod service;
mod size;
mod stream;
mod verify;

pub use embed::{EmbeddingAnswer, EmbeddingInput};
pub use question::{QuestionEmbedding, QuestionFailure};
pub use service::{ModelService, ModelServiceOptions};
pub use stream::{ModelAnswer, ModelCall, ObjectAnswer};

use nyxcore_llm::Omission;

use crate::ledger::{KeySource, ModelCallId};
use crate::tenant::ModelReplacement;

/// Facts about a call that are known when its answer begins.
#[derive(Debug, Clone)]
pub struct CallInfo {
    /// Its id in the ledger.
    pub id: ModelCallId,
    /// The provider that answers.
    pub provider: String,
    /// The model that was asked for.
    pub model_asked: String,
    /// The model that answers.
    pub model: String,
    /// Whose key is used.
    pub key_source: KeySource,
    /// The replacement of the model that was chosen, where there is one.
    pub replacement: Option<ModelReplacement>,
    /// The models that were tried before, and why they did not answer.
    pub fallbacks: Vec<String>,
    /// Warnings: soft budgets that are exceeded.
    pub warnings: Vec<String>,
    /// Parameters that were not sent, because the model does not accept them.
    pub omissions: Vec<Omission>,
}
