//! Starts a sync, and handles the end of a sync.

use std::sync::Arc;

use nyxcore_projects::{Source, SourceId, Sources};
use nyxcore_runs::{
    FollowUp, NewRun, Run, RunFilter, RunId, RunStatus, Start, run_list, run_start,
};
use nyxcore_tenancy::{
    Action, Error, PageRequest, ReadWrite, Repository, Result, Scoped, TypedId, UserId,
};
use sea_orm::ActiveValue::Set;
use sea_orm::ColumnTrait;

use crate::entity::sync;
use crate::model::{SourceStatus, Sync, SyncStepKind, SyncTrigger};
use crate::registration::{SYNC, SYNC_RUN};
use crate::remote::sync_settings_ensure;
use crate::repository::sync_get;

/// The maximum number of attempts at a sync before it fails for good.
const ATTEMPTS_MAX: i64 = 3;

/// The key of the skipped steps in the input of a run.
const SKIP: &str = "skip";

/// Whether the sync was started without that step.
pub(crate) fn sync_skips(run: &Run, step: SyncStepKind) -> bool {
    let skipped = run.input.get(SKIP).and_then(|list| list.as_array());
    skipped.is_some_and(|list| list.iter().any(|name| name == step.as_str()))
}

/// The subject of a sync's run: of one source, one sync is active at a time.
#[must_use]
pub fn sync_subject(source: SourceId) -> String {
    format!("source:{source}")
}

/// Queues a sync of a source. If a sync is active, it is returned and nothing is written.
///
/// A sync that has not progressed for 10 minutes is failed first. A failed sync is detached from its predecessor,
/// which the new one continues: each sync has at most one successor.
///
/// # Errors
/// [`Error::NotFound`] for a source that the tenant does not have.
pub async fn sync_start(
    scoped: &Scoped<ReadWrite>,
    source: SourceId,
    trigger: SyncTrigger,
    started_by: Option<UserId>,
) -> Result<(Start, Sync)> {
    sync_start_without(scoped, source, trigger, started_by, &[]).await
}

/// As [`sync_start`], without some steps. The next sync that includes these steps catches up.
///
/// # Errors
/// As [`sync_start`].
pub async fn sync_start_without(
    scoped: &Scoped<ReadWrite>,
    source: SourceId,
    trigger: SyncTrigger,
    started_by: Option<UserId>,
    skip: &[SyncStepKind],
) -> Result<(Start, Sync)> {
    scoped.permit(Action::Start, SYNC, None)?;
    let source = Sources::require(scoped, source).await?;
    let skip: Vec<&str> = skip.iter().map(|step| step.as_str()).collect();
    let run = NewRun {
        kind: SYNC_RUN,
        subject: sync_subject(source.id),
        project_id: Some(source.project_id.0),
        started_by,
        input: serde_json::json!({ "source": source.id, (SKIP): skip }),
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
            blob_bytes_max: Set(0),
            phases_done: Set(serde_json::json!([])),
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
        kinds: vec![SYNC_RUN],
        statuses: vec![RunStatus::Succeeded],
        subject: Some(sync_subject(source)),
        ..RunFilter::default()
    };
    let newest = run_list(scoped, &filter, &PageRequest::first(1)).await?;
    Ok(newest.into_items().first().map(|run| run.id))
}

/// Detaches the failed or stopped sync that pointed to the last success, so that the new run can. Only a sync that
/// succeeded keeps its predecessor.
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

/// The follow-up when the sweeper ends a sync of a lost or stalled worker: detaches the sync from its predecessor at
/// once.
#[must_use]
pub fn sync_swept() -> FollowUp {
    Arc::new(|scoped, run| {
        Box::pin(async move {
            let free = sync::ActiveModel {
                previous_sync_id: Set(None),
                ..Default::default()
            };
            scoped
                .update(sync::Column::RunId.eq(run.id), free)
                .await
                .map(drop)
        })
    })
}

/// The status of a source, given its newest sync.
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
