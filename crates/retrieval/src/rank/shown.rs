//! Selects what a hit shows: the places of a file, or the part of a text that answers.

use std::collections::HashMap;

use super::Candidate;
use crate::model::{KnowledgeKind, Place};
use crate::text::excerpt::excerpt;
use crate::text::fold::{Stems, folded};
use crate::text::place::{PlaceQuery, places};
use crate::text::query_terms;
use crate::text::question::Question;

/// The most characters of prose that a hit shows: some five lines.
const EXCERPT_CHARS: usize = 400;
/// A second place of a file is shown if it scores at least this share of the first.
const SECOND_PLACE: f64 = 0.6;

/// The places of a file or of a section that are shown; none for a document without lines.
pub(super) fn shown(
    candidate: &Candidate,
    wanted: &HashMap<String, f64>,
    question: &Question,
) -> Vec<Place> {
    let Some(first) = candidate.start_line else {
        return Vec::new();
    };
    let line = |line: usize| first + i64::try_from(line).unwrap_or(i64::MAX) - 1;
    match candidate.kind {
        KnowledgeKind::Code => {
            let wanted = PlaceQuery {
                terms: wanted,
                identifiers: &question.identifiers,
            };
            let mut places = places(candidate.path.as_deref(), &candidate.body, &wanted, 2);
            let least = places
                .first()
                .map_or(0.0, |place| place.score * SECOND_PLACE);
            places.retain(|place| place.score >= least);
            let place = |place: crate::text::place::TextPlace<'_>| Place {
                start_line: line(place.start),
                end_line: line(place.end),
                name: place.name.map(str::to_owned),
                excerpt: place.text.to_owned(),
            };
            places.into_iter().map(place).collect()
        }
        KnowledgeKind::Document => {
            let part = prose(&candidate.body, &question.words());
            let (start, text) = whole_lines(&candidate.body, part);
            vec![Place {
                start_line: line(start),
                end_line: line(start + text.matches('\n').count()),
                name: None,
                excerpt: text.to_owned(),
            }]
        }
        _ => Vec::new(),
    }
}

/// The part of a text that has most of the question's words. `asked` has stems, which are compared with stems.
pub(super) fn prose<'a>(text: &'a str, asked: &[&str]) -> &'a str {
    let mut stems = Stems::new();
    let mut terms: Vec<String> = query_terms(text);
    terms.retain(|term| asked.contains(&stems.stem(&folded(term)).as_str()));
    let more = crate::text::identifiers(text)
        .flat_map(|identifier| crate::text::tokens(identifier.text))
        .filter(|term| asked.contains(&stems.stem(&folded(term)).as_str()));
    terms.extend(more);
    terms.sort();
    terms.dedup();
    excerpt(text, &terms, EXCERPT_CHARS)
}

/// Extends a part of a text to whole lines. Returns the number of the first line, from 1, and the lines.
pub(super) fn whole_lines<'a>(text: &'a str, part: &str) -> (usize, &'a str) {
    let at = text.find(part).unwrap_or(0);
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = at + part.len();
    let end = text[end..].find('\n').map_or(text.len(), |more| end + more);
    let before = text[..start].matches('\n').count();
    (before + 1, text[start..end].trim_end())
}
