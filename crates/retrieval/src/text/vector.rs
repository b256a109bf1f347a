//! Terms in PostgreSQL's own forms: a `tsvector` for the index and a `tsquery` for a question, made here and cast
//! there.
//!
//! The database could make both from plain text, but its parser takes seven times as long as the cast (8.8 s against
//! 1.3 s for 46 MB of terms), finds word boundaries that depend on the locale it was made with, and knows e-mail
//! addresses, paths and numbers that are none here.

use std::collections::HashMap;

use super::{QUERY_TERMS_MAX, TERM_CHARS_MAX, is_combining};

/// The last position that PostgreSQL keeps; what comes after it stands there, too. `MAXENTRYPOS` in
/// `tsearch/ts_type.h`.
const POSITION_MAX: usize = 16_383;
/// How many positions of one lexeme it keeps at the most. `MAXNUMPOS` there.
const POSITIONS_MAX: usize = 255;

/// How many bytes the lexemes of one vector take at the most, with what PostgreSQL writes beside each. It refuses a
/// vector of 1 MB.
const BYTES_MAX: usize = 900_000;
/// What PostgreSQL writes beside a lexeme: its entry, the number of its positions, and padding.
const BYTES_BESIDE: usize = 8;

/// Terms, split by spaces, as the text of a `tsvector`: each word behind the tenant's key, with its positions. A word
/// of more than [`TERM_CHARS_MAX`] characters is left out, because no query has one.
///
/// ```
/// # use nyxcore_retrieval::tsvector;
/// assert_eq!(tsvector("k", "user_id user id"), "'kuser':1,3 'kid':2,4");
/// ```
#[must_use]
pub fn tsvector(key: &str, terms: &str) -> String {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut lexemes: Vec<(&str, Vec<usize>)> = Vec::new();
    let mut bytes = 0;
    for (at, word) in words(terms).enumerate() {
        if word.len() > TERM_CHARS_MAX && word.chars().count() > TERM_CHARS_MAX {
            continue;
        }
        let place = match places.get(word) {
            Some(place) => *place,
            None => {
                bytes += key.len() + word.len() + BYTES_BESIDE;
                if bytes > BYTES_MAX {
                    break;
                }
                lexemes.push((word, Vec::new()));
                places.insert(word, lexemes.len() - 1);
                lexemes.len() - 1
            }
        };
        let positions = &mut lexemes[place].1;
        if positions.len() < POSITIONS_MAX {
            positions.push((at + 1).min(POSITION_MAX));
            bytes += 2;
        }
    }
    let mut vector = String::with_capacity(terms.len() * 2);
    for (word, positions) in lexemes {
        if !vector.is_empty() {
            vector.push(' ');
        }
        vector.push('\'');
        vector.push_str(key);
        vector.push_str(word);
        vector.push('\'');
        for (n, position) in positions.into_iter().enumerate() {
            vector.push(if n == 0 { ':' } else { ',' });
            vector.push_str(&position.to_string());
        }
    }
    vector
}

/// The terms as the text of a `tsquery`: any of them, each word behind the tenant's key. A term of several words, such
/// as `user_id`, is a phrase. `None` when there is nothing to look for. At most [`QUERY_TERMS_MAX`] terms are taken.
///
/// Every word is letters and digits between quotes, so that nothing of what a person asked is syntax.
#[must_use]
pub fn tsquery(key: &str, terms: &[impl AsRef<str>]) -> Option<String> {
    let phrases: Vec<String> = terms
        .iter()
        .map(|term| {
            let quoted: Vec<String> = words(term.as_ref())
                .map(|w| format!("'{key}{w}'"))
                .collect();
            quoted.join(" <-> ")
        })
        .filter(|phrase| !phrase.is_empty())
        .take(QUERY_TERMS_MAX)
        .collect();
    (!phrases.is_empty()).then(|| phrases.join(" | "))
}

/// Runs of letters and digits, with the accents that follow them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && !is_combining(c))
        .filter(|word| word.contains(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::{query_terms, split_identifiers};

    #[test]
    fn a_word_has_its_places_and_a_long_one_none() {
        let long = "x".repeat(TERM_CHARS_MAX + 1);
        assert_eq!(
            tsvector("", &format!("lease {long} renew_lease")),
            "'lease':1,4 'renew':3"
        );
        assert_eq!(tsvector("", ""), "");
        let often = tsvector("", &"a ".repeat(20_000));
        assert_eq!(often.matches(',').count(), POSITIONS_MAX - 1);
        let late = format!("{}z", "a ".repeat(20_000));
        assert!(tsvector("", &late).ends_with("'z':16383"));
    }

    /// Short words behind a key of twelve: many more than PostgreSQL takes.
    #[test]
    fn a_vector_is_bounded_whatever_the_words() {
        let words: String = (0..100_000).map(|n| format!("{n:x} ")).collect();
        let vector = tsvector("0123456789ab", &words);
        let lexemes = vector.split(' ').count();
        assert!((30_000..50_000).contains(&lexemes), "{lexemes}");
    }

    #[test]
    fn what_a_user_wrote_is_never_syntax() {
        assert_eq!(
            tsquery("", &["a & !b", "it's", "c\\d", "user_id", "a\0b"]).as_deref(),
            Some("'a' <-> 'b' | 'it' <-> 's' | 'c' <-> 'd' | 'user' <-> 'id' | 'a' <-> 'b'")
        );
        assert_eq!(tsquery("", &["'", "\\", " ", "\u{301}"]), None);
    }

    proptest! {
        #[test]
        fn a_query_finds_in_the_vector_the_words_it_was_made_of(text in any::<String>()) {
            let vector = tsvector("7f", &split_identifiers(&text));
            for word in query_terms(&text).iter().flat_map(|term| words(term)) {
                let lexeme = format!("'7f{word}':");
                prop_assert!(vector.contains(&lexeme), "{lexeme} in {vector}");
            }
        }

        #[test]
        fn both_forms_are_quoted_words_and_nothing_else(text in any::<String>()) {
            let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || is_combining(c));
            let quoted = |text: &str| text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')).is_some_and(is_word);
            for lexeme in tsvector("7f", &text).split_whitespace() {
                let (word, positions) = lexeme.rsplit_once(':').unwrap();
                prop_assert!(quoted(word) && positions.split(',').all(|p| p.parse::<usize>().is_ok()));
            }
            for phrase in tsquery("7f", &[&text]).iter().flat_map(|query| query.split(" <-> ")) {
                prop_assert!(quoted(phrase));
            }
        }
    }
}
