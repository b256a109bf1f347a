//! Executes a sync. Every step is idempotent: the next attempt reuses what a killed attempt wrote.
//!
//! The source moves to the commit in one transaction, with its files, their history and the counters of the sync. The
//! search index follows in batches, because it takes by far the longest. It never contains a file that does not exist.
//! If a sync ends before its index is complete, the next sync detects that and processes all files.

mod fetch;
mod finalize;
mod import;
mod index;
mod plan;
mod renames;
mod steps;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use futures::FutureExt;
use futures::future::BoxFuture;
use nyxcore_projects::{Source, Sources};
use nyxcore_runs::{RunContext, RunFailure, RunHandler, RunKind};
use nyxcore_tenancy::Repository;

use crate::git::{GitError, RemoteAccess};
use crate::model::SyncDetail;
use crate::options::{SyncOptions, mirror_name};
use crate::registration::SYNC_RUN;
use crate::remote::source_access;
use crate::repository::{Syncs, sync_applied_before};
use crate::step::SyncStep;
use finalize::MoveOutcome;
use index::Scope;
use plan::Plan;

/// The phase after which the stored files are those of the commit.
const FINALIZE: &str = "finalize";

/// The phase after which the search index has the files of the commit, too.
const INDEX: &str = "index";

/// The number of bytes of text in one transaction: both databases store them in a fraction of a second.
const BATCH_BYTES_MAX: i64 = 4 << 20;

/// How often an import is repeated if another sync deleted contents that this one needs.
const IMPORTS_MAX: usize = 3;

/// Carries out the runs that [`sync_start`](crate::sync_start) queues.
#[derive(Debug)]
pub struct SyncHandler {
    options: SyncOptions,
    steps: Vec<Arc<dyn SyncStep>>,
}

impl SyncHandler {
    /// A handler with these options, without steps.
    #[must_use]
    pub fn new(options: SyncOptions) -> Self {
        Self {
            options,
            steps: Vec::new(),
        }
    }

    /// Adds a step after a sync with changes. Steps run in the order in which they were added.
    #[must_use]
    pub fn step(mut self, step: impl SyncStep) -> Self {
        self.steps.push(Arc::new(step));
        self
    }
}

impl RunHandler for SyncHandler {
    fn kind(&self) -> RunKind {
        SYNC_RUN
    }

    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        async move {
            let job = Job::load(self, context).await?;
            job.carry_out().await
        }
        .boxed()
    }
}

/// One attempt at a sync.
struct Job<'a> {
    options: &'a SyncOptions,
    steps: &'a [Arc<dyn SyncStep>],
    context: &'a RunContext,
    source: Source,
    /// The credentials of the remote, as of the reading of the source.
    access: RemoteAccess,
    detail: SyncDetail,
    /// The sync of the source that last moved its files, however it ended.
    before: Option<SyncDetail>,
    /// The number of bytes received from the remote, including earlier attempts.
    received: AtomicI64,
}

/// The changes of a sync, once the files are those of the commit.
struct SyncedChanges {
    /// Whether any file changed.
    news: bool,
    /// The changed paths; `None` if only an earlier attempt knew them.
    paths: Option<BTreeSet<String>>,
    /// The completed phases.
    done: Vec<String>,
}

impl<'a> Job<'a> {
    async fn load(handler: &'a SyncHandler, context: &'a RunContext) -> Result<Self, RunFailure> {
        let scoped = context.read().await?;
        let removed = || RunFailure::permanent("NOT_FOUND", "the source was removed");
        let detail = Syncs::get(&scoped, context.run().id).await?;
        let detail = detail.ok_or_else(removed)?;
        let source = Sources::get(&scoped, detail.source_id).await?;
        let source = source.ok_or_else(removed)?;
        let access = source_access(&scoped, handler.options.keyring.as_ref(), &source).await?;
        let before = sync_applied_before(&scoped, source.id, detail.run_id).await?;
        Ok(Self {
            options: &handler.options,
            steps: &handler.steps,
            context,
            source,
            received: AtomicI64::new(detail.bytes_fetched),
            access,
            detail,
            before,
        })
    }

    async fn carry_out(&self) -> Result<(), RunFailure> {
        let brought = if self.detail.to_commit.is_some() {
            self.resumed().await?
        } else {
            self.bring().await?
        };
        self.steps_run(brought).await
    }

    /// Continues after a killed attempt that had moved the source: only the index remains to be completed.
    async fn resumed(&self) -> Result<SyncedChanges, RunFailure> {
        let mut done = self.detail.phases_done.clone();
        if !self.detail.has_done(INDEX) {
            self.index_update(Scope::All, &mut done).await?;
        }
        let found = &self.detail;
        let differ =
            found.files_added + found.files_updated + found.files_renamed + found.files_deleted;
        Ok(SyncedChanges {
            news: differ > 0,
            paths: None,
            done,
        })
    }

    /// Executes all phases before the steps: fetch, compare, import, move the source, update the index.
    async fn bring(&self) -> Result<SyncedChanges, RunFailure> {
        let name = mirror_name(self.source.id);
        let mirror = self.options.mirrors.mirror(&name)?;
        let fetched = self.mirror_fetch(&mirror).await?;
        if self.is_current(&fetched.head_commit) {
            return self.nothing_changed(&fetched.head_commit).await;
        }
        let reader = mirror.reader().map_err(Failure::Git);
        let reader = self.mirror_checked(reader).await?;
        // A walk of two unrelated trees counts the files of both sides, so its limit is doubled. The plan checks the
        // exact limit.
        let reader = reader.with_files_max(self.options.files_max.saturating_mul(2));
        self.context.phase("scan", None, Some("files")).await?;
        let mut plan = self
            .mirror_checked(self.plan(&reader, &fetched.head_commit).await)
            .await?;
        self.context.phase("import", None, Some("files")).await?;
        for _ in 0..IMPORTS_MAX {
            let imported = self.blobs_import(&mirror, &reader, &mut plan).await;
            let imported = self.mirror_checked(imported).await?;
            let counted = self.skipped_count(&reader, &mut plan, &imported).await;
            self.mirror_checked(counted).await?;
            let scope = if self.index_behind() {
                Scope::All
            } else {
                Scope::Only(plan.written_sizes())
            };
            match self.source_move(&plan, scope.is_empty()).await? {
                MoveOutcome::Done => return self.brought(&plan, scope).await,
                MoveOutcome::ContentGone => {}
            }
        }
        Err(RunFailure::transient(
            "DATABASE_BUSY",
            "contents were removed during the import",
        ))
    }

    async fn brought(&self, plan: &Plan, scope: Scope) -> Result<SyncedChanges, RunFailure> {
        let mut done = vec![FINALIZE.to_owned()];
        self.index_update(scope, &mut done).await?;
        let paths = plan.paths();
        Ok(SyncedChanges {
            news: !paths.is_empty(),
            paths: Some(paths),
            done,
        })
    }

    /// Whether the index is behind the files because an earlier sync of the source ended between the two.
    fn index_behind(&self) -> bool {
        let before = self.before.as_ref();
        before.is_some_and(|sync| !sync.has_done(INDEX))
    }

    /// Whether some files were too large for the previous sync and are not any more: the operator raised the limit.
    fn limit_raised(&self) -> bool {
        let before = self.before.as_ref();
        before.is_some_and(|sync| sync.blob_bytes_max < self.limit())
    }

    fn limit(&self) -> i64 {
        i64::try_from(self.options.blob_bytes_max).unwrap_or(i64::MAX)
    }

    /// Whether the stored files and the search index are those of this commit already.
    fn is_current(&self, commit: &str) -> bool {
        self.source.head_commit.as_deref() == Some(commit)
            && self.before.is_some()
            && !self.index_behind()
            && !self.limit_raised()
    }

    /// Deletes an unreadable mirror, so that the next attempt creates it again.
    async fn mirror_checked<T>(&self, outcome: Result<T, Failure>) -> Result<T, RunFailure> {
        match outcome {
            Ok(value) => Ok(value),
            Err(Failure::Run(failure)) => Err(failure),
            Err(Failure::Git(error)) => {
                if matches!(error, GitError::MirrorDamaged { .. }) {
                    let name = mirror_name(self.source.id);
                    self.options
                        .mirrors
                        .mirror_delete(&name, self.context.cancelled())
                        .await?;
                }
                Err(error.into())
            }
        }
    }
}

/// Splits items into batches for one transaction each, within limits of items and bytes, but with at least one item.
/// Each item has its size in bytes.
fn batches<T>(things: &[(T, i64)], things_max: usize) -> impl Iterator<Item = &[(T, i64)]> {
    let mut rest = things;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = rest.iter().take(things_max.max(1)).take_while(|(_, size)| {
            bytes += size;
            bytes <= BATCH_BYTES_MAX
        });
        let count = fits.count().max(1).min(rest.len());
        let (batch, after) = rest.split_at(count);
        rest = after;
        (!batch.is_empty()).then_some(batch)
    })
}

/// The failure of a step: errors of the git layer are inspected before they end the run.
enum Failure {
    Git(GitError),
    Run(RunFailure),
}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

impl From<RunFailure> for Failure {
    fn from(failure: RunFailure) -> Self {
        Self::Run(failure)
    }
}

impl From<nyxcore_tenancy::Error> for Failure {
    fn from(error: nyxcore_tenancy::Error) -> Self {
        Self::Run(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_bounded_and_lose_nothing() {
        let sizes = [1, 2, BATCH_BYTES_MAX, 1, 1, BATCH_BYTES_MAX * 2, 5, 5, 5];
        let things: Vec<((), i64)> = sizes.iter().map(|size| ((), *size)).collect();
        let cut = |max| -> Vec<Vec<i64>> {
            batches(&things, max)
                .map(|batch| batch.iter().map(|(_, size)| *size).collect())
                .collect()
        };
        assert_eq!(
            cut(10),
            [
                vec![1, 2],
                vec![BATCH_BYTES_MAX],
                vec![1, 1],
                vec![BATCH_BYTES_MAX * 2],
                vec![5, 5, 5]
            ]
        );
        assert_eq!(cut(2).concat(), sizes);
        assert!(cut(2).iter().all(|batch| batch.len() <= 2));
        assert_eq!(batches::<()>(&[], 2).count(), 0);
    }
}
