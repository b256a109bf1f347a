//! Insights, pairs of a pain point and its solution, and insights that say the same.

use nyxcore_projects::ProjectId;
use nyxcore_retrieval::{KnowledgeKind, SearchRequest, documents_withdraw, search};
use nyxcore_tenancy::{
    Access, Action, Error, PageRequest, ReadWrite, Repository, Result, Scoped, TypedId, UserId,
    text,
};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, Condition};

use super::embedding::publish;
use crate::entity::insight::{ActiveModel, Column};
use crate::model::{Insight, InsightId, InsightSeverity, InsightType};
use crate::registration::INSIGHT;
use crate::repository::Insights;
use crate::words::Words;
use crate::{check, document};

/// The most insights that are suggested at once. A rule of this project.
const SUGGESTED_MAX: usize = 5;
/// The most insights that are considered for suggestions.
const RELATED_MAX: u64 = 20;
/// The most insights of one title that are compared.
const SAME_TITLE_MAX: u64 = 50;
/// The minimum similarity of two insights that say the same.
pub(super) const SIMILARITY_MIN: f64 = 0.6;

/// A new insight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInsight {
    /// The project it is about; without one it is about the whole tenant's work.
    pub project_id: Option<ProjectId>,
    /// Its type.
    pub insight_type: InsightType,
    /// How severe it is.
    pub severity: Option<InsightSeverity>,
    /// A category in one word, of at most 50 characters.
    pub category: Option<String>,
    /// One line of 1 to 200 characters.
    pub title: String,
    /// 1 to 200,000 characters.
    pub detail: String,
    /// What to do, of at most 200,000 characters.
    pub suggestion: Option<String>,
    /// The pain point that this solves, or the solution of this pain point: one of the same project without a partner.
    pub paired_with: Option<InsightId>,
    /// The creating user.
    pub created_by: Option<UserId>,
}

/// Creates an insight. With a partner, both name each other from then on. An insight that says the same as another of
/// the same type and project is refused.
///
/// # Errors
/// [`Error::Conflict`] where the same is written already;
/// [`Error::Invalid`] for a text out of bounds, or a pair that is not a pain and a solution of one project;
/// [`Error::Conflict`] where the partner has one already; [`Error::NotFound`] for a project or partner that the tenant
/// does not have.
pub async fn insight_create(scoped: &Scoped<ReadWrite>, new: NewInsight) -> Result<Insight> {
    let id = InsightId(scoped.env().id());
    scoped.permit(Action::Create, INSIGHT, id.uuid())?;
    check::projects(scoped, new.project_id.as_slice()).await?;
    if let Some(partner) = new.paired_with {
        let other = Insights::require(scoped, partner).await?;
        pair_check((new.insight_type, new.project_id), &other)?;
    }
    if same_exists(scoped, &new).await? {
        return Err(Error::Conflict("an insight that says the same"));
    }
    let row = ActiveModel {
        id: Set(id),
        project_id: Set(new.project_id),
        recalls: Set(0),
        insight_type: Set(new.insight_type),
        severity: Set(new.severity),
        category: Set(text::TAG.check_optional("the category", new.category.as_deref())?),
        title: Set(text::name("the title", &new.title)?),
        detail: Set(text::body_filled("the detail", &new.detail)?),
        suggestion: Set(text::body_optional(
            "the suggestion",
            new.suggestion.as_deref(),
        )?),
        paired_with_id: Set(new.paired_with),
        created_by: Set(new.created_by),
        created_at: Set(scoped.env().now()),
        ..Default::default()
    };
    let insight = Insights::insert(scoped, row).await?;
    if let Some(partner) = new.paired_with {
        partner_set(scoped, partner, id).await?;
    }
    publish(scoped, document::insight(&insight)).await?;
    Ok(insight)
}

/// The changes to an insight; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in NewInsight")]
pub struct InsightChanges {
    pub severity: Option<InsightSeverity>,
    pub category: Option<String>,
    pub title: Option<String>,
    pub detail: Option<String>,
    pub suggestion: Option<String>,
    /// Whether it is archived: it is kept, and searches do not find it.
    pub archived: Option<bool>,
}

/// Changes an insight.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for a text out of bounds.
pub async fn insight_update(
    scoped: &Scoped<ReadWrite>,
    id: InsightId,
    changes: InsightChanges,
) -> Result<Insight> {
    scoped.permit(Action::Update, INSIGHT, id.uuid())?;
    let former = Insights::require(scoped, id).await?;
    let now = scoped.env().now();
    let mut row = ActiveModel {
        updated_at: Set(Some(now)),
        ..Default::default()
    };
    if let Some(severity) = changes.severity {
        row.severity = Set(Some(severity));
    }
    if let Some(category) = changes.category {
        row.category = Set(text::TAG.check_optional("the category", Some(&category))?);
    }
    if let Some(title) = changes.title {
        row.title = Set(text::name("the title", &title)?);
    }
    if let Some(detail) = changes.detail {
        row.detail = Set(text::body_filled("the detail", &detail)?);
    }
    if let Some(suggestion) = changes.suggestion {
        row.suggestion = Set(text::body_optional("the suggestion", Some(&suggestion))?);
    }
    if let Some(archived) = changes.archived {
        row.archived_at = Set(archived.then(|| former.archived_at.unwrap_or(now)));
    }
    let insight = Insights::update(scoped, id, row).await?;
    if insight.archived_at.is_some() {
        let subjects = [insight.id.to_string()];
        documents_withdraw(scoped, KnowledgeKind::Insight, &subjects).await?;
    } else {
        publish(scoped, document::insight(&insight)).await?;
    }
    Ok(insight)
}

/// Pairs a pain point with its solution. Both must be of one project and have no partner yet.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Invalid`] or [`Error::Conflict`], as in [`insight_create`].
pub async fn insight_pair(
    scoped: &Scoped<ReadWrite>,
    id: InsightId,
    partner: InsightId,
) -> Result<Insight> {
    scoped.permit(Action::Update, INSIGHT, id.uuid())?;
    let insight = Insights::require(scoped, id).await?;
    let other = Insights::require(scoped, partner).await?;
    pair_check((insight.insight_type, insight.project_id), &other)?;
    partner_set(scoped, partner, id).await?;
    partner_set(scoped, id, partner).await?;
    Insights::require(scoped, id).await
}

/// Counts that insights were cited; the audit of knowledge uses the counts. Unknown ones are no error.
///
/// # Errors
/// The database fails.
pub async fn insights_recalled(scoped: &Scoped<ReadWrite>, ids: &[InsightId]) -> Result<()> {
    let now = scoped.env().now();
    for insight in Insights::get_many(scoped, ids).await?.into_values() {
        let row = ActiveModel {
            recalls: Set(insight.recalls.saturating_add(1)),
            recalled_at: Set(Some(now)),
            ..Default::default()
        };
        Insights::update(scoped, insight.id, row).await?;
    }
    Ok(())
}

/// Solutions that may belong to a pain point, or pain points that a solution may solve: those without a partner in the
/// same project that a search finds by its text, the best first.
///
/// # Errors
/// [`Error::NotFound`]; the database fails.
pub async fn insight_partners_suggest<A: Access>(
    scoped: &Scoped<A>,
    id: InsightId,
) -> Result<Vec<Insight>> {
    let insight = Insights::require(scoped, id).await?;
    let wanted = match insight.insight_type {
        InsightType::PainPoint => InsightType::Solution,
        InsightType::Solution => InsightType::PainPoint,
        _ => return Ok(Vec::new()),
    };
    let others = related(scoped, &insight).await?;
    let fits = |other: &Insight| {
        other.insight_type == wanted
            && other.project_id == insight.project_id
            && other.paired_with.is_none()
    };
    Ok(others
        .into_iter()
        .filter(fits)
        .take(SUGGESTED_MAX)
        .collect())
}

/// Insights that say nearly the same as one: of its type, found by its text, and sharing most of its words.
///
/// # Errors
/// [`Error::NotFound`]; the database fails.
pub async fn insight_duplicates<A: Access>(
    scoped: &Scoped<A>,
    id: InsightId,
) -> Result<Vec<Insight>> {
    let insight = Insights::require(scoped, id).await?;
    let words = Words::of(&insight.title, &insight.detail);
    let others = related(scoped, &insight).await?;
    let alike = |other: &Insight| {
        other.insight_type == insight.insight_type
            && words.similarity(&Words::of(&other.title, &other.detail)) >= SIMILARITY_MIN
    };
    Ok(others
        .into_iter()
        .filter(alike)
        .take(SUGGESTED_MAX)
        .collect())
}

/// Other insights that a search finds by the text of one, the best first.
async fn related<A: Access>(scoped: &Scoped<A>, insight: &Insight) -> Result<Vec<Insight>> {
    let request = SearchRequest {
        kinds: vec![KnowledgeKind::Insight],
        project_id: insight.project_id.map(|project| project.0),
        limit: RELATED_MAX,
        ..SearchRequest::new(format!("{}\n{}", insight.title, insight.detail))
    };
    let hits = search(scoped, &request).await?;
    let ids: Vec<InsightId> = hits
        .iter()
        .filter_map(|hit| hit.subject_id.map(InsightId::from_uuid))
        .filter(|id| *id != insight.id)
        .collect();
    let mut found = Insights::get_many(scoped, &ids).await?;
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// Whether an insight of the same type and project has the same title and detail, apart from spaces and case.
async fn same_exists(scoped: &Scoped<ReadWrite>, new: &NewInsight) -> Result<bool> {
    let project = match new.project_id {
        Some(project) => Column::ProjectId.eq(project),
        None => Column::ProjectId.is_null(),
    };
    let which = Condition::all()
        .add(project)
        .add(Column::InsightType.eq(new.insight_type))
        .add(Column::ArchivedAt.is_null())
        .add(Column::Title.eq(new.title.trim()));
    let named = Insights::list(scoped, which, &PageRequest::first(SAME_TITLE_MAX)).await?;
    let detail = plain(&new.detail);
    Ok(named
        .items
        .iter()
        .any(|(_, one)| plain(&one.detail) == detail))
}

/// A text in lower case with single spaces.
fn plain(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}

/// Checks a pair. It stays within one project, so that both are deleted with the project.
fn pair_check(
    (insight_type, project): (InsightType, Option<ProjectId>),
    partner: &Insight,
) -> Result<()> {
    use InsightType::{PainPoint, Solution};
    if !matches!(
        (insight_type, partner.insight_type),
        (PainPoint, Solution) | (Solution, PainPoint)
    ) {
        return Err(Error::Invalid(
            "a pair must be a pain_point and its solution".into(),
        ));
    }
    if project != partner.project_id {
        return Err(Error::Invalid(
            "the two insights of a pair must belong to the same project".into(),
        ));
    }
    Ok(())
}

/// The condition and the change are one statement: of two insights that want the same partner, one gets it.
async fn partner_set(scoped: &Scoped<ReadWrite>, partner: InsightId, id: InsightId) -> Result<()> {
    let free = Condition::all()
        .add(Column::Id.eq(partner))
        .add(Column::PairedWithId.is_null());
    let paired = ActiveModel {
        paired_with_id: Set(Some(id)),
        ..Default::default()
    };
    match scoped.update(free, paired).await? {
        0 => Err(Error::Conflict("a pair with this insight")),
        _ => Ok(()),
    }
}
