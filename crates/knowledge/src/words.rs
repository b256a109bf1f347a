//! The similarity of two texts by their words, to find duplicates and contradictions.

use std::collections::BTreeSet;

use nyxcore_retrieval::query_terms;

/// The most bytes of a text that are compared.
const CHARS_MAX: usize = 8_000;

/// The words of a text that say something about its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words(BTreeSet<String>);

impl Words {
    pub(crate) fn of(title: &str, body: &str) -> Self {
        let end = body.floor_char_boundary(CHARS_MAX);
        let mut words = BTreeSet::new();
        for line in std::iter::once(title).chain(body[..end].lines()) {
            // Line by line, because [`query_terms`] returns a limited number of words.
            words.extend(query_terms(line));
        }
        Self(words)
    }

    /// The Jaccard index: the words that both texts have, divided by the words that either has; from 0 to 1.
    pub(crate) fn similarity(&self, other: &Self) -> f64 {
        let both = self.0.intersection(&other.0).count();
        let either = self.0.len() + other.0.len() - both;
        match (u32::try_from(both), u32::try_from(either)) {
            (Ok(both), Ok(either)) if either > 0 => f64::from(both) / f64::from(either),
            _ => 0.0,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The words of this text that the other does not have.
    pub(crate) fn without<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a str> {
        self.0.difference(&other.0).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_alike_by_their_words() {
        let one = Words::of("Leases", "A lease is renewed every 15 seconds.");
        assert!((one.similarity(&one) - 1.0).abs() < 1e-12);
        assert_eq!(
            one.similarity(&Words::of("Pages", "They are read lazily.")),
            0.0
        );
        assert_eq!(Words::of("", "").similarity(&Words::of("", "")), 0.0);
        let other = Words::of("Leases", "A lease is renewed every 30 seconds.");
        assert_eq!(one.without(&other).collect::<Vec<_>>(), ["15"]);
    }
}
