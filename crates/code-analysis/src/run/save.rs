//! Stores the result in one transaction. It replaces the previous result, except for steps that failed: they keep
//! their previous result.

use chrono::TimeDelta;
use nyxcore_code_engine::analysis::{ProjectAnalysis, Step};
use nyxcore_code_engine::facts::ENGINE_VERSION;
use nyxcore_code_engine::listing::SkippedFiles;
use nyxcore_code_engine::project::Hotspot;
use nyxcore_projects::{ProjectId, SourceId};
use nyxcore_runs::{Level, RunContext, RunFailure, RunId};
use nyxcore_tenancy::{ReadWrite, Result, Scoped, TypedId};
use sea_orm::ActiveValue::Set;
use sea_orm::ColumnTrait;

use super::changes;
use super::patterns::{patterns_keep, vanished_delete};
use crate::entity::code_analysis::{self, Heads, SkippedList, Warnings};
use crate::entity::hotspot;
use crate::entity::project_metrics::{self, Column};
use crate::model::{AnalysisWarning, CodeAnalysis};

/// The counters of a run, beside its results.
pub(super) struct Account {
    pub heads: Heads,
    pub files_analyzed: i64,
    pub files_reused: i64,
    pub skipped: Vec<SkippedFiles>,
    pub warnings: Vec<AnalysisWarning>,
    /// How long patterns that have vanished are kept.
    pub vanished_kept: TimeDelta,
}

/// Writes the results of an analysis, and reports the changes of patterns.
pub(super) async fn result_save(
    context: &RunContext,
    scoped: &Scoped<ReadWrite>,
    analysis: &CodeAnalysis,
    account: Account,
    found: ProjectAnalysis,
) -> Result<(), RunFailure> {
    let project = analysis.project_id;
    let former = former(scoped, project).await?;
    if former
        .as_ref()
        .is_some_and(|former| former.analysis == analysis.run_id)
    {
        // An earlier attempt saved the result but did not end the run. Changes since then are for the next analysis.
        return Ok(());
    }
    let version = i64::from(ENGINE_VERSION);
    let patterns_version = former.as_ref().map_or(0, |former| former.patterns_version);
    let mut failed = found.failed.clone();
    if former.is_some_and(|former| former.engine_version != version) {
        // Results of different engine versions are not mixed: rather none than a mixture.
        failed.retain(|step| matches!(step, Step::Patterns | Step::Rules));
    }
    let compared = patterns_version == version && !failed.contains(&Step::Patterns);
    let patterns_found = found.patterns.len();
    let lines_of_code = i64::from(found.metrics.lines_of_code);

    findings_put(scoped, analysis, &found, &failed, patterns_version).await?;
    if !failed.contains(&Step::Hotspots) {
        hotspots_replace(scoped, project, found.hotspots).await?;
    }
    vanished_delete(scoped, project, account.vanished_kept).await?;
    let told = patterns_keep(scoped, analysis, found.patterns, &failed, compared).await?;
    if let Some(text) = changes::message(&told) {
        context.message_in(scoped, Level::Info, text).await?;
    } else if patterns_version != 0 && patterns_version != version {
        let text = format!(
            "The patterns were found by another version of the engine than before ({version}, then {patterns_version}): they are compared from now on"
        );
        context.message_in(scoped, Level::Info, text).await?;
    }
    let counts = changes::counts(&told);
    let skipped: u64 = account.skipped.iter().map(|one| u64::from(one.files)).sum();
    let row = code_analysis::ActiveModel {
        commit_id: Set(account.heads.commit()),
        heads: Set(account.heads),
        files_analyzed: Set(account.files_analyzed),
        files_reused: Set(account.files_reused),
        files_skipped: Set(i64::try_from(skipped).unwrap_or(i64::MAX)),
        lines_of_code: Set(lines_of_code),
        patterns_found: Set(i64::try_from(patterns_found).unwrap_or(i64::MAX)),
        patterns_compared: Set(compared),
        patterns_appeared: Set(counts.appeared),
        patterns_strengthened: Set(counts.strengthened),
        patterns_weakened: Set(counts.weakened),
        patterns_vanished: Set(counts.vanished),
        skipped: Set(SkippedList(account.skipped)),
        warnings: Set(Warnings(account.warnings)),
        ..Default::default()
    };
    let this = code_analysis::Column::RunId.eq(analysis.run_id);
    scoped.update(this, row).await?;
    Ok(())
}

/// What is stored about the previous analysis.
struct FormerFindings {
    analysis: RunId,
    engine_version: i64,
    patterns_version: i64,
}

async fn former(scoped: &Scoped<ReadWrite>, project: ProjectId) -> Result<Option<FormerFindings>> {
    let rows = scoped
        .find::<project_metrics::Entity>()
        .filter(Column::ProjectId.eq(project))
        .columns([
            Column::AnalysisId,
            Column::EngineVersion,
            Column::PatternsVersion,
        ])
        .await?;
    let former = rows.into_iter().next();
    Ok(former.map(
        |(analysis, engine_version, patterns_version)| FormerFindings {
            analysis,
            engine_version,
            patterns_version,
        },
    ))
}

/// Writes the project's row, without the columns of failed steps.
async fn findings_put(
    scoped: &Scoped<ReadWrite>,
    analysis: &CodeAnalysis,
    found: &ProjectAnalysis,
    failed: &[Step],
    patterns_version: i64,
) -> Result<(), RunFailure> {
    let json = |value: serde_json::Result<serde_json::Value>| {
        value
            .map(Set)
            .map_err(|error| RunFailure::permanent("INTERNAL", error.to_string()))
    };
    let version = i64::from(ENGINE_VERSION);
    let patterns_version = if failed.contains(&Step::Patterns) {
        patterns_version
    } else {
        version
    };
    let row = project_metrics::ActiveModel {
        project_id: Set(analysis.project_id),
        analysis_id: Set(analysis.run_id),
        engine_version: Set(version),
        patterns_version: Set(patterns_version),
        stack: json(serde_json::to_value(&found.stack))?,
        metrics: json(serde_json::to_value(&found.metrics))?,
        commands: json(serde_json::to_value(&found.commands))?,
        co_changes: json(serde_json::to_value(&found.co_changes))?,
        ownership: json(serde_json::to_value(&found.ownership))?,
        imports: json(serde_json::to_value(&found.imports))?,
        duplicates: json(serde_json::to_value(&found.duplicates))?,
        dead_code: json(serde_json::to_value(&found.dead_code))?,
        map: json(serde_json::to_value(&found.map))?,
        ..Default::default()
    };
    let always = [
        Column::AnalysisId,
        Column::EngineVersion,
        Column::PatternsVersion,
        Column::Metrics,
    ];
    let by_step = [
        (Step::Stack, Column::Stack),
        (Step::Commands, Column::Commands),
        (Step::CoChanges, Column::CoChanges),
        (Step::Ownership, Column::Ownership),
        (Step::Imports, Column::Imports),
        (Step::Duplicates, Column::Duplicates),
        (Step::DeadCode, Column::DeadCode),
        (Step::Map, Column::Map),
    ];
    let done = by_step
        .into_iter()
        .filter(|(step, _)| !failed.contains(step))
        .map(|(_, column)| column);
    let changed: Vec<Column> = always.into_iter().chain(done).collect();
    let key = [Column::ProjectId];
    Ok(scoped.upsert_all(vec![row], &key, &changed).await?)
}

async fn hotspots_replace(
    scoped: &Scoped<ReadWrite>,
    project: ProjectId,
    found: Vec<Hotspot>,
) -> Result<()> {
    let former = hotspot::Column::ProjectId.eq(project);
    scoped.delete::<hotspot::Entity>(former).await?;
    let rows = found
        .into_iter()
        .zip(0..)
        .map(|(one, position)| hotspot::ActiveModel {
            project_id: Set(project),
            position: Set(position),
            path: Set(one.path),
            source_id: Set(one.source_id.and_then(|id| SourceId::parse(&id).ok())),
            commits: Set(i64::from(one.commits)),
            complexity: Set(i64::from(one.complexity)),
            score: Set(one.score),
            ..Default::default()
        })
        .collect();
    scoped.insert_all(rows).await
}
