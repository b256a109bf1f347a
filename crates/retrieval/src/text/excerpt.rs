//! Selects the excerpt of a text to show with a hit.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::{identifiers, tokens};

/// An occurrence of a term, with its start and end in characters.
struct Hit {
    start: usize,
    end: usize,
    term: usize,
}

/// The part of the text, of at most `max_chars` characters, in which most of the terms occur; of equal ones the part
/// where they are closest together, then the first. Where no term occurs, it is the beginning.
///
/// The terms are those of [`super::query_terms`]. The part begins at a line, or else at a word, where it still contains
/// the terms then; white space at its end is cut off. It is a slice of `text`, so that the caller can find its
/// position.
#[must_use]
pub fn excerpt<'a>(text: &'a str, terms: &[impl AsRef<str>], max_chars: usize) -> &'a str {
    // Byte offset of every character, and of the end.
    let offsets: Vec<usize> = text
        .char_indices()
        .map(|(offset, _)| offset)
        .chain([text.len()])
        .collect();
    let length = offsets.len() - 1;
    if length <= max_chars {
        return trim(text);
    }
    let hits = hits(text, &offsets, terms);
    let (first, last) = best_window(&hits, terms.len(), max_chars).unwrap_or((0, 0));
    // The room that the terms leave is divided between the text before and behind them.
    let room = max_chars.saturating_sub(last - first);
    let start = first.saturating_sub(room / 2).min(length - max_chars);
    let end = start + max_chars;
    let (from, lead) = (
        offsets[start],
        &text[offsets[start]..offsets[first.max(start)]],
    );
    let start = from + snap_start(text[..from].chars().next_back(), lead);
    let keep = offsets[last.clamp(0, end)].max(start);
    let end = keep + snap_end(&text[keep..offsets[end]], end == length);
    trim(&text[start..end])
}

/// Cuts off white space at the end and empty lines at the beginning; the first line keeps its indentation.
fn trim(text: &str) -> &str {
    text.trim_end().trim_start_matches(['\n', '\r'])
}

fn hits(text: &str, offsets: &[usize], terms: &[impl AsRef<str>]) -> Vec<Hit> {
    let terms: HashMap<&str, usize> = terms
        .iter()
        .enumerate()
        .map(|(index, term)| (term.as_ref(), index))
        .collect();
    let char_at = |byte: usize| offsets.partition_point(|&offset| offset < byte);
    let mut hits = Vec::new();
    for identifier in identifiers(text) {
        for token in tokens(identifier.text) {
            if let Some(&term) = terms.get(token.as_str()) {
                let (start, end) = (identifier.start, identifier.start + identifier.text.len());
                hits.push(Hit {
                    start: char_at(start),
                    end: char_at(end),
                    term,
                });
            }
        }
    }
    hits
}

/// From the first to the last hit of the best window, in characters.
fn best_window(hits: &[Hit], terms: usize, max_chars: usize) -> Option<(usize, usize)> {
    let mut counts = vec![0_usize; terms];
    let mut distinct = 0;
    let mut from = 0;
    let mut best_score = (0, Reverse(usize::MAX));
    let mut best = None;
    for (to, hit) in hits.iter().enumerate() {
        distinct += usize::from(counts[hit.term] == 0);
        counts[hit.term] += 1;
        // The first hit is dropped when the window is too long, or when its term occurs again. A single hit may be
        // longer than the window; it stays, and is cut.
        while from < to && (hit.end - hits[from].start > max_chars || counts[hits[from].term] > 1) {
            counts[hits[from].term] -= 1;
            distinct -= usize::from(counts[hits[from].term] == 0);
            from += 1;
        }
        let window = (hits[from].start, hit.end);
        let score = (distinct, Reverse(window.1 - window.0));
        if score > best_score {
            best_score = score;
            best = Some(window);
        }
    }
    best
}

/// How many bytes of the text before the first hit to skip: to the first line, else to the first word, else all.
fn snap_start(before: Option<char>, lead: &str) -> usize {
    if before.is_none_or(|c| c == '\n') {
        return 0;
    }
    if let Some(line_end) = lead.find('\n') {
        return line_end + 1;
    }
    if before.is_some_and(char::is_whitespace) {
        return 0;
    }
    lead.find(char::is_whitespace).unwrap_or(lead.len())
}

/// How many bytes of the text behind the last hit to keep: up to the last line, else the last word.
fn snap_end(tail: &str, is_text_end: bool) -> usize {
    if is_text_end {
        return tail.len();
    }
    tail.rfind('\n')
        .or_else(|| tail.rfind(char::is_whitespace))
        .unwrap_or(tail.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::query_terms;

    const TEXT: &str = "The store opens a file.\nIt reads pages lazily.\n\nA lease keeps a worker alive.\nWhen the lease \
                        expires, another worker takes the run.\nNothing is done twice.\n";

    #[test]
    fn a_short_text_is_shown_whole() {
        assert_eq!(
            excerpt("\n  all of it \n", &["nothing"], 100),
            "  all of it"
        );
    }

    #[test]
    fn the_window_with_most_of_the_terms_is_shown() {
        let terms = query_terms("which worker takes an expired lease?");
        // "Worker" and "lease" are also in the line before, but not as close to "takes".
        for room in [60, 80] {
            assert_eq!(
                excerpt(TEXT, &terms, room),
                "When the lease expires, another worker takes the run."
            );
        }
    }

    #[test]
    fn a_part_of_an_identifier_is_a_hit() {
        let code = format!(
            "{}fn renewLease() {{}}\n{}",
            "let a = 1;\n".repeat(20),
            "let b = 2;\n".repeat(20)
        );
        assert!(excerpt(&code, &["lease"], 60).contains("renewLease"));
    }

    #[test]
    fn without_a_hit_the_beginning_is_shown_up_to_a_word() {
        assert_eq!(excerpt(TEXT, &["nowhere"], 21), "The store opens a");
        assert_eq!(excerpt(TEXT, &[] as &[&str], 30), "The store opens a file.");
        assert_eq!(excerpt(TEXT, &["store"], 0), "");
    }

    #[test]
    fn an_excerpt_does_not_begin_within_a_word() {
        let text = format!("{}renew.lease() and more of it", "a.b".repeat(30));
        assert_eq!(excerpt(&text, &["lease"], 20), "lease() and");
    }

    #[test]
    fn a_word_that_is_longer_than_the_window_is_cut() {
        let text = format!("before {} after", "ä".repeat(50));
        assert_eq!(excerpt(&text, &["ä".repeat(50)], 10), "ä".repeat(10));
    }

    proptest! {
        #[test]
        fn an_excerpt_is_a_part_of_the_text_and_fits(
            text in "(lease|worker|Ärger|日本|[a-z äß.\n]){0,60}",
            max_chars in 0_usize..60,
        ) {
            let shown = excerpt(&text, &["lease", "worker", "ärger"], max_chars);
            prop_assert!(text.contains(shown));
            prop_assert!(shown.chars().count() <= max_chars);
        }

        #[test]
        fn a_term_that_fits_is_shown(
            before in "[a-k \n]{0,80}",
            after in "[a-k \n]{0,80}",
            max_chars in 6_usize..60,
        ) {
            let text = format!("{before} worker {after}");
            let shown = excerpt(&text, &["worker"], max_chars);
            prop_assert!(shown.contains("worker"), "{shown:?}");
        }

        #[test]
        fn any_text_can_be_cut(text in any::<String>(), query in any::<String>(), max_chars in 0_usize..40) {
            let shown = excerpt(&text, &query_terms(&query), max_chars);
            prop_assert!(text.contains(shown) && shown.chars().count() <= max_chars);
        }
    }
}
