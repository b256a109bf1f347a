//! Sources and their files.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_projects::{Source, SourceFile, SourceFileList};
use nyxcore_sync::{
    SourceCredentialKind, SourceStatus, SourceSyncs, Sync, SyncSettings, source_status,
};

use super::connection::{List, PageArgs, child_list};
use super::ids::global_id;
use super::long::Long;
use super::mirror::mirror;
use super::project::ProjectNode;
use super::run::SyncNode;
use crate::context::operation;

mirror! {
    /// The status of a source.
    pub(crate) enum SourceStatusName = "SourceStatus" {
        /// No sync has ended yet.
        NeverSynced,
        /// A sync is queued or running.
        Syncing,
        /// The files of the last sync are available.
        Ready,
        /// The last sync failed.
        Failed,
    }
}

mirror! {
    /// The kind of credential with which a source is fetched.
    pub(crate) enum SourceCredentialKindName = "SourceCredentialKind" {
        /// No credential: the repository is public.
        None,
        /// A token of the source.
        Token,
        /// An SSH key of the source.
        SshKey,
        /// The token of a GitHub connection.
        Connection,
    }
}

/// The sync schedule of a source.
#[derive(SimpleObject)]
#[graphql(name = "SourceSchedule")]
pub(crate) struct ScheduleObject {
    /// The minutes between two syncs.
    every_minutes: i64,
    /// The time of the next scheduled sync.
    next_sync_at: Option<DateTime<Utc>>,
}

/// A Git repository with a branch and a folder to scan.
pub(crate) struct SourceNode(pub Source);

#[Object(name = "Source")]
impl SourceNode {
    /// The id of the source.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The project of the source.
    async fn project(&self, context: &Context<'_>) -> Result<ProjectNode> {
        let project = operation(context)
            .loaders()
            .projects()
            .load_one(self.0.project_id)
            .await?;
        Ok(ProjectNode(
            project.ok_or(nyxcore_tenancy::Error::NotFound("project"))?,
        ))
    }

    /// The address of the repository.
    async fn url(&self) -> &str {
        &self.0.url
    }

    /// The branch. Null means the default branch of the repository.
    async fn branch(&self) -> Option<&str> {
        self.0.branch.as_deref()
    }

    /// The folder to scan. "" is the root of the repository.
    async fn scan_path(&self) -> &str {
        &self.0.scan_path
    }

    /// The folder in display form. "/" is the root of the repository.
    async fn display_path(&self) -> &str {
        self.0.display_path()
    }

    /// The status.
    async fn status(&self, context: &Context<'_>) -> Result<SourceStatusName> {
        let latest = operation(context)
            .loaders()
            .latest_source_syncs()
            .load_one(self.0.id)
            .await?;
        let status = source_status(&self.0, latest.as_ref());
        Ok(status.into())
    }

    /// The commit of the synced files.
    async fn head_commit(&self) -> Option<&str> {
        self.0.head_commit.as_deref()
    }

    /// The time of the last successful sync.
    async fn last_synced_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_synced_at
    }

    /// The kind of credential. The credential itself is never returned.
    async fn credential(&self, context: &Context<'_>) -> Result<SourceCredentialKindName> {
        let settings = self.settings(context).await?;
        let kind = settings.map(|settings| settings.credential());
        Ok(kind.unwrap_or_default().into())
    }

    /// Whether push webhooks from the remote start a sync.
    async fn webhook_enabled(&self, context: &Context<'_>) -> Result<bool> {
        let settings = self.settings(context).await?;
        Ok(settings.is_some_and(|settings| settings.webhook_since.is_some()))
    }

    /// The sync schedule. Null if the source is synced only on request or on push.
    async fn schedule(&self, context: &Context<'_>) -> Result<Option<ScheduleObject>> {
        let settings = self.settings(context).await?;
        let schedule = settings.and_then(|settings| settings.schedule());
        Ok(schedule.map(|schedule| ScheduleObject {
            every_minutes: schedule.every_minutes,
            next_sync_at: schedule.next_sync_at,
        }))
    }

    /// The files of the source, or only those under a folder, ordered by path.
    async fn files(
        &self,
        context: &Context<'_>,
        path: Option<String>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<SourceFileNode>> {
        let files = SourceFileList::below(path.as_deref())?;
        let args = PageArgs::new(after, before, first, last);
        child_list(context, files, self.0.id, args, SourceFileNode).await
    }

    /// The syncs of the source, newest first.
    async fn syncs(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<SyncNode>> {
        let args = PageArgs::new(after, before, first, last);
        let node = |sync: Sync| SyncNode(sync.run);
        child_list(context, SourceSyncs, self.0.id, args, node).await
    }
}

impl SourceNode {
    async fn settings(&self, context: &Context<'_>) -> Result<Option<SyncSettings>> {
        let loader = operation(context).loaders().sync_settings();
        Ok(loader.load_one(self.0.id).await?)
    }
}

/// A file of a source.
pub(crate) struct SourceFileNode(pub SourceFile);

#[Object(name = "SourceFile")]
impl SourceFileNode {
    /// The id of the file.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The path from the root of the repository.
    async fn path(&self) -> &str {
        &self.0.path
    }

    /// The language, if known.
    async fn language(&self) -> Option<&str> {
        self.0.language.as_deref()
    }

    /// Bytes.
    async fn size(&self) -> Long {
        Long(self.0.size)
    }

    /// The Git blob id of the content.
    async fn blob(&self) -> &str {
        &self.0.blob
    }

    /// The text. Null if the file is binary or too large.
    async fn content(&self, context: &Context<'_>) -> Result<Option<String>> {
        let loader = operation(context).loaders().blobs();
        Ok(loader.load_one(self.0.blob.clone()).await?)
    }
}
