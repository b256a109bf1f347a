//! Sources and their files.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_projects::{Source, SourceFile, SourceFileList};
use nyxcore_sync::{
    SourceCredentialKind, SourceStatus, SourceSyncs, Sync, SyncSettings, source_status,
};

use super::connection::{List, PageArgs, child_list};
use super::ids::global_id;
use super::long::Long;
use super::project::ProjectNode;
use super::run::SyncNode;
use crate::context::operation;

/// How a source stands.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "SourceStatus", remote = "SourceStatus")]
pub(crate) enum SourceStatusName {
    /// No sync of it has ended yet.
    NeverSynced,
    /// A sync waits or is at work.
    Syncing,
    /// Its files are there.
    Ready,
    /// The last sync failed.
    Failed,
}

/// What a source is fetched with.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "SourceCredentialKind", remote = "SourceCredentialKind")]
pub(crate) enum SourceCredentialKindName {
    /// Nothing: it is public.
    None,
    /// A token of its own.
    Token,
    /// An SSH key of its own.
    SshKey,
    /// The token of a git connection.
    Connection,
}

/// How often a source is synced without anybody asking.
#[derive(SimpleObject)]
#[graphql(name = "SourceSchedule")]
pub(crate) struct ScheduleObject {
    /// Minutes between two syncs.
    every_minutes: i64,
    /// When the next one is due.
    next_sync_at: Option<DateTime<Utc>>,
}

/// A Git repository, a branch of it and the folder in it that is looked at.
pub(crate) struct SourceNode(pub Source);

#[Object(name = "Source")]
impl SourceNode {
    /// Its id.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The project it belongs to.
    async fn project(&self, context: &Context<'_>) -> Result<ProjectNode> {
        let project = operation(context)
            .loaders()
            .projects
            .load_one(self.0.project_id)
            .await?;
        Ok(ProjectNode(
            project.ok_or(nyxcore_tenancy::Error::NotFound("project"))?,
        ))
    }

    /// Where the repository is.
    async fn url(&self) -> &str {
        &self.0.url
    }

    /// The branch; none is the repository's own default.
    async fn branch(&self) -> Option<&str> {
        self.0.branch.as_deref()
    }

    /// The folder that is looked at; "" is the repository's root.
    async fn scan_path(&self) -> &str {
        &self.0.scan_path
    }

    /// The folder as people see it; "/" is the root.
    async fn display_path(&self) -> &str {
        self.0.display_path()
    }

    /// How it stands.
    async fn status(&self, context: &Context<'_>) -> Result<SourceStatusName> {
        let latest = operation(context)
            .loaders()
            .latest_source_syncs
            .load_one(self.0.id)
            .await?;
        let status = source_status(&self.0, latest.as_ref());
        Ok(status.into())
    }

    /// The commit that its files are of.
    async fn head_commit(&self) -> Option<&str> {
        self.0.head_commit.as_deref()
    }

    /// When a sync last succeeded.
    async fn last_synced_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_synced_at
    }

    /// What it is fetched with. The credential itself is never shown.
    async fn credential(&self, context: &Context<'_>) -> Result<SourceCredentialKindName> {
        let settings = self.settings(context).await?;
        let kind = settings.map(|settings| settings.credential());
        Ok(kind.unwrap_or_default().into())
    }

    /// Whether pushes that its remote tells of start a sync.
    async fn webhook_enabled(&self, context: &Context<'_>) -> Result<bool> {
        let settings = self.settings(context).await?;
        Ok(settings.is_some_and(|settings| settings.webhook_since.is_some()))
    }

    /// Its schedule; none where it is synced only when somebody asks or pushes.
    async fn schedule(&self, context: &Context<'_>) -> Result<Option<ScheduleObject>> {
        let settings = self.settings(context).await?;
        let schedule = settings.and_then(|settings| settings.schedule());
        Ok(schedule.map(|schedule| ScheduleObject {
            every_minutes: schedule.every_minutes,
            next_sync_at: schedule.next_sync_at,
        }))
    }

    /// Its files in the order of their paths, all or those under a folder.
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

    /// Its syncs, newest first.
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
        let loader = &operation(context).loaders().sync_settings;
        Ok(loader.load_one(self.0.id).await?)
    }
}

/// A file of a source.
pub(crate) struct SourceFileNode(pub SourceFile);

#[Object(name = "SourceFile")]
impl SourceFileNode {
    /// Its id.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Its path from the repository's root.
    async fn path(&self) -> &str {
        &self.0.path
    }

    /// The language it is written in, where that is known.
    async fn language(&self) -> Option<&str> {
        self.0.language.as_deref()
    }

    /// Bytes.
    async fn size(&self) -> Long {
        Long(self.0.size)
    }

    /// The id that Git gives its content.
    async fn blob(&self) -> &str {
        &self.0.blob
    }

    /// Its text; none where it is binary or too large.
    async fn content(&self, context: &Context<'_>) -> Result<Option<String>> {
        let loader = &operation(context).loaders().blobs;
        Ok(loader.load_one(self.0.blob.clone()).await?)
    }
}
