//! How much a word says of a document and of a question, for the ranking on SQLite.
//!
//! It is BM25 in two halves. What the document alone decides (how often it has the word, and how long it is) is
//! computed when it is published, and is kept as one of [`LEVELS`] levels. How rare the word is among the tenant's
//! documents is counted when somebody asks. Nothing of it depends on another tenant. The length is compared with a
//! fixed one, for an average would change with every document.

use std::collections::HashMap;

/// The levels that a word's weight within a document is kept in: a column of the full-text table each.
pub(crate) const LEVELS: usize = 16;

/// The usual constants of BM25, which SQLite's own ranking takes as well.
const K1: f64 = 1.2;
const B: f64 = 0.75;
/// The length, in words, of a document that is neither short nor long: about that of a chunk of code.
const LENGTH: f64 = 200.0;
/// The upper bound of `weight`.
const WEIGHT_MAX: f64 = K1 + 1.0;

/// The most entries of the index that one search reads, beside those of its rarest word. It reads the words from the
/// rarest on; those for which there is no room say least, because nearly every document has them. 150,000 take a third
/// of a second.
const ENTRIES_MAX: i64 = 150_000;

/// A word of a question, and how many of the tenant's documents have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WordCount {
    /// The word behind its tenant's key.
    pub word: String,
    /// The documents.
    pub documents: i64,
}

/// Terms, split by spaces, by the level of their weight: each word once, behind the tenant's key.
pub(crate) fn levels(key: &str, terms: &str) -> [String; LEVELS] {
    let mut counts: HashMap<&str, u32> = HashMap::new();
    let mut order = Vec::new();
    let mut length = 0_u32;
    for word in terms.split(' ').filter(|word| !word.is_empty()) {
        let count = counts.entry(word).or_default();
        if *count == 0 {
            order.push(word);
        }
        *count += 1;
        length = length.saturating_add(1);
    }
    let mut levels = [const { String::new() }; LEVELS];
    for word in order {
        let level = level(counts.get(word).copied().unwrap_or(1), length);
        let text = &mut levels[level];
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(key);
        text.push_str(word);
    }
    levels
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the quotient is between 0 and 1"
)]
fn level(count: u32, length: u32) -> usize {
    let count = f64::from(count);
    let norm = K1 * (1.0 - B + B * f64::from(length) / LENGTH);
    let weight = count * WEIGHT_MAX / (count + norm);
    let levels = u32::try_from(LEVELS).map_or(0.0, f64::from);
    ((weight / WEIGHT_MAX * levels) as usize).min(LEVELS - 1)
}

/// The words that a search reads, each with how much it counts: the more the rarer it is among `documents`.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub(crate) fn words_weigh(mut counts: Vec<WordCount>, documents: i64) -> Vec<(String, f64)> {
    counts.sort_by(|a, b| (a.documents, &a.word).cmp(&(b.documents, &b.word)));
    let mut entries = 0;
    let mut words = Vec::new();
    for count in counts {
        entries += count.documents;
        if !words.is_empty() && entries > ENTRIES_MAX {
            break;
        }
        let with = count.documents as f64;
        let without = (documents - count.documents).max(0) as f64;
        words.push((count.word, (1.0 + (without + 0.5) / (with + 0.5)).ln()));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(documents: &[i64]) -> Vec<WordCount> {
        let word = |documents: &i64| WordCount {
            word: format!("w{documents}"),
            documents: *documents,
        };
        documents.iter().map(word).collect()
    }

    #[test]
    fn a_word_stands_once_at_its_level() {
        let levels = levels("k", "lease worker lease");
        let words: Vec<&str> = levels
            .iter()
            .flat_map(|text| text.split_whitespace())
            .collect();
        assert_eq!(words, ["kworker", "klease"]);
    }

    #[test]
    fn more_often_and_shorter_is_a_higher_level() {
        assert!(level(3, 200) > level(1, 200));
        assert!(level(1, 20) > level(1, 400));
        assert_eq!(level(u32::MAX, 1), LEVELS - 1);
        assert_eq!(level(1, u32::MAX), 0);
    }

    #[test]
    fn a_rarer_word_weighs_more() {
        let words = words_weigh(counts(&[1_000, 3, 40]), 2_000);
        let order: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
        assert_eq!(order, ["w3", "w40", "w1000"]);
        assert!(words.is_sorted_by(|a, b| a.1 > b.1) && words[2].1 > 0.0);
    }

    #[test]
    fn the_rarest_word_is_read_however_common() {
        let words = words_weigh(counts(&[ENTRIES_MAX * 2, ENTRIES_MAX * 3]), ENTRIES_MAX * 3);
        assert_eq!(words.len(), 1);
        assert!(words_weigh(Vec::new(), 0).is_empty());
    }
}
