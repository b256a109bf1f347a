//! Loads the input of the summary: the facts of all files, in batches, and the texts of the manifests.

use std::collections::{HashMap, HashSet};

use nyxcore_code_engine::listing::{Skip, SkipRule, SkippedByRule, SkippedFiles};
use nyxcore_code_engine::project::{Manifest, ProjectInput, SourceFile};
use nyxcore_projects::blob_contents;
use nyxcore_runs::{RunContext, RunFailure};

use super::facts::{Key, StoredFacts, blocking, facts_forget, facts_read};
use super::scan::{Scan, ScannedFile};

/// The number of files whose facts are read together. The engine bounds the facts of one file to some 100 KB; the
/// average is 5 KB.
const BATCH: usize = 1_000;
/// The number of manifests that are read together.
const MANIFEST_BATCH: usize = 200;

/// Reads the facts of the scanned files, and counts the skipped files by rule. A file on which a parser panicked
/// (`panicked`) is skipped. A file whose content was deleted by a sync in the meantime is in neither result: the
/// analysis after that sync will see it.
pub(super) async fn input_read(
    context: &RunContext,
    scan: &Scan,
    panicked: &HashSet<Key>,
) -> Result<(ProjectInput, Vec<SkippedFiles>), RunFailure> {
    let mut input = ProjectInput {
        history: scan.history.clone(),
        changes: scan.changes.clone(),
        ..ProjectInput::default()
    };
    let mut skipped = SkippedByRule::default();
    let mut unreadable: Vec<String> = Vec::new();
    let mut done = 0;
    for files in scan.files.chunks(BATCH) {
        let oids: Vec<&str> = files
            .iter()
            .filter(|file| file.skip.is_none())
            .map(|file| file.blob.as_str())
            .collect();
        let scoped = context.read().await?;
        let texts = facts_read(&scoped, &oids).await?;
        drop(scoped);
        let cancelled = context.cancelled().clone();
        let wanted = move |_: &_| !cancelled.is_cancelled();
        let texts = texts.into_iter().take_while(wanted);
        let (kept, bad) = blocking(move || kept_parse(texts)).await?;
        context.check()?;
        unreadable.extend(bad);
        for file in files {
            match file_kept(file, &kept, panicked) {
                Some(Ok(file)) => input.files.push(file),
                Some(Err(rule)) => skipped.add(rule, &file.path, scan.path_shown(&file.path)),
                None => {}
            }
        }
        done += i64::try_from(files.len()).unwrap_or(i64::MAX);
        context.progress(done, None).await?;
    }
    if !unreadable.is_empty() {
        return Err(facts_drop(context, &unreadable).await?);
    }
    for some in scan.manifests.chunks(MANIFEST_BATCH) {
        let oids: Vec<&str> = some.iter().map(|(_, blob)| blob.as_str()).collect();
        let scoped = context.read().await?;
        let texts = blob_contents(&scoped, &oids).await?;
        let manifests = some.iter().filter_map(|(path, blob)| {
            Some(Manifest {
                path: path.clone(),
                // A byte order mark is not part of the text.
                text: texts.get(blob)?.trim_start_matches('\u{feff}').to_owned(),
            })
        });
        input.manifests.extend(manifests);
    }
    let (skipped, unread_folders) = skipped.finish();
    input.unread_folders = unread_folders;
    Ok((input, skipped))
}

/// Parses stored facts. The second result is the ids of the contents whose facts have an unknown format.
fn kept_parse(
    texts: impl Iterator<Item = (Key, Vec<u8>)>,
) -> (HashMap<Key, StoredFacts>, Vec<String>) {
    let mut kept = HashMap::new();
    let mut unreadable = Vec::new();
    for (key, text) in texts {
        match postcard::from_bytes(&text) {
            Ok(one) => {
                kept.insert(key, one);
            }
            Err(error) => {
                tracing::warn!(blob = %key.0, %error, "stored facts have an unknown format");
                unreadable.push(key.0);
            }
        }
    }
    (kept, unreadable)
}

fn file_kept(
    file: &ScannedFile,
    kept: &HashMap<Key, StoredFacts>,
    panicked: &HashSet<Key>,
) -> Option<Result<SourceFile, SkipRule>> {
    if let Some(rule) = file.skip {
        return Some(Err(rule));
    }
    let key = (file.blob.clone(), file.language);
    if panicked.contains(&key) {
        return Some(Err(Skip::DoesNotParse.into()));
    }
    Some(match kept.get(&key)? {
        StoredFacts::Skip(reason) => Err((*reason).into()),
        StoredFacts::Facts(facts) => Ok(SourceFile {
            path: file.path.clone(),
            blob: file.blob.clone(),
            language: file.language,
            facts: facts.clone(),
        }),
    })
}

/// Deletes unreadable facts, so that the next attempt computes them again.
async fn facts_drop(context: &RunContext, oids: &[String]) -> Result<RunFailure, RunFailure> {
    let oids: Vec<&str> = oids.iter().map(String::as_str).collect();
    let scoped = context.write().await?;
    facts_forget(&scoped, &oids).await?;
    scoped.commit().await?;
    Ok(RunFailure::transient(
        "FACTS_UNREADABLE",
        "some stored facts have a format that this version cannot read",
    ))
}
