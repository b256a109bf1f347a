//! The columns and indexes for pgvector, if the server has it. An operator may install the extension at any time, so
//! `nyxcore migrate` creates the missing ones each time.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr};

/// The lengths of vectors that have an index: those of MiniLM, of most open models, and of OpenAI's and Google's.
/// pgvector indexes up to 2,000 numbers of 32 bits, and up to 4,000 of 16 bits. Vectors of other lengths are compared
/// one by one.
pub const INDEXED_DIMENSIONS: [u32; 5] = [384, 768, 1024, 1536, 3072];

/// Creates the columns and indexes that the extension allows, if it is or can be installed. Before version 0.8 pgvector
/// cannot continue a scan until enough rows of one tenant are found; such a version only gets the column of insights. A
/// no-op on SQLite.
///
/// # Errors
/// The database refuses anything except the extension.
pub async fn prepare(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    db.execute_unprepared(PREPARE).await.map(drop)
}

/// The names of the indexes begin with `search_vectors_hnsw`: the check of the schema handles them separately, because
/// their existence depends on the server.
const PREPARE: &str = "
    DO $body$ DECLARE
        length int;
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'vector') THEN
            RETURN;
        END IF;
        BEGIN
            CREATE EXTENSION IF NOT EXISTS vector;
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE NOTICE 'not allowed to create the extension vector: vectors are compared one by one';
            RETURN;
        END;
        ALTER TABLE workflow_insights ADD COLUMN IF NOT EXISTS embedding vector(1536);
        IF (SELECT (regexp_match(extversion, '^([0-9]+)\\.([0-9]+)'))::int[] < ARRAY[0, 8] FROM pg_extension WHERE extname = 'vector') THEN
            RETURN;
        END IF;
        ALTER TABLE search_vectors ADD COLUMN IF NOT EXISTS embedding vector;
        CREATE INDEX IF NOT EXISTS search_vectors_hnsw_none ON search_vectors (tenant_id) WHERE embedding IS NULL;
        FOREACH length IN ARRAY ARRAY[384, 768, 1024, 1536] LOOP
            EXECUTE format('CREATE INDEX IF NOT EXISTS search_vectors_hnsw_%1$s ON search_vectors
                USING hnsw ((embedding::vector(%1$s)) vector_cosine_ops) WHERE dimensions = %1$s', length);
        END LOOP;
        CREATE INDEX IF NOT EXISTS search_vectors_hnsw_3072 ON search_vectors
            USING hnsw ((embedding::halfvec(3072)) halfvec_cosine_ops) WHERE dimensions = 3072;
    END $body$;";
