//! The steps after a sync with changes: the analysis and the import of letters (memory files in a repository). The
//! crates that implement them do not depend on each other.

use chrono::TimeDelta;
use futures::FutureExt;
use futures::future::BoxFuture;
use nyxcore_code_analysis::analysis_start_after_sync;
use nyxcore_embeddings::embedding_start;
use nyxcore_knowledge::{PendingLetter, letters_clear, letters_pending, letters_take};
use nyxcore_projects::{blob_contents, code_subject};
use nyxcore_runs::{Level, RunFailure, Start};
use nyxcore_sync::{StepContext, StepDone, SyncStep, SyncStepKind};
use nyxcore_tenancy::{ReadWrite, Scoped};

/// The number of letters in one transaction: a letter has at most 200,000 characters.
const LETTERS_AT_ONCE: usize = 20;

/// Starts the project's analysis.
#[derive(Debug)]
pub struct CodeAnalysisStep {
    /// The time after an analysis during which no other one starts.
    pub quiet_period: TimeDelta,
}

impl SyncStep for CodeAnalysisStep {
    fn kind(&self) -> SyncStepKind {
        SyncStepKind::CodeAnalysis
    }

    fn run<'a>(&'a self, step: StepContext<'a>) -> BoxFuture<'a, Result<StepDone, RunFailure>> {
        async move {
            let scoped = step.run.write().await?;
            let project = step.source.project_id;
            let started = analysis_start_after_sync(&scoped, project, self.quiet_period).await?;
            let run = started.0.run().id;
            let told = match &started.0 {
                Start::Started(_) => format!("the analysis {run} covers the new code"),
                Start::AlreadyActive(_) => {
                    format!(
                        "the analysis {run} is already active; another one follows for the new code"
                    )
                }
                Start::RecentlyCompleted(_) => format!("the analysis {run} already covers it"),
            };
            Ok(StepDone {
                scoped,
                told: Some(told),
            })
        }
        .boxed()
    }
}

/// Imports the letters of the source, `.memory/letter_*.md`.
#[derive(Debug)]
pub struct KnowledgeStep;

impl SyncStep for KnowledgeStep {
    fn kind(&self) -> SyncStepKind {
        SyncStepKind::Knowledge
    }

    fn run<'a>(&'a self, step: StepContext<'a>) -> BoxFuture<'a, Result<StepDone, RunFailure>> {
        letters_follow(step).boxed()
    }
}

/// The numbers of added, updated and removed letters.
#[derive(Default)]
struct Counts {
    added: u64,
    updated: u64,
    removed: u64,
}

async fn letters_follow(step: StepContext<'_>) -> Result<StepDone, RunFailure> {
    let scoped = step.run.read().await?;
    let pending = letters_pending(&scoped, step.source.project_id, step.source.id).await?;
    drop(scoped);
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let mut scoped = step.run.write().await?;
    let mut counts = Counts {
        removed: letters_clear(&scoped, &pending).await?,
        ..Counts::default()
    };
    let mut taken = 0;
    for batch in pending.taken.chunks(LETTERS_AT_ONCE) {
        if taken > 0 {
            scoped.commit().await?;
            let total = Some(count(pending.taken.len()));
            step.run.progress(count(taken), total).await?;
            scoped = step.run.write().await?;
        }
        batch_take(&scoped, step, batch, &mut counts).await?;
        taken += batch.len();
    }
    // The search index has the files and the letters by now.
    embedding_start(&scoped).await?;
    Ok(StepDone {
        scoped,
        told: counts.told(),
    })
}

async fn batch_take(
    scoped: &Scoped<ReadWrite>,
    step: StepContext<'_>,
    batch: &[PendingLetter],
    counts: &mut Counts,
) -> Result<(), RunFailure> {
    let (project, source) = (step.source.project_id, step.source.id);
    let blobs: Vec<&str> = batch.iter().map(|letter| letter.blob.as_str()).collect();
    let texts = blob_contents(scoped, &blobs).await?;
    let (mut letters, mut refused) = (Vec::new(), Vec::new());
    for letter in batch {
        let text = texts.get(&letter.blob).cloned();
        if text.is_none() {
            let reason = "it is no text in UTF-8, or too large to be read".to_owned();
            refused.push((letter.path.clone(), reason));
        }
        letters.push((letter.clone(), text));
    }
    let import = letters_take(scoped, project, source, letters).await?;
    counts.added += import.added;
    counts.updated += import.updated;
    let prefix = code_subject(source, "");
    refused.extend(import.refused.into_iter().map(|refused| {
        let path = refused.source_ref.strip_prefix(&prefix);
        (path.unwrap_or_default().to_owned(), refused.reason)
    }));
    for (path, reason) in refused {
        // A refused letter that has not changed causes no second warning.
        if step.changed.is_none_or(|changed| changed.contains(&path)) {
            let text = format!("the letter {path} was not imported: {reason}");
            step.run.message_in(scoped, Level::Warning, text).await?;
        }
    }
    Ok(())
}

impl Counts {
    /// "letters: 2 new, 1 gone"; `None` where no letter changed.
    fn told(&self) -> Option<String> {
        let parts = [
            (self.added, "new"),
            (self.updated, "changed"),
            (self.removed, "gone"),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        (!parts.is_empty()).then(|| format!("letters: {}", parts.join(", ")))
    }
}
