//! The schema of a model's answer, and the check of the answer: a quotation that is not in its source is left out.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use nyxcore_knowledge::{
    ConsolidationSeverity, ConsolidationType, KeyedPattern, QUOTATIONS_MAX, Quotation,
};
use nyxcore_llm::OutputSchema;
use nyxcore_projects::ProjectId;
use nyxcore_tenancy::text;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cluster::{KEY_BYTES_MAX, cut};
use crate::model::Draft;
use crate::quote::quotation;
use crate::source::{Source, count};

/// The most patterns of an answer.
const PATTERNS_MAX: usize = 50;
/// The most quotations of a pattern that are checked.
const EVIDENCE_MAX: usize = 10;
/// The most characters of a description: a paragraph.
const DESCRIPTION_CHARS: usize = 2_000;
/// The characters of the first quotation that go into the key of a pattern the model added.
const KEY_CHARS: usize = 60;

/// A model's answer.
#[derive(Debug, Clone, Deserialize)]
struct Answer {
    patterns: Vec<AnswerPattern>,
}

#[derive(Debug, Clone, Deserialize)]
struct AnswerPattern {
    /// The number of the counted pattern that it phrases; 0 for a pattern of the model's own.
    candidate: i64,
    #[serde(rename = "type")]
    says: String,
    title: String,
    description: String,
    severity: String,
    tags: Vec<String>,
    evidence: Vec<AnswerEvidence>,
}

#[derive(Debug, Clone, Deserialize)]
struct AnswerEvidence {
    piece: i64,
    quote: String,
}

/// The schema of an answer. Every property is required and no other is allowed, as strict structured output of some
/// vendors demands.
pub(crate) fn output_schema() -> OutputSchema {
    let types: Vec<&str> = ConsolidationType::all()
        .iter()
        .map(|one| one.as_str())
        .collect();
    let severities = ConsolidationSeverity::all().iter().map(|one| one.as_str());
    let severities: Vec<&str> = severities.chain(["none"]).collect();
    let evidence = json!({
        "type": "object",
        "properties": { "piece": { "type": "integer" }, "quote": { "type": "string" } },
        "required": ["piece", "quote"],
        "additionalProperties": false,
    });
    let pattern = json!({
        "type": "object",
        "properties": {
            "candidate": { "type": "integer" },
            "type": { "type": "string", "enum": types },
            "title": { "type": "string" },
            "description": { "type": "string" },
            "severity": { "type": "string", "enum": severities },
            "tags": { "type": "array", "items": { "type": "string" } },
            "evidence": { "type": "array", "items": evidence },
        },
        "required": ["candidate", "type", "title", "description", "severity", "tags", "evidence"],
        "additionalProperties": false,
    });
    OutputSchema {
        name: "consolidation".to_owned(),
        schema: json!({
            "type": "object",
            "properties": { "patterns": { "type": "array", "items": pattern } },
            "required": ["patterns"],
            "additionalProperties": false,
        }),
        strict: true,
    }
}

/// The part of an answer that passed the check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CheckedAnswer {
    /// The counted patterns that the model phrased, and the patterns that it added.
    pub(crate) patterns: Vec<KeyedPattern>,
    pub(crate) quotations_dropped: i64,
    pub(crate) patterns_dropped: i64,
}

/// Checks an answer against the sources. `found` are the counted patterns.
pub(crate) fn answer_check(
    draft: &Draft,
    sources: &[Source],
    found: &[KeyedPattern],
) -> CheckedAnswer {
    let by_id: HashMap<&str, &Source> = sources
        .iter()
        .map(|source| (source.subject_id.as_str(), source))
        .collect();
    let mut checked = CheckedAnswer::default();
    let answer = Answer::deserialize(&draft.answer);
    let patterns = answer.map(|answer| answer.patterns).unwrap_or_default();
    for pattern in patterns.into_iter().take(PATTERNS_MAX) {
        let mut quotations: Vec<(Quotation, &Source)> = Vec::new();
        for evidence in pattern.evidence.iter().take(EVIDENCE_MAX) {
            let source = number(&draft.pieces, evidence.piece);
            let source = source.and_then(|id| by_id.get(id.as_str()));
            let quoted = source.and_then(|source| {
                Some((
                    Quotation {
                        kind: source.kind,
                        subject_id: source.subject_id.clone(),
                        project_id: source.project,
                        text: quotation(source, &evidence.quote)?,
                    },
                    *source,
                ))
            });
            match quoted {
                Some(quoted) if !quotations.contains(&quoted) => quotations.push(quoted),
                Some(_) => {}
                None => checked.quotations_dropped += 1,
            }
        }
        let key = number(&draft.candidates, pattern.candidate);
        let counted = key.and_then(|key| found.iter().find(|found| found.key == *key));
        match keyed(&pattern, &quotations, counted, &draft.model) {
            Some(keyed) if checked.patterns.iter().all(|one| one.key != keyed.key) => {
                checked.patterns.push(keyed);
            }
            _ => checked.patterns_dropped += 1,
        }
    }
    checked
}

/// The entry of a list by its number, which starts at 1.
fn number(list: &[String], number: i64) -> Option<&String> {
    list.get(usize::try_from(number).ok()?.checked_sub(1)?)
}

/// A pattern of the model's; `None` where it has no quotation, or where it was not counted and quotes one project only.
fn keyed(
    pattern: &AnswerPattern,
    quotations: &[(Quotation, &Source)],
    counted: Option<&KeyedPattern>,
    model: &str,
) -> Option<KeyedPattern> {
    let place = |one: &Quotation| (one.subject_id.clone(), one.text.clone());
    let (first, _) = quotations.iter().min_by_key(|(one, _)| place(one))?;
    let mut seen: BTreeMap<ProjectId, BTreeSet<&str>> = BTreeMap::new();
    for (quotation, _) in quotations {
        let of_project = seen.entry(quotation.project_id).or_default();
        of_project.insert(&quotation.subject_id);
    }
    let seen = seen.into_iter();
    let mut sightings: BTreeMap<ProjectId, i64> = seen
        .map(|(project, ids)| (project, count(ids.len())))
        .collect();
    if counted.is_none() && sightings.len() < 2 {
        return None;
    }
    let mut shown: Vec<Quotation> = quotations.iter().map(|(one, _)| one.clone()).collect();
    // One quotation of each project comes first.
    let mut projects = BTreeSet::new();
    shown.sort_by_cached_key(|one| !projects.insert(one.project_id));
    let key = match counted {
        Some(counted) => {
            for (project, times) in &counted.sightings {
                let known = sightings.entry(*project).or_insert(0);
                *known = (*known).max(*times);
            }
            let others = counted.quotations.iter();
            let others = others.filter(|one| !shown.contains(one));
            let others: Vec<Quotation> = others.cloned().collect();
            shown.extend(others);
            counted.key.clone()
        }
        None => {
            let text: String = first.text.chars().take(KEY_CHARS).collect();
            format!("quoted/{}/{text}", first.subject_id)
        }
    };
    shown.truncate(QUOTATIONS_MAX);
    let says = ConsolidationType::parse(&pattern.says)?;
    let hurts = ConsolidationSeverity::parse(&pattern.severity);
    let description = cut(&plain(&pattern.description), DESCRIPTION_CHARS);
    if description.is_empty() || key.len() > KEY_BYTES_MAX {
        return None;
    }
    Some(KeyedPattern {
        key,
        pattern_type: says,
        title: text::name_cleaned(&plain(&pattern.title))?,
        description,
        quotations: shown,
        severity: hurts.filter(|_| says == ConsolidationType::Pain),
        tags: tags(&pattern.tags, counted, says),
        sightings,
        written_by: Some(model.to_owned()),
    })
}

/// Two to four tags: the model's, then those of the counted pattern, then the type.
fn tags(
    written: &[String],
    counted: Option<&KeyedPattern>,
    says: ConsolidationType,
) -> Vec<String> {
    let written = written
        .iter()
        .filter_map(|tag| text::name_cleaned(&plain(tag)));
    let written = written.filter_map(|tag| text::TAG.check("the tag", &tag).ok());
    let mut tags: Vec<String> = Vec::new();
    for tag in written {
        if tags.len() < 4 && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    let others = counted
        .map(|counted| counted.tags.clone())
        .unwrap_or_default();
    let more = [says.as_str().to_owned(), "theme".to_owned()];
    for tag in others.into_iter().chain(more) {
        if tags.len() < 2 && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

/// A text on one line without control characters.
fn plain(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether an answer has no patterns.
pub(crate) fn is_empty(value: &Value) -> bool {
    !Answer::deserialize(value).is_ok_and(|answer| !answer.patterns.is_empty())
}

#[cfg(test)]
mod tests {
    use nyxcore_retrieval::KnowledgeKind;
    use uuid::Uuid;

    use super::*;

    fn source(project: u128, id: &str, text: &str) -> Source {
        Source {
            kind: KnowledgeKind::MemoryEntry,
            subject_id: id.to_owned(),
            project: ProjectId(Uuid::from_u128(project)),
            title: String::new(),
            text: text.to_owned(),
            whole: text.to_owned(),
            says: None,
            severity: None,
        }
    }

    fn check(patterns: Value) -> CheckedAnswer {
        let sources = [
            source(1, "a", "The worker lost its lease."),
            source(2, "b", "A lease expired again."),
        ];
        let draft = Draft {
            answer: json!({ "patterns": patterns }),
            pieces: vec!["a".into(), "b".into(), "gone".into()],
            candidates: Vec::new(),
            templates: Vec::new(),
            provider: "local".into(),
            model: "tiny".into(),
        };
        answer_check(&draft, &sources, &[])
    }

    fn pattern(evidence: Value) -> Value {
        json!({
            "candidate": 0, "type": "pain", "title": "Leases expire", "description": "Workers lose\u{7} their leases.",
            "severity": "high", "tags": ["leases", "leases"], "evidence": evidence,
        })
    }

    #[test]
    fn a_quotation_that_is_not_in_its_source_is_dropped() {
        let real = json!([
            { "piece": 1, "quote": "worker lost its lease" }, { "piece": 2, "quote": "A lease expired again." },
            { "piece": 2, "quote": "The worker lost its lease." }, { "piece": 9, "quote": "worker lost its lease" },
            { "piece": 3, "quote": "worker lost its lease" }, { "piece": -1, "quote": "worker lost its lease" },
        ]);
        let checked = check(json!([pattern(real)]));
        assert_eq!(
            (checked.quotations_dropped, checked.patterns_dropped),
            (4, 0)
        );
        let pattern = &checked.patterns[0];
        assert_eq!(pattern.quotations.len(), 2);
        assert_eq!(pattern.description, "Workers lose their leases.");
        assert_eq!(pattern.tags, ["leases", "pain"]);
        assert_eq!(pattern.severity, Some(ConsolidationSeverity::High));
    }

    #[test]
    fn what_one_project_shows_is_no_pattern() {
        let alone = json!([{ "piece": 1, "quote": "worker lost its lease" }]);
        let invented = json!([{ "piece": 1, "quote": "worker lost its mind" }]);
        let checked = check(json!([
            pattern(alone),
            pattern(invented),
            pattern(json!([]))
        ]));
        assert_eq!((checked.patterns.len(), checked.patterns_dropped), (0, 3));
        assert!(is_empty(&json!({ "patterns": [] })) && is_empty(&json!("x")));
    }
}
