//! The phase `prepare`: fetches the branch of the source into its mirror.

use std::sync::atomic::Ordering;

use nyxcore_projects::BranchName;
use nyxcore_runs::RunFailure;
use nyxcore_tenancy::Repository;
use sea_orm::ActiveValue::Set;
use tokio::sync::watch;

use super::Job;
use crate::entity::sync;
use crate::git::{FetchProgress, FetchRequest, FetchResult, GitError, Mirror, SourceUrl};
use crate::repository::Syncs;

/// The phase that fetches.
const PREPARE: &str = "prepare";

impl Job<'_> {
    /// Fetches the branch, reports git's progress, and stores the number of received bytes. The phase begins while git
    /// starts, so that its transaction costs no time of its own.
    pub(super) async fn mirror_fetch(&self, mirror: &Mirror) -> Result<FetchResult, RunFailure> {
        let url = SourceUrl::parse(&self.source.url, &self.options.policy)?;
        let branch = self.source.branch.as_deref().map(BranchName::parse);
        let branch = branch.transpose().map_err(GitError::from)?;
        let request = self.request(&url, branch.as_ref());
        let cancel = self.context.cancelled();
        let (sender, mut news) = watch::channel(None);
        let mut tell = |progress| {
            sender.send_replace(Some(progress));
        };
        let fetch = mirror.mirror_fetch(&request, cancel, &mut tell);
        let phase = self.context.phase(PREPARE, None, Some("objects"));
        tokio::pin!(fetch, phase);
        let mut has_begun = false;
        let outcome = loop {
            // A fetch that was told to stop cleans up first: wait for it.
            tokio::select! {
                biased;
                told = &mut phase, if !has_begun => {
                    has_begun = true;
                    if !cancel.is_cancelled() {
                        told?;
                    }
                }
                outcome = &mut fetch => break outcome,
                Ok(()) = news.changed(), if has_begun && !cancel.is_cancelled() => {
                    let Some(progress) = *news.borrow_and_update() else { continue };
                    let told = self.fetch_told(progress).await;
                    if !cancel.is_cancelled() {
                        told?;
                    }
                }
            }
        };
        if !has_begun {
            phase.await?;
        }
        let fetched = outcome?;
        self.received_write(fetched.bytes_received).await?;
        Ok(fetched)
    }

    async fn fetch_told(&self, progress: FetchProgress) -> Result<(), RunFailure> {
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let (done, total) = (count(progress.done), progress.total.map(count));
        let bytes = progress.bytes.map(count);
        let context = self.context;
        context.progress_with_bytes(done, total, bytes, None).await
    }

    /// Fetches contents by their ids, all at once.
    pub(super) async fn blobs_fetch(
        &self,
        mirror: &Mirror,
        ids: &[String],
    ) -> Result<(), RunFailure> {
        let url = SourceUrl::parse(&self.source.url, &self.options.policy)?;
        let request = self.request(&url, None);
        let cancel = self.context.cancelled();
        let mut silent = |_: FetchProgress| ();
        let received = mirror
            .blobs_fetch(&request, ids, cancel, &mut silent)
            .await?;
        self.received_write(received).await
    }

    fn request<'r>(
        &'r self,
        url: &'r SourceUrl,
        branch: Option<&'r BranchName>,
    ) -> FetchRequest<'r> {
        FetchRequest {
            url,
            policy: &self.options.policy,
            access: &self.access,
            branch,
            // Git omits files of at least this many bytes, and a file of exactly the maximum size must be read.
            blob_bytes_max: self.options.blob_bytes_max.saturating_add(1),
            bytes_max: self.options.fetch_bytes_max,
        }
    }

    async fn received_write(&self, bytes: u64) -> Result<(), RunFailure> {
        if bytes == 0 {
            return Ok(());
        }
        let more = i64::try_from(bytes).unwrap_or(i64::MAX);
        // An earlier attempt may have fetched a part.
        let all = self.received.fetch_add(more, Ordering::Relaxed) + more;
        let scoped = self.context.write().await?;
        let row = sync::ActiveModel {
            bytes_fetched: Set(all),
            ..Default::default()
        };
        Syncs::update(&scoped, self.detail.run_id, row).await?;
        Ok(scoped.commit().await?)
    }
}
