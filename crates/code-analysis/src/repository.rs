//! Reads analyses by run and by project, and the latest results of a project.

use std::collections::{BTreeSet, HashMap};

use nyxcore_code_engine::project::Hotspot;
use nyxcore_projects::ProjectId;
use nyxcore_runs::RunId;
use nyxcore_tenancy::{
    Access, ChildList, Error, Keyset, Page, PageRequest, Result, Scoped, ScopedSelect, child_list,
    pages_map, repository, text,
};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition};

use super::entity::{code_analysis, code_pattern, code_pattern_change, hotspot, project_metrics};
use super::model::{
    CodeAnalysis, CodePattern, CodePatternChange, CodePatternId, PatternChange, ProjectFindings,
    ProjectSummary,
};

repository! {
    /// Analyses, by the id of their run.
    pub CodeAnalyses: code_analysis => CodeAnalysis, RunId = run_id: RunId
}

repository! {
    /// Patterns by id, including vanished ones, so that citations stay valid.
    pub CodePatterns: code_pattern => CodePattern, Id = id: CodePatternId
}

child_list! {
    /// The analyses of a project, newest first.
    pub ProjectAnalyses: CodeAnalyses, code_analysis.ProjectId: ProjectId
}

/// The newest analysis of a project, in any status.
///
/// # Errors
/// The database fails.
pub async fn analysis_latest<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
) -> Result<Option<CodeAnalysis>> {
    let newest = PageRequest::first(1);
    let page = ProjectAnalyses.page(scoped, project, &newest).await?;
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
        .find_in::<code_analysis::Entity, _>(
            code_analysis::Column::ProjectId,
            projects.iter().copied(),
        )
        .filter(newest)
        .all()
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.project_id, row.into()))
        .collect())
}

/// The patterns of a project, surest first, without those that have vanished. An empty filter does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ProjectPatterns {
    /// Only patterns of one of these kinds.
    pub kinds: Vec<String>,
    /// Only patterns about this language.
    pub stack: Option<String>,
}

/// Far more than the number of kinds that exist.
const KINDS_MAX: usize = 200;

impl ProjectPatterns {
    /// # Errors
    /// [`Error::Invalid`](nyxcore_tenancy::Error::Invalid) for a text that no pattern can have.
    fn select<'s, A: Access>(
        &self,
        scoped: &'s Scoped<A>,
    ) -> Result<ScopedSelect<'s, code_pattern::Entity>> {
        use code_pattern::{Column, Entity};
        let kinds: BTreeSet<&str> = self.kinds.iter().map(String::as_str).collect();
        if kinds.len() > KINDS_MAX {
            let rule = format!("at most {KINDS_MAX} kinds can be given");
            return Err(Error::Invalid(rule));
        }
        for kind in &kinds {
            text::filter("the kind", kind)?;
        }
        if let Some(stack) = &self.stack {
            text::filter("the stack", stack)?;
        }
        let kinds = (!kinds.is_empty()).then_some(kinds);
        let which = Condition::all()
            .add(Column::VanishedIn.is_null())
            .add_option(kinds.map(|kinds| Column::Kind.is_in(kinds)))
            .add_option(self.stack.as_deref().map(|stack| Column::Stack.eq(stack)));
        Ok(scoped.find::<Entity>().filter(which))
    }
}

impl ChildList for ProjectPatterns {
    type Parent = ProjectId;
    type Item = CodePattern;

    async fn pages<A: Access>(
        &self,
        scoped: &Scoped<A>,
        projects: &[ProjectId],
        request: &PageRequest,
    ) -> Result<HashMap<ProjectId, Page<CodePattern>>> {
        use code_pattern::Column;
        let surest = Keyset::ascending(Column::Position);
        let patterns = self.select(scoped)?;
        let pages = patterns.pages_by(Column::ProjectId, projects, surest, request);
        Ok(pages_map(pages.await?))
    }

    async fn counts<A: Access>(
        &self,
        scoped: &Scoped<A>,
        projects: &[ProjectId],
    ) -> Result<HashMap<ProjectId, u64>> {
        let column = code_pattern::Column::ProjectId;
        self.select(scoped)?.counts_by(column, projects).await
    }
}

/// The changes of patterns that an analysis found: by kind of change, and within a kind the largest change first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct AnalysisPatternChanges {
    /// Only changes of this kind.
    pub change: Option<PatternChange>,
}

impl AnalysisPatternChanges {
    fn select<'s, A: Access>(
        self,
        scoped: &'s Scoped<A>,
    ) -> ScopedSelect<'s, code_pattern_change::Entity> {
        use code_pattern_change::{Column, Entity};
        let change = self.change.map(|change| Column::Change.eq(change));
        let which = Condition::all().add_option(change);
        scoped.find::<Entity>().filter(which)
    }
}

impl ChildList for AnalysisPatternChanges {
    type Parent = RunId;
    type Item = CodePatternChange;

    async fn pages<A: Access>(
        &self,
        scoped: &Scoped<A>,
        analyses: &[RunId],
        request: &PageRequest,
    ) -> Result<HashMap<RunId, Page<CodePatternChange>>> {
        use code_pattern_change::Column;
        let largest = Keyset::ascending(Column::Position);
        let changes = self.select(scoped);
        let pages = changes.pages_by(Column::RunId, analyses, largest, request);
        Ok(pages_map(pages.await?))
    }

    async fn counts<A: Access>(
        &self,
        scoped: &Scoped<A>,
        analyses: &[RunId],
    ) -> Result<HashMap<RunId, u64>> {
        let column = code_pattern_change::Column::RunId;
        self.select(scoped).counts_by(column, analyses).await
    }
}

/// The hotspots of a project, highest score first. A project has at most
/// [`HOTSPOT_CAP`](nyxcore_code_engine::project::HOTSPOT_CAP).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProjectHotspots;

impl ChildList for ProjectHotspots {
    type Parent = ProjectId;
    type Item = Hotspot;

    async fn pages<A: Access>(
        &self,
        scoped: &Scoped<A>,
        projects: &[ProjectId],
        request: &PageRequest,
    ) -> Result<HashMap<ProjectId, Page<Hotspot>>> {
        use hotspot::{Column, Entity};
        let highest = Keyset::ascending(Column::Position);
        let hotspots = scoped.find::<Entity>();
        let pages = hotspots.pages_by(Column::ProjectId, projects, highest, request);
        Ok(pages_map(pages.await?))
    }

    async fn counts<A: Access>(
        &self,
        scoped: &Scoped<A>,
        projects: &[ProjectId],
    ) -> Result<HashMap<ProjectId, u64>> {
        let hotspots = scoped.find::<hotspot::Entity>();
        hotspots
            .counts_by(hotspot::Column::ProjectId, projects)
            .await
    }
}

/// The last recorded change of each of these patterns. A pattern without a change since its project's first analysis
/// is not in the map.
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
        .find_in::<code_pattern_change::Entity, _>(
            code_pattern_change::Column::PatternId,
            patterns.iter().copied(),
        )
        .filter(newest)
        .all()
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.pattern_id, row.into()))
        .collect())
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
        .find_in::<project_metrics::Entity, _>(
            project_metrics::Column::ProjectId,
            projects.iter().copied(),
        )
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
        .find_in::<project_metrics::Entity, _>(
            project_metrics::Column::ProjectId,
            projects.iter().copied(),
        )
        .all()
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.project_id, row.read()))
        .collect())
}
