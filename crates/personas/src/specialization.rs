//! What a persona is specialised in, read out of its description.
//!
//! Fifteen domains, each with a list of words and short phrases. A text belongs to a domain as often as those occur in
//! it: whole words only ("reactive" is not "react", "JavaScript" is not "Java"), in any case, singular or plural. Where
//! phrases overlap, the longest counts ("React Native" is mobile, not frontend). One pass over the text.

mod domains;
mod words;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Serialize;

use domains::{DOMAINS, Domain};
use words::{Word, plural, words};

/// How many specializations a persona gets from its description. A product rule.
pub const SPECIALIZATIONS_MAX: usize = 3;

/// A domain that a text speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpecializationMatch {
    /// The stable name, `data-engineering`.
    pub domain: &'static str,
    /// The name for people, "Data Engineering".
    pub label: &'static str,
    /// The keywords that were found, each once, in the order of their first occurrence.
    pub keywords: Vec<&'static str>,
    /// How many occurrences there were in all.
    pub count: usize,
}

/// A domain that a persona can be specialised in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SpecializationDomain {
    /// The stable name, `data-engineering`.
    pub domain: &'static str,
    /// The name for people, "Data Engineering".
    pub label: &'static str,
}

/// The fifteen domains in their order, which breaks ties.
#[must_use]
pub fn specialization_domains() -> Vec<SpecializationDomain> {
    DOMAINS
        .iter()
        .map(|domain| SpecializationDomain {
            domain: domain.name,
            label: domain.label,
        })
        .collect()
}

/// Every domain that the text speaks of: most occurrences first, ties in the order of the domains.
#[must_use]
pub fn specializations_extract(text: &str) -> Vec<SpecializationMatch> {
    let words = words(text);
    let mut found: Vec<(Vec<&'static str>, usize)> = vec![(Vec::new(), 0); DOMAINS.len()];
    let mut at = 0;
    while at < words.len() {
        let Some((keyword, length)) = VOCABULARY.longest_at(&words[at..]) else {
            at += 1;
            continue;
        };
        let (keywords, count) = &mut found[keyword.domain];
        if !keywords.contains(&keyword.text) {
            keywords.push(keyword.text);
        }
        *count += 1;
        at += length;
    }
    let mut matches: Vec<SpecializationMatch> = DOMAINS
        .iter()
        .zip(found)
        .filter(|(_, (_, count))| *count > 0)
        .map(|(domain, (keywords, count))| SpecializationMatch {
            domain: domain.name,
            label: domain.label,
            keywords,
            count,
        })
        .collect();
    // Stable, so that ties stay in the order of the domains.
    matches.sort_by_key(|found| Reverse(found.count));
    matches
}

/// The [`SPECIALIZATIONS_MAX`] strongest of [`specializations_extract`]: what a persona is given.
#[must_use]
pub fn specializations_top(text: &str) -> Vec<SpecializationMatch> {
    let mut matches = specializations_extract(text);
    matches.truncate(SPECIALIZATIONS_MAX);
    matches
}

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(Vocabulary::new);

#[derive(Debug, Clone, Copy)]
struct Keyword {
    /// Index into [`DOMAINS`].
    domain: usize,
    text: &'static str,
}

/// The keywords of all domains by their first word, longest phrase first.
struct Vocabulary {
    by_first_word: HashMap<String, Vec<(Vec<String>, Keyword)>>,
}

impl Vocabulary {
    fn new() -> Self {
        let mut by_first_word: HashMap<String, Vec<(Vec<String>, Keyword)>> = HashMap::new();
        for (domain, texts) in DOMAINS.iter().map(Domain::keywords).enumerate() {
            for text in texts {
                let keyword = Keyword { domain, text };
                let phrase: Vec<String> = words(text).into_iter().map(|word| word.text).collect();
                for phrase in [Some(phrase.clone()), plural_phrase(phrase)]
                    .into_iter()
                    .flatten()
                {
                    by_first_word
                        .entry(phrase[0].clone())
                        .or_default()
                        .push((phrase, keyword));
                }
            }
        }
        for phrases in by_first_word.values_mut() {
            phrases.sort_by_key(|(phrase, _)| Reverse(phrase.len()));
        }
        Self { by_first_word }
    }

    /// The longest keyword that the words begin with, and how many words it takes.
    fn longest_at(&self, words: &[Word]) -> Option<(Keyword, usize)> {
        let candidates = self.by_first_word.get(&words.first()?.text)?;
        candidates
            .iter()
            .find(|(phrase, _)| {
                words.len() >= phrase.len()
                    && phrase
                        .iter()
                        .zip(words)
                        .all(|(part, word)| *part == word.text)
                    && words[1..phrase.len()]
                        .iter()
                        .all(|word| word.follows_closely)
            })
            .map(|(phrase, keyword)| (*keyword, phrase.len()))
    }
}

fn plural_phrase(mut phrase: Vec<String>) -> Option<Vec<String>> {
    let last = plural(&phrase.pop()?)?;
    phrase.push(last);
    Some(phrase)
}

#[cfg(test)]
mod tests;
