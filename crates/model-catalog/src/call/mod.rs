//! The door to every model: resolve, build, check, reserve, call, fall back, settle.

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

/// What is known of a call when its answer begins.
#[derive(Debug, Clone)]
pub struct CallInfo {
    /// Its id in the ledger.
    pub id: ModelCallId,
    /// Who answers.
    pub provider: String,
    /// What was asked for.
    pub model_asked: String,
    /// The model that answers.
    pub model: String,
    /// Whose key is used.
    pub key_source: KeySource,
    /// What replaced the model that was chosen.
    pub replacement: Option<ModelReplacement>,
    /// What was tried before, and why it did not answer.
    pub fallbacks: Vec<String>,
    /// What is to be said: soft budgets that are exceeded.
    pub warnings: Vec<String>,
    /// What was asked for and not sent, because the model does not take it.
    pub omissions: Vec<Omission>,
}
