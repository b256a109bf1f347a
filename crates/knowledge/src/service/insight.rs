//! Insights, and pairs of a pain point and its solution.

use nyxcore_projects::ProjectId;
use nyxcore_retrieval::documents_publish;
use nyxcore_tenancy::{
    Action, Error, ReadWrite, Repository, Result, Scoped, TypedId, UserId, text,
};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, Condition};

use crate::entity::insight::{ActiveModel, Column};
use crate::model::{Insight, InsightId, InsightSeverity, InsightType};
use crate::registration::INSIGHT;
use crate::repository::Insights;
use crate::{check, document};

/// What a new insight is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInsight {
    /// The project it is about; without one it is about the whole tenant's work.
    pub project_id: Option<ProjectId>,
    /// What it says.
    pub insight_type: InsightType,
    /// How much it matters.
    pub severity: Option<InsightSeverity>,
    /// A word to sort it by, of at most 50 characters.
    pub category: Option<String>,
    /// One line of 1 to 200 characters.
    pub title: String,
    /// 1 to 200,000 characters.
    pub detail: String,
    /// What to do, of at most 200,000 characters.
    pub suggestion: Option<String>,
    /// The pain that this solves, or the solution of this pain: one of the same project that has no partner yet.
    pub paired_with: Option<InsightId>,
    /// The creating user.
    pub created_by: Option<UserId>,
}

/// Writes an insight. With a partner, both name each other from then on.
///
/// # Errors
/// [`Error::Invalid`] for a text out of bounds, or a pair that is not a pain and a solution of one project;
/// [`Error::Conflict`] where the partner has one already; [`Error::NotFound`] for a project or partner that the tenant
/// does not have.
pub async fn insight_create(scoped: &Scoped<ReadWrite>, new: NewInsight) -> Result<Insight> {
    let id = InsightId(scoped.env().id());
    scoped.permit(Action::Create, INSIGHT, id.uuid())?;
    check::projects(scoped, new.project_id.as_slice()).await?;
    if let Some(partner) = new.paired_with {
        pair_check(&new, &Insights::require(scoped, partner).await?)?;
    }
    let row = ActiveModel {
        id: Set(id),
        project_id: Set(new.project_id),
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
    documents_publish(scoped, document::insight(&insight)).await?;
    Ok(insight)
}

/// A pair stays within one project, so that the two go together when the project is deleted.
fn pair_check(new: &NewInsight, partner: &Insight) -> Result<()> {
    use InsightType::{PainPoint, Solution};
    if !matches!(
        (new.insight_type, partner.insight_type),
        (PainPoint, Solution) | (Solution, PainPoint)
    ) {
        return Err(Error::Invalid(
            "a pair must be a pain_point and its solution".into(),
        ));
    }
    if new.project_id != partner.project_id {
        return Err(Error::Invalid(
            "the two insights of a pair must belong to the same project".into(),
        ));
    }
    Ok(())
}

/// The condition and the change are one statement: of two that want the same partner, one gets it.
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
