//! Consolidation patterns: what several projects share.

use nyxcore_projects::ProjectId;
use nyxcore_tenancy::{Action, Error, ReadWrite, Repository, Result, Scoped, TypedId, text};
use sea_orm::ActiveValue::Set;

use super::embedding::publish;
use crate::entity::{Texts, consolidation_pattern, consolidation_pattern_project};
use crate::model::{
    ConsolidationPattern, ConsolidationPatternId, ConsolidationSeverity, ConsolidationType,
};
use crate::registration::CONSOLIDATION_PATTERN;
use crate::repository::ConsolidationPatterns;
use crate::{check, document};

/// What a new consolidation pattern is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConsolidationPattern {
    /// The type of pattern.
    pub pattern_type: ConsolidationType,
    /// One line of 1 to 200 characters.
    pub title: String,
    /// 1 to 200,000 characters.
    pub description: String,
    /// One to three quotations.
    pub evidence: Vec<String>,
    /// How often it was seen, from 1.
    pub frequency: i64,
    /// Only for a pain.
    pub severity: Option<ConsolidationSeverity>,
    /// Two to four, each of 1 to 50 characters.
    pub tags: Vec<String>,
    /// Where it was seen.
    pub project_ids: Vec<ProjectId>,
}

/// Creates a consolidation pattern.
///
/// # Errors
/// [`Error::Invalid`] for a text, number of tags or number of quotations out of bounds, or a severity without a pain
/// point; [`Error::NotFound`] for a project that the tenant does not have.
pub async fn consolidation_pattern_create(
    scoped: &Scoped<ReadWrite>,
    new: NewConsolidationPattern,
) -> Result<ConsolidationPattern> {
    let id = ConsolidationPatternId(scoped.env().id());
    scoped.permit(Action::Create, CONSOLIDATION_PATTERN, id.uuid())?;
    let mut projects = new.project_ids;
    projects.sort_unstable();
    projects.dedup();
    check::projects(scoped, &projects).await?;
    if !(1..=3).contains(&new.evidence.len()) {
        return Err(Error::Invalid(format!(
            "there must be 1 to 3 pieces of evidence, not {}",
            new.evidence.len()
        )));
    }
    if new.frequency < 1 {
        return Err(Error::Invalid("the frequency must be at least 1".into()));
    }
    if new.severity.is_some() && new.pattern_type != ConsolidationType::Pain {
        return Err(Error::Invalid(
            "only a pain point may have a severity".into(),
        ));
    }
    let evidence = new
        .evidence
        .iter()
        .map(|text| text::body_filled("a piece of evidence", text))
        .collect::<Result<_>>()?;
    let row = consolidation_pattern::ActiveModel {
        id: Set(id),
        pattern_type: Set(new.pattern_type),
        title: Set(text::name("the title", &new.title)?),
        description: Set(text::body_filled("the description", &new.description)?),
        evidence: Set(Texts(evidence)),
        frequency: Set(new.frequency),
        severity: Set(new.severity),
        tags: Set(Texts(check::tags(&new.tags, 2, 4)?)),
        created_at: Set(scoped.env().now()),
        ..Default::default()
    };
    let pattern = ConsolidationPatterns::insert(scoped, row).await?;
    let seen_in =
        projects
            .into_iter()
            .map(|project_id| consolidation_pattern_project::ActiveModel {
                consolidation_pattern_id: Set(id),
                project_id: Set(project_id),
                ..Default::default()
            });
    scoped.insert_all(seen_in.collect()).await?;
    publish(scoped, document::consolidation_pattern(&pattern)).await?;
    Ok(pattern)
}
