//! Embeds a search question. This happens between two transactions and never within one, because a model call is slow.

use nyxcore_model_catalog::{
    CallContext, DefaultPurpose, ModelService, local_default, tenant_default_get,
};
use nyxcore_retrieval::vector::vector_model_current;
use nyxcore_retrieval::{QuestionVector, VectorModel};
use nyxcore_tenancy::{Access, Result, Scoped};

use crate::registration::PURPOSE;

/// The name of the step under which the ledger records questions.
const STEP: &str = "question";

/// The result of embedding a question.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QuestionMeaning {
    /// The question as a vector; `None` where the search goes by words alone.
    pub vector: Option<QuestionVector>,
    /// Why there is no vector, in a sentence, where a model should have answered.
    pub failure: Option<String>,
}

/// The model by which the tenant's questions are embedded. `None` where the tenant set no model and there is no local
/// one, or where not everything is embedded yet. After a change of the model it is the former one until the new one is
/// ready.
///
/// # Errors
/// The database fails.
pub async fn question_model<A: Access>(scoped: &Scoped<A>) -> Result<Option<VectorModel>> {
    let Some(current) = vector_model_current(scoped).await? else {
        return Ok(None);
    };
    if tenant_default_get(scoped, DefaultPurpose::Embedding)
        .await?
        .is_some()
    {
        return Ok(Some(current));
    }
    // A tenant that removed its default wants no more calls of that model, even while the local one is not ready yet.
    let local = local_default(scoped).await?;
    Ok(Some(current).filter(|current| local.as_deref() == Some(current.model.as_str())))
}

/// Embeds a question by the model that [`question_model`] returned. A failure is part of the result, and the search
/// goes on by words. The context says who asks; its purpose is replaced by that of all embeddings.
pub async fn question_embed(
    models: &ModelService,
    context: CallContext,
    model: VectorModel,
    text: &str,
) -> QuestionMeaning {
    if text.trim().is_empty() {
        return QuestionMeaning::default();
    }
    let context = CallContext {
        purpose: PURPOSE.to_owned(),
        step: Some(STEP.to_owned()),
        ..context
    };
    let failed = |failure: String| QuestionMeaning {
        vector: None,
        failure: Some(failure),
    };
    match models.question_embed(context, &model.model, text).await {
        Err(error) => {
            tracing::info!(code = error.code, "a question was not embedded");
            failed(format!("{}: {}", error.code, error.message))
        }
        Ok(answer) if answer.model != model.model => failed(format!(
            "{} answered instead of {}, whose vectors are kept",
            answer.model, model.model
        )),
        Ok(answer) if answer.vector.len() != model.dimensions as usize => failed(format!(
            "EMBEDDING_DIMENSIONS_CHANGED: {} gave {} numbers, and the vectors that are kept have {}",
            model.model,
            answer.vector.len(),
            model.dimensions
        )),
        Ok(answer) => QuestionMeaning {
            vector: Some(QuestionVector {
                model,
                vector: answer.vector,
            }),
            failure: None,
        },
    }
}
