//! The places within a file that answer a question: whole lines that begin at a declaration where possible.

use std::collections::HashMap;

use super::fold::{Stems, folded, normalized};
use super::outline::{Definition, LineKind, outline};
use super::words::{terms_of, words};

/// The most lines of a place that are shown.
const LINES_MAX: usize = 14;
/// The most bytes of a place that are shown: some ten lines. Its first line is shown even if it alone is longer, up to
/// [`LINE_BYTES_MAX`].
const BYTES_MAX: usize = 700;
const LINE_BYTES_MAX: usize = 2_000;
/// The weight that a definition's name adds if it has a word of the question.
const NAME_WEIGHT: f64 = 1.5;
/// The weight that it adds if it is an identifier of the question.
const EXACT_WEIGHT: f64 = 6.0;

/// The factor for a definition that contains other definitions.
const HOLDER_WEIGHT: f64 = 0.6;

/// A place within a text. Lines are counted from 1 within the text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TextPlace<'a> {
    /// Its first line.
    pub start: usize,
    /// Its last line, including lines that are not shown.
    pub end: usize,
    /// The first lines of the place, which are shown.
    pub text: &'a str,
    /// The name of the definition there.
    pub name: Option<&'a str>,
    /// How well it answers; comparable within one text.
    pub score: f64,
}

/// The words to find in a file.
pub(crate) struct PlaceQuery<'q> {
    /// The terms, each with its weight.
    pub terms: &'q HashMap<String, f64>,
    /// Identifiers of the question, folded and without `_`.
    pub identifiers: &'q [String],
}

/// The best places of a text, at most `count`, best first. Where no term occurs, it is the first lines.
pub(crate) fn places<'a>(
    path: Option<&str>,
    text: &'a str,
    wanted: &PlaceQuery<'_>,
    count: usize,
) -> Vec<TextPlace<'a>> {
    // The text is not normalised as a whole, which would shift offsets; the words of each line are normalised instead.
    let outline = outline(path, text);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut stems = Stems::new();
    let found: Vec<Vec<(usize, f64)>> = lines_found(&lines, &outline.lines, wanted, &mut stems);
    let mut places: Vec<TextPlace<'a>> = Vec::new();
    let mut covered = vec![false; lines.len()];
    let definitions = &outline.definitions;
    for (n, definition) in definitions.iter().enumerate() {
        let last = definition.end.min(lines.len());
        if definition.start > last {
            continue;
        }
        let mut score =
            score(&found[definition.start - 1..last]) + name_score(definition, wanted, &mut stems);
        // The nested definitions are more specific.
        let holds_others = definitions
            .get(n + 1)
            .is_some_and(|next| next.start <= last);
        if holds_others {
            score *= HOLDER_WEIGHT;
        }
        for is_covered in &mut covered[definition.start - 1..last] {
            *is_covered = true;
        }
        if score > 0.0 {
            places.push(shown(
                &lines,
                text,
                definition.start,
                last,
                Some(definition.name),
                score,
            ));
        }
    }
    // Lines outside of definitions, in windows that begin at a line that matches.
    let mut at = 0;
    while at < lines.len() {
        if covered[at] || found[at].is_empty() {
            at += 1;
            continue;
        }
        let reach = (at + LINES_MAX).min(lines.len());
        let end = (at..reach).find(|&line| covered[line]).unwrap_or(reach);
        places.push(shown(
            &lines,
            text,
            at + 1,
            end,
            None,
            score(&found[at..end]),
        ));
        at = end;
    }
    places.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then_with(|| a.start.cmp(&b.start))
    });
    let mut best: Vec<TextPlace<'a>> = Vec::new();
    for place in places {
        // Overlapping places count as the same place.
        if best.len() < count
            && !best
                .iter()
                .any(|one| one.start <= place.end && place.start <= one.end)
        {
            best.push(place);
        }
    }
    if best.is_empty() && !lines.is_empty() {
        let first = lines
            .iter()
            .position(|line| !line.trim().is_empty())
            .unwrap_or(0);
        let start = outline
            .definitions
            .first()
            .map_or(first + 1, |one| one.start.min(lines.len()));
        best.push(shown(
            &lines,
            text,
            start,
            lines.len().min(start + LINES_MAX),
            None,
            0.0,
        ));
    }
    best
}

/// For each line, the numbers of its terms with their weights there.
fn lines_found(
    lines: &[&str],
    kinds: &[LineKind],
    wanted: &PlaceQuery<'_>,
    stems: &mut Stems,
) -> Vec<Vec<(usize, f64)>> {
    let numbers: HashMap<&str, (usize, f64)> = wanted
        .terms
        .iter()
        .enumerate()
        .map(|(number, (term, weight))| (term.as_str(), (number, *weight)))
        .collect();
    let mut terms = Vec::new();
    lines
        .iter()
        .enumerate()
        .map(|(at, line)| {
            let line = normalized(line);
            terms.clear();
            for word in words(&line) {
                terms_of(&word, stems, &mut terms);
            }
            let factor = match kinds.get(at) {
                Some(LineKind::Comment) => 0.6,
                Some(LineKind::Heading) => 2.0,
                _ => 1.0,
            };
            let mut found: Vec<(usize, f64)> = terms
                .iter()
                .filter_map(|term| numbers.get(term.text.as_str()))
                .map(|(number, weight)| (*number, weight * factor))
                .collect();
            found.sort_by_key(|(number, _)| *number);
            found.dedup_by_key(|(number, _)| *number);
            found
        })
        .collect()
}

/// The score of lines together: each term counts, less with every repetition, and less in many lines.
fn score(found: &[Vec<(usize, f64)>]) -> f64 {
    let mut counts: HashMap<usize, f64> = HashMap::new();
    for (number, weight) in found.iter().flatten() {
        *counts.entry(*number).or_default() += weight;
    }
    let mut best: HashMap<usize, f64> = HashMap::new();
    for (number, weight) in found.iter().flatten() {
        let best = best.entry(*number).or_default();
        *best = best.max(*weight);
    }
    let lines = u32::try_from(found.len()).map_or(f64::MAX, f64::from);
    let norm = 0.5 + 0.5 * lines / 20.0;
    let mut scores: Vec<f64> = counts
        .into_iter()
        .map(|(number, sum)| {
            let most = best.get(&number).copied().unwrap_or(1.0).max(1e-9);
            let times = sum / most;
            most * times / (times + norm)
        })
        .collect();
    // The sum of floats depends on their order, so they are sorted.
    scores.sort_by(f64::total_cmp);
    scores.iter().sum()
}

fn name_score(definition: &Definition<'_>, wanted: &PlaceQuery<'_>, stems: &mut Stems) -> f64 {
    let name = normalized(definition.name);
    let whole = folded(&name.replace('_', ""));
    let mut terms = Vec::new();
    for word in words(&name) {
        terms_of(&word, stems, &mut terms);
    }
    let sum: f64 = terms
        .iter()
        .filter_map(|term| wanted.terms.get(&term.text))
        .sum();
    let parts = u32::try_from(terms.len().max(1)).map_or(1.0, f64::from);
    let exact = wanted.identifiers.contains(&whole);
    let exact = if exact { EXACT_WEIGHT } else { 0.0 };
    NAME_WEIGHT * sum / parts.sqrt() + exact
}

fn shown<'a>(
    lines: &[&str],
    text: &'a str,
    start: usize,
    end: usize,
    name: Option<&'a str>,
    score: f64,
) -> TextPlace<'a> {
    let offset: usize = lines[..start - 1].iter().map(|line| line.len()).sum();
    let mut bytes = 0;
    let mut last = start - 1;
    for (at, line) in lines
        .iter()
        .enumerate()
        .take(end)
        .skip(start - 1)
        .take(LINES_MAX)
    {
        if bytes > 0 && bytes + line.len() > BYTES_MAX {
            break;
        }
        bytes += line.len();
        last = at;
    }
    if bytes > LINE_BYTES_MAX {
        bytes = LINE_BYTES_MAX;
    }
    let shown = &text[offset..text.floor_char_boundary(offset + bytes)];
    TextPlace {
        start,
        end: end.max(last + 1),
        text: shown.trim_end(),
        name,
        score,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::question::Question;

    fn best<'a>(path: &str, text: &'a str, question: &str, count: usize) -> Vec<TextPlace<'a>> {
        let question = Question::read(question);
        let terms: HashMap<String, f64> = question
            .terms
            .iter()
            .map(|term| (term.text.clone(), 1.0))
            .collect();
        let wanted = PlaceQuery {
            terms: &terms,
            identifiers: &question.identifiers,
        };
        places(Some(path), text, &wanted, count)
    }

    const FILE: &str = "import context\n\nclass Context:\n    \"\"\"The context.\"\"\"\n\n    def push(self):\n        \
                        stack.append(self)\n\n    def pop(self):\n        stack.remove(self)\n\ndef other():\n    return 1\n";

    #[test]
    fn a_place_begins_at_its_definition() {
        let places = best("ctx.py", FILE, "Where is the context pushed?", 1);
        assert_eq!(
            (places[0].start, places[0].end, places[0].name),
            (6, 7, Some("push"))
        );
        assert_eq!(
            places[0].text,
            "    def push(self):\n        stack.append(self)"
        );
    }

    #[test]
    fn the_identifier_that_was_asked_for_wins() {
        let text = "fn uses() {\n    find_error_handler();\n    find_error_handler();\n}\n\nfn find_error_handler() {\n    1\n}\n";
        assert_eq!(best("a.rs", text, "_find_error_handler", 1)[0].start, 6);
    }

    #[test]
    fn places_do_not_overlap() {
        let places = best("ctx.py", FILE, "context stack push pop", 5);
        for (n, one) in places.iter().enumerate() {
            for other in &places[n + 1..] {
                assert!(one.end < other.start || other.end < one.start);
            }
        }
    }

    #[test]
    fn a_file_without_a_match_shows_its_beginning() {
        assert_eq!(best("ctx.py", FILE, "nowhere", 2)[0].start, 3);
        assert_eq!(
            best("a.toml", "\n[a]\nb = 1\n", "nowhere", 2)[0].text,
            "[a]\nb = 1"
        );
        assert_eq!(best("a.toml", "", "nowhere", 2), []);
    }

    proptest::proptest! {
        #[test]
        fn a_place_is_whole_lines_of_the_text(text in "(def |fn |lease|\n|\r\n|  |ä|x){0,80}", ending in "(py|rs|md|json)") {
            for place in best(&format!("a.{ending}"), &text, "lease x", 3) {
                proptest::prop_assert!(place.start >= 1 && place.start <= place.end && place.end <= text.lines().count().max(1));
                let before: usize = text.split_inclusive('\n').take(place.start - 1).map(str::len).sum();
                proptest::prop_assert!(text[before..].starts_with(place.text));
            }
        }
    }
}
