//! Normalises the spellings of a word: Unicode normalisation, case folding, and stemming of English words.

use std::borrow::Cow;
use std::collections::HashMap;

use snowball_stemmers_rs::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;

/// The minimum length of a word that is stemmed: `uses` and `using` have an ending to lose, `ids` has not.
const STEMMED_CHARS_MIN: usize = 4;
/// The maximum length of a word that is stemmed: a longer one is not English.
const STEMMED_CHARS_MAX: usize = 30;

/// The text in the form NFKC: full-width letters, ligatures and combining accents have one spelling each.
pub(crate) fn normalized(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfkc().collect())
    }
}

/// The word with its case folded. Upper case first and lower case then also folds `ß` and the final sigma.
pub(crate) fn folded(word: &str) -> String {
    if word.is_ascii() {
        word.to_ascii_lowercase()
    } else {
        word.to_uppercase().to_lowercase()
    }
}

/// The stemmer for English words, with a cache: a file has few different words.
pub(crate) struct Stems {
    stemmer: Stemmer,
    known: HashMap<String, String>,
}

impl Stems {
    pub(crate) fn new() -> Self {
        Self {
            stemmer: Stemmer::create(Algorithm::English),
            known: HashMap::new(),
        }
    }

    /// The stem of a folded word; the word itself where it does not consist of English letters only.
    pub(crate) fn stem(&mut self, word: &str) -> String {
        let is_english = (STEMMED_CHARS_MIN..=STEMMED_CHARS_MAX).contains(&word.len())
            && word.bytes().all(|byte| byte.is_ascii_lowercase());
        if !is_english {
            return word.to_owned();
        }
        if let Some(stem) = self.known.get(word) {
            return stem.clone();
        }
        let stem = self.stemmer.stem(word).into_owned();
        self.known.insert(word.to_owned(), stem.clone());
        stem
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_forms_have_one_stem() {
        let mut stems = Stems::new();
        for (one, other) in [
            ("bundles", "bundle"),
            ("streaming", "stream"),
            ("uploads", "upload"),
            ("registered", "register"),
        ] {
            assert_eq!(stems.stem(one), stems.stem(other));
        }
        for kept in ["ids", "größe", "sha256", "sse"] {
            assert_eq!(stems.stem(kept), kept);
        }
    }

    #[test]
    fn spellings_of_one_word_fold_to_one() {
        for (one, other) in [("STRASSE", "straße"), ("ΟΔΟΣ", "οδος"), ("Größe", "GRÖSSE")]
        {
            assert_eq!(folded(one), folded(other));
        }
        assert_eq!(normalized("ＨＴＴＰ nai\u{308}ve ﬁle"), "HTTP naïve file");
    }
}
