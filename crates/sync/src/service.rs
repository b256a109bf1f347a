//! Starting a sync, and what follows from one that ended.

use nyxcore_projects::{Source, SourceId, Sources};
use nyxcore_runs::{NewRun, Run, RunFilter, RunId, RunKind, RunStatus, Start, run_list, run_start};
use nyxcore_tenancy::{
    Access, Action, Error, PageRequest, ReadWrite, Repository, Resource, Result, Scoped, TypedId,
    UserId,
};
use sea_orm::ActiveValue::Set;
use sea_orm::ColumnTrait;

use crate::entity::sync;
use crate::git::{GitError, SourcePolicy, SourceUrl};
use crate::model::{SourceStatus, Sync, SyncTrigger};
use crate::remote::sync_settings_ensure;
use crate::repository::{Syncs, sync_get};

/// How often a worker may take a sync before it fails for good.
const ATTEMPTS_MAX: i64 = 3;

/// What a sync's run is about: of one source, one sync is active at a time.
#[must_use]
pub fn sync_subject(source: SourceId) -> String {
    format!("source:{source}")
}

/// Queues a sync of a source. Where one is active that one is given, and nothing is written.
///
/// A sync that has not moved for 10 minutes is failed first, and one that failed lets go of its predecessor, which the new one
/// continues: each sync has at most one successor.
///
/// # Errors
/// [`Error::NotFound`] for a source that the tenant does not have.
pub async fn sync_start(
    scoped: &Scoped<ReadWrite>,
    source: SourceId,
    trigger: SyncTrigger,
    started_by: Option<UserId>,
) -> Result<(Start, Sync)> {
    scoped.permit(Action::Start, Resource::Sync, None)?;
    let source = Sources::require(scoped, source).await?;
    let run = NewRun {
        kind: RunKind::Sync,
        subject: sync_subject(source.id),
        project_id: Some(source.project_id.0),
        started_by,
        input: serde_json::json!({ "source": source.id }),
        quiet_period: None,
        max_attempts: ATTEMPTS_MAX,
        priority: trigger.priority(),
        not_before: None,
    };
    let start = run_start(scoped, run).await?;
    let id = start.run().id;
    scoped.audit_subject(id.uuid());
    if start.is_started() {
        let previous = last_succeeded(scoped, source.id).await?;
        if let Some(previous) = previous {
            successor_release(scoped, previous).await?;
        }
        let row = sync::ActiveModel {
            run_id: Set(id),
            source_id: Set(source.id),
            trigger_kind: Set(trigger),
            previous_sync_id: Set(previous),
            from_commit: Set(None),
            to_commit: Set(None),
            files_added: Set(0),
            files_updated: Set(0),
            files_deleted: Set(0),
            files_renamed: Set(0),
            files_unchanged: Set(0),
            files_skipped: Set(0),
            bytes_fetched: Set(0),
            ..Default::default()
        };
        scoped.insert(row).await?;
        sync_settings_ensure(scoped, source.id).await?;
    }
    let sync = sync_get(scoped, id)
        .await?
        .ok_or(Error::NotFound(RunId::PREFIX))?;
    Ok((start, sync))
}

async fn last_succeeded(scoped: &Scoped<ReadWrite>, source: SourceId) -> Result<Option<RunId>> {
    let filter = RunFilter {
        kinds: vec![RunKind::Sync],
        statuses: vec![RunStatus::Succeeded],
        subject: Some(sync_subject(source)),
        ..RunFilter::default()
    };
    let newest = run_list(scoped, &filter, &PageRequest::first(1)).await?;
    Ok(newest.into_items().first().map(|run| run.id))
}

/// Whoever was to follow the last success lets go of it: the new run is the only active one, and had it succeeded, it would be the last
/// success itself. Nobody else holds a predecessor without having succeeded, because this is done whenever a sync is started.
async fn successor_release(scoped: &Scoped<ReadWrite>, previous: RunId) -> Result<()> {
    let free = sync::ActiveModel {
        previous_sync_id: Set(None),
        ..Default::default()
    };
    scoped
        .update(sync::Column::PreviousSyncId.eq(previous), free)
        .await?;
    Ok(())
}

/// Whether a sync that succeeded left files behind that differ from those of the sync that succeeded before it: whether there is
/// anything to analyse. False for runs of other kinds.
///
/// # Errors
/// The database fails.
pub async fn sync_has_news<A: Access>(scoped: &Scoped<A>, run: &Run) -> Result<bool> {
    let Some(detail) = Syncs::get(scoped, run.id).await? else {
        return Ok(false);
    };
    if detail.files_added + detail.files_updated + detail.files_deleted > 0 {
        return Ok(true);
    }
    // A sync in between may have moved the source and failed after that: its news are told now.
    let previous = match detail.previous_sync_id {
        Some(id) => Syncs::get(scoped, id).await?,
        None => None,
    };
    Ok(previous.and_then(|sync| sync.to_commit) != detail.from_commit.or(detail.to_commit))
}

/// How a source stands, given its newest sync.
#[must_use]
pub fn source_status(source: &Source, latest: Option<&Sync>) -> SourceStatus {
    match latest.map(|sync| sync.run.status) {
        Some(RunStatus::Queued | RunStatus::Running) => SourceStatus::Syncing,
        Some(RunStatus::Failed) => SourceStatus::Failed,
        Some(RunStatus::Succeeded) => SourceStatus::Ready,
        Some(RunStatus::Cancelled) | None if source.last_synced_at.is_some() => SourceStatus::Ready,
        Some(RunStatus::Cancelled) | None => SourceStatus::NeverSynced,
    }
}

/// Checks the address of a source against what the operator allows, and gives it in the one way of writing it, without asking the
/// network. It is checked again, with the addresses of its host, before every fetch.
///
/// # Errors
/// [`GitError::SourceUrlInvalid`], [`GitError::SourceUrlForbidden`].
pub fn source_url_check(url: &str, policy: &SourcePolicy) -> Result<String, GitError> {
    SourceUrl::parse(url, policy).map(|url| url.as_str().to_owned())
}
