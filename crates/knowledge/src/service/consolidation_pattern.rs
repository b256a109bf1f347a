//! Consolidation patterns: what several projects share. The module `keyed_pattern` has those that a run finds.

use nyxcore_projects::ProjectId;
use nyxcore_retrieval::{KnowledgeKind, documents_withdraw};
use nyxcore_tenancy::{Action, Error, ReadWrite, Repository, Result, Scoped, TypedId, text};
use sea_orm::ActiveValue::Set;

use super::embedding::publish;
use crate::entity::{Texts, consolidation_pattern, consolidation_pattern_project as link};
use crate::model::{
    ConsolidationPattern, ConsolidationPatternId, ConsolidationSeverity, ConsolidationType,
};
use crate::registration::CONSOLIDATION_PATTERN;
use crate::repository::ConsolidationPatterns;
use crate::{check, document};

/// The most quotations of a pattern. A product rule: one to three pieces of evidence.
pub const QUOTATIONS_MAX: usize = 3;

/// A new consolidation pattern.
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
    /// How severe it is; only for a pain.
    pub severity: Option<ConsolidationSeverity>,
    /// Two to four, each of 1 to 50 characters.
    pub tags: Vec<String>,
    /// The projects in which it was seen.
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
    numbers_check(new.evidence.len(), new.frequency)?;
    severity_check(new.pattern_type, new.severity)?;
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
    let seen_in = projects.into_iter().map(|project_id| link::ActiveModel {
        consolidation_pattern_id: Set(id),
        project_id: Set(project_id),
        ..Default::default()
    });
    scoped.insert_all(seen_in.collect()).await?;
    publish(scoped, document::consolidation_pattern(&pattern)).await?;
    Ok(pattern)
}

pub(super) fn numbers_check(quotations: usize, frequency: i64) -> Result<()> {
    if !(1..=QUOTATIONS_MAX).contains(&quotations) {
        return Err(Error::Invalid(format!(
            "there must be 1 to {QUOTATIONS_MAX} pieces of evidence, not {quotations}"
        )));
    }
    if frequency < 1 {
        return Err(Error::Invalid("the frequency must be at least 1".into()));
    }
    Ok(())
}

pub(super) fn severity_check(
    pattern_type: ConsolidationType,
    severity: Option<ConsolidationSeverity>,
) -> Result<()> {
    if severity.is_some() && pattern_type != ConsolidationType::Pain {
        return Err(Error::Invalid(
            "only a pain point may have a severity".into(),
        ));
    }
    Ok(())
}

/// The changes to a consolidation pattern; `None` leaves a field unchanged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConsolidationPatternChanges {
    /// Whether it is archived: it is kept, and searches do not find it.
    pub archived: Option<bool>,
}

/// Changes a consolidation pattern.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn consolidation_pattern_update(
    scoped: &Scoped<ReadWrite>,
    id: ConsolidationPatternId,
    changes: ConsolidationPatternChanges,
) -> Result<ConsolidationPattern> {
    scoped.permit(Action::Update, CONSOLIDATION_PATTERN, id.uuid())?;
    let former = ConsolidationPatterns::require(scoped, id).await?;
    let now = scoped.env().now();
    let mut row = consolidation_pattern::ActiveModel {
        updated_at: Set(Some(now)),
        ..Default::default()
    };
    if let Some(archived) = changes.archived {
        row.archived_at = Set(archived.then(|| former.archived_at.unwrap_or(now)));
    }
    let pattern = ConsolidationPatterns::update(scoped, id, row).await?;
    if pattern.archived_at.is_some() {
        let subjects = [pattern.id.to_string()];
        documents_withdraw(scoped, KnowledgeKind::Consolidation, &subjects).await?;
    } else {
        publish(scoped, document::consolidation_pattern(&pattern)).await?;
    }
    Ok(pattern)
}
