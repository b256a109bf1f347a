//! Finds the personas that fit a task. Every reason has a weight, and the score is their sum.

use std::cmp::Reverse;
use std::collections::HashSet;

use nyxcore_retrieval::query_terms;
use nyxcore_tenancy::{Access, Result, Scoped, text};
use sea_orm::ColumnTrait;

use crate::entity::persona::{Column, Entity};
use crate::model::{Persona, PersonaId};
use crate::specialization::{
    Keyword, SpecializationMatch, keywords_of, specializations_extract, words_of,
};

/// The most matches that are returned. A rule of this project.
pub const MATCHES_MAX: usize = 50;

/// The most personas that are compared, the newest. It bounds the work of one query.
pub const MATCHED_PERSONAS_MAX: usize = 2_000;

/// Personas that are read per query: each may have two texts of 200,000 characters.
const BATCH: usize = 50;
/// Characters of a description that are compared. Its beginning says what the persona is.
const DESCRIPTION_CHARS: usize = 4_000;

/// The weight of a persona's first specialization where the task is about that domain alone. The further weights are
/// chosen so that specializations decide, and the words of a description only rank personas that share one.
const SPECIALIZATION: u32 = 60;
const CATEGORY: u32 = 15;
/// The factor for a keyword's own weight, which is 1 to 3.
const KEYWORD: u32 = 2;
const KEYWORDS_MAX: usize = 8;
const TRAIT: u32 = 3;
const TRAITS_MAX: usize = 5;
const WORD: u32 = 1;
const WORDS_MAX: usize = 5;
/// The minimum score of a match: a single word in common may be chance.
const SCORE_MIN: u32 = 2;

/// A persona that fits a task.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonaMatch {
    /// The persona.
    pub persona: Persona,
    /// The sum of the reasons' weights.
    pub score: u32,
    /// Why it fits, by the kinds of reasons, and within a kind by weight, the highest first. Never empty.
    pub reasons: Vec<MatchReason>,
}

/// A reason: something that a task and a persona have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchReason {
    /// Its kind.
    pub kind: MatchReasonKind,
    /// Its text: the domain with the task's keywords, the category, the keyword, the trait or the word.
    pub text: String,
    /// The weight that it adds to the score.
    pub weight: u32,
}

/// The kinds of things that a task and a persona can have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchReasonKind {
    /// A domain that the task is about and the persona is specialised in.
    Specialization,
    /// The persona's category names a domain of the task, or stands in the task.
    Category,
    /// A keyword of a domain, in the task and in the persona's name or description.
    Keyword,
    /// A trait whose words stand in the task.
    Trait,
    /// Another significant word, in the task and in the persona's name or description.
    Word,
}

/// The tenant's personas that fit a task, the best first, at most `limit` and [`MATCHES_MAX`]. Of equal scores the
/// persona with more successful uses comes first, then the older one.
///
/// # Errors
/// [`Error::Invalid`](nyxcore_tenancy::Error::Invalid) for a task that is blank or too long; the database fails.
pub async fn persona_matches<A: Access>(
    scoped: &Scoped<A>,
    task: &str,
    limit: usize,
) -> Result<Vec<PersonaMatch>> {
    let task = Task::of(&text::body_filled("the task", task)?);
    let limit = limit.min(MATCHES_MAX);
    let mut best: Vec<PersonaMatch> = Vec::new();
    let (mut last, mut compared) = (None, 0);
    while compared < MATCHED_PERSONAS_MAX {
        let batch = batch_after(scoped, last).await?;
        compared += batch.len();
        last = batch.last().map(|persona| persona.id);
        let is_end = batch.len() < BATCH;
        best.extend(
            batch
                .into_iter()
                .filter_map(|persona| task.compare(persona)),
        );
        best.sort_by_key(|found| {
            let persona = &found.persona;
            (
                Reverse(found.score),
                Reverse(persona.success_count),
                persona.id.0,
            )
        });
        best.truncate(limit);
        if is_end {
            break;
        }
    }
    Ok(best)
}

/// The next personas after `last`, newest first.
async fn batch_after<A: Access>(
    scoped: &Scoped<A>,
    last: Option<PersonaId>,
) -> Result<Vec<Persona>> {
    let mut personas = scoped.find::<Entity>();
    if let Some(last) = last {
        personas = personas.filter(Column::Id.lt(last));
    }
    let rows = personas
        .order_by_desc(Column::Id)
        .limit(BATCH as u64)
        .all()
        .await?;
    Ok(rows.into_iter().map(Persona::from).collect())
}

/// The parts of a task that are compared.
struct Task {
    domains: Vec<SpecializationMatch>,
    /// The scores of all domains together.
    total: u32,
    keywords: Vec<Keyword>,
    words: HashSet<String>,
    terms: Vec<String>,
}

impl Task {
    fn of(text: &str) -> Self {
        let domains = specializations_extract(text);
        Self {
            total: domains.iter().map(|domain| domain.score).sum(),
            domains,
            keywords: keywords_of(text),
            words: words_of(text).into_iter().collect(),
            terms: query_terms(text),
        }
    }

    /// The match with a persona; `None` where they have too little in common.
    fn compare(&self, persona: Persona) -> Option<PersonaMatch> {
        let description: String = persona
            .description
            .chars()
            .take(DESCRIPTION_CHARS)
            .collect();
        let said = [&persona.name, "\n", &description].concat();
        let keywords = self.shared_keywords(&said);
        let mut reasons = self.by_specialization(&persona.specializations);
        reasons.extend(
            persona
                .category
                .as_deref()
                .and_then(|category| self.by_category(category)),
        );
        reasons.extend(keywords.iter().map(|keyword| MatchReason {
            kind: MatchReasonKind::Keyword,
            text: keyword.text.to_owned(),
            weight: keyword.weight * KEYWORD,
        }));
        reasons.extend(self.by_traits(&persona.traits));
        reasons.extend(self.by_words(&said, &keywords));
        let score = reasons.iter().map(|reason| reason.weight).sum();
        (score >= SCORE_MIN).then_some(PersonaMatch {
            persona,
            score,
            reasons,
        })
    }

    /// A domain weighs as much as its share of the task. The persona's first specialization counts fully, its second by
    /// three quarters, the others by half.
    fn by_specialization(&self, specializations: &[String]) -> Vec<MatchReason> {
        let ranked = specializations
            .iter()
            .zip([4, 3].into_iter().chain(std::iter::repeat(2)));
        let mut reasons: Vec<MatchReason> = ranked
            .filter_map(|(name, quarters)| {
                let domain = self.domains.iter().find(|domain| domain.domain == name)?;
                let weight = SPECIALIZATION * domain.score * quarters / (self.total * 4);
                Some(MatchReason {
                    kind: MatchReasonKind::Specialization,
                    text: format!("{}: {}", domain.label, domain.keywords.join(", ")),
                    weight: weight.max(1),
                })
            })
            .collect();
        reasons.sort_by_key(|reason| Reverse(reason.weight));
        reasons
    }

    fn by_category(&self, category: &str) -> Option<MatchReason> {
        let words = words_of(category);
        let is_domain = |domain: &SpecializationMatch| {
            words == words_of(domain.domain) || words == words_of(domain.label)
        };
        let stands_in_task =
            !words.is_empty() && words.iter().all(|word| self.words.contains(word));
        (stands_in_task || self.domains.iter().any(is_domain)).then(|| MatchReason {
            kind: MatchReasonKind::Category,
            text: category.to_owned(),
            weight: CATEGORY,
        })
    }

    /// The keywords that the task and the text share, those with the highest weights.
    fn shared_keywords(&self, said: &str) -> Vec<Keyword> {
        let known = keywords_of(said);
        let mut shared: Vec<Keyword> = self
            .keywords
            .iter()
            .copied()
            .filter(|one| known.contains(one))
            .collect();
        shared.sort_by_key(|keyword| Reverse(keyword.weight));
        shared.truncate(KEYWORDS_MAX);
        shared
    }

    fn by_traits(&self, traits: &[String]) -> Vec<MatchReason> {
        let stands_in_task = |text: &&String| {
            let words = words_of(text);
            !words.is_empty() && words.iter().all(|word| self.words.contains(word))
        };
        let found = traits.iter().filter(stands_in_task).take(TRAITS_MAX);
        found
            .map(|text| MatchReason {
                kind: MatchReasonKind::Trait,
                text: text.clone(),
                weight: TRAIT,
            })
            .collect()
    }

    /// Significant words that are not part of a keyword that already counts.
    fn by_words(&self, said: &str, keywords: &[Keyword]) -> Vec<MatchReason> {
        let counted: HashSet<String> = keywords
            .iter()
            .flat_map(|keyword| words_of(keyword.text))
            .collect();
        let known: HashSet<String> = words_of(said).into_iter().collect();
        let shared = self
            .terms
            .iter()
            .filter(|term| known.contains(*term) && !counted.contains(*term));
        shared
            .take(WORDS_MAX)
            .map(|term| MatchReason {
                kind: MatchReasonKind::Word,
                text: term.clone(),
                weight: WORD,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
