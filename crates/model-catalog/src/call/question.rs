//! Embeds search questions: from a cache where the tenant asked the same a short time ago, and with a short timeout,
//! because somebody waits for the search.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use nyxcore_llm::EmbeddingPurpose;
use nyxcore_tenancy::TenantId;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::EmbeddingInput;
use super::service::{ModelService, lock};
use crate::error::ModelError;
use crate::ledger::CallContext;
use crate::tenant::ModelChoice;

/// How long a question's vector stays in the cache.
const HOLD: Duration = Duration::from_secs(300);
/// The most questions in the cache, over all tenants: 6 MB of 1,536 numbers each.
const QUESTIONS_MAX: usize = 1_024;
/// How long a search waits for its vector.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a model that timed out is not asked again.
const PAUSE: Duration = Duration::from_secs(10);
/// The most characters of a question that are embedded: models of 8,000 tokens accept them in any script.
const QUESTION_CHARS_MAX: usize = 6_000;

/// A question as a vector.
#[derive(Debug, Clone, PartialEq)]
pub struct QuestionEmbedding {
    /// The provider and the id of the model that answered, such as `openai/text-embedding-3-small`.
    pub model: String,
    /// The vector.
    pub vector: Arc<[f32]>,
}

/// Why a question has no vector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QuestionFailure {
    /// The stable code.
    pub code: &'static str,
    /// The error in a sentence.
    pub message: String,
}

impl From<ModelError> for QuestionFailure {
    fn from(error: ModelError) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
        }
    }
}

/// The key of the cache: tenant, model and hash of the text. So no tenant gets another's vector.
type Key = (TenantId, String, [u8; 32]);

/// The cached questions.
#[derive(Default)]
pub(super) struct QuestionCache {
    answers: HashMap<Key, (Instant, QuestionEmbedding)>,
    pauses: HashMap<(TenantId, String), Instant>,
}

impl QuestionCache {
    fn get(&self, key: &Key, now: Instant) -> Option<QuestionEmbedding> {
        let (since, answer) = self.answers.get(key)?;
        (now.duration_since(*since) < HOLD).then(|| answer.clone())
    }

    fn put(&mut self, key: Key, answer: QuestionEmbedding, now: Instant) {
        if self.answers.len() >= QUESTIONS_MAX {
            self.answers
                .retain(|_, (since, _)| now.duration_since(*since) < HOLD);
        }
        if self.answers.len() >= QUESTIONS_MAX {
            self.answers.clear();
        }
        self.answers.insert(key, (now, answer));
    }

    fn is_paused(&self, tenant: TenantId, model: &str, now: Instant) -> bool {
        let paused = self.pauses.get(&(tenant, model.to_owned()));
        paused.is_some_and(|since| now.duration_since(*since) < PAUSE)
    }

    fn pause(&mut self, tenant: TenantId, model: &str, now: Instant) {
        self.pauses
            .retain(|_, since| now.duration_since(*since) < PAUSE);
        self.pauses.insert((tenant, model.to_owned()), now);
    }
}

impl ModelService {
    /// Embeds a question by a model, named as `provider/id`. The same question of the same tenant is answered from the
    /// cache for five minutes. A model that does not answer within five seconds is given up.
    ///
    /// # Errors
    /// [`QuestionFailure`]: a search goes on without the vector.
    pub async fn question_embed(
        &self,
        context: CallContext,
        model: &str,
        text: &str,
    ) -> Result<QuestionEmbedding, QuestionFailure> {
        let text: String = text.trim().chars().take(QUESTION_CHARS_MAX).collect();
        let tenant = context.tenant;
        let key: Key = (tenant, model.to_owned(), Sha256::digest(&text).into());
        let now = Instant::now();
        {
            let known = lock(&self.0.questions);
            if let Some(answer) = known.get(&key, now) {
                return Ok(answer);
            }
            if known.is_paused(tenant, model, now) {
                return Err(waited(model));
            }
        }
        let input = EmbeddingInput {
            texts: vec![text],
            dimensions: None,
            purpose: Some(EmbeddingPurpose::Query),
        };
        let choice = ModelChoice::Model(model.to_owned());
        let embedded = tokio::time::timeout(PATIENCE, self.embed(context, choice, input));
        let Ok(embedded) = embedded.await else {
            lock(&self.0.questions).pause(tenant, model, Instant::now());
            return Err(waited(model));
        };
        let embedded = embedded?;
        let vector = embedded.embeddings.vectors.into_iter().next();
        let answer = QuestionEmbedding {
            model: format!("{}/{}", embedded.info.provider, embedded.info.model),
            vector: vector.unwrap_or_default().into(),
        };
        lock(&self.0.questions).put(key, answer.clone(), Instant::now());
        Ok(answer)
    }
}

fn waited(model: &str) -> QuestionFailure {
    QuestionFailure {
        code: "QUESTION_TIMEOUT",
        message: format!(
            "{model} did not answer within {} seconds",
            PATIENCE.as_secs()
        ),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn key(tenant: u128, text: u8) -> Key {
        (
            TenantId(Uuid::from_u128(tenant)),
            "openai/small".to_owned(),
            [text; 32],
        )
    }

    fn answer() -> QuestionEmbedding {
        QuestionEmbedding {
            model: "openai/small".to_owned(),
            vector: vec![1.0].into(),
        }
    }

    #[test]
    fn a_question_is_remembered_for_its_tenant_and_a_while() {
        let now = Instant::now();
        let mut cache = QuestionCache::default();
        cache.put(key(1, 1), answer(), now);
        assert_eq!(cache.get(&key(1, 1), now), Some(answer()));
        assert_eq!(cache.get(&key(2, 1), now), None);
        assert_eq!(cache.get(&key(1, 2), now), None);
        assert_eq!(cache.get(&key(1, 1), now + HOLD), None);
    }

    #[test]
    fn a_slow_model_is_left_alone_for_its_tenant() {
        let now = Instant::now();
        let mut cache = QuestionCache::default();
        let tenant = |n| TenantId(Uuid::from_u128(n));
        cache.pause(tenant(1), "m", now);
        assert!(cache.is_paused(tenant(1), "m", now));
        assert!(!cache.is_paused(tenant(2), "m", now));
        assert!(!cache.is_paused(tenant(1), "m", now + PAUSE));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let now = Instant::now();
        let mut cache = QuestionCache::default();
        for tenant in 0..2 * QUESTIONS_MAX as u128 {
            cache.put(key(tenant, 0), answer(), now);
        }
        assert!(cache.answers.len() <= QUESTIONS_MAX);
    }
}
