//! The embedding calls of a run: texts to vectors of one model and one length. A batch that the model refuses because
//! of a text is halved until that text is found.

use nyxcore_llm::EmbeddingPurpose;
use nyxcore_model_catalog::{
    CallContext, EmbeddingAnswer, EmbeddingInput, ModelChoice, ModelError, ModelService,
};
use nyxcore_retrieval::VectorModel;
use nyxcore_retrieval::vector::{Passage, PassageVector};
use nyxcore_runs::{Level, RunContext, RunFailure};

use crate::handler::is_of_text;
use crate::registration::PURPOSE;

/// The text that is embedded to learn the length of a model's vectors.
const PROBE: &str = "nyxcore";

/// Embeds texts for a run, and makes sure that all vectors have the same length.
pub(crate) struct Embedder<'r> {
    context: &'r RunContext,
    models: &'r ModelService,
    /// The model as `provider/id`.
    model: &'r str,
    dimensions: Option<u32>,
    /// Whether the model accepted any text of this run.
    has_embedded: bool,
    refused: u64,
}

impl<'r> Embedder<'r> {
    pub(crate) fn new(
        context: &'r RunContext,
        models: &'r ModelService,
        model: &'r str,
        dimensions: Option<u32>,
    ) -> Self {
        Self {
            context,
            models,
            model,
            dimensions,
            has_embedded: false,
            refused: 0,
        }
    }

    pub(crate) fn model(&self) -> &'r str {
        self.model
    }

    pub(crate) fn dimensions(&self) -> Option<u32> {
        self.dimensions
    }

    /// The model with the length of its vectors, once that is known.
    pub(crate) fn vector_model(&self) -> Option<VectorModel> {
        let model = self.model.to_owned();
        self.dimensions
            .map(|dimensions| VectorModel { model, dimensions })
    }

    /// Asks the model for the length of its vectors, whatever it was before.
    pub(crate) async fn dimensions_ask(&mut self) -> Result<u32, RunFailure> {
        self.dimensions = None;
        let probe = [PROBE.to_owned()];
        let answer = self.call(probe.to_vec()).await;
        self.take(answer.map_err(|error| failure(&error, self.context))?)?;
        Ok(self.dimensions.unwrap_or_default())
    }

    /// The vectors of passages, in order. A passage that the model refuses permanently gets an empty vector.
    ///
    /// # Errors
    /// `EMBEDDING_DIMENSIONS_CHANGED`; the error of the model call.
    pub(crate) async fn embed(
        &mut self,
        passages: &[Passage],
    ) -> Result<Vec<PassageVector>, RunFailure> {
        let mut waiting: Vec<&[Passage]> = vec![passages];
        let mut vectors = Vec::with_capacity(passages.len());
        let mut refused: Vec<&Passage> = Vec::new();
        let mut last_refusal = None;
        while let Some(part) = waiting.pop() {
            self.context.check()?;
            let texts = part.iter().map(|one| one.text.clone()).collect();
            let answer = unless_stopped(self.context, self.call(texts)).await?;
            match answer {
                Ok(answer) => {
                    let found = self.take(answer)?;
                    vectors.extend(part.iter().zip(found).map(|(one, vector)| PassageVector {
                        hash: one.hash.clone(),
                        vector,
                    }));
                }
                Err(error) if is_of_text(&error) => match part {
                    [only] => {
                        refused.push(only);
                        last_refusal = Some(error);
                    }
                    _ => {
                        let (first, second) = part.split_at(part.len() / 2);
                        waiting.extend([second, first]);
                    }
                },
                Err(error) => return Err(failure(&error, self.context)),
            }
        }
        if let Some(error) = last_refusal {
            if !self.has_embedded {
                // The model accepts no text at all, so the refusal is not about these texts.
                return Err(failure(&error, self.context));
            }
            self.refused += refused.len() as u64;
            vectors.extend(refused.into_iter().map(|one| PassageVector {
                hash: one.hash.clone(),
                vector: Vec::new(),
            }));
        }
        Ok(vectors)
    }

    /// Adds a message with the number of refused texts to the run.
    pub(crate) async fn refusals_tell(&self) -> Result<(), RunFailure> {
        if self.refused == 0 {
            return Ok(());
        }
        let said = format!(
            "{} refused {} texts: they are found by their words alone",
            self.model, self.refused
        );
        self.context.message(Level::Warning, said).await
    }

    async fn call(&self, texts: Vec<String>) -> Result<EmbeddingAnswer, ModelError> {
        let run = self.context.run();
        let call = CallContext {
            user: run.started_by,
            project: run.project_id,
            run: Some(run.id.0),
            step: Some("embed".to_owned()),
            ..CallContext::new(self.context.tenant(), PURPOSE)
        };
        let input = EmbeddingInput {
            texts,
            dimensions: None,
            purpose: Some(EmbeddingPurpose::Document),
        };
        let choice = ModelChoice::Model(self.model.to_owned());
        self.models.embed(call, choice, input).await
    }

    /// Checks that the vectors of an answer have the length of the stored ones.
    fn take(&mut self, answer: EmbeddingAnswer) -> Result<Vec<Vec<f32>>, RunFailure> {
        let vectors = answer.embeddings.vectors;
        let length = vectors.first().map_or(0, Vec::len);
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        match self.dimensions {
            Some(known) if known != length => {
                return Err(RunFailure::permanent(
                    "EMBEDDING_DIMENSIONS_CHANGED",
                    format!(
                        "{} now gives vectors of {length} numbers, and those that are kept have {known}: nothing of this answer \
                         was kept; set the default model for embeddings once more to embed everything anew",
                        self.model
                    ),
                ));
            }
            Some(_) => {}
            None => self.dimensions = Some(length),
        }
        self.has_embedded = true;
        Ok(vectors)
    }
}

/// Awaits a call unless the run is cancelled: then the request is dropped, and settled as cancelled.
async fn unless_stopped<T>(
    context: &RunContext,
    call: impl Future<Output = T>,
) -> Result<T, RunFailure> {
    let stopped = context.cancelled().cancelled();
    futures::pin_mut!(call, stopped);
    match futures::future::select(call, stopped).await {
        futures::future::Either::Left((answer, _)) => Ok(answer),
        futures::future::Either::Right(_) => Err(RunFailure::stopped()),
    }
}

/// The error of a model call as a failure of the run.
pub(crate) fn failure(error: &ModelError, context: &RunContext) -> RunFailure {
    let failure = RunFailure::new(error.code(), error.to_string(), error.is_retryable());
    let wait = error.retry_after(context.store().env().now());
    match wait.and_then(|wait| chrono::TimeDelta::from_std(wait).ok()) {
        Some(wait) => failure.retry_after(wait),
        None => failure,
    }
}
