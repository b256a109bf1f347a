//! Matches the project's own rules from `.nyxcore/rules` on contents that were not matched before.
//!
//! Matching parses a file again, which is the most expensive part of an analysis. So the matches are stored per
//! content and set of rules: after a change of one file only that file is matched, after a change of the rules every
//! file.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use nyxcore_code_engine::NoThreads;
use nyxcore_code_engine::language::Language;
use nyxcore_code_engine::project::SourceFile;
use nyxcore_code_engine::rules::{RuleError, RuleFile, RuleHits, RuleReport, RuleSet, RuleTally};
use nyxcore_projects::{ProjectId, blob_contents, blobs_missing};
use nyxcore_runs::{RunContext, RunFailure};
use nyxcore_tenancy::{Access, ReadWrite, Result, Scoped};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, Condition};

use super::AnalysisOptions;
use super::facts::{Key, batches, blocking, on_every_core, threads_missing};
use super::scan::Scan;
use crate::entity::rule_matches::{self, Column};

/// The kind of the patterns that a project's own rules make.
pub(super) const RULE_KIND: &str = "rule";

/// The number of blobs in one statement, below the limit of bind parameters of both databases.
const OIDS_PER_STATEMENT: usize = 5_000;

/// The matches of the rules, by content.
pub(super) enum RuleMatches {
    /// The project has no rules.
    NoRules,
    /// The rules, the errors of those that could not be parsed, and the encoded hits of each content that has any.
    Done {
        set: Arc<RuleSet>,
        errors: Vec<RuleError>,
        hits: HashMap<Key, Vec<u8>>,
    },
    /// Parsing or matching the rules panicked.
    Failed,
}

/// Matches the project's own rules on all contents in a language that the rules cover.
pub(super) async fn rules_match(
    context: &RunContext,
    options: &AnalysisOptions,
    project: ProjectId,
    scan: &Scan,
) -> Result<RuleMatches, RunFailure> {
    if scan.rules.is_empty() {
        let none = "The project has no rules of its own in .nyxcore/rules";
        context.phase_skipped("rules", none).await?;
        forget_but(context, project, "").await?;
        return Ok(RuleMatches::NoRules);
    }
    let files = rule_files(context, scan).await?;
    let parsed =
        blocking(move || catch_unwind(AssertUnwindSafe(|| RuleSet::parse(&files)))).await?;
    let Ok(parsed) = parsed else {
        tracing::error!(%project, "reading rules panicked");
        return Ok(RuleMatches::Failed);
    };
    let (set, errors) = parsed.map_err(threads_missing)?;
    let set = Arc::new(set);

    let mut sizes: BTreeMap<Key, usize> = BTreeMap::new();
    for file in &scan.files {
        if file.skip.is_none() && set.wants(file.language) {
            let size = usize::try_from(file.size).unwrap_or_default();
            sizes.insert((file.blob.clone(), file.language), size);
        }
    }
    let total = i64::try_from(sizes.len()).unwrap_or(i64::MAX);
    context.phase("rules", Some(total), Some("files")).await?;
    let oids: Vec<&str> = sizes.keys().map(|(oid, _)| oid.as_str()).collect();
    let scoped = context.read().await?;
    let mut hits = known(&scoped, project, set.key(), &oids).await?;
    drop(scoped);
    sizes.retain(|key, _| !hits.contains_key(key));
    hits.retain(|_, bytes| !is_empty(bytes));

    let mut done = total - i64::try_from(sizes.len()).unwrap_or(i64::MAX);
    context.progress(done, None).await?;
    for batch in batches(sizes, options) {
        context.check()?;
        done += i64::try_from(batch.len()).unwrap_or(i64::MAX);
        let Some(found) = batch_match(context, options, &set, batch).await? else {
            return Ok(RuleMatches::Failed);
        };
        let scoped = context.write().await?;
        keep(&scoped, project, set.key(), &found).await?;
        scoped.commit().await?;
        hits.extend(found.into_iter().filter(|(_, bytes)| !is_empty(bytes)));
        context.progress(done, None).await?;
    }
    forget_but(context, project, set.key()).await?;
    Ok(RuleMatches::Done { set, errors, hits })
}

impl RuleMatches {
    /// Reports what the rules found in those files. `None` if matching failed.
    pub fn report(self, files: &[SourceFile]) -> Option<RuleReport> {
        let (set, errors, hits) = match self {
            Self::NoRules => return Some(RuleReport::default()),
            Self::Failed => return None,
            Self::Done { set, errors, hits } => (set, errors, hits),
        };
        let tally = || {
            let mut tally = RuleTally::new(&set);
            for file in files {
                let Some(bytes) = hits.get(&(file.blob.clone(), file.language)) else {
                    continue;
                };
                let found: Vec<RuleHits> = postcard::from_bytes(bytes).ok()?;
                tally.add(&file.path, &file.blob, &found);
            }
            Some(tally.finish(errors))
        };
        catch_unwind(AssertUnwindSafe(tally)).ok().flatten()
    }
}

/// Whether the bytes encode an empty list: the encoding starts with the length.
fn is_empty(bytes: &[u8]) -> bool {
    bytes == [0]
}

async fn rule_files(context: &RunContext, scan: &Scan) -> Result<Vec<RuleFile>, RunFailure> {
    let oids: Vec<&str> = scan.rules.iter().map(|(_, blob)| blob.as_str()).collect();
    let scoped = context.read().await?;
    let texts = blob_contents(&scoped, &oids).await?;
    let files = scan.rules.iter().filter_map(|(path, blob)| {
        Some(RuleFile {
            path: path.clone(),
            text: texts.get(blob)?.clone(),
        })
    });
    Ok(files.collect())
}

/// Returns the stored matches of these rules, by content.
async fn known<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
    rules: &str,
    oids: &[&str],
) -> Result<HashMap<Key, Vec<u8>>> {
    let mut known = HashMap::new();
    for some in oids.chunks(OIDS_PER_STATEMENT) {
        let which = Condition::all()
            .add(Column::ProjectId.eq(project))
            .add(Column::RulesKey.eq(rules))
            .add(Column::Oid.is_in(some.iter().copied()));
        let rows: Vec<(String, String, Vec<u8>)> = scoped
            .find::<rule_matches::Entity>()
            .filter(which)
            .columns([Column::Oid, Column::Language, Column::Matches])
            .await?;
        // Matches in an unknown format are left out, so that the content is matched again.
        let readable = rows
            .into_iter()
            .filter(|(_, _, bytes)| postcard::from_bytes::<Vec<RuleHits>>(bytes).is_ok());
        known.extend(readable.filter_map(|(oid, language, bytes)| {
            Some(((oid, Language::from_name(&language)?), bytes))
        }));
    }
    Ok(known)
}

/// Reads the contents of a batch and matches the rules on them. `None` if matching failed on one of them. Contents
/// deleted in the meantime are not in the answer.
async fn batch_match(
    context: &RunContext,
    options: &AnalysisOptions,
    set: &Arc<RuleSet>,
    batch: Vec<Key>,
) -> Result<Option<Vec<(Key, Vec<u8>)>>, RunFailure> {
    let oids: Vec<&str> = batch.iter().map(|(oid, _)| oid.as_str()).collect();
    let scoped = context.read().await?;
    let mut texts = blob_contents(&scoped, &oids).await?;
    drop(scoped);
    let contents: Vec<(Key, String)> = batch
        .into_iter()
        .filter_map(|key| {
            let text = texts.remove(&key.0)?;
            Some((key, text))
        })
        .collect();
    let set = Arc::clone(set);
    let matched = move |(key, text): (Key, String)| {
        let work = || {
            let hits = set.matches(key.1, &text)?;
            Ok(postcard::to_stdvec(&hits))
        };
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(Ok(bytes))) => Ok(Some((key, bytes))),
            Ok(Err(error)) => Err(error),
            Ok(Ok(Err(_))) | Err(_) => {
                tracing::error!(blob = %key.0, language = %key.1, "matching the rules failed");
                Ok(None)
            }
        }
    };
    let found = on_every_core(context, options, contents, matched).await?;
    let found: Result<Vec<Option<_>>, NoThreads> = found.into_iter().collect();
    Ok(found.map_err(threads_missing)?.into_iter().collect())
}

/// Stores the matches of contents that still exist.
async fn keep(
    scoped: &Scoped<ReadWrite>,
    project: ProjectId,
    rules: &str,
    found: &[(Key, Vec<u8>)],
) -> Result<()> {
    let mut found: Vec<&(Key, Vec<u8>)> = found.iter().collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let oids: Vec<&str> = found.iter().map(|(key, _)| key.0.as_str()).collect();
    let gone = blobs_missing(scoped, &oids).await?;
    let rows = found
        .into_iter()
        .filter(|(key, _)| !gone.contains(&key.0))
        .map(|((oid, language), matches)| rule_matches::ActiveModel {
            project_id: Set(project),
            oid: Set(oid.clone()),
            language: Set(language.as_str().to_owned()),
            rules_key: Set(rules.to_owned()),
            matches: Set(matches.clone()),
            ..Default::default()
        });
    let key = [
        Column::ProjectId,
        Column::Oid,
        Column::Language,
        Column::RulesKey,
    ];
    scoped.upsert_all(rows.collect(), &key, &[]).await
}

/// Deletes the matches of the project's former rules, which have another key.
async fn forget_but(
    context: &RunContext,
    project: ProjectId,
    rules: &str,
) -> Result<(), RunFailure> {
    let others = Condition::all()
        .add(Column::ProjectId.eq(project))
        .add(Column::RulesKey.ne(rules));
    let scoped = context.write().await?;
    scoped.delete::<rule_matches::Entity>(others).await?;
    Ok(scoped.commit().await?)
}
