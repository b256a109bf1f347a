//! Searches the index: a full-text ranking per kind by the database, fused into one order.

use nyxcore_tenancy::{Access, Backend, Result, Scoped};
use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use crate::fusion::{RankedList, fuse};
use crate::model::{Hit, KnowledgeKind, SEARCH_LIMIT_MAX, SearchRequest};
use crate::publish::tenant_key;
use crate::text::excerpt::excerpt;
use crate::text::impact::{WordCount, words_weigh};
use crate::text::query_terms;
use crate::text::vector::tsquery;

/// The most characters of a hit that are shown: some five lines.
const EXCERPT_CHARS: usize = 400;

/// How many of the tenant's documents have each word of `$2`, a JSON list, and how many documents there are. That is
/// counted up to 2,000: beyond, the count costs more than it says about how rare a word is.
const DOCUMENTS_COUNTED: &str = "
    SELECT a.value AS word, v.doc AS documents,
           (SELECT count(*) FROM (SELECT 1 FROM search_documents WHERE tenant_id = $1 LIMIT 2000)) AS counted
    FROM json_each($2) a CROSS JOIN search_vocabulary v ON v.term = a.value";

/// `$2` words with their weights and `$3` project, `$4` kinds and `$5` stacks as JSON lists, `$6` rows a kind. A
/// subject's best chunk stands for it; a smaller score is better. A column of the full text is a word's weight within a
/// document. CROSS JOIN keeps SQLite to the order as written: left to itself it goes through the tenant's documents and
/// asks the full text about each of them.
const SQLITE: &str = "
    WITH asked AS MATERIALIZED (SELECT value ->> 0 AS word, value ->> 1 AS weight FROM json_each($2)),
    scores AS MATERIALIZED (
        SELECT p.doc AS seq, -sum(a.weight * (substr(p.col, 2) + 0.5)) AS score
        FROM asked a CROSS JOIN search_postings p ON p.term = a.word GROUP BY p.doc
    ), found AS MATERIALIZED (
        SELECT d.seq, d.id, d.kind, d.subject, d.chunk, scores.score
        FROM scores CROSS JOIN search_documents d ON d.seq = scores.seq
        WHERE d.tenant_id = $1
          AND d.kind IN (SELECT value FROM json_each($4))
          AND ($3 IS NULL OR d.project_id = $3 OR d.project_id IS NULL)
          AND ($5 IS NULL OR d.stack IS NULL OR d.stack IN (SELECT value FROM json_each($5)))
    ), pieces AS (
        SELECT seq, id, kind, score, row_number() OVER (PARTITION BY kind, subject ORDER BY score, chunk) AS piece FROM found
    ), ranked AS (
        SELECT seq, row_number() OVER (PARTITION BY kind ORDER BY score, id) AS place FROM pieces WHERE piece = 1
    )
    SELECT r.place, d.kind, d.subject, d.subject_id, d.title, d.body, d.path, d.source_id, d.start_line, d.end_line, d.stack
    FROM ranked r CROSS JOIN search_documents d ON d.seq = r.seq
    WHERE r.place <= $6 AND d.tenant_id = $1
    ORDER BY r.place";

/// The same; the ranking is the function's, which alone may use the index under row-level security (see the migration).
/// The rows themselves are read under it.
const POSTGRES: &str = "
    SELECT r.place, d.kind, d.subject, d.subject_id, d.title, d.body, d.path, d.source_id, d.start_line, d.end_line, d.stack
    FROM nyxcore_search($2, $3,
                        ARRAY(SELECT jsonb_array_elements_text($4::text::jsonb)),
                        CASE WHEN $5::text IS NULL THEN NULL ELSE ARRAY(SELECT jsonb_array_elements_text($5::text::jsonb)) END,
                        $6) r
    JOIN search_documents d ON d.id = r.id
    WHERE d.tenant_id = $1
    ORDER BY r.place";

#[derive(FromQueryResult)]
struct TermCountRow {
    word: String,
    documents: i64,
    counted: i64,
}

#[derive(FromQueryResult)]
struct HitRow {
    place: i64,
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
}

/// Returns the best hits for a text.
///
/// Any term of the text may match; subjects with more and rarer terms rank higher. Each kind is ranked separately and
/// the rankings are fused, so that a kind with many documents does not displace the others. A subject is returned
/// once, by its best chunk. A text without a word has no hits.
///
/// # Errors
/// The database refuses.
pub async fn search<A: Access>(scoped: &Scoped<A>, request: &SearchRequest) -> Result<Vec<Hit>> {
    let terms = query_terms(&request.text);
    let limit = request.limit.min(SEARCH_LIMIT_MAX);
    let postgres = scoped.backend() == Backend::Postgres;
    let key = tenant_key(scoped.tenant());
    let query = if limit == 0 {
        None
    } else if postgres {
        tsquery(&key, &terms)
    } else {
        words_asked(scoped, &key, &terms).await?
    };
    let Some(query) = query else {
        return Ok(Vec::new());
    };
    let kinds = if request.kinds.is_empty() {
        KnowledgeKind::all()
    } else {
        &request.kinds
    };
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    let stacks = request
        .stacks
        .as_ref()
        .map(|stacks| serde_json::json!(stacks).to_string());
    let values: [Value; 5] = [
        query.into(),
        request.project_id.into(),
        serde_json::json!(kinds).to_string().into(),
        stacks.into(),
        // At most SEARCH_LIMIT_MAX.
        limit.cast_signed().into(),
    ];
    let found: Vec<HitRow> = scoped
        .sql_all(if postgres { POSTGRES } else { SQLITE }, values)
        .await?;
    let mut hits = fused(found);
    hits.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(hits
        .into_iter()
        .map(|(found, score)| hit(found, score, &terms))
        .collect())
}

/// The words of a question with their weights, as [`SQLITE`] takes them; `None` where the tenant has none of them.
async fn words_asked<A: Access>(
    scoped: &Scoped<A>,
    key: &str,
    terms: &[String],
) -> Result<Option<String>> {
    let words: Vec<String> = terms.iter().map(|term| format!("{key}{term}")).collect();
    let words: Value = serde_json::json!(words).to_string().into();
    let rows: Vec<TermCountRow> = scoped.sql_all(DOCUMENTS_COUNTED, [words]).await?;
    let most = rows.iter().map(|row| row.documents.max(row.counted)).max();
    let counts = rows.into_iter().map(|row| WordCount {
        word: row.word,
        documents: row.documents,
    });
    let words = words_weigh(counts.collect(), most.unwrap_or(0));
    Ok((!words.is_empty()).then(|| serde_json::json!(words).to_string()))
}

/// The kinds' rankings as one. What has the same place in two kinds comes in the order of the kinds.
fn fused(found: Vec<HitRow>) -> Vec<(HitRow, f64)> {
    let mut found: Vec<Option<HitRow>> = found.into_iter().map(Some).collect();
    let ranking = |kind: KnowledgeKind| -> Vec<(KnowledgeKind, usize)> {
        let places = found
            .iter()
            .enumerate()
            .filter_map(|(at, row)| Some((at, row.as_ref()?)));
        let mut of_kind: Vec<(i64, usize)> = places
            .filter(|(_, row)| row.kind == kind)
            .map(|(at, row)| (row.place, at))
            .collect();
        of_kind.sort_unstable();
        of_kind.into_iter().map(|(_, at)| (kind, at)).collect()
    };
    let rankings: Vec<Vec<(KnowledgeKind, usize)>> =
        KnowledgeKind::all().iter().copied().map(ranking).collect();
    let lists: Vec<RankedList<'_, _>> = rankings.iter().map(|ids| RankedList::new(ids)).collect();
    fuse(&lists)
        .into_iter()
        .filter_map(|fused| Some((found[fused.id.1].take()?, fused.score)))
        .collect()
}

fn hit(found: HitRow, score: f64, terms: &[String]) -> Hit {
    Hit {
        excerpt: excerpt(&found.body, terms, EXCERPT_CHARS).to_owned(),
        kind: found.kind,
        subject: found.subject,
        subject_id: found.subject_id,
        title: found.title,
        path: found.path,
        source_id: found.source_id,
        start_line: found.start_line,
        end_line: found.end_line,
        stack: found.stack,
        score,
    }
}
