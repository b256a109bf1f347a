//! Follows a change of knowledge: publishes it to the search index, and embeds it where the tenant has a model for
//! that.

use nyxcore_embeddings::embedding_start;
use nyxcore_retrieval::{Document, documents_publish};
use nyxcore_tenancy::{Access, Backend, ReadWrite, Result, Scoped};
use sea_orm::FromQueryResult;

/// Publishes documents, and queues the run that embeds them.
pub(super) async fn publish(scoped: &Scoped<ReadWrite>, documents: Vec<Document>) -> Result<()> {
    documents_publish(scoped, documents).await?;
    embedding_start(scoped).await.map(drop)
}

#[derive(FromQueryResult)]
struct CountRow {
    number: i64,
}

/// Whether the current vectors have 1,536 numbers, the length of the column `embedding` in the table.
const IS_OF_COLUMN: &str = "SELECT count(*) AS number FROM search_vector_models m
    WHERE m.tenant_id = $1 AND m.is_current AND m.dimensions = 1536";

/// Whether pgvector's columns exist; without a current model the answer is no.
const HAS_COLUMNS: &str = "SELECT count(*) AS number FROM search_vector_models m
    WHERE m.tenant_id = $1 AND m.is_current
      AND 2 = (SELECT count(*) FROM pg_attribute a WHERE a.attname = 'embedding' AND NOT a.attisdropped
               AND a.attrelid IN (to_regclass('public.workflow_insights'), to_regclass('public.search_vectors')))";

/// The statement that copies vectors: an insight gets the vector of its first passage.
macro_rules! copy_sql {
    ($vector:literal, $column:literal, $differs:literal) => {
        concat!(
            "UPDATE workflow_insights SET embedding = ",
            $column,
            " FROM (SELECT d.subject_id, ",
            $vector,
            " AS embedding
                FROM search_documents d
                JOIN search_passages p ON p.tenant_id = d.tenant_id AND p.document_id = d.id AND p.passage = 0
                JOIN search_vector_models m ON m.tenant_id = d.tenant_id AND m.is_current AND m.dimensions = 1536
                JOIN search_vectors v ON v.tenant_id = d.tenant_id AND v.model = m.model AND v.dimensions = m.dimensions
                    AND v.content_hash = p.content_hash AND length(v.vector) > 0
                WHERE d.tenant_id = $1 AND d.kind = 'INSIGHT' AND d.chunk = 0) found
             WHERE workflow_insights.tenant_id = $1 AND workflow_insights.id = found.subject_id
               AND workflow_insights.embedding ",
            $differs,
            " found.embedding"
        )
    };
}

const COPY_POSTGRES: &str = copy_sql!(
    "v.embedding",
    "CAST(found.embedding AS vector(1536))",
    "IS DISTINCT FROM"
);
const COPY_SQLITE: &str = copy_sql!("v.vector", "found.embedding", "IS NOT");
const CLEAR: &str =
    "UPDATE workflow_insights SET embedding = NULL WHERE tenant_id = $1 AND embedding IS NOT NULL";

/// Writes the vectors of insights into `workflow_insights.embedding`, where the current model has vectors of 1,536
/// numbers; with another model the column is emptied. Returns how many insights changed. Searches do not read the
/// column: it is there for whoever reads the table. Without pgvector PostgreSQL has no such column, and nothing is
/// done.
///
/// # Errors
/// The database refuses.
pub async fn insight_embeddings_copy(scoped: &Scoped<ReadWrite>) -> Result<u64> {
    let is_postgres = scoped.backend() == Backend::Postgres;
    if is_postgres && !is_any(scoped, HAS_COLUMNS).await? {
        return Ok(0);
    }
    if !is_any(scoped, IS_OF_COLUMN).await? {
        return scoped.sql_execute(CLEAR, []).await;
    }
    let sql = if is_postgres {
        COPY_POSTGRES
    } else {
        COPY_SQLITE
    };
    scoped.sql_execute(sql, []).await
}

async fn is_any<A: Access>(scoped: &Scoped<A>, sql: &'static str) -> Result<bool> {
    let rows: Vec<CountRow> = scoped.sql_all(sql, []).await?;
    Ok(rows.first().is_some_and(|row| row.number > 0))
}
