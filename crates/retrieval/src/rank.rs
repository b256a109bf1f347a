//! Ranks candidates: exact names, near copies, minimum scores, the fusion of the kinds, and what each hit shows.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use crate::entity::search_document;
use crate::fusion::RRF_K;
use crate::model::{Field, Hit, KnowledgeKind, ScoreExplanation, TermMatch};
use crate::publish::word_class;
use crate::role::{Authority, FileRole, locale_neutral};
use crate::text::fold::{Stems, folded, normalized};
use crate::text::outline::outline;
use crate::text::question::{Question, path_agreement};
use crate::text::weigh::{DocumentTerms, WordClass};

pub(crate) mod near;
mod shown;

use near::{near, rankings_fuse};
use shown::{prose, shown};

/// A hit with less than this share of the best score of its kind is not shown.
const FLOOR_OF_BEST: f64 = 0.18;
/// A hit with less than this share of the best score of all kinds is not shown.
const FLOOR_OF_ALL: f64 = 0.02;
/// The most bits in which the fingerprints of near copies differ.
const ALIKE_BITS: u32 = 3;
/// The most code patterns in a list of several kinds: more do not help.
const HABITS_MAX: usize = 2;
/// The number of the question's terms that a code pattern's title and statement must have in such a list, if the
/// question has that many: one word alone may match by chance.
const HABIT_TERMS_MIN: usize = 2;
/// The number of code hits in whose folders a code pattern must be.
const HABIT_CODE_HITS: usize = 10;
/// The factor for a name that contains two words which are adjacent in the question.
const PAIR_WEIGHT: f64 = 1.35;
/// Shorter names are ignored: nearly every file defines one of them.
const NAME_CHARS_MIN: usize = 4;

/// A document that the database found.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    /// The sum over the matched terms, times the weight of its role.
    pub score: f64,
    pub kind: KnowledgeKind,
    pub subject: String,
    pub subject_id: Option<Uuid>,
    pub title: String,
    pub body: String,
    pub path: Option<String>,
    pub source_id: Option<Uuid>,
    pub start_line: Option<i64>,
    pub end_line: Option<i64>,
    pub stack: Option<String>,
    pub role: Option<FileRole>,
    pub authority: Option<Authority>,
    /// Its fingerprint; 0 where it has none.
    pub alike: i64,
    /// The similarity of its nearest passage to the question, from -1 to 1. `None` where vectors did not find it.
    pub similarity: Option<f64>,
}

impl Candidate {
    /// A candidate that was found by its vector only.
    pub(crate) fn of_document(row: search_document::Model) -> Self {
        Self {
            score: 0.0,
            kind: row.kind,
            subject: row.subject,
            subject_id: row.subject_id,
            title: row.title,
            body: row.body,
            path: row.path,
            source_id: row.source_id,
            start_line: row.start_line,
            end_line: row.end_line,
            stack: row.stack,
            role: row.role,
            authority: row.authority,
            alike: row.alike,
            similarity: None,
        }
    }
}

/// A question with the rarities of its terms, which the database gave.
pub(crate) struct RankQuery<'q> {
    pub question: &'q Question,
    /// The rarity of each term. The key is twice its index in the question, plus one for its word in texts that are no
    /// files.
    pub rarities: &'q BTreeMap<usize, f64>,
    pub limit: usize,
}

/// A candidate with its scores and ranks.
struct CandidateScore {
    candidate: Candidate,
    /// The score, from 0 to 1.
    score: f64,
    exact_weight: f64,
    role_weight: f64,
    alike: u32,
    word_rank: Option<u32>,
    vector_rank: Option<u32>,
    kind_rank: u32,
    fused: f64,
}

/// The weight of a kind where several are fused. Code answers best; documents and code patterns are supplementary.
const fn kind_weight(kind: KnowledgeKind) -> f64 {
    match kind {
        KnowledgeKind::Code => 1.0,
        KnowledgeKind::Insight | KnowledgeKind::MemoryEntry | KnowledgeKind::Consolidation => 0.9,
        KnowledgeKind::Note => 0.7,
        KnowledgeKind::Document => 0.6,
        KnowledgeKind::CodePattern => 0.4,
    }
}

/// Ranks the candidates and returns the hits in order.
pub(crate) fn ranked(candidates: Vec<Candidate>, asked: &RankQuery<'_>) -> Vec<Hit> {
    let mut stems = Stems::new();
    let mut kinds: BTreeMap<KnowledgeKind, Vec<CandidateScore>> = BTreeMap::new();
    for candidate in candidates {
        let scored = scored(candidate, asked, &mut stems);
        kinds.entry(scored.candidate.kind).or_default().push(scored);
    }
    let best = kinds
        .values()
        .flatten()
        .map(|one| one.score)
        .fold(0.0, f64::max);
    let is_mixed = kinds.len() > 1;
    let nearest = kinds
        .values()
        .flatten()
        .filter_map(near)
        .fold(0.0, f64::max);
    for of_kind in kinds.values_mut() {
        of_kind.sort_by(|a, b| {
            rounded(b.score)
                .total_cmp(&rounded(a.score))
                .then_with(|| a.candidate.subject.cmp(&b.candidate.subject))
        });
        let best_of_kind = of_kind.first().map_or(0.0, |one| one.score);
        let floor = (best_of_kind * FLOOR_OF_BEST).max(best * FLOOR_OF_ALL);
        if nearest > 0.0 {
            rankings_fuse(of_kind, floor, nearest);
        } else {
            of_kind.retain(|one| one.score >= floor && one.candidate.score > 0.0);
        }
        copies_fold(of_kind);
    }
    if is_mixed {
        habits_choose(&mut kinds, asked.question, &mut stems);
    }
    let mut all: Vec<CandidateScore> = Vec::new();
    // A question for documentation gets documents first.
    let wants_documents = FileRole::Document.is_asked(&asked.question.words());
    for (kind, of_kind) in kinds {
        let weight = match kind {
            KnowledgeKind::Document if wants_documents => 1.1,
            _ => kind_weight(kind),
        };
        for (rank, mut one) in (1_u32..).zip(of_kind) {
            one.kind_rank = rank;
            // The rank within a kind is not enough: the first hit of a kind may be much weaker than the first of
            // another.
            let of_words = if best > 0.0 { one.score / best } else { 0.0 };
            let of_vector = match one.vector_rank {
                Some(_) => near(&one).map_or(0.0, |similarity| similarity / nearest),
                None => 0.0,
            };
            let strength = of_words.max(of_vector);
            one.fused = weight * (0.25 + 0.75 * strength) / (RRF_K + f64::from(rank));
            all.push(one);
        }
    }
    all.sort_by(|a, b| {
        rounded(b.fused * 100.0)
            .total_cmp(&rounded(a.fused * 100.0))
            .then_with(|| a.candidate.kind.cmp(&b.candidate.kind))
            .then_with(|| a.candidate.subject.cmp(&b.candidate.subject))
    });
    all.truncate(asked.limit);
    all.into_iter()
        .map(|one| hit(one, asked, &mut stems))
        .collect()
}

/// Rounds a score, because sums of the same numbers in another order differ in their last bits.
fn rounded(score: f64) -> f64 {
    (score * 1e7).round() / 1e7
}

fn scored(candidate: Candidate, asked: &RankQuery<'_>, stems: &mut Stems) -> CandidateScore {
    let class = word_class(candidate.kind);
    let most = most_of(asked, class);
    let share = if most > 0.0 {
        (candidate.score / most).min(1.0)
    } else {
        0.0
    };
    let exact_weight = exact_weight(&candidate, asked.question, stems);
    let role_weight = candidate
        .role
        .map_or(1.0, |role| role.weight_for(&asked.question.words()));
    let authority = candidate.authority.map_or(1.0, Authority::weight);
    CandidateScore {
        score: (share * exact_weight * authority).min(1.0),
        exact_weight,
        role_weight: role_weight * authority,
        candidate,
        alike: 0,
        word_rank: None,
        vector_rank: None,
        kind_rank: 0,
        fused: 0.0,
    }
}

/// The score of a perfect document, which has every term at its highest weight.
fn most_of(asked: &RankQuery<'_>, class: WordClass) -> f64 {
    let parity = usize::from(class == WordClass::Text);
    let mut weights: Vec<f64> = asked
        .rarities
        .iter()
        .filter(|(number, _)| *number % 2 == parity)
        .filter_map(|(number, rarity)| Some(rarity * asked.question.terms.get(number / 2)?.weight))
        .collect();
    weights.sort_by(f64::total_cmp);
    weights.iter().sum()
}

/// The factor of a score where the question names the path, or an identifier that is defined there.
fn exact_weight(candidate: &Candidate, question: &Question, stems: &mut Stems) -> f64 {
    let mut weight = 1.0;
    if let Some(path) = &candidate.path {
        weight *= match path_agreement(path, &question.paths) {
            0 => 1.0,
            1 => 1.6,
            parts => 2.0 + 0.3 * f64::from(u32::try_from(parts.min(4)).unwrap_or(4)),
        };
    }
    if candidate.kind != KnowledgeKind::Code {
        return weight;
    }
    let path = candidate.path.as_deref();
    let mut exact = false;
    let mut named = 0_u32;
    let mut has_pair = path.is_some_and(|path| {
        let mut names = path.rsplit('/').take(2);
        names.any(|name| question.has_pair_of(stem_of(name), stems))
    });
    for definition in outline(path, &candidate.body).definitions {
        let name = folded(&normalized(definition.name).replace('_', ""));
        if name.len() < NAME_CHARS_MIN {
            continue;
        }
        exact |= question.identifiers.contains(&name);
        named += u32::from(question.names.contains(&name));
        has_pair = has_pair || question.has_pair_of(definition.name, stems);
    }
    if exact {
        weight *= 1.8;
    } else if has_pair {
        weight *= PAIR_WEIGHT;
    } else if named > 0 {
        weight *= 1.0 + 0.08 * f64::from(named.min(3));
    }
    weight
}

/// Keeps the best of near copies and counts the others.
fn copies_fold(of_kind: &mut Vec<CandidateScore>) {
    let mut kept: Vec<CandidateScore> = Vec::with_capacity(of_kind.len());
    for one in of_kind.drain(..) {
        let path = one.candidate.path.as_deref();
        let neutral = path.map(|path| locale_neutral(path).unwrap_or_else(|| path.to_lowercase()));
        let is_translated = path.is_some_and(|path| locale_neutral(path).is_some());
        let copy = kept.iter_mut().find(|other| {
            let bits = (one.candidate.alike ^ other.candidate.alike).count_ones();
            let is_copy =
                one.candidate.alike != 0 && other.candidate.alike != 0 && bits <= ALIKE_BITS;
            is_copy
                || (is_translated
                    && other.candidate.subject != one.candidate.subject
                    && other.candidate.path.as_deref().and_then(locale_neutral) == neutral)
        });
        match copy {
            Some(other) => other.alike += 1 + one.alike,
            None => kept.push(one),
        }
    }
    *of_kind = kept;
}

/// Keeps the code patterns that match the question and have an exemplar in the folder of a found file; at most two. A
/// convention of the language is no answer to a question about something else.
fn habits_choose(
    kinds: &mut BTreeMap<KnowledgeKind, Vec<CandidateScore>>,
    question: &Question,
    stems: &mut Stems,
) {
    let code = kinds.get(&KnowledgeKind::Code);
    let folders: Vec<String> = code
        .into_iter()
        .flatten()
        .take(HABIT_CODE_HITS)
        .filter_map(|one| one.candidate.path.as_deref())
        .map(|path| folder(path).to_owned())
        .collect();
    if let Some(habits) = kinds.get_mut(&KnowledgeKind::CodePattern) {
        let wanted = HABIT_TERMS_MIN.min(question.terms.len());
        let wants_conventions = FileRole::Convention.is_asked(&question.words());
        habits.retain(|one| {
            if one.candidate.role == Some(FileRole::Convention) && !wants_conventions {
                return false;
            }
            // A code pattern that vectors found need not have words of the question.
            if one.vector_rank.is_none() {
                // The exemplars follow the statement, and have words that the pattern says nothing about.
                let statement = one.candidate.body.split("\n\n").next().unwrap_or_default();
                let said = DocumentTerms::of(&one.candidate.title, None, statement, stems);
                let mut met = question
                    .terms
                    .iter()
                    .filter(|term| said.counts.contains_key(&term.text));
                if met.nth(wanted.saturating_sub(1)).is_none() {
                    return false;
                }
            }
            let path = one.candidate.path.as_deref();
            path.is_none_or(|path| {
                folders.is_empty() || folders.iter().any(|one| one == folder(path))
            })
        });
        habits.truncate(HABITS_MAX);
    }
}

/// The name of a file without its extensions.
fn stem_of(name: &str) -> &str {
    name.split_once('.').map_or(name, |(stem, _)| stem)
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn hit(one: CandidateScore, asked: &RankQuery<'_>, stems: &mut Stems) -> Hit {
    let candidate = one.candidate;
    let class = word_class(candidate.kind);
    let terms = DocumentTerms::of(
        &candidate.title,
        candidate.path.as_deref(),
        &candidate.body,
        stems,
    );
    let parity = usize::from(class == WordClass::Text);
    let mut matches: Vec<TermMatch> = Vec::new();
    let mut wanted: HashMap<String, f64> = HashMap::new();
    for (number, term) in asked.question.terms.iter().enumerate() {
        let Some(rarity) = asked.rarities.get(&(number * 2 + parity)) else {
            continue;
        };
        let Some(counts) = terms.counts.get(&term.text) else {
            continue;
        };
        wanted.insert(term.text.clone(), rarity * term.weight);
        let has = |field: &Field| counts[*field as usize] > 0;
        matches.push(TermMatch {
            term: term.text.clone(),
            fields: Field::all().iter().copied().filter(has).collect(),
            weight: terms.weight(&term.text, class) * rarity * term.weight,
        });
    }
    matches.sort_by(|a, b| {
        b.weight
            .total_cmp(&a.weight)
            .then_with(|| a.term.cmp(&b.term))
    });
    let mut shown = shown(&candidate, &wanted, asked.question);
    let first = (!shown.is_empty()).then(|| shown.remove(0));
    let (start_line, end_line, excerpt) = match first {
        Some(place) => (Some(place.start_line), Some(place.end_line), place.excerpt),
        None => (
            candidate.start_line,
            candidate.end_line,
            prose(&candidate.body, &asked.question.words()).to_owned(),
        ),
    };
    let text_score = if one.exact_weight * one.role_weight > 0.0 {
        one.score / (one.exact_weight * one.role_weight)
    } else {
        0.0
    };
    Hit {
        kind: candidate.kind,
        subject: candidate.subject,
        subject_id: candidate.subject_id,
        title: candidate.title,
        excerpt,
        path: candidate.path,
        source_id: candidate.source_id,
        start_line,
        end_line,
        stack: candidate.stack,
        role: candidate.role,
        authority: candidate.authority,
        more: shown,
        alike: one.alike,
        score: match one.vector_rank {
            Some(_) => one.score.max(candidate.similarity.unwrap_or(0.0).min(1.0)),
            None => one.score,
        },
        explanation: ScoreExplanation {
            terms: matches,
            text_score,
            role_weight: one.role_weight,
            exact_weight: one.exact_weight,
            word_rank: one.word_rank,
            similarity: candidate.similarity,
            vector_rank: one.vector_rank,
            kind_rank: one.kind_rank,
            fused: one.fused,
        },
    }
}

#[cfg(test)]
mod tests;
