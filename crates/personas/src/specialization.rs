//! Extracts the specializations of a persona from its description.
//!
//! There are fifteen domains. Each has lists of words and short phrases, which weigh 1 to 3 by how clearly they show
//! the domain. A text belongs to a domain if its different keywords in the text weigh at least [`SCORE_MIN`]: a single
//! hint is not enough. The domains are ordered by the weight of all occurrences. Only whole words count ("reactive" is
//! not "react", "JavaScript" is not "Java"), in any case, singular or plural. Where phrases overlap, the longest counts
//! ("React Native" is mobile, not frontend). It takes one pass over the text.

mod domains;
mod words;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Serialize;

use domains::{DOMAINS, everyday_phrases};
use words::{Word, plural, verb_forms, words};

/// How many specializations a persona gets from its description. A product rule.
pub const SPECIALIZATIONS_MAX: usize = 3;

/// The minimum weight of the different keywords of a domain in a text that belongs to it: one word that is likely of
/// the domain, or two hints. Chosen on the tuned half of the labelled descriptions.
pub const SCORE_MIN: u32 = 2;

/// A domain that a text is about.
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
    /// The sum of the weights of all occurrences.
    pub score: u32,
}

/// A domain that a persona can be specialised in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SpecializationDomain {
    /// The stable name, `data-engineering`.
    pub domain: &'static str,
    /// The name for people, "Data Engineering".
    pub label: &'static str,
}

/// The fifteen domains in their order.
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

/// Every domain that the text is about: the highest score first; of equal ones the one that is named first.
#[must_use]
pub fn specializations_extract(text: &str) -> Vec<SpecializationMatch> {
    let mut tallies: Vec<Tally> = vec![Tally::default(); DOMAINS.len()];
    for (at, keyword) in occurrences(text) {
        tallies[keyword.domain].add(at, keyword);
    }
    let mut matches: Vec<(usize, SpecializationMatch)> = DOMAINS
        .iter()
        .zip(tallies)
        .filter(|(_, tally)| tally.distinct_weight() >= SCORE_MIN)
        .map(|(domain, tally)| {
            let found = SpecializationMatch {
                domain: domain.name,
                label: domain.label,
                count: tally.count,
                score: tally.score,
                keywords: tally
                    .keywords
                    .into_iter()
                    .map(|keyword| keyword.text)
                    .collect(),
            };
            (tally.first, found)
        })
        .collect();
    matches.sort_by_key(|(first, found)| (Reverse(found.score), *first));
    matches.into_iter().map(|(_, found)| found).collect()
}

/// The [`SPECIALIZATIONS_MAX`] strongest of [`specializations_extract`], which a persona gets.
#[must_use]
pub fn specializations_top(text: &str) -> Vec<SpecializationMatch> {
    let mut matches = specializations_extract(text);
    matches.truncate(SPECIALIZATIONS_MAX);
    matches
}

/// The keywords that occur in a text, each once, in the order of their first occurrence.
pub(crate) fn keywords_of(text: &str) -> Vec<Keyword> {
    let mut keywords = Vec::new();
    for (_, keyword) in occurrences(text) {
        if !keywords.contains(&keyword) {
            keywords.push(keyword);
        }
    }
    keywords
}

/// The words of a text in lower case, for comparisons beside the keywords.
pub(crate) fn words_of(text: &str) -> Vec<String> {
    words(text).into_iter().map(|word| word.text).collect()
}

/// A word or phrase that shows a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keyword {
    /// Index into [`DOMAINS`].
    domain: usize,
    /// The text as it is listed, without a mark.
    pub text: &'static str,
    /// Its weight, 1 to 3.
    pub weight: u32,
}

/// The keywords of one domain that were found in a text.
#[derive(Debug, Clone, Default)]
struct Tally {
    /// The index of the word at which the first keyword begins.
    first: usize,
    keywords: Vec<Keyword>,
    count: usize,
    score: u32,
}

impl Tally {
    fn add(&mut self, at: usize, keyword: Keyword) {
        if self.keywords.is_empty() {
            self.first = at;
        }
        if !self.keywords.contains(&keyword) {
            self.keywords.push(keyword);
        }
        self.count += 1;
        self.score = self.score.saturating_add(keyword.weight);
    }

    fn distinct_weight(&self) -> u32 {
        self.keywords.iter().map(|keyword| keyword.weight).sum()
    }
}

/// Every occurrence of a keyword in a text, with the index of the word at which it begins.
fn occurrences(text: &str) -> Vec<(usize, Keyword)> {
    let words = words(text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let Some((keyword, length)) = VOCABULARY.longest_at(&words[at..]) else {
            at += 1;
            continue;
        };
        found.extend(keyword.map(|keyword| (at, keyword)));
        at += length;
    }
    found
}

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(Vocabulary::new);

/// A phrase, with the keyword that it is a form of. An everyday phrase has none.
type Form = (Vec<String>, Option<Keyword>);

/// The phrases of all domains by their first word, the longest first.
struct Vocabulary {
    by_first_word: HashMap<String, Vec<Form>>,
}

impl Vocabulary {
    fn new() -> Self {
        let mut by_first_word: HashMap<String, Vec<Form>> = HashMap::new();
        for (phrase, keyword) in forms_all() {
            let first = phrase.first().cloned().unwrap_or_default();
            by_first_word
                .entry(first)
                .or_default()
                .push((phrase, keyword));
        }
        for phrases in by_first_word.values_mut() {
            phrases.sort_by_key(|(phrase, _)| Reverse(phrase.len()));
        }
        Self { by_first_word }
    }

    /// The longest phrase at the beginning of the words: its keyword, if it has one, and its number of words.
    fn longest_at(&self, words: &[Word]) -> Option<(Option<Keyword>, usize)> {
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

/// Every phrase that is searched for.
fn forms_all() -> impl Iterator<Item = Form> {
    let of_domains = DOMAINS.iter().enumerate().flat_map(|(domain, list)| {
        list.keywords().flat_map(move |(listed, weight)| {
            let text = listed.trim_end_matches(['!', '~']);
            let keyword = Keyword {
                domain,
                text,
                weight,
            };
            forms(listed)
                .into_iter()
                .map(move |phrase| (phrase, Some(keyword)))
        })
    });
    let everyday = everyday_phrases()
        .flat_map(|listed| forms(listed).into_iter().map(|phrase| (phrase, None)));
    of_domains.chain(everyday)
}

/// The phrases that a listed keyword stands for; its mark decides which.
fn forms(listed: &str) -> Vec<Vec<String>> {
    let base: Vec<String> = words_of(listed.trim_end_matches(['!', '~']));
    let Some((last, before)) = base.split_last() else {
        return Vec::new();
    };
    let others = match listed.chars().last() {
        Some('!') => Vec::new(),
        Some('~') => verb_forms(last),
        _ => plural(last).into_iter().collect(),
    };
    let others = others.into_iter().map(|last| [before, &[last]].concat());
    std::iter::once(base.clone()).chain(others).collect()
}

#[cfg(test)]
mod labelled;
#[cfg(test)]
mod tests;
