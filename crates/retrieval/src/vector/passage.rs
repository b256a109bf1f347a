//! Splits documents into passages, each of which gets a vector.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::text::chunk::{ChunkLimits, chunk_lines};

/// The most characters of a passage, without its heading: some 400 tokens, which small models accept too. A rule of
/// this project.
pub const PASSAGE_CHARS_MAX: usize = 1_600;
/// The most lines of a passage: about one function with its comments.
const PASSAGE_LINES_MAX: usize = 50;
/// The most passages of a document. Text after them is found by its words alone; a file of that length (100,000
/// characters) is generated or is data.
pub const PASSAGES_MAX: usize = 64;
/// The most characters of a heading.
const HEADING_CHARS_MAX: usize = 200;

/// A part of a document that is embedded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// SHA-256 of the text, in hexadecimal.
    pub hash: String,
    /// The heading and the text.
    pub text: String,
}

/// An open document: its current passages are not stored, or some of them have no vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentPassages {
    /// Its id in the index.
    pub document: Uuid,
    /// The content key of the document that was split: while it is the same, the passages are up to date.
    pub(crate) content_key: String,
    /// Its passages, in order. None for a document without text.
    pub passages: Vec<Passage>,
}

/// Splits a text. Each passage begins with a heading that says where it is from: the title, or for a file only its name
/// without folders, so that a folder can be renamed without new vectors.
pub(crate) fn passages(title: &str, path: Option<&str>, body: &str) -> Vec<Passage> {
    let heading = match path {
        Some(path) if path == title => path.rsplit('/').next().unwrap_or(path),
        _ => title,
    };
    let heading: String = heading.chars().take(HEADING_CHARS_MAX).collect();
    let limits = ChunkLimits {
        lines: PASSAGE_LINES_MAX,
        chars: PASSAGE_CHARS_MAX,
    };
    let mut parts: Vec<&str> = chunk_lines(body, limits)
        .into_iter()
        .map(|chunk| chunk.text.trim())
        .filter(|text| text.chars().any(char::is_alphanumeric))
        .take(PASSAGES_MAX)
        .collect();
    if parts.is_empty() && heading.chars().any(char::is_alphanumeric) {
        parts.push("");
    }
    let passage = |part: &str| {
        let text = format!("{heading}\n\n{part}").trim().to_owned();
        let hash = hex::encode(Sha256::digest(text.as_bytes()));
        Passage { hash, text }
    };
    parts.into_iter().map(passage).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passage_begins_with_what_it_is_of() {
        let code = passages("src/lease.rs", Some("src/lease.rs"), "fn renew() {}\n");
        assert_eq!(code[0].text, "lease.rs\n\nfn renew() {}");
        let moved = passages("lib/lease.rs", Some("lib/lease.rs"), "fn renew() {}\n");
        assert_eq!(code, moved);
        let section = passages("Leases", Some("README.md"), "They expire.");
        assert_eq!(section[0].text, "Leases\n\nThey expire.");
    }

    #[test]
    fn a_text_without_words_has_no_passage_but_its_title() {
        assert_eq!(passages("", None, " \n---\n"), []);
        assert_eq!(passages("A title", None, "")[0].text, "A title");
    }

    #[test]
    fn a_long_text_has_bounded_passages() {
        let text = "word and more words\n".repeat(100_000);
        let cut = passages("long", None, &text);
        assert_eq!(cut.len(), PASSAGES_MAX);
        let longest = cut.iter().map(|one| one.text.chars().count()).max();
        assert!(longest.unwrap() <= PASSAGE_CHARS_MAX + HEADING_CHARS_MAX + 2);
    }
}
