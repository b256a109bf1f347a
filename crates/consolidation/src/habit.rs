//! Habits of the code that several projects have: code patterns with the same key.

use std::collections::BTreeMap;

use nyxcore_code_analysis::CodePattern;
use nyxcore_knowledge::{ConsolidationType, KeyedPattern, QUOTATIONS_MAX, Quotation};
use nyxcore_projects::ProjectId;
use nyxcore_retrieval::KnowledgeKind;
use nyxcore_tenancy::text;

use crate::cluster::{KEY_BYTES_MAX, names_listed};
use crate::theme::THEMES_MAX;

/// The code patterns that at least two of the projects have, those of the most projects first. Each comes with the code
/// patterns that it is made of.
pub(crate) fn shared_habits<'a>(
    habits: &'a [CodePattern],
    names: &BTreeMap<ProjectId, String>,
) -> Vec<(KeyedPattern, Vec<&'a CodePattern>)> {
    let mut by_key: BTreeMap<&str, Vec<&CodePattern>> = BTreeMap::new();
    for habit in habits {
        by_key.entry(&habit.key).or_default().push(habit);
    }
    let shared = by_key.into_iter().filter_map(|(key, mut shared)| {
        // The code pattern with the highest confidence comes first.
        shared.sort_by(|a, b| {
            let confidence = b.confidence.total_cmp(&a.confidence);
            confidence.then_with(|| a.project_id.cmp(&b.project_id))
        });
        Some((pattern(key, &shared, names)?, shared))
    });
    let mut shared: Vec<_> = shared.collect();
    shared.sort_by(|(a, _), (b, _)| {
        let projects = b.sightings.len().cmp(&a.sightings.len());
        projects.then_with(|| a.key.cmp(&b.key))
    });
    shared.truncate(THEMES_MAX);
    shared
}

fn pattern(
    key: &str,
    habits: &[&CodePattern],
    names: &BTreeMap<ProjectId, String>,
) -> Option<KeyedPattern> {
    let first = habits.first()?;
    let sightings: BTreeMap<ProjectId, i64> =
        habits.iter().map(|habit| (habit.project_id, 1)).collect();
    let key = format!("code/{key}");
    if sightings.len() < 2 || key.len() > KEY_BYTES_MAX {
        return None;
    }
    let (support, cases) = habits.iter().fold((0, 0), |(support, cases), habit| {
        (support + habit.support, cases + habit.cases)
    });
    let quotations = habits.iter().take(QUOTATIONS_MAX).map(|habit| Quotation {
        kind: KnowledgeKind::CodePattern,
        subject_id: habit.id.to_string(),
        project_id: habit.project_id,
        text: habit.statement.clone(),
    });
    let stack = first.stack.as_deref().unwrap_or("code");
    let kind = first.kind.replace('_', " ");
    let tags = match kind == stack {
        true => vec![kind, "code".to_owned()],
        false => vec![kind, stack.to_owned()],
    };
    Some(KeyedPattern {
        key,
        pattern_type: pattern_type(&first.kind),
        title: text::name_cleaned(&first.title)?,
        description: format!(
            "{} {support} of {cases} cases in {} projects ({}) follow it.",
            first.statement,
            sightings.len(),
            names_listed(&sightings, names)
        ),
        quotations: quotations.collect(),
        severity: None,
        tags,
        sightings,
        written_by: None,
    })
}

fn pattern_type(kind: &str) -> ConsolidationType {
    match kind {
        "import_direction" | "module_layout" | "module_wrapper" | "dependency_wiring" => {
            ConsolidationType::Architecture
        }
        "commands" | "logging" | "validation" => ConsolidationType::Tool,
        _ => ConsolidationType::Pattern,
    }
}
