//! Searches the index: the databases return candidates by weighted words, and [`rank`](crate::rank) ranks them.
//!
//! Both databases compute the same sum over the question's words in a document: the weight of the word in the document
//! (its level, which is part of the word in the index) times its rarity times its stress in the question.

use std::collections::{BTreeMap, HashMap};

use nyxcore_tenancy::{Access, Backend, Result, Scoped};
use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use crate::entity::search_document as row;
use crate::model::{Hit, KnowledgeKind, SEARCH_LIMIT_MAX, SearchRequest};
use crate::publish::{tenant_key, word_class};
use crate::rank::{Candidate, RankQuery, ranked};
use crate::role::{Authority, FileRole};
use crate::text::question::Question;
use crate::text::weigh::{LEVELS, WordClass, level_weight, lexeme, rarity};
use crate::vector::{Neighbor, NeighborFilter, QuestionVector, nearest, vector_model_current};

/// The most terms of a question that are scored: the rarest ones of those that are counted.
const SCORED_TERMS_MAX: usize = 48;

/// The most index entries that one search reads, beside those of its first word. It reads the rarest terms first, and
/// of a term the documents with the highest weight; entries beyond the limit matter least.
const ENTRIES_MAX: i64 = 20_000;

/// The most entries of one word that PostgreSQL reads. A word with more documents at one level is hardly worth its
/// time.
const ENTRIES_OF_WORD_MAX: i64 = 2_000;

/// The most candidates of each kind that are read and ranked.
const CANDIDATES_MAX: i64 = 40;

/// The most documents that are counted: beyond, the exact number does not matter.
const DOCUMENTS_COUNTED_MAX: i64 = 10_000;

/// How many of the tenant's documents have each word of `$2`, a JSON list, and how many documents there are. `$1` is
/// the tenant, which `Scoped` adds.
const DOCUMENTS_COUNTED: &str = "
    SELECT a.value AS word, v.doc AS documents,
           (SELECT count(*) FROM (SELECT 1 FROM search_documents WHERE tenant_id = $1 LIMIT 10000)) AS counted
    FROM json_each($2) a CROSS JOIN search_vocabulary v ON v.term = a.value";

/// `$2` words with their weights, `$3` project, `$4` kinds and `$5` stacks as JSON lists, `$6` rows per kind, `$7`
/// roles with their weights. A subject is represented by its best chunk. CROSS JOIN makes SQLite keep the order of the
/// joins: otherwise it scans the tenant's documents and queries the full text for each of them.
const SQLITE: &str = "
    WITH asked AS MATERIALIZED (
        SELECT '\"' || (value ->> 0) || '\"' AS word, value ->> 1 AS weight FROM json_each($2)
    ),
    scores AS MATERIALIZED (
        SELECT p.rowid AS seq, sum(a.weight) AS score
        FROM asked a CROSS JOIN search_terms p ON p.search_terms MATCH a.word GROUP BY p.rowid
    ), weighed AS MATERIALIZED (
        SELECT value ->> 0 AS role, value ->> 1 AS weight FROM json_each($7)
    ), found AS MATERIALIZED (
        SELECT d.seq, d.id, d.kind, d.subject, d.chunk,
               scores.score * coalesce((SELECT weight FROM weighed WHERE role = d.role), 1.0) AS score
        FROM scores CROSS JOIN search_documents d ON d.seq = scores.seq
        WHERE d.tenant_id = $1
          AND d.kind IN (SELECT value FROM json_each($4))
          AND ($3 IS NULL OR d.project_id = $3 OR d.project_id IS NULL)
          AND ($5 IS NULL OR d.stack IS NULL OR d.stack IN (SELECT value FROM json_each($5)))
    ), pieces AS (
        SELECT seq, id, kind, score, row_number() OVER (PARTITION BY kind, subject ORDER BY score DESC, chunk) AS piece FROM found
    ), ranked AS (
        SELECT seq, score, row_number() OVER (PARTITION BY kind ORDER BY score DESC, id) AS place FROM pieces WHERE piece = 1
    )
    SELECT r.score, NULL AS weights, d.kind, d.subject, d.subject_id, d.title, d.body, d.path, d.source_id, d.start_line,
           d.end_line, d.stack, d.role, d.authority, d.alike
    FROM ranked r CROSS JOIN search_documents d ON d.seq = r.seq
    WHERE r.place <= $6 AND d.tenant_id = $1";

/// The same for PostgreSQL. Only the function may use the index under row-level security (see the migration); the rows
/// themselves are read under it. `$2` are the words, each with its term, the weight of its level and its stress in the
/// question; `$8` are the limits.
const POSTGRES: &str = "
    SELECT r.score, r.weights::text AS weights, d.kind, d.subject, d.subject_id, d.title, d.body, d.path, d.source_id,
           d.start_line, d.end_line, d.stack, d.role, d.authority, d.alike
    FROM nyxcore_search($2::text::jsonb, $3,
                        ARRAY(SELECT jsonb_array_elements_text($4::text::jsonb)),
                        CASE WHEN $5::text IS NULL THEN NULL ELSE ARRAY(SELECT jsonb_array_elements_text($5::text::jsonb)) END,
                        $6, $7::text::jsonb, $8::text::jsonb) r
    JOIN search_documents d ON d.id = r.id
    WHERE d.tenant_id = $1";

#[derive(FromQueryResult)]
struct WordCountRow {
    word: String,
    documents: i64,
    counted: i64,
}

#[derive(FromQueryResult)]
struct CandidateRow {
    score: f64,
    weights: Option<String>,
    kind: KnowledgeKind,
    subject: String,
    subject_id: Option<Uuid>,
    title: String,
    body: String,
    path: Option<String>,
    source_id: Option<Uuid>,
    start_line: Option<i64>,
    end_line: Option<i64>,
    stack: Option<String>,
    role: Option<FileRole>,
    authority: Option<Authority>,
    alike: i64,
}

/// A word of the index that a question's term may match.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct QuestionWord {
    /// The word in the index.
    word: String,
    /// The number of its term. Each term of a question has one number per class of words.
    term: usize,
    level: u8,
}

/// Returns the best hits for a text.
///
/// Any term of the text may match; rarer terms and higher weights rank a document higher. All of a long text is read,
/// and its rarest terms are searched for. Each kind is ranked separately and the rankings are fused, so that a kind
/// with many documents does not displace the others, and documents do not displace code. A subject is returned once, by
/// its best place. A text without a word has no hits.
///
/// # Errors
/// The database refuses.
pub async fn search<A: Access>(scoped: &Scoped<A>, request: &SearchRequest) -> Result<Vec<Hit>> {
    search_with(scoped, request, None).await
}

/// As [`search`], with the question as a vector too: of each kind, the nearest documents are ranked beside those that
/// its words find, and the two rankings are fused. A vector of another model than the tenant's current one is ignored.
///
/// # Errors
/// The database refuses.
pub async fn search_with<A: Access>(
    scoped: &Scoped<A>,
    request: &SearchRequest,
    vector: Option<&QuestionVector>,
) -> Result<Vec<Hit>> {
    let limit = request.limit.min(SEARCH_LIMIT_MAX);
    let question = Question::read(&request.text);
    if limit == 0 || (question.terms.is_empty() && vector.is_none()) {
        return Ok(Vec::new());
    }
    let kinds = if request.kinds.is_empty() {
        KnowledgeKind::all()
    } else {
        &request.kinds
    };
    let key = tenant_key(scoped.tenant());
    let words = words_asked(&question, kinds, &key);
    let (mut candidates, rarities) =
        candidates_of(scoped, request, kinds, &question, &words, CANDIDATES_MAX).await?;
    if let Some(vector) = vector {
        let [project, kinds, stacks, _] = filters(request, kinds, &question);
        let filter = NeighborFilter {
            project,
            kinds,
            stacks,
        };
        nearest_add(scoped, vector, filter, &mut candidates).await?;
    }
    let asked = RankQuery {
        question: &question,
        rarities: &rarities,
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
    };
    Ok(ranked(candidates, &asked))
}

/// Adds the nearest documents to the candidates. A subject that words also found keeps the chunk that the words found.
async fn nearest_add<A: Access>(
    scoped: &Scoped<A>,
    vector: &QuestionVector,
    filter: NeighborFilter,
    candidates: &mut Vec<Candidate>,
) -> Result<()> {
    if vector_model_current(scoped).await?.as_ref() != Some(&vector.model) {
        return Ok(());
    }
    let near: HashMap<Uuid, f64> = nearest(scoped, vector, filter)
        .await?
        .into_iter()
        .map(
            |Neighbor {
                 document,
                 similarity,
             }| (document, similarity),
        )
        .collect();
    let ids: Vec<Uuid> = near.keys().copied().collect();
    let rows = scoped
        .find_in::<row::Entity, _>(row::Column::Id, ids)
        .all()
        .await?;
    let mut known: HashMap<(KnowledgeKind, String), usize> = HashMap::new();
    for (at, candidate) in candidates.iter().enumerate() {
        known.insert((candidate.kind, candidate.subject.clone()), at);
    }
    let mut rows: Vec<(f64, row::Model)> = rows
        .into_iter()
        .filter_map(|row| Some((*near.get(&row.id)?, row)))
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.id.cmp(&b.1.id)));
    for (similarity, row) in rows {
        // The nearest chunk of a subject comes first and represents it.
        match known.get(&(row.kind, row.subject.clone())) {
            Some(&at) => {
                candidates[at].similarity.get_or_insert(similarity);
            }
            None => {
                known.insert((row.kind, row.subject.clone()), candidates.len());
                candidates.push(Candidate {
                    similarity: Some(similarity),
                    ..Candidate::of_document(row)
                });
            }
        }
    }
    Ok(())
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

/// The rarity of each term, by the number in [`QuestionWord::term`], with the number of its documents.
fn rarities_of(
    words: &[QuestionWord],
    counts: &BTreeMap<&str, i64>,
    total: i64,
) -> Vec<(usize, i64, f64)> {
    let mut documents: BTreeMap<usize, i64> = BTreeMap::new();
    for word in words {
        if let Some(count) = counts.get(word.word.as_str()) {
            *documents.entry(word.term).or_default() += count;
        }
    }
    let total = documents.values().copied().max().unwrap_or(0).max(total);
    let mut rarities: Vec<(usize, i64, f64)> = documents
        .into_iter()
        .map(|(term, documents)| (term, documents, rarity(documents, total)))
        .collect();
    rarities.sort_by_key(|&(term, documents, _)| (documents, term));
    rarities.truncate(SCORED_TERMS_MAX * 2);
    rarities
}

/// The best documents for the words, `most` of each kind, and the rarity of each term.
pub(crate) async fn candidates_of<A: Access>(
    scoped: &Scoped<A>,
    request: &SearchRequest,
    kinds: &[KnowledgeKind],
    question: &Question,
    words: &[QuestionWord],
    most: i64,
) -> Result<(Vec<Candidate>, BTreeMap<usize, f64>)> {
    if words.is_empty() {
        return Ok(Default::default());
    }
    if scoped.backend() == Backend::Postgres {
        candidates_postgres(scoped, request, kinds, question, words, most).await
    } else {
        candidates_sqlite(scoped, request, kinds, question, words, most).await
    }
}

async fn candidates_sqlite<A: Access>(
    scoped: &Scoped<A>,
    request: &SearchRequest,
    kinds: &[KnowledgeKind],
    question: &Question,
    words: &[QuestionWord],
    most: i64,
) -> Result<(Vec<Candidate>, BTreeMap<usize, f64>)> {
    let texts: Vec<&str> = words.iter().map(|word| word.word.as_str()).collect();
    let texts: Value = serde_json::json!(texts).to_string().into();
    let rows: Vec<WordCountRow> = scoped.sql_all(DOCUMENTS_COUNTED, [texts]).await?;
    let total = rows.first().map_or(0, |row| row.counted);
    let counts: BTreeMap<&str, i64> = rows
        .iter()
        .map(|row| (row.word.as_str(), row.documents))
        .collect();
    let rarities = rarities_of(words, &counts, total);
    let mut read: Vec<(&str, f64)> = Vec::new();
    let mut entries = 0;
    for &(term, _, rarity) in &rarities {
        let stress = question.terms[term / 2].weight;
        for word in words.iter().filter(|word| word.term == term) {
            let Some(count) = counts.get(word.word.as_str()) else {
                continue;
            };
            if read.is_empty() || entries + count <= ENTRIES_MAX {
                entries += count;
                read.push((&word.word, level_weight(word.level) * rarity * stress));
            }
        }
    }
    let rarities: BTreeMap<usize, f64> = rarities
        .into_iter()
        .map(|(term, _, rarity)| (term, rarity))
        .collect();
    if read.is_empty() {
        return Ok((Vec::new(), rarities));
    }
    let [project, kinds, stacks, roles] = filters(request, kinds, question);
    let values: [Value; 6] = [
        serde_json::json!(read).to_string().into(),
        project,
        kinds,
        stacks,
        most.into(),
        roles,
    ];
    let rows: Vec<CandidateRow> = scoped.sql_all(SQLITE, values).await?;
    Ok((rows.into_iter().map(candidate).collect(), rarities))
}

async fn candidates_postgres<A: Access>(
    scoped: &Scoped<A>,
    request: &SearchRequest,
    kinds: &[KnowledgeKind],
    question: &Question,
    words: &[QuestionWord],
    most: i64,
) -> Result<(Vec<Candidate>, BTreeMap<usize, f64>)> {
    let asked: Vec<(String, usize, f64, f64)> = words
        .iter()
        .map(|word| {
            let stress = question.terms[word.term / 2].weight;
            (
                format!("'{}'", word.word),
                word.term,
                level_weight(word.level),
                stress,
            )
        })
        .collect();
    let [project, kinds, stacks, roles] = filters(request, kinds, question);
    let bounds = serde_json::json!({
        "entries_of_word": ENTRIES_OF_WORD_MAX,
        "entries": ENTRIES_MAX,
        "terms": SCORED_TERMS_MAX * 2,
        "counted": DOCUMENTS_COUNTED_MAX,
    });
    let values: [Value; 7] = [
        serde_json::json!(asked).to_string().into(),
        project,
        kinds,
        stacks,
        most.into(),
        roles,
        bounds.to_string().into(),
    ];
    let rows: Vec<CandidateRow> = scoped.sql_all(POSTGRES, values).await?;
    let rarities = rows.iter().find_map(|row| row.weights.as_deref());
    let rarities: BTreeMap<usize, f64> = rarities
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    Ok((rows.into_iter().map(candidate).collect(), rarities))
}

/// The project, kinds, stacks and roles as parameters of both statements.
fn filters(request: &SearchRequest, kinds: &[KnowledgeKind], question: &Question) -> [Value; 4] {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    let stacks = request
        .stacks
        .as_ref()
        .map(|stacks| serde_json::json!(stacks).to_string());
    let asked = question.words();
    let roles: Vec<(FileRole, f64)> = FileRole::all()
        .iter()
        .map(|&role| (role, role.weight_for(&asked)))
        .collect();
    [
        request.project_id.into(),
        serde_json::json!(kinds).to_string().into(),
        stacks.into(),
        serde_json::json!(roles).to_string().into(),
    ]
}

fn candidate(row: CandidateRow) -> Candidate {
    Candidate {
        score: row.score,
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
