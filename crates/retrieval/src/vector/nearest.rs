//! Finds the nearest vectors to a question: by pgvector's index through the one function that may use it, or else by
//! comparing all of them, block by block.

use std::collections::HashMap;

use nyxcore_tenancy::{Access, Backend, Result, Scoped};
use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::store::is_indexed;
use super::{QuestionVector, product, to_text, unit};
use crate::model::KnowledgeKind;

/// Vectors that are read per query: 3 MB of 1,536 numbers each.
const BLOCK: i64 = 512;
/// The most documents of each kind that are returned.
const NEAREST_MAX: usize = 40;
/// The most passages of each kind that pgvector returns: several of the nearest may be of one document.
const PASSAGES_MAX: i64 = 120;

/// The filter of documents, as parameters of the statements: project, kinds and stacks.
pub(crate) struct NeighborFilter {
    pub project: Value,
    /// A JSON list of names.
    pub kinds: Value,
    /// A JSON list, or NULL.
    pub stacks: Value,
}

/// A document with the similarity of its nearest passage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Neighbor {
    pub document: Uuid,
    /// The cosine of the angle between the two: from -1 to 1.
    pub similarity: f64,
}

#[derive(FromQueryResult)]
struct PassageRow {
    document_id: Uuid,
    kind: KnowledgeKind,
    content_hash: String,
    vector: Vec<u8>,
}

#[derive(FromQueryResult)]
struct NeighborRow {
    id: Uuid,
    similarity: f64,
}

/// `$2` model, `$3` dimensions, `$4` and `$5` the hash and document after which the block begins, `$6` project, `$7`
/// kinds and `$8` stacks as JSON lists, `$9` rows. CROSS JOIN makes SQLite keep the order of the joins.
macro_rules! block_sql {
    ($kinds:literal, $stacks:literal) => {
        concat!(
            "SELECT p.document_id, d.kind, v.content_hash, v.vector
             FROM search_vectors v CROSS JOIN search_passages p CROSS JOIN search_documents d
             WHERE v.tenant_id = $1 AND v.model = $2 AND v.dimensions = $3
               AND p.tenant_id = v.tenant_id AND p.content_hash = v.content_hash
               AND d.tenant_id = p.tenant_id AND d.id = p.document_id
               AND (v.content_hash > $4 OR (v.content_hash = $4 AND p.document_id > $5))
               AND v.content_hash >= $4
               AND d.kind IN ",
            $kinds,
            " AND ($6 IS NULL OR d.project_id = $6 OR d.project_id IS NULL)
               AND (",
            $stacks,
            ") ORDER BY v.content_hash, p.document_id LIMIT $9"
        )
    };
}

const BLOCK_SQLITE: &str = block_sql!(
    "(SELECT value FROM json_each($7))",
    "$8 IS NULL OR d.stack IS NULL OR d.stack IN (SELECT value FROM json_each($8))"
);

const BLOCK_POSTGRES: &str = block_sql!(
    "(SELECT jsonb_array_elements_text($7::text::jsonb))",
    "$8::text IS NULL OR d.stack IS NULL OR d.stack IN (SELECT jsonb_array_elements_text($8::text::jsonb))"
);

/// Only the function may use the index under row-level security. The documents are read under it.
const INDEXED: &str = "
    SELECT n.id, n.similarity
    FROM nyxcore_nearest($2, $3, $4, $5, ARRAY(SELECT jsonb_array_elements_text($6::text::jsonb)),
                         CASE WHEN $7::text IS NULL THEN NULL ELSE ARRAY(SELECT jsonb_array_elements_text($7::text::jsonb)) END,
                         $8) n
    JOIN search_documents d ON d.id = n.id
    WHERE d.tenant_id = $1";

/// The nearest documents of each kind, the nearest first. Without an index every vector is compared.
///
/// # Errors
/// The database refuses.
pub(crate) async fn nearest<A: Access>(
    scoped: &Scoped<A>,
    question: &QuestionVector,
    filter: NeighborFilter,
) -> Result<Vec<Neighbor>> {
    let found = if is_indexed(scoped, &question.model).await? {
        nearest_indexed(scoped, question, filter).await?
    } else {
        nearest_exact(scoped, question, filter).await?
    };
    Ok(found)
}

async fn nearest_indexed<A: Access>(
    scoped: &Scoped<A>,
    question: &QuestionVector,
    filter: NeighborFilter,
) -> Result<Vec<Neighbor>> {
    let values: [Value; 7] = [
        to_text(&unit(&question.vector)).into(),
        question.model.model.clone().into(),
        i64::from(question.model.dimensions).into(),
        filter.project,
        filter.kinds,
        filter.stacks,
        PASSAGES_MAX.into(),
    ];
    let rows: Vec<NeighborRow> = scoped.sql_all(INDEXED, values).await?;
    let mut best: HashMap<Uuid, f64> = HashMap::new();
    for row in rows.into_iter().filter(|row| row.similarity.is_finite()) {
        let similarity = best.entry(row.id).or_insert(row.similarity);
        *similarity = similarity.max(row.similarity);
    }
    Ok(sorted(best))
}

async fn nearest_exact<A: Access>(
    scoped: &Scoped<A>,
    question: &QuestionVector,
    filter: NeighborFilter,
) -> Result<Vec<Neighbor>> {
    let asked = unit(&question.vector);
    let sql = match scoped.backend() {
        Backend::Postgres => BLOCK_POSTGRES,
        _ => BLOCK_SQLITE,
    };
    let mut best: HashMap<KnowledgeKind, HashMap<Uuid, f64>> = HashMap::new();
    let mut after = (String::new(), Uuid::nil());
    loop {
        let values: [Value; 8] = [
            question.model.model.clone().into(),
            i64::from(question.model.dimensions).into(),
            after.0.clone().into(),
            after.1.into(),
            filter.project.clone(),
            filter.kinds.clone(),
            filter.stacks.clone(),
            BLOCK.into(),
        ];
        let rows: Vec<PassageRow> = scoped.sql_scan(sql, values).await?;
        let count = rows.len();
        for row in rows {
            if let Some(similarity) = product(&row.vector, &asked) {
                let of_kind = best.entry(row.kind).or_default();
                let known = of_kind.entry(row.document_id).or_insert(similarity);
                *known = known.max(similarity);
            }
            after = (row.content_hash, row.document_id);
        }
        for of_kind in best.values_mut() {
            // Few are needed: a document that is not among the best so far cannot become one of them.
            if of_kind.len() > NEAREST_MAX * 8 {
                let kept = sorted(std::mem::take(of_kind)).into_iter();
                let kept = kept.take(NEAREST_MAX * 2);
                *of_kind = kept.map(|one| (one.document, one.similarity)).collect();
            }
        }
        if i64::try_from(count).unwrap_or(BLOCK) < BLOCK {
            break;
        }
    }
    let mut found: Vec<Neighbor> = best
        .into_values()
        .flat_map(|of_kind| sorted(of_kind).into_iter().take(NEAREST_MAX))
        .collect();
    found.sort_by(nearer);
    Ok(found)
}

fn sorted(best: HashMap<Uuid, f64>) -> Vec<Neighbor> {
    let mut sorted: Vec<Neighbor> = best
        .into_iter()
        .map(|(document, similarity)| Neighbor {
            document,
            similarity,
        })
        .collect();
    sorted.sort_by(nearer);
    sorted
}

fn nearer(a: &Neighbor, b: &Neighbor) -> std::cmp::Ordering {
    b.similarity
        .total_cmp(&a.similarity)
        .then_with(|| a.document.cmp(&b.document))
}
