//! Executes an embedding run: embeds the texts that have no vector, batch by batch, and then switches the search to the
//! new vectors.
//!
//! Each batch is stored in one transaction, and a stored text is not embedded again: after a crash the next attempt
//! goes on where the last batch ended.

use std::collections::HashSet;

use futures::FutureExt;
use futures::future::BoxFuture;
use nyxcore_model_catalog::{ModelError, ModelService};
use nyxcore_retrieval::VectorModel;
use nyxcore_retrieval::vector::{
    Passage, VectorBatch, documents_unembedded, documents_unembedded_count, vector_model_complete,
    vectors_index, vectors_known, vectors_others_remove, vectors_save, vectors_unused_remove,
};
use nyxcore_runs::{Level, RunContext, RunFailure, RunHandler, RunKind};
use nyxcore_tenancy::Error;

use crate::batch::{Embedder, failure};
use crate::registration::EMBEDDING_RUN;
use crate::start::{EmbeddingInput, model_known, model_wanted};

/// Documents that are read per query. A document has at most 64 passages.
const DOCUMENTS: u64 = 32;
/// Texts that are embedded and stored at once. A killed process has to embed at most this many again.
const TEXTS: usize = 128;
/// The most bytes of these texts; a single larger text is a batch of its own.
const BYTES: usize = 200_000;
/// How often the index is scanned for documents that changed meanwhile; later changes are left to another run.
const PASSES: usize = 3;
/// Vectors of a former model that are removed in one transaction.
const REMOVED_AT_ONCE: u64 = 2_000;
/// Vectors that are added to an index in one transaction.
const INDEXED_AT_ONCE: u64 = 500;

/// Executes runs of the kind `EMBEDDING`. It needs a [`ModelService`] among the services that the workers share.
#[derive(Debug, Default)]
pub struct EmbeddingHandler {}

impl EmbeddingHandler {
    /// A handler.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    async fn work(&self, context: &RunContext) -> Result<(), RunFailure> {
        let models: &ModelService = context.service()?;
        let scoped = context.read().await?;
        let wanted = model_wanted(&scoped).await;
        let Some(model) = wanted.map_err(|error| failure(&error, context))? else {
            drop(scoped);
            let off =
                "the tenant has no default model for embeddings, and the server has no local one";
            return context.phase_skipped("embed", off).await;
        };
        let known = model_known(&scoped, &model).await?;
        drop(scoped);
        let mut dimensions = known.map(|known| known.dimensions);
        let input: EmbeddingInput =
            serde_json::from_value(context.run().input.clone()).unwrap_or_default();
        let mut embedder = Embedder::new(context, models, &model, dimensions);
        if input.anew && dimensions.is_some() {
            dimensions = Some(embedder.dimensions_ask().await?);
        }
        let embedded = self.embed(context, &mut embedder, dimensions).await;
        // The ledger is settled first, so that whoever sees the run end finds its cost there.
        models.settled().await;
        embedded?;
        embedder.refusals_tell().await?;
        let Some(dimensions) = embedder.dimensions() else {
            return Ok(());
        };
        self.switch(context, VectorModel { model, dimensions })
            .await
    }

    /// Embeds the open documents, which have passages without a vector, in the order of their ids.
    async fn embed(
        &self,
        context: &RunContext,
        embedder: &mut Embedder<'_>,
        known: Option<u32>,
    ) -> Result<(), RunFailure> {
        let scoped = context.read().await?;
        let total = documents_unembedded_count(&scoped, (embedder.model(), known)).await?;
        drop(scoped);
        context
            .phase("embed", Some(total), Some("documents"))
            .await?;
        let mut done = 0;
        for _ in 0..PASSES {
            let (mut after, mut found) = (None, false);
            loop {
                context.check()?;
                let scoped = context.read().await?;
                let of_model = (embedder.model(), embedder.dimensions());
                let open = documents_unembedded(&scoped, of_model, after, DOCUMENTS).await?;
                let Some(last) = open.last() else {
                    break;
                };
                after = Some(last.document);
                found = true;
                let count = i64::try_from(open.len()).unwrap_or(i64::MAX);
                let missing = match embedder.vector_model() {
                    None => unique(open.iter().flat_map(|one| &one.passages), &HashSet::new()),
                    Some(model) => {
                        let passages = open.iter().flat_map(|one| &one.passages);
                        let hashes: Vec<&str> = passages.map(|one| one.hash.as_str()).collect();
                        let kept = vectors_known(&scoped, &model, &hashes).await?;
                        unique(open.iter().flat_map(|one| &one.passages), &kept)
                    }
                };
                drop(scoped);
                for texts in parts(&missing) {
                    let vectors = embedder.embed(texts).await?;
                    let Some(model) = embedder.vector_model() else {
                        continue;
                    };
                    let batch = VectorBatch {
                        documents: Vec::new(),
                        vectors,
                    };
                    save(context, &model, batch).await?;
                }
                if let Some(model) = embedder.vector_model() {
                    let batch = VectorBatch {
                        documents: open,
                        vectors: Vec::new(),
                    };
                    save(context, &model, batch).await?;
                }
                done += count;
                context.progress(done.min(total), Some(total)).await?;
            }
            if !found {
                break;
            }
        }
        Ok(())
    }

    /// Makes the model the one that questions are compared with, if every document has its vectors; removes other
    /// vectors.
    async fn switch(&self, context: &RunContext, model: VectorModel) -> Result<(), RunFailure> {
        context.phase("switch", None, None).await?;
        loop {
            context.check()?;
            let scoped = context.write().await?;
            let indexed = vectors_index(&scoped, &model, INDEXED_AT_ONCE).await?;
            scoped.commit().await?;
            if indexed == 0 {
                break;
            }
        }
        let scoped = context.write().await?;
        let of_model = (model.model.as_str(), Some(model.dimensions));
        if !documents_unembedded(&scoped, of_model, None, 1)
            .await?
            .is_empty()
        {
            // A document was published just now: the run that follows this one switches.
            return Ok(());
        }
        vector_model_complete(&scoped, &model).await?;
        scoped.commit().await?;
        loop {
            context.check()?;
            let scoped = context.write().await?;
            let removed = vectors_others_remove(&scoped, REMOVED_AT_ONCE).await?;
            scoped.commit().await?;
            if removed == 0 {
                break;
            }
        }
        let scoped = context.write().await?;
        let unused = vectors_unused_remove(&scoped).await?;
        scoped.commit().await?;
        if unused > 0 {
            let said = format!("{unused} vectors were removed whose texts are gone for 30 days");
            context.message(Level::Info, said).await?;
        }
        Ok(())
    }
}

impl RunHandler for EmbeddingHandler {
    fn kind(&self) -> RunKind {
        EMBEDDING_RUN
    }

    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        self.work(context).boxed()
    }
}

/// Stores a batch in one transaction.
async fn save(
    context: &RunContext,
    model: &VectorModel,
    batch: VectorBatch,
) -> Result<(), RunFailure> {
    let scoped = context.write().await?;
    match vectors_save(&scoped, model, batch).await {
        // A document was removed between the read and the write.
        Err(Error::NotFound(_)) => Err(RunFailure::transient(
            "INDEX_CHANGED",
            "the index changed while its texts were embedded",
        )),
        saved => {
            saved?;
            Ok(scoped.commit().await?)
        }
    }
}

/// The passages that are not stored, each text once.
fn unique<'p>(passages: impl Iterator<Item = &'p Passage>, kept: &HashSet<String>) -> Vec<Passage> {
    let mut seen = HashSet::new();
    passages
        .filter(|one| !kept.contains(&one.hash) && seen.insert(one.hash.as_str()))
        .cloned()
        .collect()
}

/// Splits passages into batches that are embedded and stored at once.
fn parts(passages: &[Passage]) -> Vec<&[Passage]> {
    let mut parts = Vec::new();
    let mut rest = passages;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take(TEXTS).take_while(|one| {
            bytes += one.text.len();
            bytes <= BYTES
        });
        let (part, after) = rest.split_at(fits.count().max(1));
        parts.push(part);
        rest = after;
    }
    parts
}

/// Whether a refusal is about the text, so that the model may accept other texts.
pub(crate) fn is_of_text(error: &ModelError) -> bool {
    matches!(
        error.code(),
        "REQUEST_REFUSED" | "REQUEST_TOO_LARGE" | "CONTEXT_TOO_LONG"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(hash: &str, bytes: usize) -> Passage {
        Passage {
            hash: hash.to_owned(),
            text: "x".repeat(bytes),
        }
    }

    #[test]
    fn a_text_is_embedded_once() {
        let all = [passage("a", 1), passage("b", 1), passage("a", 1)];
        let kept = HashSet::from(["b".to_owned()]);
        assert_eq!(unique(all.iter(), &kept), [passage("a", 1)]);
    }

    #[test]
    fn parts_are_bounded_and_lose_nothing() {
        let all: Vec<Passage> = (0..300)
            .map(|n| passage(&n.to_string(), if n == 7 { 2 * BYTES } else { 100 }))
            .collect();
        let cut = parts(&all);
        assert_eq!(cut.concat(), all);
        assert!(cut.iter().all(|part| (1..=TEXTS).contains(&part.len())));
        assert!(cut.iter().any(|part| part.len() == 1));
    }
}
