//! Carries out a sync. Every step can be done twice: what a killed attempt wrote is found and kept by the next one.
//!
//! The source moves to the commit in one transaction, with its files, their history and the counts of the sync. The search index comes
//! after it in batches, because it takes by far the longest: it never holds a file that is not there, and a sync that ended before its
//! index was complete is noticed by the next, which then goes through all files.

mod fetch;
mod finalize;
mod import;
mod index;
mod plan;

use futures::FutureExt;
use futures::future::BoxFuture;
use nyxcore_projects::{Source, Sources};
use nyxcore_runs::{RunContext, RunFailure, RunHandler, RunKind, RunStatus};
use nyxcore_tenancy::Repository;

use crate::git::{GitError, RemoteAccess};
use crate::model::SyncDetail;
use crate::options::{SyncOptions, mirror_name};
use crate::remote::source_access;
use crate::repository::{Syncs, sync_applied_before};
use finalize::Moved;
use index::Scope;

/// Bytes of text in one transaction: what both databases take in a fraction of a second.
const BATCH_BYTES_MAX: i64 = 4 << 20;

/// How often contents are brought in again that another source's sync collected meanwhile.
const IMPORTS_MAX: usize = 3;

/// Carries out the runs that [`sync_start`](crate::sync_start) queues.
#[derive(Debug)]
pub struct SyncHandler {
    options: SyncOptions,
}

impl SyncHandler {
    /// A handler with these options.
    #[must_use]
    pub fn new(options: SyncOptions) -> Self {
        Self { options }
    }
}

impl RunHandler for SyncHandler {
    fn kind(&self) -> RunKind {
        RunKind::Sync
    }

    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        async move {
            let job = Job::load(&self.options, context).await?;
            job.carry_out().await
        }
        .boxed()
    }
}

/// One attempt at a sync.
struct Job<'a> {
    options: &'a SyncOptions,
    context: &'a RunContext,
    source: Source,
    /// What the remote is asked with, as the source was when it was read.
    access: RemoteAccess,
    detail: SyncDetail,
    /// Whether the index is behind the files because an earlier sync of the source ended between the two.
    index_behind: bool,
}

impl<'a> Job<'a> {
    async fn load(options: &'a SyncOptions, context: &'a RunContext) -> Result<Self, RunFailure> {
        let scoped = context.read().await?;
        let removed = || RunFailure::permanent("NOT_FOUND", "the source was removed");
        let detail = Syncs::get(&scoped, context.run().id).await?;
        let detail = detail.ok_or_else(removed)?;
        let source = Sources::get(&scoped, detail.source_id).await?;
        let source = source.ok_or_else(removed)?;
        let access = source_access(&scoped, options.keyring.as_ref(), &source).await?;
        let before = sync_applied_before(&scoped, source.id, detail.run_id).await?;
        Ok(Self {
            options,
            context,
            source,
            access,
            detail,
            index_behind: before.is_some_and(|sync| sync.run.status != RunStatus::Succeeded),
        })
    }

    async fn carry_out(&self) -> Result<(), RunFailure> {
        if self.detail.to_commit.is_some() {
            // An earlier attempt moved the source and was lost after that: what is left is the index, as far as it is not written.
            self.context.phase("finalize", None, Some("files")).await?;
            return self.index_update(Scope::All).await;
        }
        self.context.phase("prepare", None, Some("objects")).await?;
        let mirrors = &self.options.mirrors;
        let mirror = mirrors
            .mirror_open_or_create(&mirror_name(self.source.id), self.context.cancelled())
            .await?;
        let fetched = self.mirror_fetch(&mirror).await?;
        let reader = mirror.reader().map_err(Failure::Git);
        let reader = self.mirror_checked(reader).await?;
        self.context.phase("scan", None, Some("files")).await?;
        let mut plan = self
            .mirror_checked(self.plan(&reader, &fetched.head_commit).await)
            .await?;
        self.context.phase("import", None, Some("files")).await?;
        for _ in 0..IMPORTS_MAX {
            let imported = self.blobs_import(&reader, &plan).await;
            let imported = self.mirror_checked(imported).await?;
            self.skipped_count(&mut plan, &imported).await?;
            match self.source_move(&plan).await? {
                Moved::Done => {
                    let scope = if self.index_behind {
                        Scope::All
                    } else {
                        Scope::Only(plan.written_sizes())
                    };
                    return self.index_update(scope).await;
                }
                Moved::ContentGone => {}
            }
        }
        Err(RunFailure::transient(
            "DATABASE_BUSY",
            "contents were taken away while they were brought in",
        ))
    }

    /// A mirror that cannot be read is thrown away, so that the next attempt makes it anew.
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

/// Cuts what is worked on, each with its size in bytes, into pieces for one transaction each: so many things and so many bytes at the most,
/// though always at least one.
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

/// What a step can end with: the git layer's errors are looked at before they end the run.
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
    fn a_batch_is_bounded_in_number_and_in_bytes_and_nothing_is_lost() {
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
