//! Consolidation patterns that a run finds, and recognizes later by their keys.

use std::collections::{BTreeMap, HashMap, HashSet};

use nyxcore_projects::ProjectId;
use nyxcore_tenancy::{Access, Action, Error, ReadWrite, Repository, Result, Scoped, text};
use sea_orm::ActiveValue::Set;
use sea_orm::ColumnTrait;

use super::consolidation_pattern::{QUOTATIONS_MAX, numbers_check, severity_check};
use super::embedding::publish;
use crate::entity::{
    Quotations, Texts, consolidation_pattern, consolidation_pattern_project as link,
};
use crate::model::{
    ConsolidationPattern, ConsolidationPatternId, ConsolidationSeverity, ConsolidationType,
    Quotation,
};
use crate::registration::CONSOLIDATION_PATTERN;
use crate::repository::ConsolidationPatterns;
use crate::{check, document};

/// The longest key, in bytes: it is part of a unique index, and PostgreSQL takes index entries of up to 2,704 bytes.
const KEY_BYTES_MAX: usize = 500;

/// A consolidation pattern as a run finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedPattern {
    /// The key by which it is found again, of 1 to 500 bytes.
    pub key: String,
    /// As in [`NewConsolidationPattern`](crate::NewConsolidationPattern).
    pub pattern_type: ConsolidationType,
    /// As in [`NewConsolidationPattern`](crate::NewConsolidationPattern).
    pub title: String,
    /// As in [`NewConsolidationPattern`](crate::NewConsolidationPattern).
    pub description: String,
    /// One to three.
    pub quotations: Vec<Quotation>,
    /// As in [`NewConsolidationPattern`](crate::NewConsolidationPattern).
    pub severity: Option<ConsolidationSeverity>,
    /// As in [`NewConsolidationPattern`](crate::NewConsolidationPattern).
    pub tags: Vec<String>,
    /// How often it was seen in each project, each at least once.
    pub sightings: BTreeMap<ProjectId, i64>,
    /// The model that wrote title and description, if one did.
    pub written_by: Option<String>,
}

/// The result of storing the patterns that a run found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsolidationUpdate {
    /// The current ones of these patterns, in the order in which they were given.
    pub patterns: Vec<ConsolidationPatternId>,
    /// New ones.
    pub created: i64,
    /// Patterns whose text or evidence changed.
    pub updated: i64,
    /// Patterns that did not change.
    pub unchanged: i64,
    /// Archived patterns. They stay archived and unchanged.
    pub archived: i64,
}

/// Stores the patterns that a run over `projects` found. A stored pattern with the same key, or else one with mostly
/// the same quotations, is updated in place. What was seen in other projects stays. Text of a model is only replaced by
/// a model's.
///
/// # Errors
/// As [`consolidation_pattern_create`](crate::consolidation_pattern_create); [`Error::Conflict`] where another run
/// stores the same pattern at the same time.
pub async fn consolidation_patterns_keep(
    scoped: &Scoped<ReadWrite>,
    projects: &[ProjectId],
    wanted: Vec<KeyedPattern>,
) -> Result<ConsolidationUpdate> {
    scoped.permit(Action::Create, CONSOLIDATION_PATTERN, None)?;
    check::projects(scoped, projects).await?;
    let is_keyed = consolidation_pattern::Column::Key.is_not_null();
    let rows = scoped.find::<consolidation_pattern::Entity>();
    let rows = rows.filter(is_keyed).all().await?;
    let mut stored: Vec<ConsolidationPattern> = rows.into_iter().map(Into::into).collect();
    // The oldest comes first, so that of two that match the same one is always taken.
    stored.sort_by_key(|pattern| pattern.id);
    let ids: Vec<ConsolidationPatternId> = stored.iter().map(|pattern| pattern.id).collect();
    let mut sightings = sightings(scoped, &ids).await?;
    let keys: HashSet<String> = wanted.iter().map(|pattern| pattern.key.clone()).collect();
    let mut met = HashSet::new();
    let mut update = ConsolidationUpdate::default();
    let mut documents = Vec::new();
    for wanted in wanted {
        let wanted = wanted.checked()?;
        let same_key = |one: &&ConsolidationPattern| one.key.as_ref() == Some(&wanted.key);
        // A stored pattern whose own key is wanted too is left for that key.
        let same_evidence = |one: &&ConsolidationPattern| {
            !met.contains(&one.id)
                && !one.key.as_ref().is_some_and(|key| keys.contains(key))
                && is_same_evidence(&one.quotations, &wanted.quotations)
        };
        let former = stored.iter().find(same_key);
        let former = former
            .or_else(|| stored.iter().find(same_evidence))
            .cloned();
        let Some(former) = former else {
            let pattern = keyed_create(scoped, &wanted).await?;
            met.insert(pattern.id);
            update.created += 1;
            update.patterns.push(pattern.id);
            documents.extend(document::consolidation_pattern(&pattern));
            stored.push(pattern);
            continue;
        };
        if !met.insert(former.id) {
            // The run found the same pattern twice.
            continue;
        }
        if former.archived_at.is_some() {
            update.archived += 1;
            continue;
        }
        update.patterns.push(former.id);
        let before = sightings.remove(&former.id).unwrap_or_default();
        let (pattern, after) = merged(&former, &before, wanted, projects);
        if pattern == former && after == before {
            update.unchanged += 1;
            continue;
        }
        let row = consolidation_pattern::ActiveModel {
            updated_at: Set(Some(scoped.env().now())),
            ..keyed_row(&pattern)
        };
        let pattern = ConsolidationPatterns::update(scoped, former.id, row).await?;
        if after != before {
            let of_pattern = link::Column::ConsolidationPatternId.eq(former.id);
            scoped.delete::<link::Entity>(of_pattern).await?;
            sightings_insert(scoped, former.id, &after).await?;
        }
        update.updated += 1;
        documents.extend(document::consolidation_pattern(&pattern));
    }
    if !documents.is_empty() {
        publish(scoped, documents).await?;
    }
    Ok(update)
}

impl KeyedPattern {
    fn checked(self) -> Result<Self> {
        if !(1..=KEY_BYTES_MAX).contains(&self.key.len()) || self.key.contains('\0') {
            let rule = format!("a key must have 1 to {KEY_BYTES_MAX} bytes");
            return Err(Error::Invalid(rule));
        }
        numbers_check(self.quotations.len(), self.frequency())?;
        severity_check(self.pattern_type, self.severity)?;
        for quotation in &self.quotations {
            text::body_filled("a piece of evidence", &quotation.text)?;
        }
        Ok(Self {
            title: text::name("the title", &self.title)?,
            description: text::body_filled("the description", &self.description)?,
            tags: check::tags(&self.tags, 2, 4)?,
            ..self
        })
    }

    fn frequency(&self) -> i64 {
        self.sightings.values().sum()
    }
}

/// Merges a found pattern and its sightings into the stored ones. The id and the key do not change.
fn merged(
    former: &ConsolidationPattern,
    before: &BTreeMap<ProjectId, i64>,
    wanted: KeyedPattern,
    projects: &[ProjectId],
) -> (ConsolidationPattern, BTreeMap<ProjectId, i64>) {
    let elsewhere = |project: &ProjectId| !projects.contains(project);
    let mut sightings = wanted.sightings;
    for (project, times) in before.iter().filter(|(project, _)| elsewhere(project)) {
        sightings.entry(*project).or_insert(*times);
    }
    let mut quotations = wanted.quotations;
    for quotation in &former.quotations {
        let stays = elsewhere(&quotation.project_id) && before.contains_key(&quotation.project_id);
        if stays && !quotations.contains(quotation) {
            quotations.push(quotation.clone());
        }
    }
    quotations.truncate(QUOTATIONS_MAX);
    let mut pattern = ConsolidationPattern {
        evidence: texts(&quotations),
        quotations,
        frequency: sightings.values().sum(),
        ..former.clone()
    };
    if wanted.written_by.is_some() || former.written_by.is_none() {
        pattern.pattern_type = wanted.pattern_type;
        pattern.title = wanted.title;
        pattern.description = wanted.description;
        pattern.severity = wanted.severity;
        pattern.tags = wanted.tags;
        pattern.written_by = wanted.written_by;
    }
    (pattern, sightings)
}

async fn keyed_create(
    scoped: &Scoped<ReadWrite>,
    wanted: &KeyedPattern,
) -> Result<ConsolidationPattern> {
    let now = scoped.env().now();
    let id = ConsolidationPatternId(scoped.env().id());
    let pattern = ConsolidationPattern {
        id,
        pattern_type: wanted.pattern_type,
        title: wanted.title.clone(),
        description: wanted.description.clone(),
        evidence: texts(&wanted.quotations),
        frequency: wanted.frequency(),
        severity: wanted.severity,
        tags: wanted.tags.clone(),
        key: Some(wanted.key.clone()),
        quotations: wanted.quotations.clone(),
        written_by: wanted.written_by.clone(),
        archived_at: None,
        created_at: now,
        updated_at: None,
    };
    let row = consolidation_pattern::ActiveModel {
        id: Set(id),
        key: Set(pattern.key.clone()),
        created_at: Set(now),
        ..keyed_row(&pattern)
    };
    let pattern = ConsolidationPatterns::insert(scoped, row).await?;
    sightings_insert(scoped, id, &wanted.sightings).await?;
    Ok(pattern)
}

/// The columns of a pattern that a run writes.
fn keyed_row(pattern: &ConsolidationPattern) -> consolidation_pattern::ActiveModel {
    consolidation_pattern::ActiveModel {
        pattern_type: Set(pattern.pattern_type),
        title: Set(pattern.title.clone()),
        description: Set(pattern.description.clone()),
        evidence: Set(Texts(pattern.evidence.clone())),
        frequency: Set(pattern.frequency),
        severity: Set(pattern.severity),
        tags: Set(Texts(pattern.tags.clone())),
        quotations: Set(Some(Quotations(pattern.quotations.clone()))),
        written_by: Set(pattern.written_by.clone()),
        ..Default::default()
    }
}

fn texts(quotations: &[Quotation]) -> Vec<String> {
    let texts = quotations.iter().map(|quotation| quotation.text.clone());
    texts.collect()
}

/// How often each of those patterns was seen, by project.
async fn sightings<A: Access>(
    scoped: &Scoped<A>,
    patterns: &[ConsolidationPatternId],
) -> Result<HashMap<ConsolidationPatternId, BTreeMap<ProjectId, i64>>> {
    let mut sightings: HashMap<_, BTreeMap<_, _>> = HashMap::new();
    let column = link::Column::ConsolidationPatternId;
    let rows = scoped.find_in::<link::Entity, _>(column, patterns.iter().copied());
    for row in rows.all().await? {
        let of_pattern = sightings.entry(row.consolidation_pattern_id).or_default();
        of_pattern.insert(row.project_id, row.sightings);
    }
    Ok(sightings)
}

async fn sightings_insert(
    scoped: &Scoped<ReadWrite>,
    id: ConsolidationPatternId,
    sightings: &BTreeMap<ProjectId, i64>,
) -> Result<()> {
    let rows = sightings
        .iter()
        .map(|(project_id, times)| link::ActiveModel {
            consolidation_pattern_id: Set(id),
            project_id: Set(*project_id),
            sightings: Set(*times),
            ..Default::default()
        });
    scoped.insert_all(rows.collect()).await
}

/// Whether two patterns have the same evidence: at least half of the quotations of the one with fewer.
fn is_same_evidence(one: &[Quotation], other: &[Quotation]) -> bool {
    let both = one.iter().filter(|quotation| other.contains(quotation));
    let fewer = one.len().min(other.len());
    fewer > 0 && both.count() * 2 >= fewer
}

#[cfg(test)]
mod tests {
    use nyxcore_retrieval::KnowledgeKind;
    use uuid::Uuid;

    use super::*;

    fn quotation(number: u128, text: &str) -> Quotation {
        Quotation {
            kind: KnowledgeKind::MemoryEntry,
            subject_id: format!("memory_{number}"),
            project_id: ProjectId(Uuid::from_u128(number)),
            text: text.to_owned(),
        }
    }

    #[test]
    fn patterns_are_the_same_by_most_of_their_quotations() {
        let (a, b, c) = (quotation(1, "a"), quotation(2, "b"), quotation(3, "c"));
        let ab = [a.clone(), b.clone()];
        assert!(is_same_evidence(&ab, &[a.clone(), c.clone()]));
        assert!(!is_same_evidence(
            &[a.clone(), b, c],
            &[quotation(1, "x"), quotation(2, "y"), a]
        ));
        assert!(!is_same_evidence(&[], &ab));
    }
}
