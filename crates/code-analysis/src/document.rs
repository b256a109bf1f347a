//! The search document of a code pattern: its fields and its text.

use std::fmt::Write as _;

use nyxcore_code_engine::evidence::CodeLocation;
use nyxcore_projects::SourceId;
use nyxcore_retrieval::{Document, FileRole, KnowledgeKind};
use nyxcore_tenancy::TypedId;

use super::model::CodePattern;

/// Builds the document of a pattern: its rule, how well it is kept, where it can be seen and where it is not kept.
/// Other findings of an analysis have no document. Commands, layers and wrappers have one where they are habits,
/// because then they are patterns too. The map is queried and never searched.
pub(super) fn code_pattern(pattern: &CodePattern) -> Document {
    let scope = pattern.scope.as_deref();
    let within = scope.map_or_else(String::new, |scope| format!(" in {scope}"));
    let mut body = format!(
        "{}\n\n{} of {} cases{within} follow it (confidence {:.2}).",
        pattern.statement, pattern.support, pattern.cases, pattern.confidence
    );
    for (what, places) in [
        ("For example", &pattern.exemplars),
        ("Otherwise in", &pattern.counter_examples),
    ] {
        if !places.is_empty() {
            let places: Vec<String> = places.iter().map(place).collect();
            let _ = write!(body, "\n{what}: {}", places.join(", "));
        }
    }
    // A citation leads to the first exemplar.
    let shown = pattern.exemplars.first();
    let source = shown.and_then(|place| place.source_id.as_deref());
    let source = source.and_then(|source| SourceId::parse(source).ok());
    Document {
        kind: KnowledgeKind::CodePattern,
        subject: pattern.id.to_string(),
        subject_id: Some(pattern.id.0),
        project_id: Some(pattern.project_id.0),
        title: pattern.title.clone(),
        body,
        path: shown.map(|place| place.path.clone()),
        source_id: source.map(|source| source.0),
        start_line: shown.map(|place| i64::from(place.start_line)),
        end_line: shown.map(|place| i64::from(place.end_line)),
        stack: pattern.stack.clone(),
        role: says_little(&pattern.kind).then_some(FileRole::Convention),
    }
}

/// Whether nearly every project of the language has such a habit. It is then found only if it is asked for.
fn says_little(kind: &str) -> bool {
    kind == "naming"
}

fn place(location: &CodeLocation) -> String {
    let CodeLocation {
        path,
        start_line,
        end_line,
        ..
    } = location;
    if start_line == end_line {
        format!("{path}:{start_line}")
    } else {
        format!("{path}:{start_line}-{end_line}")
    }
}
