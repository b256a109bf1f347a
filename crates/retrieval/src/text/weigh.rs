//! The weight of each word in a document: BM25 over weighted fields (BM25F), in discrete levels.
//!
//! The weight is computed when a document is published, and stored as one of [`LEVELS`] levels in the word itself,
//! which is the same text on both databases: `3f0123456789ablease` is the word `lease` at level 3 in a file of the
//! tenant `…0123456789ab`. The rarity of the word among the documents is computed at query time. The lengths of fields
//! are compared with fixed ones: averages would change with every document, and with those of other tenants.
//!
//! BM25F: Robertson, Zaragoza and Taylor, "Simple BM25 extension to multiple weighted fields", CIKM 2004.

use std::collections::HashMap;

use super::TERM_CHARS_MAX;
use super::fold::{Stems, normalized};
use super::outline::{LineKind, outline};
use super::words::{Term, terms_of, words};
use crate::model::Field;

/// The number of levels of a weight.
pub(crate) const LEVELS: u8 = 6;

/// The saturation of BM25: it limits what repeated occurrences add.
const K1: f64 = 1.2;

/// The smallest divisor for the length of a field.
const NORM_MIN: f64 = 0.5;

/// The most bytes of the words of one document, with PostgreSQL's overhead per word. It refuses a `tsvector` of 1 MB.
const BYTES_MAX: usize = 700_000;
/// The overhead of PostgreSQL per word.
const BYTES_BESIDE: usize = 8;

/// The class of a document's words. Files have a class of their own, so that their many words do not drown out texts by
/// people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum WordClass {
    /// A file of code.
    File,
    /// Everything else.
    Text,
}

impl WordClass {
    pub(crate) const fn mark(self) -> char {
        match self {
            Self::File => 'f',
            Self::Text => 'k',
        }
    }
}

/// The weight of a field, and how its length counts.
struct FieldRule {
    weight: f64,
    /// The influence of the field's length, from 0 to 1.
    slope: f64,
    /// The typical number of words in the field.
    length: f64,
}

/// The rules of the fields. They are rules of this project, tuned by `nyxcore eval`.
const fn rule(field: Field, class: WordClass) -> FieldRule {
    let is_file = matches!(class, WordClass::File);
    match field {
        Field::Path => FieldRule {
            weight: 2.5,
            slope: 0.3,
            length: 6.0,
        },
        Field::Name => FieldRule {
            weight: 2.0,
            slope: 0.6,
            length: 40.0,
        },
        Field::Heading => FieldRule {
            weight: 2.0,
            slope: 0.4,
            length: 8.0,
        },
        Field::Comment => FieldRule {
            weight: 0.9,
            slope: 0.75,
            length: 150.0,
        },
        Field::Body => FieldRule {
            weight: 1.0,
            slope: 0.75,
            length: if is_file { 500.0 } else { 120.0 },
        },
    }
}

/// The number of occurrences of a term in each field, in the order of [`Field::all`].
pub(crate) type FieldCounts = [u32; 5];

/// The terms of a document, by field.
#[derive(Debug, Default)]
pub(crate) struct DocumentTerms {
    /// The terms in the order of their first occurrence.
    pub order: Vec<String>,
    /// How often each occurs.
    pub counts: HashMap<String, FieldCounts>,
    lengths: FieldCounts,
}

impl DocumentTerms {
    /// Tokenizes a document: its title (a heading, unless it is the path), its path, and its body line by line.
    pub(crate) fn of(title: &str, path: Option<&str>, body: &str, stems: &mut Stems) -> Self {
        let mut terms = Self::default();
        let body = normalized(body);
        let outline = outline(path, &body);
        if let Some(path) = path {
            terms.add(Field::Path, path, stems);
        }
        if path != Some(title) {
            terms.add(Field::Heading, title, stems);
        }
        for definition in &outline.definitions {
            terms.add(Field::Name, definition.name, stems);
        }
        for (line, kind) in body.lines().zip(&outline.lines) {
            let field = match kind {
                LineKind::Body => Field::Body,
                LineKind::Comment => Field::Comment,
                LineKind::Heading => Field::Heading,
            };
            terms.add(field, line, stems);
        }
        terms
    }

    fn add(&mut self, field: Field, text: &str, stems: &mut Stems) {
        let text = normalized(text);
        let mut found: Vec<Term> = Vec::new();
        for word in words(&text) {
            terms_of(&word, stems, &mut found);
        }
        let at = field as usize;
        for term in found {
            self.lengths[at] = self.lengths[at].saturating_add(1);
            let order = &mut self.order;
            let counts = self.counts.entry(term.text).or_insert_with_key(|term| {
                order.push(term.clone());
                FieldCounts::default()
            });
            counts[at] = counts[at].saturating_add(1);
        }
    }

    /// The weight of a term in the document, from 0 to below 1.
    pub(crate) fn weight(&self, term: &str, class: WordClass) -> f64 {
        let Some(counts) = self.counts.get(term) else {
            return 0.0;
        };
        let frequency: f64 = Field::all()
            .iter()
            .map(|&field| self.field_weight(counts, field, class))
            .sum();
        frequency / (frequency + K1)
    }

    /// The weighted term frequency that a field adds.
    pub(crate) fn field_weight(&self, counts: &FieldCounts, field: Field, class: WordClass) -> f64 {
        let rule = rule(field, class);
        let length = f64::from(self.lengths[field as usize]);
        let count = f64::from(counts[field as usize]);
        let norm = 1.0 - rule.slope + rule.slope * length / rule.length;
        // A short field gets no high weight, even if the term is a large share of it.
        rule.weight * count / norm.max(NORM_MIN)
    }

    /// The words of the document in the form that both databases store, separated by spaces.
    pub(crate) fn stored(&self, key: &str, class: WordClass) -> String {
        let mut stored = String::new();
        let mut bytes = 0;
        for term in &self.order {
            debug_assert!(term.chars().count() <= TERM_CHARS_MAX);
            bytes += key.len() + term.len() + BYTES_BESIDE;
            if bytes > BYTES_MAX {
                break;
            }
            if !stored.is_empty() {
                stored.push(' ');
            }
            stored.push_str(&lexeme(level(self.weight(term, class)), class, key, term));
        }
        stored
    }

    /// A fingerprint: those of two documents with nearly the same words differ in few bits. It is 0 for a short
    /// document, which is similar to none.
    ///
    /// Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002.
    pub(crate) fn fingerprint(&self) -> i64 {
        if self.order.len() < FINGERPRINT_TERMS_MIN {
            return 0;
        }
        let mut sums = [0_i64; 64];
        for (term, counts) in &self.counts {
            let count = i64::from(counts[Field::Body as usize].min(8)) + 1;
            let hash = fnv(term);
            for (bit, sum) in sums.iter_mut().enumerate() {
                *sum += if hash >> bit & 1 == 1 { count } else { -count };
            }
        }
        let bits = sums.iter().enumerate().filter(|(_, sum)| **sum > 0);
        bits.fold(0_u64, |print, (bit, _)| print | 1 << bit)
            .cast_signed()
    }
}

/// The minimum number of terms in a document with a fingerprint: shorter ones are similar by chance.
const FINGERPRINT_TERMS_MIN: usize = 24;

/// FNV-1a: stable over versions and machines, unlike the standard library's hash.
fn fnv(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    // The low bits of FNV-1a are weak for short texts, so they are mixed.
    (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ (hash >> 32)
}

/// A word as the databases store it.
pub(crate) fn lexeme(level: u8, class: WordClass, key: &str, term: &str) -> String {
    format!("{level}{}{key}{term}", class.mark())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the product is between 0 and the number of levels"
)]
fn level(weight: f64) -> u8 {
    ((weight * f64::from(LEVELS)) as u8).min(LEVELS - 1)
}

/// The weight that a level represents.
pub(crate) fn level_weight(level: u8) -> f64 {
    (f64::from(level) + 0.5) / f64::from(LEVELS)
}

/// The inverse document frequency of BM25: the weight of a word by its rarity among the documents.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub(crate) fn rarity(documents: i64, total: i64) -> f64 {
    let with = documents as f64;
    let without = (total - documents).max(0) as f64;
    (1.0 + (without + 0.5) / (with + 0.5)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(path: &str, body: &str) -> DocumentTerms {
        DocumentTerms::of(path, Some(path), body, &mut Stems::new())
    }

    #[test]
    fn a_name_counts_more_than_a_mention() {
        let file = WordClass::File;
        let defines = terms("a.rs", "fn renew_lease() {}\n");
        let mentions = terms("b.rs", "let x = renew_lease();\n");
        assert!(defines.weight("renewlease", file) > mentions.weight("renewlease", file));
        let named = terms("src/lease.rs", "fn a() {}\n");
        assert!(named.weight("leas", file) > terms("b.rs", "lease\n").weight("leas", file));
    }

    #[test]
    fn a_weight_is_bounded_and_grows() {
        let one = terms("a.txt", "lease other\n").weight("leas", WordClass::Text);
        let many = terms("a.txt", &"lease other\n".repeat(50)).weight("leas", WordClass::Text);
        assert!(0.0 < one && one < 1.0 && many < 1.0);
        assert_eq!(terms("a.txt", "x").weight("leas", WordClass::Text), 0.0);
        assert!(level(0.0) == 0 && level(0.999) == LEVELS - 1);
    }

    #[test]
    fn words_carry_level_class_and_tenant() {
        let stored = terms("b", "lease\n").stored("0123456789ab", WordClass::File);
        let words: Vec<&str> = stored.split(' ').collect();
        assert_eq!(words.len(), 2);
        assert!(words.iter().all(|word| &word[1..14] == "f0123456789ab"));
    }

    #[test]
    fn stored_words_are_bounded() {
        let many: String = (0..200_000).map(|n| format!("w{n} ")).collect();
        assert!(
            terms("a.txt", &many)
                .stored("0123456789ab", WordClass::Text)
                .len()
                < 900_000
        );
    }

    #[test]
    fn near_copies_have_near_fingerprints() {
        let text: String = (0..300)
            .map(|n| format!("word{n} is said here\n"))
            .collect();
        let one = terms("a.txt", &text).fingerprint();
        let other = terms("b.txt", &format!("{text}and one more line\n")).fingerprint();
        let far: String = (0..300).map(|n| format!("thing{n} goes there\n")).collect();
        assert!((one ^ other).count_ones() <= 4);
        assert!((one ^ terms("a.txt", &far).fingerprint()).count_ones() > 12);
        assert_eq!(terms("a.txt", "short").fingerprint(), 0);
    }

    #[test]
    fn a_rarer_word_counts_more() {
        assert!(rarity(1, 1000) > rarity(100, 1000));
        assert!(rarity(1000, 1000) > 0.0 && rarity(2000, 1000) > 0.0);
    }
}
