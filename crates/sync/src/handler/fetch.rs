//! The phase `prepare`: brings the source's branch into its mirror.

use nyxcore_runs::RunFailure;
use nyxcore_tenancy::Repository;
use sea_orm::ActiveValue::Set;
use tokio::sync::watch;

use super::Job;
use crate::entity::sync;
use crate::git::{BranchName, FetchRequest, Fetched, Mirror, SourceUrl};
use crate::repository::Syncs;

impl Job<'_> {
    /// Fetches, telling how far git is, and writes down how much came.
    pub(super) async fn mirror_fetch(&self, mirror: &Mirror) -> Result<Fetched, RunFailure> {
        let url = SourceUrl::parse(&self.source.url, &self.options.policy)?;
        let branch = self.source.branch.as_deref().map(BranchName::parse);
        let branch = branch.transpose()?;
        let request = FetchRequest {
            url: &url,
            policy: &self.options.policy,
            access: &self.access,
            branch: branch.as_ref(),
            // Git leaves out what has at least this many bytes, and a file of exactly the greatest size is to be read.
            blob_bytes_max: self.options.blob_bytes_max.saturating_add(1),
            bytes_max: self.options.fetch_bytes_max,
        };
        let cancel = self.context.cancelled();
        let (sender, mut news) = watch::channel(None);
        let mut tell = |progress| {
            sender.send_replace(Some(progress));
        };
        let fetch = mirror.mirror_fetch(&request, cancel, &mut tell);
        tokio::pin!(fetch);
        let fetched = loop {
            tokio::select! {
                biased;
                outcome = &mut fetch => break outcome?,
                Ok(()) = news.changed(), if !cancel.is_cancelled() => {
                    let Some(progress) = *news.borrow_and_update() else { continue };
                    let count = |objects: u64| i64::try_from(objects).unwrap_or(i64::MAX);
                    let told = self.context.progress(count(progress.done), progress.total.map(count)).await;
                    // A fetch that was told to stop cleans up behind itself: it is waited for.
                    if !cancel.is_cancelled() {
                        told?;
                    }
                }
            }
        };
        if fetched.bytes_received > 0 {
            let received = i64::try_from(fetched.bytes_received).unwrap_or(i64::MAX);
            let scoped = self.context.write().await?;
            let row = sync::ActiveModel {
                // An earlier attempt may have fetched a part.
                bytes_fetched: Set(self.detail.bytes_fetched.saturating_add(received)),
                ..Default::default()
            };
            Syncs::update(&scoped, self.detail.run_id, row).await?;
            scoped.commit().await?;
        }
        Ok(fetched)
    }
}
