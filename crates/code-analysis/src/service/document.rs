//! What of a pattern is published to the search index, and how it reads there.

use nyxcore_retrieval::{Document, KnowledgeKind};

use super::model::CodePattern;
use crate::CodeLocation;

/// A pattern: its rule, how well it is kept, and where it can be seen.
pub(super) fn code_pattern(pattern: &CodePattern) -> Document {
    let scope = pattern.scope.as_deref();
    let within = scope.map_or_else(String::new, |scope| format!(" in {scope}"));
    let mut body = format!(
        "{}\n\n{} of {} cases{within} follow it.",
        pattern.statement, pattern.support, pattern.cases
    );
    if !pattern.exemplars.is_empty() {
        let places: Vec<String> = pattern.exemplars.iter().map(place).collect();
        body.push_str("\nFor example: ");
        body.push_str(&places.join(", "));
    }
    // The first place that shows it is where a citation leads.
    let shown = pattern.exemplars.first();
    Document {
        kind: KnowledgeKind::CodePattern,
        subject: pattern.id.to_string(),
        subject_id: Some(pattern.id.0),
        project_id: Some(pattern.project_id.0),
        title: pattern.title.clone(),
        body,
        path: shown.map(|place| place.path.clone()),
        start_line: shown.map(|place| i64::from(place.start_line)),
        end_line: shown.map(|place| i64::from(place.end_line)),
        stack: pattern.stack.clone(),
    }
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
