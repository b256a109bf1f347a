//! Starts an analysis: on request, after a sync, and again if code arrived during an analysis. All three use the same
//! guard.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use nyxcore_projects::{ProjectId, Projects, sources_of};
use nyxcore_runs::{FollowUp, NewRun, Priority, Run, RunId, Start, run_start};
use nyxcore_tenancy::{Access, Action, ReadWrite, Repository, Result, Scoped, TypedId, UserId};
use sea_orm::ActiveValue::Set;
use sea_orm::ColumnTrait;

use super::entity::code_analysis::{self, Heads, SkippedList, Warnings};
use super::model::{AnalysisTrigger, CodeAnalysis};
use super::repository::CodeAnalyses;
use crate::registration::{CODE_ANALYSIS, CODE_ANALYSIS_RUN};

/// The default quiet period of 3 minutes, a rule of the product. No new analysis starts within it after one completed.
/// The operator may set another.
pub const QUIET_PERIOD: TimeDelta = TimeDelta::minutes(3);

/// How often an analysis may be attempted before it fails for good. The next attempt reuses the facts that are stored.
const MAX_ATTEMPTS: i64 = 3;

/// The subject of a project's analysis runs.
#[must_use]
pub fn analysis_subject(project: ProjectId) -> String {
    format!("project:{project}")
}

/// Queues an analysis. If one of the project is active or completed within the quiet period, that one is returned
/// instead.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound) for the project.
pub async fn analysis_start(
    scoped: &Scoped<ReadWrite>,
    project: ProjectId,
    trigger: AnalysisTrigger,
    started_by: Option<UserId>,
    quiet_period: TimeDelta,
) -> Result<(Start, CodeAnalysis)> {
    scoped.permit(Action::Start, CODE_ANALYSIS, None)?;
    Projects::require(scoped, project).await?;
    let new = NewRun {
        started_by,
        quiet_period: Some(quiet_period),
        priority: match trigger {
            AnalysisTrigger::Manual => Priority::Interactive,
            AnalysisTrigger::Sync => Priority::Normal,
        },
        ..new_run(project)
    };
    let started = start(scoped, project, trigger, new).await?;
    scoped.audit_subject(started.0.run().id.uuid());
    Ok(started)
}

/// Like [`analysis_start`], for a sync with new code, so that the code does not stay unanalysed: if an analysis of
/// older code completed within the quiet period, a run is queued that starts when the period ends. Until then it is the
/// project's active analysis, and further syncs join it.
///
/// # Errors
/// See [`analysis_start`].
pub async fn analysis_start_after_sync(
    scoped: &Scoped<ReadWrite>,
    project: ProjectId,
    quiet_period: TimeDelta,
) -> Result<(Start, CodeAnalysis)> {
    let trigger = AnalysisTrigger::Sync;
    let answer = analysis_start(scoped, project, trigger, None, quiet_period).await?;
    let Start::RecentlyCompleted(recent) = &answer.0 else {
        return Ok(answer);
    };
    if is_current(scoped, recent.id).await? {
        return Ok(answer);
    }
    let not_before: Option<DateTime<Utc>> = recent.finished_at.map(|at| at + quiet_period);
    let new = NewRun {
        not_before,
        ..new_run(project)
    };
    start(scoped, project, trigger, new).await
}

/// The follow-up of every successful analysis. A sync may have brought code while the analysis was active. If there is
/// such code, another analysis is queued, as by [`analysis_start_after_sync`].
#[must_use]
pub fn analysis_catch_up(quiet_period: TimeDelta) -> FollowUp {
    follow_up(move |scoped, run| {
        Box::pin(async move {
            let Some(analysis) = CodeAnalyses::get(scoped, run.id).await? else {
                return Ok(());
            };
            if !is_current(scoped, run.id).await? {
                analysis_start_after_sync(scoped, analysis.project_id, quiet_period).await?;
            }
            Ok(())
        })
    })
}

type Following<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// Gives the closure the lifetimes of a follow-up.
fn follow_up<F>(closure: F) -> FollowUp
where
    F: for<'a> Fn(&'a Scoped<ReadWrite>, &'a Run) -> Following<'a> + Send + Sync + 'static,
{
    Arc::new(closure)
}

fn new_run(project: ProjectId) -> NewRun {
    NewRun {
        kind: CODE_ANALYSIS_RUN,
        subject: analysis_subject(project),
        project_id: Some(project.0),
        started_by: None,
        input: serde_json::Value::Null,
        quiet_period: None,
        max_attempts: MAX_ATTEMPTS,
        priority: Priority::Normal,
        not_before: None,
    }
}

async fn start(
    scoped: &Scoped<ReadWrite>,
    project: ProjectId,
    trigger: AnalysisTrigger,
    new: NewRun,
) -> Result<(Start, CodeAnalysis)> {
    let start = run_start(scoped, new).await?;
    let id = start.run().id;
    if !start.is_started() {
        return Ok((start, CodeAnalyses::require(scoped, id).await?));
    }
    let row = code_analysis::ActiveModel {
        run_id: Set(id),
        project_id: Set(project),
        trigger_kind: Set(trigger),
        commit_id: Set(None),
        heads: Set(Heads::default()),
        files_analyzed: Set(0),
        files_reused: Set(0),
        files_skipped: Set(0),
        lines_of_code: Set(0),
        patterns_found: Set(0),
        patterns_compared: Set(false),
        patterns_appeared: Set(0),
        patterns_strengthened: Set(0),
        patterns_weakened: Set(0),
        patterns_vanished: Set(0),
        skipped: Set(SkippedList::default()),
        warnings: Set(Warnings::default()),
        ..Default::default()
    };
    Ok((start, CodeAnalyses::insert(scoped, row).await?))
}

/// Whether the analysis covers the current commits of the project's sources.
async fn is_current<A: Access>(scoped: &Scoped<A>, analysis: RunId) -> Result<bool> {
    let row = scoped
        .find::<code_analysis::Entity>()
        .filter(code_analysis::Column::RunId.eq(analysis))
        .one()
        .await?;
    let Some(row) = row else {
        return Ok(false);
    };
    let now = heads(scoped, row.project_id).await?;
    // A source that was removed or waits for its first sync has no commit here, so it does not count.
    Ok(now
        .0
        .iter()
        .all(|(source, commit)| row.heads.0.get(source) == Some(commit)))
}

/// Returns the current commit of each of the project's sources.
pub(super) async fn heads<A: Access>(scoped: &Scoped<A>, project: ProjectId) -> Result<Heads> {
    let sources = sources_of(scoped, &[project]).await?.remove(&project);
    let heads: BTreeMap<_, _> = sources
        .unwrap_or_default()
        .into_iter()
        .filter_map(|source| Some((source.id, source.head_commit?)))
        .collect();
    Ok(Heads(heads))
}
