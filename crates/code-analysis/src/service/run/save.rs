//! Keeping the result: it replaces that of the analysis before, in one transaction.

use std::collections::HashMap;

use nyxcore_projects::ProjectId;
use nyxcore_retrieval::{KnowledgeKind, documents_publish, documents_withdraw};
use nyxcore_runs::RunFailure;
use nyxcore_tenancy::{ReadWrite, Result, Scoped};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, Condition};

use crate::service::document;
use crate::service::entity::code_analysis::{self, Heads};
use crate::service::entity::code_pattern::{self, Column, Locations};
use crate::service::entity::{hotspot, project_metrics};
use crate::service::model::{CodeAnalysis, CodePattern, CodePatternId};
use crate::{ENGINE_VERSION, Hotspot, Pattern, ProjectAnalysis};

/// How many files of each sort there were.
pub(super) struct Counts {
    pub files_analyzed: i64,
    pub files_reused: i64,
    pub files_skipped: i64,
}

/// Writes what an analysis found.
pub(super) async fn result_save(
    scoped: &Scoped<ReadWrite>,
    analysis: &CodeAnalysis,
    heads: Heads,
    counts: Counts,
    found: ProjectAnalysis,
) -> Result<(), RunFailure> {
    let project = analysis.project_id;
    let json = |value: serde_json::Result<serde_json::Value>| {
        value.map_err(|error| RunFailure::permanent("INTERNAL", error.to_string()))
    };
    let metrics = project_metrics::ActiveModel {
        project_id: Set(project),
        analysis_id: Set(analysis.run_id),
        engine_version: Set(i64::from(ENGINE_VERSION)),
        stack: Set(json(serde_json::to_value(&found.stack))?),
        metrics: Set(json(serde_json::to_value(&found.metrics))?),
        ..Default::default()
    };
    let row = code_analysis::ActiveModel {
        commit_id: Set(heads.commit()),
        heads: Set(heads),
        files_analyzed: Set(counts.files_analyzed),
        files_reused: Set(counts.files_reused),
        files_skipped: Set(counts.files_skipped),
        lines_of_code: Set(i64::from(found.metrics.lines_of_code)),
        patterns_found: Set(i64::try_from(found.patterns.len()).unwrap_or(i64::MAX)),
        ..Default::default()
    };
    let this = code_analysis::Column::RunId.eq(analysis.run_id);
    scoped.update(this, row).await?;
    patterns_replace(scoped, project, found.patterns).await?;
    hotspots_replace(scoped, project, found.hotspots).await?;
    let changed = [
        project_metrics::Column::AnalysisId,
        project_metrics::Column::EngineVersion,
        project_metrics::Column::Stack,
        project_metrics::Column::Metrics,
    ];
    let key = [project_metrics::Column::ProjectId];
    scoped.upsert_all(vec![metrics], &key, &changed).await?;
    Ok(())
}

/// A pattern that was there keeps its id; one that is no more can be found no more.
async fn patterns_replace(
    scoped: &Scoped<ReadWrite>,
    project: ProjectId,
    found: Vec<Pattern>,
) -> Result<()> {
    let former: Vec<(String, CodePatternId)> = scoped
        .find::<code_pattern::Entity>()
        .filter(Column::ProjectId.eq(project))
        .columns([Column::Key, Column::Id])
        .await?;
    let mut former: HashMap<String, CodePatternId> = former.into_iter().collect();
    let patterns: Vec<CodePattern> = found
        .into_iter()
        .map(|pattern| {
            let id = former.remove(&pattern.key);
            let id = id.unwrap_or_else(|| CodePatternId(scoped.env().id()));
            named(id, project, pattern)
        })
        .collect();
    let gone: Vec<CodePatternId> = former.into_values().collect();
    let which = Condition::all().add(Column::Id.is_in(gone.iter().copied()));
    scoped.delete::<code_pattern::Entity>(which).await?;
    let subjects: Vec<String> = gone.iter().map(CodePatternId::to_string).collect();
    documents_withdraw(scoped, KnowledgeKind::CodePattern, &subjects).await?;

    let documents = patterns.iter().map(document::code_pattern).collect();
    let rows = patterns.into_iter().zip(0..).map(row_of).collect();
    let changed = [
        Column::Position,
        Column::Kind,
        Column::Title,
        Column::Statement,
        Column::Stack,
        Column::Scope,
        Column::Support,
        Column::Cases,
        Column::Confidence,
        Column::Exemplars,
        Column::CounterExamples,
    ];
    scoped
        .upsert_all(rows, &[Column::ProjectId, Column::Key], &changed)
        .await?;
    documents_publish(scoped, documents).await?;
    Ok(())
}

fn named(id: CodePatternId, project_id: ProjectId, pattern: Pattern) -> CodePattern {
    CodePattern {
        id,
        project_id,
        key: pattern.key,
        kind: pattern.kind,
        title: pattern.title,
        statement: pattern.statement,
        stack: pattern.stack,
        scope: pattern.scope,
        support: i64::from(pattern.support),
        cases: i64::from(pattern.cases),
        confidence: pattern.confidence,
        exemplars: pattern.exemplars,
        counter_examples: pattern.counter_examples,
    }
}

fn row_of((pattern, position): (CodePattern, i64)) -> code_pattern::ActiveModel {
    code_pattern::ActiveModel {
        id: Set(pattern.id),
        project_id: Set(pattern.project_id),
        key: Set(pattern.key),
        position: Set(position),
        kind: Set(pattern.kind),
        title: Set(pattern.title),
        statement: Set(pattern.statement),
        stack: Set(pattern.stack),
        scope: Set(pattern.scope),
        support: Set(pattern.support),
        cases: Set(pattern.cases),
        confidence: Set(pattern.confidence),
        exemplars: Set(Locations(pattern.exemplars)),
        counter_examples: Set(Locations(pattern.counter_examples)),
        ..Default::default()
    }
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
            commits: Set(i64::from(one.commits)),
            complexity: Set(i64::from(one.complexity)),
            score: Set(one.score),
            ..Default::default()
        })
        .collect();
    scoped.insert_all(rows).await
}
