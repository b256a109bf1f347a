//! Tokenizes a text, in the same way for the index and for questions.
//!
//! An identifier of several parts is kept whole, without its `_` and in lower case, and its parts are words too:
//! `renewLease` and `renew_lease` are the same, and both are found by "renewing a lease". Text in scripts without
//! spaces becomes pairs of characters. `C++`, `C#`, `F#` and `.NET` are words.

use super::fold::{Stems, folded};
use super::{TERM_CHARS_MAX, is_combining, parts};

/// A word in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    /// Its start, in bytes.
    pub start: usize,
    /// The word as it is written.
    pub text: &'a str,
    /// The word for a name with signs: `cplusplus` for `C++`.
    named: Option<&'static str>,
}

/// A term of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    /// The term, in its folded form.
    pub text: String,
    /// Whether it is a whole identifier of several parts.
    pub is_whole: bool,
}

/// The words of a normalised text, in order.
pub(crate) fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(char::is_alphanumeric)?;
        let rest = &text[start..];
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_' && !is_combining(c))
            .unwrap_or(rest.len());
        let word = rest[..end].trim_end_matches('_');
        at = start + end;
        Some(Word {
            start,
            text: word,
            named: named(&text[..start], word, &rest[end..]),
        })
    })
}

/// The words for names that contain signs.
fn named(before: &str, word: &str, after: &str) -> Option<&'static str> {
    if word.len() > 3 {
        return None;
    }
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let sign = |sign: &str| after.strip_prefix(sign).is_some_and(ends);
    match word.to_ascii_lowercase().as_str() {
        "c" if sign("++") => Some("cplusplus"),
        "g" if sign("++") => Some("gplusplus"),
        "c" if sign("#") => Some("csharp"),
        "f" if sign("#") => Some("fsharp"),
        "net" => {
            let before = before.strip_suffix('.')?;
            let stands_alone = before.is_empty() || before.ends_with(char::is_whitespace);
            let product = ["asp", "ASP", "ado", "ADO", "vb", "VB"];
            (stands_alone || product.iter().any(|name| before.ends_with(name))).then_some("dotnet")
        }
        _ => None,
    }
}

/// The terms of a word.
pub(crate) fn terms_of(word: &Word<'_>, stems: &mut Stems, terms: &mut Vec<Term>) {
    let mut add = |text: String, is_whole: bool| {
        if text.len() <= TERM_CHARS_MAX || text.chars().count() <= TERM_CHARS_MAX {
            terms.push(Term { text, is_whole });
        }
    };
    if let Some(name) = word.named {
        add(name.to_owned(), false);
        return;
    }
    if !word.text.is_ascii() && word.text.chars().any(is_unspaced) {
        for piece in script_runs(word.text) {
            if piece.chars().any(is_unspaced) {
                pairs(piece).for_each(|pair| add(pair, false));
            } else {
                add(stems.stem(&folded(piece)), false);
            }
        }
        return;
    }
    let parts = parts(word.text);
    if parts.len() < 2 {
        add(stems.stem(&folded(word.text.trim_matches('_'))), false);
        return;
    }
    add(folded(&parts.concat()), true);
    for part in parts {
        if part.chars().nth(1).is_some() {
            add(stems.stem(&folded(part)), false);
        }
    }
}

/// Scripts that put no space between words: Han, kana, Hangul (whose words carry their particles), Thai, Lao, Khmer,
/// Burmese.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x1100..=0x11FF | 0x3040..=0x30FF | 0x3130..=0x318F
        | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF | 0x20000..=0x323AF)
}

fn script_runs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let unspaced = is_unspaced(rest.chars().next()?);
        let end = rest
            .find(|c| is_unspaced(c) != unspaced && !is_combining(c))
            .unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        Some(run)
    })
}

/// Every two adjacent characters; a single character is its own pair.
fn pairs(text: &str) -> impl Iterator<Item = String> {
    let chars: Vec<char> = text.chars().collect();
    let size = chars.len().min(2);
    (0..=chars.len() - size).map(move |at| chars[at..at + size].iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::fold::normalized;

    fn terms(text: &str) -> Vec<String> {
        let text = normalized(text);
        let mut stems = Stems::new();
        let mut terms = Vec::new();
        for word in words(&text) {
            terms_of(&word, &mut stems, &mut terms);
        }
        terms.into_iter().map(|term| term.text).collect()
    }

    #[test]
    fn an_identifier_is_kept_whole_and_its_parts_are_words() {
        for (text, wanted) in [
            (
                "parseHTTPResponse",
                &["parsehttpresponse", "pars", "http", "respons"][..],
            ),
            ("renew_lease", &["renewlease", "renew", "leas"]),
            ("renewLease", &["renewlease", "renew", "leas"]),
            ("__init__", &["init"]),
            ("point_x", &["pointx", "point"]),
            ("body-limit/index.ts", &["bodi", "limit", "index", "ts"]),
        ] {
            assert_eq!(terms(text), wanted, "{text}");
        }
    }

    #[test]
    fn names_with_signs_are_words() {
        assert_eq!(terms("C++ and C#"), ["cplusplus", "and", "csharp"]);
        assert_eq!(terms(".NET, ASP.NET"), ["dotnet", "asp", "dotnet"]);
        assert_eq!(
            terms("socket.net i++ c#id"),
            ["socket", "net", "i", "c", "id"]
        );
    }

    #[test]
    fn text_without_spaces_becomes_pairs() {
        assert_eq!(terms("日本語の"), ["日本", "本語", "語の"]);
        assert_eq!(terms("语"), ["语"]);
        assert_eq!(terms("HTTP請求"), ["http", "請求"]);
        assert_eq!(terms("ภาษา").len(), 3);
    }

    #[test]
    fn a_word_that_is_too_long_is_no_term() {
        assert_eq!(terms(&"x".repeat(TERM_CHARS_MAX + 1)), [] as [&str; 0]);
    }
}
