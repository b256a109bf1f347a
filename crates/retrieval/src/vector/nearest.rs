//! Finds the nearest vectors to a question: by pgvector's index through the one function that may use it, on SQLite by
//! the codes in memory, or else by comparing all of them, block by block.

use std::collections::HashMap;

use nyxcore_tenancy::{Access, Backend, Result, Scoped};
use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::codes::{self, BoundedVector};
use super::store::is_indexed;
use super::{QuestionVector, product, to_text, unit};
use crate::model::KnowledgeKind;
use crate::rank::near::{NEAR_OF_NEAREST, SIMILARITY_MIN};

/// Vectors that are read per query: 3 MB of 1,536 numbers each.
const BLOCK: i64 = 512;
/// The same for vectors by their bounds: most questions need no second query.
const BOUNDED_BLOCK: usize = 256;
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
    kind: KnowledgeKind,
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

/// `$2` model, `$3` dimensions, `$4` row numbers of vectors as a JSON list, `$5` project, `$6` kinds and `$7` stacks as
/// JSON lists.
const BOUNDED: &str = "
    SELECT p.document_id, d.kind, v.content_hash, v.vector
    FROM json_each($4) a CROSS JOIN search_vectors v CROSS JOIN search_passages p CROSS JOIN search_documents d
    WHERE v.tenant_id = $1 AND v.model = $2 AND v.dimensions = $3 AND v.rowid = a.value
      AND p.tenant_id = v.tenant_id AND p.content_hash = v.content_hash
      AND d.tenant_id = p.tenant_id AND d.id = p.document_id
      AND d.kind IN (SELECT value FROM json_each($6))
      AND ($5 IS NULL OR d.project_id = $5 OR d.project_id IS NULL)
      AND ($7 IS NULL OR d.stack IS NULL OR d.stack IN (SELECT value FROM json_each($7)))";

/// Only the function may use the index under row-level security. The documents are read under it.
const INDEXED: &str = "
    SELECT n.id, d.kind, n.similarity
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
    if is_indexed(scoped, &question.model).await? {
        return nearest_indexed(scoped, question, filter).await;
    }
    let asked = unit(&question.vector);
    if scoped.backend() != Backend::Postgres {
        let bounded = codes::near(scoped, &question.model, &asked, SIMILARITY_MIN).await?;
        if let Some(bounded) = bounded {
            return nearest_bounded(scoped, question, &asked, filter, &bounded).await;
        }
    }
    nearest_exact(scoped, question, &asked, filter).await
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
    let mut best = NearestOfKinds::default();
    for row in rows.into_iter().filter(|row| row.similarity.is_finite()) {
        best.add(row.kind, row.id, row.similarity);
    }
    Ok(best.into_neighbors())
}

/// Reads and compares the vectors whose bounds are high enough to count beside the nearest one.
async fn nearest_bounded<A: Access>(
    scoped: &Scoped<A>,
    question: &QuestionVector,
    asked: &[f32],
    filter: NeighborFilter,
    bounded: &[BoundedVector],
) -> Result<Vec<Neighbor>> {
    let mut best = NearestOfKinds::default();
    for block in bounded.chunks(BOUNDED_BLOCK) {
        if block[0].most < best.nearest * NEAR_OF_NEAREST {
            break;
        }
        let rows: Vec<i64> = block.iter().map(|one| one.row).collect();
        let values: [Value; 6] = [
            question.model.model.clone().into(),
            i64::from(question.model.dimensions).into(),
            serde_json::json!(rows).to_string().into(),
            filter.project.clone(),
            filter.kinds.clone(),
            filter.stacks.clone(),
        ];
        for row in scoped.sql_scan::<PassageRow>(BOUNDED, values).await? {
            best.compare(&row, asked);
        }
    }
    Ok(best.into_neighbors())
}

async fn nearest_exact<A: Access>(
    scoped: &Scoped<A>,
    question: &QuestionVector,
    asked: &[f32],
    filter: NeighborFilter,
) -> Result<Vec<Neighbor>> {
    let sql = match scoped.backend() {
        Backend::Postgres => BLOCK_POSTGRES,
        _ => BLOCK_SQLITE,
    };
    let mut best = NearestOfKinds::default();
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
            best.compare(&row, asked);
            after = (row.content_hash, row.document_id);
        }
        best.prune();
        if i64::try_from(count).unwrap_or(BLOCK) < BLOCK {
            break;
        }
    }
    Ok(best.into_neighbors())
}

/// The nearest documents of each kind so far.
#[derive(Default)]
struct NearestOfKinds {
    best: HashMap<KnowledgeKind, HashMap<Uuid, f64>>,
    /// The similarity of the nearest of all; 0 where none is near.
    nearest: f64,
}

impl NearestOfKinds {
    fn compare(&mut self, row: &PassageRow, asked: &[f32]) {
        if let Some(similarity) = product(&row.vector, asked) {
            self.add(row.kind, row.document_id, similarity);
        }
    }

    fn add(&mut self, kind: KnowledgeKind, document: Uuid, similarity: f64) {
        let of_kind = self.best.entry(kind).or_default();
        let known = of_kind.entry(document).or_insert(similarity);
        *known = known.max(similarity);
        self.nearest = self.nearest.max(similarity);
    }

    /// Few are needed: a document that is not among the best so far cannot become one of them.
    fn prune(&mut self) {
        for of_kind in self.best.values_mut() {
            if of_kind.len() > NEAREST_MAX * 8 {
                let kept = sorted(std::mem::take(of_kind)).into_iter();
                let kept = kept.take(NEAREST_MAX * 2);
                *of_kind = kept.map(|one| (one.document, one.similarity)).collect();
            }
        }
    }

    fn into_neighbors(self) -> Vec<Neighbor> {
        let of_kinds = self.best.into_values();
        let mut neighbors: Vec<Neighbor> = of_kinds
            .flat_map(|of_kind| sorted(of_kind).into_iter().take(NEAREST_MAX))
            .collect();
        neighbors.sort_by(nearer);
        neighbors
    }
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
