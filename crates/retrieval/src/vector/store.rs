//! Stores vectors: which documents are still to be embedded, which vectors exist, and which model is the current one.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use nyxcore_tenancy::{Access, Backend, ReadWrite, Result, Scoped};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Condition;
use sea_orm::{ColumnTrait, FromQueryResult, Value};
use uuid::Uuid;

use super::passage::{DocumentPassages, passages};
use super::{VectorModel, has_column, to_bytes, to_text, unit};
use crate::entity::{search_document, search_passage, search_vector, search_vector_model};

/// How long a vector without a document is kept: so a branch may come back within that time without new calls.
const UNUSED_KEPT: TimeDelta = TimeDelta::days(30);

/// A vector of a passage.
#[derive(Debug, Clone, PartialEq)]
pub struct PassageVector {
    /// See [`Passage::hash`](super::Passage::hash).
    pub hash: String,
    /// Its vector; empty where the model refused the text permanently, so that it is not called for it again.
    pub vector: Vec<f32>,
}

/// Documents and the vectors of their passages, which are stored together or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorBatch {
    /// The documents, as [`documents_unembedded`] returned them.
    pub documents: Vec<DocumentPassages>,
    /// The vectors that were not stored yet.
    pub vectors: Vec<PassageVector>,
}

#[derive(FromQueryResult)]
struct DocumentRow {
    id: Uuid,
    content_key: String,
    title: String,
    path: Option<String>,
    body: String,
}

#[derive(FromQueryResult)]
struct CountRow {
    number: i64,
}

#[derive(FromQueryResult)]
struct ModelRow {
    model: String,
    dimensions: i64,
    is_current: bool,
}

#[derive(FromQueryResult)]
struct VectorRow {
    content_hash: String,
    vector: Vec<u8>,
}

/// A document is open if its stored passages are not those of its current content, or if one has no vector of the
/// model. `$1` is the tenant, which `Scoped` adds.
macro_rules! open_documents {
    ($what:literal, $order:literal) => {
        concat!(
            "SELECT ",
            $what,
            " FROM search_documents d WHERE d.tenant_id = $1 AND d.id > $2
                AND (NOT EXISTS (SELECT 1 FROM search_passages p WHERE p.tenant_id = d.tenant_id AND p.document_id = d.id
                        AND p.content_key = d.content_key)
                     OR EXISTS (SELECT 1 FROM search_passages p WHERE p.tenant_id = d.tenant_id AND p.document_id = d.id
                        AND p.content_hash IS NOT NULL
                        AND NOT EXISTS (SELECT 1 FROM search_vectors v WHERE v.tenant_id = p.tenant_id AND v.model = $3
                            AND v.dimensions = $4 AND v.content_hash = p.content_hash))) ",
            $order
        )
    };
}

/// The open documents of a model, by their ids after `after`, and at most `limit` of them. `dimensions` is `None` for a
/// model without any vector yet.
///
/// # Errors
/// The database refuses.
pub async fn documents_unembedded<A: Access>(
    scoped: &Scoped<A>,
    (model, dimensions): (&str, Option<u32>),
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<DocumentPassages>> {
    let values = [
        after.unwrap_or_default().into(),
        model.to_owned().into(),
        i64::from(dimensions.unwrap_or(0)).into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
    ];
    let sql = open_documents!(
        "d.id, d.content_key, d.title, d.path, d.body",
        "ORDER BY d.id LIMIT $5"
    );
    let rows: Vec<DocumentRow> = scoped.sql_all(sql, values).await?;
    let open = rows.into_iter().map(|row| DocumentPassages {
        document: row.id,
        content_key: row.content_key,
        passages: passages(&row.title, row.path.as_deref(), &row.body),
    });
    Ok(open.collect())
}

/// The number of all documents that [`documents_unembedded`] returns.
///
/// # Errors
/// The database refuses.
pub async fn documents_unembedded_count<A: Access>(
    scoped: &Scoped<A>,
    (model, dimensions): (&str, Option<u32>),
) -> Result<i64> {
    let values = [
        Uuid::nil().into(),
        model.to_owned().into(),
        i64::from(dimensions.unwrap_or(0)).into(),
    ];
    let sql = open_documents!("count(*) AS number", "");
    let rows: Vec<CountRow> = scoped.sql_all(sql, values).await?;
    Ok(rows.first().map_or(0, |row| row.number))
}

/// The models with vectors of the tenant, each with whether it is the current one, whose vectors questions are compared
/// with.
///
/// # Errors
/// The database refuses.
pub async fn vector_models<A: Access>(scoped: &Scoped<A>) -> Result<Vec<(VectorModel, bool)>> {
    let sql = "SELECT model, dimensions, is_current FROM search_vector_models WHERE tenant_id = $1
               ORDER BY created_at, model, dimensions";
    let rows: Vec<ModelRow> = scoped.sql_all(sql, []).await?;
    let known = rows.into_iter().map(|row| {
        let model = VectorModel {
            model: row.model,
            dimensions: u32::try_from(row.dimensions).unwrap_or(0),
        };
        (model, row.is_current)
    });
    Ok(known.collect())
}

/// The current model, whose vectors questions are compared with; `None` where no model has embedded everything yet.
///
/// # Errors
/// The database refuses.
pub async fn vector_model_current<A: Access>(scoped: &Scoped<A>) -> Result<Option<VectorModel>> {
    let models = vector_models(scoped).await?;
    let current = models.into_iter().find(|(_, is_current)| *is_current);
    Ok(current.map(|(model, _)| model))
}

/// Returns which of the hashes have a vector of the model.
///
/// # Errors
/// The database refuses.
pub async fn vectors_known<A: Access>(
    scoped: &Scoped<A>,
    model: &VectorModel,
    hashes: &[&str],
) -> Result<HashSet<String>> {
    use search_vector::Column;
    let of_model = Condition::all()
        .add(Column::Model.eq(model.model.as_str()))
        .add(Column::Dimensions.eq(i64::from(model.dimensions)));
    let rows: Vec<(String,)> = scoped
        .find_in::<search_vector::Entity, _>(Column::ContentHash, hashes.iter().copied())
        .filter(of_model)
        .columns([Column::ContentHash])
        .await?;
    Ok(rows.into_iter().map(|(hash,)| hash).collect())
}

/// Stores the passages of documents with their vectors. A document that was changed or deleted meanwhile is left out:
/// it is still open. Existing vectors stay unchanged.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound) for a document that was deleted at this moment; the database refuses.
pub async fn vectors_save(
    scoped: &Scoped<ReadWrite>,
    model: &VectorModel,
    batch: VectorBatch,
) -> Result<()> {
    model_ensure(scoped, model).await?;
    vectors_insert(scoped, model, batch.vectors).await?;
    use search_document::Column as Document;
    let ids: Vec<Uuid> = batch.documents.iter().map(|one| one.document).collect();
    let keys: Vec<(Uuid, String)> = scoped
        .find_in::<search_document::Entity, _>(Document::Id, ids.iter().copied())
        .columns([Document::Id, Document::ContentKey])
        .await?;
    let keys: HashMap<Uuid, String> = keys.into_iter().collect();
    let mut written = Vec::new();
    let mut rows = Vec::new();
    for document in batch.documents {
        if keys.get(&document.document) != Some(&document.content_key) {
            continue;
        }
        written.push(document.document);
        let mut hashes: Vec<Option<String>> = document
            .passages
            .into_iter()
            .map(|passage| Some(passage.hash))
            .collect();
        if hashes.is_empty() {
            // A row without a hash records that the document has no text to embed.
            hashes.push(None);
        }
        for (passage, content_hash) in (0_i64..).zip(hashes) {
            rows.push(search_passage::ActiveModel {
                document_id: Set(document.document),
                passage: Set(passage),
                content_key: Set(document.content_key.clone()),
                content_hash: Set(content_hash),
                ..Default::default()
            });
        }
    }
    use search_passage::Column as Passage;
    let all = Condition::all();
    scoped
        .delete_in::<search_passage::Entity, _>(Passage::DocumentId, written, all)
        .await?;
    scoped.insert_all(rows).await
}

async fn model_ensure(scoped: &Scoped<ReadWrite>, model: &VectorModel) -> Result<()> {
    use search_vector_model::{ActiveModel, Column};
    let row = ActiveModel {
        model: Set(model.model.clone()),
        dimensions: Set(i64::from(model.dimensions)),
        is_current: Set(false),
        created_at: Set(scoped.env().now()),
        completed_at: Set(None),
        ..Default::default()
    };
    scoped
        .upsert_all(vec![row], &[Column::Model, Column::Dimensions], &[])
        .await
}

async fn vectors_insert(
    scoped: &Scoped<ReadWrite>,
    model: &VectorModel,
    vectors: Vec<PassageVector>,
) -> Result<()> {
    use search_vector::{ActiveModel, Column};
    let now = scoped.env().now();
    if has_column(scoped, model).await? {
        let sql = "INSERT INTO search_vectors (tenant_id, model, dimensions, content_hash, created_at, vector, embedding)
                   VALUES ($1, $2, $3, $4, $5, $6, CAST(CAST($7 AS text) AS vector)) ON CONFLICT DO NOTHING";
        for one in vectors {
            let vector = unit(&one.vector);
            let text = (!vector.is_empty()).then(|| to_text(&vector));
            let values = [
                model.model.clone().into(),
                i64::from(model.dimensions).into(),
                one.hash.into(),
                now.into(),
                to_bytes(&vector).into(),
                text.into(),
            ];
            scoped.sql_execute(sql, values).await?;
        }
        return Ok(());
    }
    let rows = vectors.into_iter().map(|one| ActiveModel {
        model: Set(model.model.clone()),
        dimensions: Set(i64::from(model.dimensions)),
        content_hash: Set(one.hash),
        created_at: Set(now),
        vector: Set(to_bytes(&unit(&one.vector))),
        ..Default::default()
    });
    let key = [Column::Model, Column::Dimensions, Column::ContentHash];
    scoped.upsert_all(rows.collect(), &key, &[]).await
}

/// Makes this model the current one, whose vectors questions are compared with. Call it when no document is open.
///
/// # Errors
/// The database refuses.
pub async fn vector_model_complete(scoped: &Scoped<ReadWrite>, model: &VectorModel) -> Result<()> {
    use search_vector_model::{ActiveModel, Column};
    model_ensure(scoped, model).await?;
    let is_it = Condition::all()
        .add(Column::Model.eq(model.model.as_str()))
        .add(Column::Dimensions.eq(i64::from(model.dimensions)));
    let former = ActiveModel {
        is_current: Set(false),
        ..Default::default()
    };
    let others = Condition::all()
        .add(Column::IsCurrent.eq(true))
        .add(is_it.clone().not());
    scoped.update(others, former).await?;
    let complete = ActiveModel {
        is_current: Set(true),
        completed_at: Set(Some(scoped.env().now())),
        ..Default::default()
    };
    let fresh = is_it.add(Column::IsCurrent.eq(false));
    scoped.update(fresh, complete).await.map(drop)
}

/// Removes up to `limit` vectors of a model that is not the current one, and the model itself once it has none left.
/// Returns how many rows were removed; 0 where nothing is left to do. Without a current model nothing is removed.
///
/// # Errors
/// The database refuses.
pub async fn vectors_others_remove(scoped: &Scoped<ReadWrite>, limit: u64) -> Result<u64> {
    let models = vector_models(scoped).await?;
    if !models.iter().any(|(_, is_current)| *is_current) {
        return Ok(0);
    }
    let Some((model, _)) = models.iter().find(|(_, is_current)| !is_current) else {
        return Ok(0);
    };
    let sql = "DELETE FROM search_vectors WHERE tenant_id = $1 AND model = $2 AND dimensions = $3 AND content_hash IN (
                   SELECT v.content_hash FROM search_vectors v WHERE v.tenant_id = $1 AND v.model = $2 AND v.dimensions = $3
                   ORDER BY v.content_hash LIMIT $4)";
    let values = [
        model.model.clone().into(),
        i64::from(model.dimensions).into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
    ];
    let removed = scoped.sql_execute(sql, values).await?;
    if removed >= limit {
        return Ok(removed);
    }
    use search_vector_model::{Column, Entity};
    let empty = Condition::all()
        .add(Column::Model.eq(model.model.as_str()))
        .add(Column::Dimensions.eq(i64::from(model.dimensions)));
    // The row of the model counts too, so that the caller goes on with the next model.
    Ok(removed + scoped.delete::<Entity>(empty).await?)
}

/// Removes vectors that no document has any longer and that are older than 30 days, and returns their number.
///
/// # Errors
/// The database refuses.
pub async fn vectors_unused_remove(scoped: &Scoped<ReadWrite>) -> Result<u64> {
    let before = scoped.env().now() - UNUSED_KEPT;
    let sql = "DELETE FROM search_vectors WHERE tenant_id = $1 AND created_at < $2 AND NOT EXISTS (
                   SELECT 1 FROM search_passages p WHERE p.tenant_id = search_vectors.tenant_id
                       AND p.content_hash = search_vectors.content_hash)";
    scoped.sql_execute(sql, [before.into()]).await
}

/// Writes up to `limit` vectors to pgvector's column that are not there yet, because the extension was installed later.
/// Returns how many were written.
///
/// # Errors
/// The database refuses.
pub async fn vectors_index(
    scoped: &Scoped<ReadWrite>,
    model: &VectorModel,
    limit: u64,
) -> Result<u64> {
    if !has_column(scoped, model).await? {
        return Ok(0);
    }
    let sql = "SELECT content_hash, vector FROM search_vectors
               WHERE tenant_id = $1 AND model = $2 AND dimensions = $3 AND embedding IS NULL AND length(vector) > 0 LIMIT $4";
    let key = || -> [Value; 2] {
        [
            model.model.clone().into(),
            i64::from(model.dimensions).into(),
        ]
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = key().into_iter().chain([limit.into()]);
    let rows: Vec<VectorRow> = scoped.sql_all(sql, values).await?;
    let count = rows.len() as u64;
    for row in rows {
        let (numbers, _) = row.vector.as_chunks::<4>();
        let vector: Vec<f32> = numbers.iter().map(|x| f32::from_le_bytes(*x)).collect();
        let sql = "UPDATE search_vectors SET embedding = CAST(CAST($5 AS text) AS vector)
                   WHERE tenant_id = $1 AND model = $2 AND dimensions = $3 AND content_hash = $4";
        let values = key()
            .into_iter()
            .chain([row.content_hash.into(), to_text(&vector).into()]);
        scoped.sql_execute(sql, values).await?;
    }
    Ok(count)
}

/// Whether pgvector can search the vectors of a model: the column exists, and it contains all of them.
pub(super) async fn is_indexed<A: Access>(scoped: &Scoped<A>, model: &VectorModel) -> Result<bool> {
    if scoped.backend() != Backend::Postgres || !has_column(scoped, model).await? {
        return Ok(false);
    }
    let sql = "SELECT count(*) AS number FROM (SELECT 1 FROM search_vectors
                   WHERE tenant_id = $1 AND model = $2 AND dimensions = $3 AND embedding IS NULL AND length(vector) > 0
                   LIMIT 1) missing";
    let values = [
        model.model.clone().into(),
        i64::from(model.dimensions).into(),
    ];
    let rows: Vec<CountRow> = scoped.sql_all(sql, values).await?;
    Ok(rows.first().is_some_and(|row| row.number == 0))
}
