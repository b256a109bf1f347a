//! Finds a quotation in its source: word for word, whatever the spaces and line breaks between the words.

use std::ops::Range;

use crate::source::Source;

/// The minimum number of characters of a quotation: a shorter one shows nothing.
const CHARS_MIN: usize = 8;
/// The most characters of a quotation: a longer one is a copy.
pub(crate) const CHARS_MAX: usize = 600;

/// The quotation as it stands in the source, with single spaces; `None` where it is not in the source.
pub(crate) fn quotation(source: &Source, quote: &str) -> Option<String> {
    let quote = quote.trim().trim_matches(['"', '“', '”', '…']).trim();
    let chars = quote.chars().count();
    if !(CHARS_MIN..=CHARS_MAX).contains(&chars) {
        return None;
    }
    let found = find(&source.text, quote)?;
    // The whole source must contain it too: words on both sides of a removed line are not adjacent there.
    find(&source.whole, quote)?;
    let words: Vec<&str> = source.text[found].split_whitespace().collect();
    Some(words.join(" "))
}

/// Where the words of `quote` stand in `text`. The first and the last may be parts of words.
fn find(text: &str, quote: &str) -> Option<Range<usize>> {
    let wanted: Vec<&str> = quote.split_whitespace().collect();
    let words: Vec<(usize, &str)> = words(text).collect();
    let (first, last) = (wanted.first()?, wanted.last()?);
    if wanted.len() == 1 {
        let at = text.find(first)?;
        return Some(at..at + first.len());
    }
    words.windows(wanted.len()).find_map(|window| {
        let ((start, begin), (stop, end)) = (window.first()?, window.last()?);
        let inner = 1..window.len() - 1;
        let is_here = begin.ends_with(first)
            && end.starts_with(last)
            && window[inner.clone()]
                .iter()
                .zip(&wanted[inner])
                .all(|((_, word), wanted)| word == wanted);
        is_here.then(|| start + begin.len() - first.len()..stop + last.len())
    })
}

fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    // Each word is a part of the text, so that its place is the distance of the two.
    let base = text.as_ptr().addr();
    text.split_whitespace()
        .map(move |word| (word.as_ptr().addr() - base, word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found<'a>(text: &'a str, quote: &str) -> Option<&'a str> {
        find(text, quote).map(|range| &text[range])
    }

    #[test]
    fn a_quotation_stands_in_its_source_word_for_word() {
        let text = "- The worker\n  lost its lease, again.\n";
        assert_eq!(
            found(text, "worker lost its lease"),
            Some("worker\n  lost its lease")
        );
        assert_eq!(
            found(text, "lost  its lease, again"),
            Some("lost its lease, again")
        );
        assert_eq!(found(text, "worker lost a lease"), None);
        assert_eq!(found(text, "the worker"), None);
        assert_eq!(found(text, ""), None);
        assert_eq!(found("租约到期了", "租约到期"), Some("租约到期"));
    }

    proptest! {
        #[test]
        fn every_part_of_a_text_is_found(words in proptest::collection::vec("[a-zä.]{1,6}", 1..20), from in 0_usize..20, size in 1_usize..6) {
            let from = from.min(words.len() - 1);
            let to = (from + size).min(words.len());
            let quote = words[from..to].join(" ");
            prop_assert!(find(&words.join("\n"), &quote).is_some());
        }
    }
}
