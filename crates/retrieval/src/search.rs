//! Searches the index: the databases return candidates by weighted words, and [`rank`](crate::rank) ranks them.
//!
//! Both databases compute the same sum over the question's words in a document: the weight of the word in the document
//! (its level, which is part of the word in the index) times its rarity times its stress in the question.

mod words;

use std::collections::{BTreeMap, HashMap};

use nyxcore_tenancy::{Access, Backend, Result, Scoped};
use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use crate::entity::search_document as row;
use crate::model::{Hit, KnowledgeKind, SEARCH_LIMIT_MAX, SearchRequest};
use crate::publish::tenant_key;
use crate::rank::{Candidate, RankQuery, ranked};
use crate::role::{Authority, FileRole};
use crate::text::question::Question;
use crate::vector::{Neighbor, NeighborFilter, QuestionVector, nearest, vector_model_current};

pub(crate) use words::words_asked;
use words::{QuestionWord, WordCounts};

/// The most candidates of each kind that are read and ranked.
const CANDIDATES_MAX: i64 = 40;

/// `$2` words, each with its weight and the most entries that are read, `$3` project, `$4` kinds and `$5` stacks as
/// JSON lists, `$6` rows per kind, `$7` roles with their weights. Only the last two words may be read in part: their
/// newest entries. Of each kind, the chunks with the highest scores are compared, eight for each row that is asked for:
/// a subject is represented by its best one. CROSS JOIN makes SQLite keep the order of the joins: otherwise it scans
/// the tenant's documents and queries the full text for each of them.
const SQLITE: &str = "
    WITH asked AS MATERIALIZED (
        SELECT '\"' || (value ->> 0) || '\"' AS word, value ->> 1 AS weight, value ->> 2 AS most,
               json_array_length($2) - key AS from_end
        FROM json_each($2)
    ), entries AS (
        SELECT p.rowid AS seq, a.weight FROM asked a CROSS JOIN search_terms p ON p.search_terms MATCH a.word WHERE a.from_end > 2
        UNION ALL
        SELECT part.seq, (SELECT weight FROM asked WHERE from_end = 2) FROM (
            SELECT p.rowid AS seq FROM search_terms p
            WHERE p.search_terms MATCH coalesce((SELECT word FROM asked WHERE from_end = 2), '\"\"')
            ORDER BY p.rowid DESC LIMIT coalesce((SELECT most FROM asked WHERE from_end = 2), 0)
        ) part
        UNION ALL
        SELECT part.seq, (SELECT weight FROM asked WHERE from_end = 1) FROM (
            SELECT p.rowid AS seq FROM search_terms p WHERE p.search_terms MATCH (SELECT word FROM asked WHERE from_end = 1)
            ORDER BY p.rowid DESC LIMIT (SELECT most FROM asked WHERE from_end = 1)
        ) part
    ), scores AS MATERIALIZED (
        SELECT seq, sum(weight) AS score FROM entries GROUP BY seq
    ), weighed AS MATERIALIZED (
        SELECT value ->> 0 AS role, value ->> 1 AS weight FROM json_each($7)
    ), found AS (
        SELECT d.seq, d.id, d.kind, d.subject, d.chunk,
               scores.score * coalesce((SELECT weight FROM weighed WHERE role = d.role), 1.0) AS score
        FROM scores CROSS JOIN search_documents d ON d.seq = scores.seq
        WHERE d.tenant_id = $1
          AND d.kind IN (SELECT value FROM json_each($4))
          AND ($3 IS NULL OR d.project_id = $3 OR d.project_id IS NULL)
          AND ($5 IS NULL OR d.stack IS NULL OR d.stack IN (SELECT value FROM json_each($5)))
    ), best AS (
        SELECT seq, id, kind, subject, chunk, score, row_number() OVER (PARTITION BY kind ORDER BY score DESC, id) AS place FROM found
    ), pieces AS (
        SELECT seq, id, kind, score, row_number() OVER (PARTITION BY kind, subject ORDER BY score DESC, chunk) AS piece
        FROM best WHERE place <= $6 * 8
    ), ranked AS (
        SELECT seq, score, row_number() OVER (PARTITION BY kind ORDER BY score DESC, id) AS place FROM pieces WHERE piece = 1
    )
    SELECT r.score, d.kind, d.subject, d.subject_id, d.title, d.body, d.path, d.source_id, d.start_line,
           d.end_line, d.stack, d.role, d.authority, d.alike
    FROM ranked r CROSS JOIN search_documents d ON d.seq = r.seq
    WHERE r.place <= $6 AND d.tenant_id = $1";

/// The same for PostgreSQL. Only the function may use the index under row-level security (see the migration); the rows
/// themselves are read under it.
const POSTGRES: &str = "
    SELECT r.score, d.kind, d.subject, d.subject_id, d.title, d.body, d.path, d.source_id, d.start_line,
           d.end_line, d.stack, d.role, d.authority, d.alike
    FROM nyxcore_search($2::text::jsonb, $3,
                        ARRAY(SELECT jsonb_array_elements_text($4::text::jsonb)),
                        CASE WHEN $5::text IS NULL THEN NULL ELSE ARRAY(SELECT jsonb_array_elements_text($5::text::jsonb)) END,
                        $6, $7::text::jsonb) r
    JOIN search_documents d ON d.id = r.id
    WHERE d.tenant_id = $1";

#[derive(FromQueryResult)]
struct CandidateRow {
    score: f64,
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
    let counts = WordCounts::read(scoped, words).await?;
    let rarities = counts.rarities(words);
    let read = counts.chosen(words, &rarities, question);
    if read.is_empty() {
        return Ok((Vec::new(), rarities));
    }
    let read: Vec<_> = read
        .iter()
        .map(|word| (word.word, word.weight, word.most))
        .collect();
    let [project, kinds, stacks, roles] = filters(request, kinds, question);
    let values: [Value; 6] = [
        serde_json::json!(read).to_string().into(),
        project,
        kinds,
        stacks,
        most.into(),
        roles,
    ];
    let sql = match scoped.backend() {
        Backend::Postgres => POSTGRES,
        _ => SQLITE,
    };
    let rows: Vec<CandidateRow> = scoped.sql_all(sql, values).await?;
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
