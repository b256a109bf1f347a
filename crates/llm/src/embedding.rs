//! Embeds texts, in batches within the vendor's limits.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::decoder::number;
use crate::request::model_check;
use crate::{Client, LlmError, Protocol, Usage, UsageSource};

/// The maximum number of texts in one request at OpenAI, by its API reference.
pub const OPENAI_BATCH_INPUTS: usize = 2_048;
/// The maximum number of bytes in one request at OpenAI. Its limit is 300,000 tokens, and a text has on average at most
/// one token in 2.5 bytes.
pub const OPENAI_BATCH_BYTES: usize = 750_000;
/// The maximum number of texts in one request at Google.
pub const GOOGLE_BATCH_INPUTS: usize = 100;

/// The purpose of a vector. Some models embed questions and documents differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbeddingPurpose {
    /// A search question.
    Query,
    /// A document that is searched.
    Document,
}

/// Texts to be embedded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingRequest {
    /// The vendor's id of the model.
    pub model: String,
    /// The texts. None of them may be empty.
    pub inputs: Vec<String>,
    /// The length of the vectors, for models that let the caller choose it.
    pub dimensions: Option<u32>,
    /// The purpose of the vectors, for vendors that ask for it (Google).
    pub purpose: Option<EmbeddingPurpose>,
    /// The maximum number of texts in one request. The vendor's limit is an upper bound.
    pub batch_inputs: usize,
    /// The maximum number of bytes of text in one request. A longer single text is sent by itself.
    pub batch_bytes: usize,
}

impl EmbeddingRequest {
    /// Creates a request with the largest batches that the vendors accept.
    pub fn new(model: impl Into<String>, inputs: Vec<String>) -> Self {
        Self {
            model: model.into(),
            inputs,
            dimensions: None,
            purpose: None,
            batch_inputs: OPENAI_BATCH_INPUTS,
            batch_bytes: OPENAI_BATCH_BYTES,
        }
    }
}

/// The vectors of texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Embeddings {
    /// One vector for each text, in the order of the texts. All have the same length.
    pub vectors: Vec<Vec<f32>>,
    /// The usage of all requests together. Output is 0.
    pub usage: Usage,
    /// The number of requests.
    pub batches: usize,
}

impl Client {
    /// Embeds texts, batch after batch. Without texts, no request is sent.
    ///
    /// # Errors
    /// [`LlmError::RequestInvalid`] for an empty text and for Anthropic, which has no such API;
    /// [`LlmError::AnswerInvalid`] where vectors are missing or do not fit together.
    pub async fn embed(&self, request: &EmbeddingRequest) -> Result<Embeddings, LlmError> {
        model_check(&request.model)?;
        let refuse = |reason: &str| Err(LlmError::RequestInvalid(reason.to_owned()));
        if request.inputs.iter().any(String::is_empty) {
            return refuse("a text to be embedded is empty");
        }
        let inputs_max = match self.endpoint().protocol() {
            Protocol::AnthropicMessages => return refuse("the vendor has no embeddings"),
            Protocol::GoogleGenerateContent => GOOGLE_BATCH_INPUTS,
            Protocol::OpenAiChat | Protocol::OpenAiResponses => OPENAI_BATCH_INPUTS,
        };
        let mut all = Embeddings {
            vectors: Vec::with_capacity(request.inputs.len()),
            usage: Usage::default(),
            batches: 0,
        };
        for batch in batches(request, inputs_max) {
            let (vectors, tokens) = match self.endpoint().protocol() {
                Protocol::GoogleGenerateContent => self.embed_google(request, batch).await?,
                _ => self.embed_openai(request, batch).await?,
            };
            let length = all.vectors.first().or(vectors.first()).map_or(0, Vec::len);
            if vectors.len() != batch.len() || vectors.iter().any(|vector| vector.len() != length) {
                return Err(LlmError::AnswerInvalid(
                    "vectors are missing or differ in length",
                ));
            }
            let tokens = tokens.unwrap_or_else(|| {
                all.usage.source = UsageSource::Estimated;
                let bytes: usize = batch.iter().map(String::len).sum();
                bytes.div_ceil(4) as u64
            });
            all.usage.input_tokens = all.usage.input_tokens.saturating_add(tokens);
            all.vectors.extend(vectors);
            all.batches += 1;
        }
        Ok(all)
    }

    async fn embed_openai(
        &self,
        request: &EmbeddingRequest,
        batch: &[String],
    ) -> Result<(Vec<Vec<f32>>, Option<u64>), LlmError> {
        let mut body =
            json!({ "model": request.model, "input": batch, "encoding_format": "float" });
        if let Some(dimensions) = request.dimensions {
            body["dimensions"] = dimensions.into();
        }
        let answer = self.post_json(&["embeddings"], &body).await?;
        // `index` gives the position of a vector, whatever the order of the list.
        let mut vectors = vec![Vec::new(); batch.len()];
        for (at, item) in answer["data"].as_array().into_iter().flatten().enumerate() {
            let index = item["index"]
                .as_u64()
                .map_or(Some(at), |index| usize::try_from(index).ok());
            let place = index.and_then(|index| vectors.get_mut(index));
            match place {
                Some(place) if place.is_empty() => *place = vector(&item["embedding"])?,
                _ => return Err(LlmError::AnswerInvalid("a vector has a wrong place")),
            }
        }
        let tokens = number(&answer["usage"], "prompt_tokens");
        Ok((checked(vectors)?, (tokens > 0).then_some(tokens)))
    }

    async fn embed_google(
        &self,
        request: &EmbeddingRequest,
        batch: &[String],
    ) -> Result<(Vec<Vec<f32>>, Option<u64>), LlmError> {
        let name = request
            .model
            .strip_prefix("models/")
            .unwrap_or(&request.model);
        let requests = batch.iter().map(|text| {
            let mut one = json!({
                "model": format!("models/{name}"), "content": { "parts": [{ "text": text }] },
            });
            if let Some(purpose) = request.purpose {
                one["taskType"] = match purpose {
                    EmbeddingPurpose::Query => "RETRIEVAL_QUERY".into(),
                    EmbeddingPurpose::Document => "RETRIEVAL_DOCUMENT".into(),
                };
            }
            if let Some(dimensions) = request.dimensions {
                one["outputDimensionality"] = dimensions.into();
            }
            one
        });
        let body = json!({ "requests": requests.collect::<Vec<_>>() });
        let method = format!("{name}:batchEmbedContents");
        let answer = self.post_json(&["models", &method], &body).await?;
        let list = answer["embeddings"].as_array().into_iter().flatten();
        let vectors = list
            .map(|item| vector(&item["values"]))
            .collect::<Result<_, _>>()?;
        let tokens = number(&answer["usageMetadata"], "promptTokenCount");
        Ok((checked(vectors)?, (tokens > 0).then_some(tokens)))
    }
}

/// The texts in batches, none of them empty.
fn batches(request: &EmbeddingRequest, inputs_max: usize) -> Vec<&[String]> {
    let inputs_max = request.batch_inputs.clamp(1, inputs_max);
    let mut batches = Vec::new();
    let mut rest = request.inputs.as_slice();
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take(inputs_max).take_while(|text| {
            bytes += text.len();
            bytes <= request.batch_bytes
        });
        let (batch, after) = rest.split_at(fits.count().max(1));
        batches.push(batch);
        rest = after;
    }
    batches
}

/// A vector as a list of numbers, or as the Base64 of little-endian floats, which some servers send unasked.
fn vector(value: &Value) -> Result<Vec<f32>, LlmError> {
    let invalid = || LlmError::AnswerInvalid("a vector is not a list of numbers");
    if let Some(text) = value.as_str() {
        let bytes = STANDARD.decode(text).map_err(|_| invalid())?;
        let (numbers, []) = bytes.as_chunks::<4>() else {
            return Err(invalid());
        };
        return Ok(numbers
            .iter()
            .map(|number| f32::from_le_bytes(*number))
            .collect());
    }
    let list = value.as_array().ok_or_else(invalid)?;
    // JSON numbers are parsed as `f64`; vectors are `f32`.
    let numbers = list
        .iter()
        .map(|number| number.as_f64().map(|number| number as f32));
    numbers.collect::<Option<_>>().ok_or_else(invalid)
}

fn checked(vectors: Vec<Vec<f32>>) -> Result<Vec<Vec<f32>>, LlmError> {
    let is_good =
        |vector: &Vec<f32>| !vector.is_empty() && vector.iter().all(|number| number.is_finite());
    if vectors.iter().all(is_good) {
        return Ok(vectors);
    }
    Err(LlmError::AnswerInvalid(
        "a vector is missing, empty or not finite",
    ))
}
