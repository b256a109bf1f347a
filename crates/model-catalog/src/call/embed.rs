//! Embedding calls. They are made like other calls, but without a stream.

use std::sync::Arc;

use nyxcore_llm::{EmbeddingPurpose, EmbeddingRequest, Embeddings, LlmError};

use super::CallInfo;
use super::admit::{AdmittedCall, Ask, Candidate, Reach, admit};
use super::service::ModelService;
use super::stream::{may_fall_back, said};
use crate::error::ModelError;
use crate::health::HealthReport;
use crate::ledger::CallContext;
use crate::money::Nanousd;
use crate::tenant::ModelChoice;

/// Texts to be embedded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingInput {
    /// The texts. None of them may be empty.
    pub texts: Vec<String>,
    /// The length of the vectors, where the model lets it be chosen.
    pub dimensions: Option<u32>,
    /// What the vectors are for, where the vendor distinguishes that.
    pub purpose: Option<EmbeddingPurpose>,
}

/// The vectors of texts.
#[derive(Debug, Clone)]
pub struct EmbeddingAnswer {
    /// The vectors, in the order of the texts.
    pub embeddings: Embeddings,
    /// What they cost.
    pub cost: Nanousd,
    /// The provider, the model and the id of the call.
    pub info: CallInfo,
}

impl ModelService {
    /// Embeds texts, in batches of the vendor's size. A batch that fails is sent again where the error may pass.
    ///
    /// # Errors
    /// [`ModelError`]. Each has its row in the ledger.
    pub async fn embed(
        &self,
        context: CallContext,
        choice: ModelChoice,
        input: EmbeddingInput,
    ) -> Result<EmbeddingAnswer, ModelError> {
        let texts = Arc::new(input.texts);
        let ask = Ask::Embed(Arc::clone(&texts));
        let admitted = tokio::spawn(admit(Arc::clone(&self.0), context, choice, ask));
        let AdmittedCall {
            mut open,
            candidates,
            skipped: mut fallbacks,
            warnings,
        } = admitted.await.unwrap_or(Err(ModelError::Closed))?;
        let count = candidates.len();
        for (at, candidate) in candidates.into_iter().enumerate() {
            let request = EmbeddingRequest {
                dimensions: input.dimensions,
                purpose: input.purpose,
                ..EmbeddingRequest::new(&candidate.resolved.model.wire_id, texts.to_vec())
            };
            open.sends(
                &candidate.resolved,
                candidate.key_source,
                candidate.size.bytes,
            );
            let embedded = self.embed_with(&candidate, &request, &mut open.settlement.attempts);
            match embedded.await {
                Ok(embeddings) => {
                    said(&mut open, &candidate, &fallbacks);
                    let cost = open.succeed_with(embeddings.usage);
                    let info = CallInfo {
                        id: open.settlement.id,
                        provider: candidate.resolved.model.provider,
                        model_asked: open.settlement.model_asked.clone(),
                        model: candidate.resolved.model.id,
                        key_source: candidate.key_source,
                        replacement: candidate.resolved.replacement,
                        fallbacks,
                        warnings,
                        omissions: Vec::new(),
                    };
                    return Ok(EmbeddingAnswer {
                        embeddings,
                        cost,
                        info,
                    });
                }
                Err(error) if at + 1 < count && may_fall_back(&error) => {
                    open.learns(HealthReport::of(&error));
                    let error = ModelError::from(error);
                    fallbacks.push(format!("{}: {error}", candidate.resolved.model.id));
                }
                Err(error) => {
                    let error = ModelError::from(error);
                    said(&mut open, &candidate, &fallbacks);
                    open.fail(&error);
                    return Err(error);
                }
            }
        }
        Err(ModelError::Closed)
    }

    async fn embed_with(
        &self,
        candidate: &Candidate,
        request: &EmbeddingRequest,
        attempts: &mut u32,
    ) -> Result<Embeddings, LlmError> {
        let client = match &candidate.reach {
            Reach::Wire(client) => client,
            Reach::Local(local) => {
                *attempts += 1;
                return local.embed(request).await;
            }
        };
        let mut attempt = 1;
        loop {
            *attempts += 1;
            let error = match client.embed(request).await {
                Ok(embeddings) => return Ok(embeddings),
                Err(error) => error,
            };
            let timer = self.0.timer.as_ref();
            let wait = self.0.retry.wait(attempt, &error, timer);
            timer.sleep(wait.ok_or(error)?).await;
            attempt += 1;
        }
    }
}
