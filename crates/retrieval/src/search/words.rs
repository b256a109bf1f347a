//! The words of the index that a search reads: those that matter most, within a limit for the entries.
//!
//! A word of the index carries its level, so its documents all get the same addition to their scores. The words are
//! read in the order of these additions until the limit is reached: what is left out would have added the least. Lin
//! and Trotman, "Anytime Ranking for Impact-Ordered Indexes", ICTIR 2015, do the same, and recommend a limit of a tenth
//! of the documents.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use lru::LruCache;
use nyxcore_tenancy::{Access, Backend, Result, Scoped, TenantId};
use sea_orm::{FromQueryResult, Value};

use crate::model::KnowledgeKind;
use crate::publish::word_class;
use crate::text::question::Question;
use crate::text::weigh::{LEVELS, WordClass, level_weight, lexeme, rarity};

/// The most terms of a question that are scored: the rarest ones of those that are counted.
const SCORED_TERMS_MAX: usize = 48;

/// The most index entries that one search reads.
const ENTRIES_MAX: i64 = 8_000;

/// The most documents of one word that PostgreSQL counts: it has to look at each row.
const COUNTED_MAX: i64 = 1_000;

/// The most documents of a tenant that are counted: beyond, the exact number does not matter.
const DOCUMENTS_COUNTED_MAX: i64 = 10_000;

/// A word with so many documents is common: the process remembers its count.
const COMMON_MIN: i64 = 500;
/// The number of remembered counts, of all tenants. They take about 2 MB.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();
/// How long a count is remembered.
const REMEMBERED_FOR: TimeDelta = TimeDelta::minutes(10);

/// The number of documents of each word of `$2`, a JSON list, and of the tenant `$1`, as that of the empty word, which
/// are counted up to `$4`. `$3` limits the counts of PostgreSQL: SQLite's index has exact ones.
const SQLITE: &str = "
    SELECT a.value AS word, v.doc AS documents
    FROM json_each($2) a CROSS JOIN search_vocabulary v ON v.term = a.value
    UNION ALL
    SELECT '', (SELECT count(*) FROM (SELECT 1 FROM search_documents WHERE tenant_id = $1 LIMIT $4))";

/// The same for PostgreSQL, with at most `$3` documents of a word. Only the function may use the index under row-level
/// security (see the migration).
const POSTGRES: &str = "
    SELECT c.word, c.documents
    FROM nyxcore_search_counts(ARRAY(SELECT jsonb_array_elements_text($2::text::jsonb)), $3, $4) c WHERE c.tenant_id = $1";

/// A word of the index that a question's term may match.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct QuestionWord {
    /// The word in the index.
    word: String,
    /// The number of its term. Each term of a question has one number per class of words.
    term: usize,
    level: u8,
}

/// A word that is read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WordRead<'w> {
    /// The word in the index.
    pub word: &'w str,
    /// What it adds to the score of each of its documents.
    pub weight: f64,
    /// At most so many documents are read. A word that is read whole has room for documents that are newer than its
    /// count.
    pub most: i64,
}

/// The words of the index that the terms of a question may match, one per class and level.
pub(crate) fn words_asked(
    question: &Question,
    kinds: &[KnowledgeKind],
    key: &str,
) -> Vec<QuestionWord> {
    let mut classes: Vec<WordClass> = kinds.iter().copied().map(word_class).collect();
    classes.sort_unstable();
    classes.dedup();
    let mut words = Vec::new();
    for (n, term) in question.terms.iter().enumerate() {
        for &class in &classes {
            // The highest level comes first.
            for level in (0..LEVELS).rev() {
                words.push(QuestionWord {
                    word: lexeme(level, class, key, &term.text),
                    term: n * 2 + usize::from(class == WordClass::Text),
                    level,
                });
            }
        }
    }
    words
}

/// How many documents have each word.
#[derive(Debug, Default, PartialEq)]
pub(super) struct WordCounts<'w> {
    words: HashMap<&'w str, i64>,
    /// The number of the tenant's documents, at most [`DOCUMENTS_COUNTED_MAX`].
    documents: i64,
}

#[derive(FromQueryResult)]
struct CountRow {
    word: String,
    documents: i64,
}

/// The counts of common words, with the time when each was read. The empty word stands for all documents.
struct CommonWords(Mutex<LruCache<CommonWord, (i64, DateTime<Utc>)>>);

/// A word of a tenant.
type CommonWord = (TenantId, String);

impl Default for CommonWords {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }
}

impl<'w> WordCounts<'w> {
    /// Counts the documents of the words. What is common is counted again after a while only.
    ///
    /// # Errors
    /// The database refuses.
    pub(super) async fn read<A: Access>(
        scoped: &Scoped<A>,
        words: &'w [QuestionWord],
    ) -> Result<Self> {
        let common = scoped.shared::<CommonWords>();
        let mut counts = Self::default();
        let unknown = counts.remember(scoped, &common, words);
        if unknown.is_empty() && counts.documents > 0 {
            return Ok(counts);
        }
        let sql = match scoped.backend() {
            Backend::Postgres => POSTGRES,
            _ => SQLITE,
        };
        let values: [Value; 3] = [
            serde_json::json!(unknown).to_string().into(),
            COUNTED_MAX.into(),
            DOCUMENTS_COUNTED_MAX.into(),
        ];
        let rows: Vec<CountRow> = scoped.sql_all(sql, values).await?;
        let read: HashMap<&str, i64> = rows
            .iter()
            .map(|row| (row.word.as_str(), row.documents))
            .collect();
        counts.documents = read.get("").copied().unwrap_or(0);
        for word in unknown {
            if let Some(&count) = read.get(word) {
                counts.words.insert(word, count);
            }
        }
        let mut common = common.0.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows.into_iter().filter(|row| row.documents >= COMMON_MIN) {
            let key = (scoped.tenant(), row.word);
            common.put(key, (row.documents, scoped.env().now()));
        }
        Ok(counts)
    }

    /// Takes the remembered counts, and returns the words that have none.
    fn remember<A: Access>(
        &mut self,
        scoped: &Scoped<A>,
        common: &CommonWords,
        words: &'w [QuestionWord],
    ) -> Vec<&'w str> {
        let oldest = scoped.env().now() - REMEMBERED_FOR;
        let mut common = common.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = |word: &str| {
            let (count, at) = common.get(&(scoped.tenant(), word.to_owned()))?;
            (*at > oldest).then_some(*count)
        };
        self.documents = known("").unwrap_or(0);
        let mut unknown = Vec::new();
        for word in words.iter().map(|word| word.word.as_str()) {
            match known(word) {
                Some(count) => _ = self.words.insert(word, count),
                None => unknown.push(word),
            }
        }
        unknown
    }

    /// The rarity of the rarest terms, by the number in [`QuestionWord::term`].
    pub(super) fn rarities(&self, words: &[QuestionWord]) -> BTreeMap<usize, f64> {
        let mut documents: BTreeMap<usize, i64> = BTreeMap::new();
        for word in words {
            if let Some(count) = self.words.get(word.word.as_str()) {
                *documents.entry(word.term).or_default() += count;
            }
        }
        let most = documents.values().copied().max().unwrap_or(0);
        let total = most.max(self.documents);
        let mut rarest: Vec<(i64, usize)> = documents
            .into_iter()
            .map(|(term, documents)| (documents, term))
            .collect();
        rarest.sort_unstable();
        rarest.truncate(SCORED_TERMS_MAX * 2);
        rarest
            .into_iter()
            .map(|(documents, term)| (term, rarity(documents, total)))
            .collect()
    }

    /// The words to read: those that add the most to a score. Of each class, one may be read in part; these are the
    /// last ones.
    pub(super) fn chosen(
        &self,
        words: &'w [QuestionWord],
        rarities: &BTreeMap<usize, f64>,
        question: &Question,
    ) -> Vec<WordRead<'w>> {
        let weighed = |word: &'w QuestionWord| {
            let rarity = rarities.get(&word.term)?;
            let stress = question.terms[word.term / 2].weight;
            let count = *self.words.get(word.word.as_str())?;
            // A count at the limit stands for any larger number.
            let is_limited = count == COUNTED_MAX;
            let size = if is_limited { count * 2 } else { count };
            let read = WordRead {
                word: &word.word,
                weight: level_weight(word.level) * rarity * stress,
                most: if is_limited { size } else { ENTRIES_MAX },
            };
            Some((word.term % 2, (size, read)))
        };
        let mut classes: [Vec<(i64, WordRead<'w>)>; 2] = Default::default();
        for (class, read) in words.iter().filter_map(weighed) {
            classes[class].push(read);
        }
        let sizes = classes
            .each_ref()
            .map(|reads| reads.iter().map(|(size, _)| size).sum::<i64>());
        let mut chosen = Vec::new();
        let mut parts = Vec::new();
        for (mut reads, size_of_other) in classes.into_iter().zip([sizes[1], sizes[0]]) {
            reads.sort_by(|(_, a), (_, b)| {
                (b.weight.total_cmp(&a.weight)).then_with(|| a.word.cmp(b.word))
            });
            // Each class gets half of the entries, and what the other one does not need.
            let mut room = (ENTRIES_MAX / 2).max(ENTRIES_MAX - size_of_other);
            for (size, mut read) in reads {
                if size > room {
                    read.most = room;
                    parts.extend((room > 0).then_some(read));
                    break;
                }
                room -= size;
                chosen.push(read);
            }
        }
        chosen.append(&mut parts);
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words that are chosen of the question `lease worker`, with the most entries of each. The counts are those of
    /// the first term's levels, the highest first, and then of the second term's.
    fn chosen(kinds: &[KnowledgeKind], counts: &[i64]) -> Vec<(String, i64)> {
        let question = Question::read("lease worker");
        let words = words_asked(&question, kinds, "k");
        let counted = words.iter().map(|word| word.word.as_str());
        let counts = WordCounts {
            words: counted.zip(counts.iter().copied()).collect(),
            documents: DOCUMENTS_COUNTED_MAX,
        };
        let rarities = counts.rarities(&words);
        let read = counts.chosen(&words, &rarities, &question);
        assert!(read.iter().all(|one| (1..=ENTRIES_MAX).contains(&one.most)));
        read.into_iter()
            .map(|one| (one.word.to_owned(), one.most))
            .collect()
    }

    const CODE: &[KnowledgeKind] = &[KnowledgeKind::Code];

    #[test]
    fn a_rare_term_is_read_before_a_common_one() {
        let read = chosen(CODE, &[0, 5, 5, 5, 5, 5, 0, 9_000, 1, 1, 1, 1]);
        let first: Vec<&str> = read[..4].iter().map(|(word, _)| &word[3..]).collect();
        assert_eq!(first, ["worker"; 4], "{read:?}");
    }

    #[test]
    fn the_last_word_is_read_in_part() {
        let read = chosen(CODE, &[700, 0, 0, 0, 0, 0, 9_000, 0, 0, 0, 0, 0]);
        let sizes: Vec<i64> = read.iter().map(|(_, most)| *most).collect();
        assert_eq!(sizes.last(), Some(&(ENTRIES_MAX - 700)), "{read:?}");
    }

    #[test]
    fn code_leaves_room_for_texts() {
        let both = &[KnowledgeKind::Code, KnowledgeKind::Note];
        let read = chosen(both, &[90_000, 0, 0, 0, 0, 0, 80_000]);
        let sizes: Vec<i64> = read.iter().map(|(_, most)| *most).collect();
        assert_eq!(sizes, [ENTRIES_MAX / 2, ENTRIES_MAX / 2]);
        let read = chosen(both, &[90_000, 0, 0, 0, 0, 0, 30]);
        let sizes: Vec<i64> = read.iter().map(|(_, most)| *most).collect();
        assert_eq!(sizes, [ENTRIES_MAX, ENTRIES_MAX - 30]);
    }

    #[test]
    fn a_count_at_its_limit_stands_for_more() {
        let read = chosen(CODE, &[COUNTED_MAX, 0, 0, 0, 0, 0, 3]);
        assert!(read.iter().any(|(_, most)| *most == COUNTED_MAX * 2));
    }
}
