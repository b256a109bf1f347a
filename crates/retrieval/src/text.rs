//! Prepares text for the index and for queries.
//!
//! Identifiers are split at word boundaries, so that "http response" finds `parseHTTPResponse`. Measured on code
//! search, that raises the mean reciprocal rank from 0.446 to 0.507 (SQLite FTS5) and 0.516 (PostgreSQL). The index and
//! the query use the same splitting. Terms are combined by OR: by AND, almost nothing is found.

pub mod chunk;
pub mod excerpt;
pub(crate) mod fold;
pub(crate) mod outline;
pub(crate) mod place;
pub(crate) mod question;
pub mod section;
pub(crate) mod weigh;
pub(crate) mod words;

use std::collections::HashSet;

/// The most terms a query may have; what comes after is dropped. A pasted page is a query, too, and must not cost more
/// than a long sentence.
pub const QUERY_TERMS_MAX: usize = 64;

/// The longest term, in characters, that a query may have. Longer ones are noise (encoded data), and PostgreSQL refuses
/// a lexeme of more than 2,046 bytes.
pub const TERM_CHARS_MAX: usize = 64;

/// Splits the identifiers of a text for the index: each in lower case, followed by its parts if it has more than one.
///
/// ```
/// # use nyxcore_retrieval::split_identifiers;
/// assert_eq!(split_identifiers("parseHTTPResponse user_id"), "parsehttpresponse parse http response user_id user id");
/// ```
///
/// A part of one character ("point_x") is left out, because it is useless for a search. Every character that is not a
/// letter, a digit or `_` becomes a space, so that the result contains no syntax.
#[must_use]
pub fn split_identifiers(text: &str) -> String {
    // Most texts get longer by a third or so.
    let mut split = String::with_capacity(text.len() + text.len() / 2);
    for identifier in identifiers(text) {
        for token in tokens(identifier.text) {
            if !split.is_empty() {
                split.push(' ');
            }
            split.push_str(&token);
        }
    }
    split
}

/// The terms of a question: split as for the index, each once, in lower case, in the order in which they occur, at most
/// [`QUERY_TERMS_MAX`].
///
/// Very common English words are left out, and single Latin letters, unless there is nothing else. The result is empty
/// for a text without a letter or digit.
#[must_use]
pub fn query_terms(text: &str) -> Vec<String> {
    let telling = distinct_terms(text, |term| !is_common(term));
    if telling.is_empty() {
        distinct_terms(text, |_| true)
    } else {
        telling
    }
}

/// A significant word of a text, with its term in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignificantWord {
    /// The term in the index: folded, and for English the stem.
    pub term: String,
    /// The word as it is written.
    pub word: String,
}

/// The significant words of a prose text, each term once, in the order in which they occur, at most
/// [`QUERY_TERMS_MAX`]. All forms of a word have one term, so that two texts can be compared by their content.
///
/// ```
/// # use nyxcore_retrieval::significant_words;
/// let words = significant_words("The leases are renewed.");
/// let terms: Vec<&str> = words.iter().map(|word| word.term.as_str()).collect();
/// assert_eq!(terms, significant_words("renew a lease").iter().rev().map(|word| word.term.as_str()).collect::<Vec<_>>());
/// assert_eq!(words[0].word, "leases");
/// ```
#[must_use]
pub fn significant_words(text: &str) -> Vec<SignificantWord> {
    let text = fold::normalized(text);
    let mut stems = fold::Stems::new();
    let mut seen = HashSet::new();
    let mut telling = Vec::new();
    let mut found = Vec::new();
    for word in words::words(&text) {
        if is_common(&word.text.to_lowercase()) {
            continue;
        }
        words::terms_of(&word, &mut stems, &mut found);
        for term in found.drain(..) {
            if telling.len() < QUERY_TERMS_MAX && seen.insert(term.text.clone()) {
                telling.push(SignificantWord {
                    term: term.text,
                    word: word.text.to_owned(),
                });
            }
        }
    }
    telling
}

fn distinct_terms(text: &str, keep: impl Fn(&str) -> bool) -> Vec<String> {
    let mut seen = HashSet::new();
    identifiers(text)
        .flat_map(|identifier| tokens(identifier.text))
        .filter(|term| keep(term) && term.chars().count() <= TERM_CHARS_MAX)
        .filter(|term| seen.insert(term.clone()))
        .take(QUERY_TERMS_MAX)
        .collect()
}

/// A run of letters, digits and `_` in a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identifier<'a> {
    /// Its start, in bytes.
    pub start: usize,
    /// The identifier as it is written, without the `_` around it.
    pub text: &'a str,
}

/// The identifiers and words of a text, in order.
pub(crate) fn identifiers(text: &str) -> impl Iterator<Item = Identifier<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(is_word_start)?;
        let rest = &text[start..];
        let end = rest
            .find(|c| !is_word_start(c) && c != '_' && !is_combining(c))
            .unwrap_or(rest.len());
        at = start + end;
        Some(Identifier {
            start,
            text: rest[..end].trim_end_matches('_'),
        })
    })
}

fn is_word_start(c: char) -> bool {
    c.is_alphanumeric()
}

/// Whether a character is a combining accent: a letter may be written as a base and an accent.
pub(crate) fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// The terms of an identifier: itself in lower case, then its parts, if there are several.
pub(crate) fn tokens(identifier: &str) -> Vec<String> {
    let parts = parts(identifier);
    let mut tokens = vec![identifier.to_lowercase()];
    if parts.len() > 1 {
        tokens.extend(
            parts
                .into_iter()
                .filter(|part| part.chars().nth(1).is_some())
                .map(str::to_lowercase),
        );
    }
    tokens
}

/// Splits at `_`, before a capital that follows a small letter or digit (`userId`, `sha256Sum`), and before the last
/// capital of several if a small letter follows (`HTTPResponse`).
pub(crate) fn parts(identifier: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for word in identifier.split('_') {
        let chars: Vec<(usize, char)> = word.char_indices().collect();
        let mut start = 0;
        for at in 1..chars.len() {
            let ((_, before), (offset, here)) = (chars[at - 1], chars[at]);
            let small_follows = chars
                .get(at + 1)
                .is_some_and(|(_, next)| next.is_lowercase());
            if here.is_uppercase() && (!before.is_uppercase() || small_follows) {
                parts.push(&word[start..offset]);
                start = offset;
            }
        }
        parts.push(&word[start..]);
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Words that occur in nearly every question and do not affect the search, sorted.
const COMMON_WORDS: [&str; 75] = [
    "about", "also", "am", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can",
    "could", "did", "do", "does", "for", "from", "had", "has", "have", "how", "if", "in", "into",
    "is", "it", "its", "just", "may", "me", "my", "no", "not", "of", "on", "or", "our", "out",
    "please", "shall", "should", "so", "some", "such", "than", "that", "the", "their", "them",
    "then", "there", "these", "they", "this", "those", "to", "up", "us", "was", "we", "were",
    "what", "when", "where", "which", "who", "why", "will", "with", "would", "you", "your",
];

pub(crate) fn is_common(term: &str) -> bool {
    (term.len() == 1 && term.starts_with(|c: char| c.is_ascii_alphabetic()))
        || COMMON_WORDS.binary_search(&term).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn identifiers_are_split_where_people_hear_a_word() {
        for (identifier, split) in [
            ("parseHTTPResponse", "parsehttpresponse parse http response"),
            ("user_id", "user_id user id"),
            ("UserId", "userid user id"),
            ("MAX_RETRY_COUNT", "max_retry_count max retry count"),
            ("sha256Sum", "sha256sum sha256 sum"),
            ("HTTP2Server", "http2server http2 server"),
            ("__init__", "init"),
            ("_private", "private"),
            (
                "snake_caseAndCamel",
                "snake_caseandcamel snake case and camel",
            ),
            ("point_x", "point_x point"),
            ("simple", "simple"),
            ("größenÄnderung", "größenänderung größen änderung"),
            ("日本語", "日本語"),
            ("crate::text::Chunk<'a>", "crate text chunk a"),
            ("kebab-case/path.rs", "kebab case path rs"),
            ("___ --- \"'\\", ""),
        ] {
            assert_eq!(split_identifiers(identifier), split, "{identifier}");
        }
    }

    #[test]
    fn a_question_becomes_its_telling_words() {
        assert_eq!(
            query_terms("How do we handle errors in the parseConfig function? Errors!"),
            [
                "handle",
                "errors",
                "parseconfig",
                "parse",
                "config",
                "function"
            ]
        );
    }

    #[test]
    fn a_question_of_common_words_is_asked_as_it_is() {
        assert_eq!(query_terms("where is it"), ["where", "is", "it"]);
        assert_eq!(query_terms("C"), ["c"]);
        assert_eq!(query_terms("?! ..."), [] as [&str; 0]);
    }

    #[test]
    fn a_query_is_bounded() {
        let page: String = (0..1000).map(|n| format!("word{n} ")).collect();
        assert_eq!(query_terms(&page).len(), QUERY_TERMS_MAX);
        assert_eq!(
            query_terms(&"x".repeat(TERM_CHARS_MAX + 1)),
            [] as [&str; 0]
        );
        assert_eq!(query_terms(&"x".repeat(TERM_CHARS_MAX)).len(), 1);
    }

    #[test]
    fn common_words_are_sorted() {
        assert!(COMMON_WORDS.is_sorted());
    }

    proptest! {
        #[test]
        fn a_query_finds_the_words_it_was_made_of(text in any::<String>()) {
            let indexed = split_identifiers(&text);
            let indexed: HashSet<&str> = indexed.split(' ').collect();
            let terms = query_terms(&text);
            prop_assert!(terms.iter().all(|term| indexed.contains(term.as_str())));
            prop_assert_eq!(terms.iter().collect::<HashSet<_>>().len(), terms.len());
            prop_assert!(terms.len() <= QUERY_TERMS_MAX);
        }

        #[test]
        fn the_index_holds_words_only(text in any::<String>()) {
            let split = split_identifiers(&text);
            prop_assert!(split.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ' ' || is_combining(c)));
            prop_assert!(!split.contains("  ") && split.trim() == split);
        }
    }
}
