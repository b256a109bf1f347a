//! Facts by content. Stored facts are reused. Missing facts are computed in batches, and each batch is stored at once.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::panic::AssertUnwindSafe;

use nyxcore_code_engine::NoThreads;
use nyxcore_code_engine::facts::{ENGINE_VERSION, FileFacts};
use nyxcore_code_engine::language::Language;
use nyxcore_code_engine::listing::Skip;
use nyxcore_code_engine::parse::{FileError, source_analyze};
use nyxcore_projects::{blob_contents, blobs_missing};
use nyxcore_runs::{RunContext, RunFailure};
use nyxcore_tenancy::{Access, Error, ReadWrite, Result, Scoped};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::AnalysisOptions;
use super::scan::ScannedFile;
use crate::entity::{code_analysis, file_facts};

/// The number of blobs in one statement, below the limit of bind parameters of both databases.
const OIDS_PER_STATEMENT: usize = 5_000;

/// A content in a language. With the engine's version it is the key of the stored facts.
pub(super) type Key = (String, Language);

/// The stored result for a content: its facts, or why it has none.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, between its bytes and what it is read into"
)]
pub(super) enum StoredFacts {
    /// Its facts.
    Facts(FileFacts),
    /// The content is skipped. The reason depends on the content alone.
    Skip(Skip),
}

/// The outcome of analysing one content.
enum Outcome {
    /// The content has a result, which is stored.
    Kept {
        key: Key,
        /// The bytes of [`StoredFacts`].
        bytes: Vec<u8>,
        has_facts: bool,
    },
    /// A parser panicked: a defect of the engine, not a property of the content. It is skipped in this run only.
    Panicked(Key),
}

/// The result of the facts phase.
pub(super) struct FactsSummary {
    /// Contents that were analysed, those of earlier attempts included.
    pub analyzed: i64,
    /// Contents on which a parser panicked.
    pub panicked: HashSet<Key>,
}

/// Computes and stores the missing facts of all files. The count is stored in the same transaction as the facts.
pub(super) async fn facts_complete(
    context: &RunContext,
    options: &AnalysisOptions,
    files: &[ScannedFile],
    before: i64,
) -> Result<FactsSummary, RunFailure> {
    let mut sizes: BTreeMap<Key, usize> = BTreeMap::new();
    for file in files.iter().filter(|file| file.skip.is_none()) {
        let size = usize::try_from(file.size).unwrap_or_default();
        sizes.insert((file.blob.clone(), file.language), size);
    }
    let scoped = context.read().await?;
    for key in facts_known(&scoped, sizes.keys().map(|(oid, _)| oid.as_str())).await? {
        sizes.remove(&key);
    }
    drop(scoped);

    let total = i64::try_from(files.len()).unwrap_or(i64::MAX);
    let missing = i64::try_from(sizes.len()).unwrap_or(i64::MAX);
    // Copies of a file, and files skipped by path or size, count as done without being read.
    let mut done = total - missing;
    let mut analyzed = before;
    let mut panicked = HashSet::new();
    context.progress(done, None).await?;
    for batch in batches(sizes, options) {
        context.check()?;
        done += i64::try_from(batch.len()).unwrap_or(i64::MAX);
        let mut found = Vec::new();
        for outcome in batch_find(context, options, batch).await? {
            match outcome {
                Outcome::Kept {
                    key,
                    bytes,
                    has_facts,
                } => {
                    analyzed += i64::from(has_facts);
                    found.push((key, bytes));
                }
                Outcome::Panicked(key) => {
                    panicked.insert(key);
                }
            }
        }
        let scoped = context.write().await?;
        facts_insert(&scoped, found).await.map_err(gone)?;
        let counted = code_analysis::ActiveModel {
            files_analyzed: Set(analyzed),
            ..Default::default()
        };
        scoped
            .update(code_analysis::Column::RunId.eq(context.run().id), counted)
            .await?;
        scoped.commit().await?;
        context.progress(done, None).await?;
    }
    Ok(FactsSummary { analyzed, panicked })
}

/// Maps a missing content to a transient failure. The content existed a moment ago: a sync has changed the files, so
/// the analysis starts again.
fn gone(error: Error) -> RunFailure {
    match error {
        Error::NotFound(_) => {
            RunFailure::transient("SOURCE_CHANGED", "the files changed during the analysis")
        }
        other => other.into(),
    }
}

/// Splits the contents into batches within the limits of files and bytes.
pub(super) fn batches(sizes: BTreeMap<Key, usize>, options: &AnalysisOptions) -> Vec<Vec<Key>> {
    let mut batches: Vec<Vec<Key>> = Vec::new();
    let mut bytes = 0;
    for (key, size) in sizes {
        bytes += size;
        match batches.last_mut() {
            Some(batch) if batch.len() < options.batch_files && bytes <= options.batch_bytes => {
                batch.push(key);
            }
            _ => {
                batches.push(vec![key]);
                bytes = size;
            }
        }
    }
    batches
}

/// Returns the contents that have facts of this version of the engine.
async fn facts_known<'a, A: Access>(
    scoped: &Scoped<A>,
    oids: impl Iterator<Item = &'a str>,
) -> Result<HashSet<Key>> {
    let oids: BTreeSet<&str> = oids.collect();
    let oids: Vec<&str> = oids.into_iter().collect();
    let mut known = HashSet::new();
    for some in oids.chunks(OIDS_PER_STATEMENT) {
        let rows: Vec<(String, String)> = scoped
            .find::<file_facts::Entity>()
            .filter(current(some))
            .columns([file_facts::Column::Oid, file_facts::Column::Language])
            .await?;
        let keys = rows
            .into_iter()
            .filter_map(|(oid, language)| Some((oid, Language::from_name(&language)?)));
        known.extend(keys);
    }
    Ok(known)
}

/// The stored results of contents, as bytes.
pub(super) async fn facts_read<A: Access>(
    scoped: &Scoped<A>,
    oids: &[&str],
) -> Result<Vec<(Key, Vec<u8>)>> {
    let mut kept = Vec::new();
    for some in oids.chunks(OIDS_PER_STATEMENT) {
        let rows: Vec<(String, String, Vec<u8>)> = scoped
            .find::<file_facts::Entity>()
            .filter(current(some))
            .columns([
                file_facts::Column::Oid,
                file_facts::Column::Language,
                file_facts::Column::Facts,
            ])
            .await?;
        kept.extend(rows.into_iter().filter_map(|(oid, language, facts)| {
            Some(((oid, Language::from_name(&language)?), facts))
        }));
    }
    Ok(kept)
}

/// Deletes the stored results of contents, in all languages and versions.
pub(super) async fn facts_forget(scoped: &Scoped<ReadWrite>, oids: &[&str]) -> Result<()> {
    for some in oids.chunks(OIDS_PER_STATEMENT) {
        let which = file_facts::Column::Oid.is_in(some.iter().copied());
        scoped.delete::<file_facts::Entity>(which).await?;
    }
    Ok(())
}

fn current(oids: &[&str]) -> Condition {
    Condition::all()
        .add(file_facts::Column::EngineVersion.eq(i64::from(ENGINE_VERSION)))
        .add(file_facts::Column::Oid.is_in(oids.iter().copied()))
}

/// Reads the contents of a batch and computes their facts. Contents deleted in the meantime are not in the answer.
async fn batch_find(
    context: &RunContext,
    options: &AnalysisOptions,
    batch: Vec<Key>,
) -> Result<Vec<Outcome>, RunFailure> {
    let oids: Vec<&str> = batch.iter().map(|(oid, _)| oid.as_str()).collect();
    let scoped = context.read().await?;
    let texts = blob_contents(&scoped, &oids).await?;
    let gone: HashSet<String> = if texts.len() < oids.len() {
        blobs_missing(&scoped, &oids).await?.into_iter().collect()
    } else {
        HashSet::new()
    };
    drop(scoped);
    let contents: Vec<(Key, Option<String>)> = batch
        .into_iter()
        .filter(|(oid, _)| !gone.contains(oid))
        .map(|key| {
            let text = texts.get(&key.0).cloned();
            (key, text)
        })
        .collect();
    drop(texts);

    let found = on_every_core(context, options, contents, find).await?;
    let found: Result<Vec<Outcome>, FindError> = found.into_iter().collect();
    found.map_err(|error| match error {
        FindError::NoThreads(error) => threads_missing(error),
        FindError::Encoding(error) => RunFailure::permanent("INTERNAL", error.to_string()),
    })
}

/// The reason why the facts of a content could not be computed.
#[derive(Debug, thiserror::Error)]
enum FindError {
    #[error(transparent)]
    NoThreads(#[from] NoThreads),
    #[error(transparent)]
    Encoding(#[from] postcard::Error),
}

/// Maps missing threads to a transient failure: the machine lacks memory now, and another attempt may succeed.
pub(super) fn threads_missing(error: NoThreads) -> RunFailure {
    RunFailure::transient("NO_THREADS", error.to_string())
}

/// Applies `work` to each of many things, on as many threads as the options allow. The answers are unordered.
pub(super) async fn on_every_core<T, R>(
    context: &RunContext,
    options: &AnalysisOptions,
    things: Vec<T>,
    work: impl Fn(T) -> R + Clone + Send + 'static,
) -> Result<Vec<R>, RunFailure>
where
    T: Send + 'static,
    R: Send + 'static,
{
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = if options.jobs == 0 {
        cores()
    } else {
        options.jobs
    };
    // Things are dealt out in turn, so that the parts are about equally long.
    let mut parts: Vec<Vec<T>> = Vec::new();
    parts.resize_with(jobs, Vec::new);
    for (thing, part) in things.into_iter().zip((0..jobs).cycle()) {
        parts[part].push(thing);
    }
    let mut tasks = JoinSet::new();
    for part in parts {
        let cancelled = context.cancelled().clone();
        let work = work.clone();
        tasks.spawn_blocking(move || {
            // Checked between two files: a whole batch takes longer than a user who cancels wants to wait.
            let wanted = part.into_iter().take_while(|_| !cancelled.is_cancelled());
            wanted.map(work).collect::<Vec<R>>()
        });
    }
    let mut done = Vec::new();
    while let Some(part) = tasks.join_next().await {
        done.extend(part.map_err(broken)?);
    }
    // A cancelled batch is incomplete and must not be used.
    context.check()?;
    Ok(done)
}

/// Runs blocking work on a separate thread.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, RunFailure> {
    tokio::task::spawn_blocking(work).await.map_err(broken)
}

fn broken(error: tokio::task::JoinError) -> RunFailure {
    tracing::error!(%error, "the analysis was interrupted");
    RunFailure::permanent(
        "INTERNAL",
        "the work ended unexpectedly; see the server's log",
    )
}

/// Computes the facts of one content. A content without text is binary or not UTF-8; too large contents were detected
/// by their size.
fn find((key, text): (Key, Option<String>)) -> Result<Outcome, FindError> {
    let kept = match text {
        None => StoredFacts::Skip(Skip::Binary),
        Some(text) => {
            let work = || source_analyze(key.1, text.as_bytes());
            match std::panic::catch_unwind(AssertUnwindSafe(work)) {
                Ok(Ok(facts)) => StoredFacts::Facts(facts),
                Ok(Err(FileError::Skipped(reason))) => StoredFacts::Skip(reason),
                Ok(Err(FileError::NoThreads(error))) => return Err(error.into()),
                // A file on which a parser panics does not end the analysis of the others.
                Err(_) => {
                    tracing::error!(blob = %key.0, language = %key.1, "a parser panicked");
                    return Ok(Outcome::Panicked(key));
                }
            }
        }
    };
    Ok(Outcome::Kept {
        has_facts: matches!(kept, StoredFacts::Facts(_)),
        bytes: postcard::to_stdvec(&kept)?,
        key,
    })
}

/// Stores the results, and replaces those of older engine versions.
async fn facts_insert(scoped: &Scoped<ReadWrite>, mut found: Vec<(Key, Vec<u8>)>) -> Result<()> {
    // Sorted by key, so that two analyses that store the same facts cannot deadlock.
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let oids: Vec<&str> = found.iter().map(|(key, _)| key.0.as_str()).collect();
    let gone: HashSet<String> = blobs_missing(scoped, &oids).await?.into_iter().collect();
    let older = Condition::all()
        .add(file_facts::Column::EngineVersion.lt(i64::from(ENGINE_VERSION)))
        .add(file_facts::Column::Oid.is_in(oids));
    scoped.delete::<file_facts::Entity>(older).await?;
    let rows = found
        .into_iter()
        .filter(|(key, _)| !gone.contains(&key.0))
        .map(|((oid, language), bytes)| file_facts::ActiveModel {
            oid: Set(oid),
            language: Set(language.as_str().to_owned()),
            engine_version: Set(i64::from(ENGINE_VERSION)),
            facts: Set(bytes),
            ..Default::default()
        })
        .collect();
    let key = [
        file_facts::Column::Oid,
        file_facts::Column::Language,
        file_facts::Column::EngineVersion,
    ];
    scoped.upsert_all(rows, &key, &[]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_keeps_to_its_files_and_bytes_and_loses_none() {
        let options = AnalysisOptions {
            batch_files: 2,
            batch_bytes: 10,
            ..AnalysisOptions::default()
        };
        let sizes = [1, 1, 1, 99, 5, 5, 6].into_iter().zip('a'..);
        let sizes = sizes
            .map(|(size, name)| ((name.to_string(), Language::Rust), size))
            .collect();
        let batches: Vec<String> = batches(sizes, &options)
            .into_iter()
            .map(|batch| batch.into_iter().map(|(oid, _)| oid).collect())
            .collect();
        assert_eq!(batches, ["ab", "c", "d", "ef", "g"]);
    }
}
