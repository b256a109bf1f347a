//! Analyses by run and project, and what the latest one of a project found.

use std::collections::HashMap;

use nyxcore_code_engine::project::Hotspot;
use nyxcore_projects::ProjectId;
use nyxcore_runs::RunId;
use nyxcore_tenancy::{Access, Keyset, Page, PageRequest, Repository, Result, Scoped, text};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition};

use super::entity::{code_analysis, code_pattern, code_pattern_change, hotspot, project_metrics};
use super::model::{
    CodeAnalysis, CodePattern, CodePatternChange, CodePatternId, PatternChange, ProjectFindings,
    ProjectSummary,
};

/// Analyses, by the id of their run.
pub struct CodeAnalyses;

impl Repository for CodeAnalyses {
    type Entity = code_analysis::Entity;
    type Row = code_analysis::ActiveModel;
    type Record = CodeAnalysis;
    type Id = RunId;
    const KEY: code_analysis::Column = code_analysis::Column::RunId;
    fn id_of(record: &CodeAnalysis) -> RunId {
        record.run_id
    }
}

/// Patterns, by id; also those that have vanished, so that who cited one finds what it was.
pub struct CodePatterns;

impl Repository for CodePatterns {
    type Entity = code_pattern::Entity;
    type Row = code_pattern::ActiveModel;
    type Record = CodePattern;
    type Id = CodePatternId;
    const KEY: code_pattern::Column = code_pattern::Column::Id;
    fn id_of(record: &CodePattern) -> CodePatternId {
        record.id
    }
}

/// One page of a project's analyses, newest first.
///
/// # Errors
/// The database fails.
pub async fn analysis_list<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
    page: &PageRequest,
) -> Result<Page<CodeAnalysis>> {
    CodeAnalyses::list(scoped, code_analysis::Column::ProjectId.eq(project), page).await
}

/// How many analyses a project has had.
///
/// # Errors
/// The database fails.
pub async fn analysis_count<A: Access>(scoped: &Scoped<A>, project: ProjectId) -> Result<u64> {
    CodeAnalyses::count(scoped, code_analysis::Column::ProjectId.eq(project)).await
}

/// The newest analysis of a project, however it stands.
///
/// # Errors
/// The database fails.
pub async fn analysis_latest<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
) -> Result<Option<CodeAnalysis>> {
    let page = analysis_list(scoped, project, &PageRequest::first(1)).await?;
    Ok(page.into_items().into_iter().next())
}

/// The newest analysis of each of those projects. A project without any is not in the map.
///
/// # Errors
/// The database fails.
pub async fn analysis_latest_of<A: Access>(
    scoped: &Scoped<A>,
    projects: &[ProjectId],
) -> Result<HashMap<ProjectId, CodeAnalysis>> {
    let newest = Expr::cust(
        "code_analyses.run_id = (SELECT newest.run_id FROM code_analyses AS newest
         WHERE newest.tenant_id = code_analyses.tenant_id AND newest.project_id = code_analyses.project_id
         ORDER BY newest.run_id DESC LIMIT 1)",
    );
    let rows = scoped
        .find::<code_analysis::Entity>()
        .filter(code_analysis::Column::ProjectId.is_in(projects.iter().copied()))
        .filter(Condition::all().add(newest))
        .all()
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.project_id, row.into()))
        .collect())
}

/// Which of a project's patterns to list; what is empty does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodePatternFilter {
    /// Of one of these kinds.
    pub kinds: Vec<String>,
    /// About this language.
    pub stack: Option<String>,
}

impl CodePatternFilter {
    /// # Errors
    /// [`Error::Invalid`](nyxcore_tenancy::Error::Invalid) for a text that no pattern can have.
    fn condition(&self, project: ProjectId) -> Result<Condition> {
        for kind in &self.kinds {
            text::filter("the kind", kind)?;
        }
        if let Some(stack) = &self.stack {
            text::filter("the stack", stack)?;
        }
        Ok(Condition::all()
            .add(code_pattern::Column::ProjectId.eq(project))
            .add(code_pattern::Column::VanishedIn.is_null())
            .add_option(
                (!self.kinds.is_empty()).then(|| {
                    code_pattern::Column::Kind.is_in(self.kinds.iter().map(String::as_str))
                }),
            )
            .add_option(
                self.stack
                    .as_deref()
                    .map(|stack| code_pattern::Column::Stack.eq(stack)),
            ))
    }
}

/// One page of a project's patterns, surest first. Those that have vanished are not among them.
///
/// # Errors
/// The database fails.
pub async fn code_pattern_list<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
    filter: &CodePatternFilter,
    page: &PageRequest,
) -> Result<Page<CodePattern>> {
    let page = scoped
        .find::<code_pattern::Entity>()
        .filter(filter.condition(project)?)
        .page(Keyset::ascending(code_pattern::Column::Position), page)
        .await?;
    Ok(page.map(Into::into))
}

/// How many patterns [`code_pattern_list`] has in all.
///
/// # Errors
/// The database fails.
pub async fn code_pattern_count<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
    filter: &CodePatternFilter,
) -> Result<u64> {
    CodePatterns::count(scoped, filter.condition(project)?).await
}

/// What an analysis told of patterns that changed, of all or of those that changed so; by what happened, and of those that changed the most
/// first.
///
/// # Errors
/// The database fails.
pub async fn pattern_change_list<A: Access>(
    scoped: &Scoped<A>,
    analysis: RunId,
    change: Option<PatternChange>,
    first: u64,
) -> Result<Vec<CodePatternChange>> {
    use code_pattern_change::Column;
    let which = Condition::all()
        .add(Column::RunId.eq(analysis))
        .add_option(change.map(|change| Column::Change.eq(change)));
    let rows = scoped
        .find::<code_pattern_change::Entity>()
        .filter(which)
        .order_by_asc(Column::Position)
        .limit(first)
        .all()
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// What was last told of each of those patterns. A pattern that has not changed since its project's first analysis is not in the map.
///
/// # Errors
/// The database fails.
pub async fn pattern_changes_last<A: Access>(
    scoped: &Scoped<A>,
    patterns: &[CodePatternId],
) -> Result<HashMap<CodePatternId, CodePatternChange>> {
    let newest = Expr::cust(
        "code_pattern_changes.run_id = (SELECT newest.run_id FROM code_pattern_changes AS newest
         WHERE newest.tenant_id = code_pattern_changes.tenant_id AND newest.pattern_id = code_pattern_changes.pattern_id
         ORDER BY newest.run_id DESC LIMIT 1)",
    );
    let rows = scoped
        .find::<code_pattern_change::Entity>()
        .filter(code_pattern_change::Column::PatternId.is_in(patterns.iter().copied()))
        .filter(Condition::all().add(newest))
        .all()
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.pattern_id, row.into()))
        .collect())
}

/// The first of a project's hotspots, highest score first; there are [`HOTSPOT_CAP`](nyxcore_code_engine::project::HOTSPOT_CAP) at the most.
///
/// # Errors
/// The database fails.
pub async fn hotspot_list<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
    first: u64,
) -> Result<Vec<Hotspot>> {
    let rows = scoped
        .find::<hotspot::Entity>()
        .filter(hotspot::Column::ProjectId.eq(project))
        .order_by_asc(hotspot::Column::Position)
        .limit(first)
        .all()
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The stack and metrics of a project; `None` before its first analysis.
///
/// # Errors
/// The database fails.
pub async fn project_summary<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
) -> Result<Option<ProjectSummary>> {
    Ok(project_summaries_of(scoped, &[project])
        .await?
        .remove(&project))
}

/// The stack and metrics of each of those projects. A project that was never analysed is not in the map.
///
/// # Errors
/// The database fails.
pub async fn project_summaries_of<A: Access>(
    scoped: &Scoped<A>,
    projects: &[ProjectId],
) -> Result<HashMap<ProjectId, ProjectSummary>> {
    let rows: Vec<project_metrics::SummaryRow> = scoped
        .find::<project_metrics::Entity>()
        .filter(project_metrics::Column::ProjectId.is_in(projects.iter().copied()))
        .columns(project_metrics::SUMMARY)
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(project_metrics::summary_read)
        .map(|summary| (summary.project_id, summary))
        .collect())
}

/// All that was found of each of those projects. A project that was never analysed is not in the map.
///
/// # Errors
/// The database fails.
pub async fn project_findings_of<A: Access>(
    scoped: &Scoped<A>,
    projects: &[ProjectId],
) -> Result<HashMap<ProjectId, ProjectFindings>> {
    let rows = scoped
        .find::<project_metrics::Entity>()
        .filter(project_metrics::Column::ProjectId.is_in(projects.iter().copied()))
        .all()
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.project_id, row.read()))
        .collect())
}
