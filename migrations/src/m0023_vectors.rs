//! Vectors of the search index: stored by content, model and length, so that a text is embedded once per tenant.
//!
//! A document is split into passages (`search_passages`), each identified by the hash of its text. A vector belongs to
//! a hash, and is stored as little-endian floats of 32 bits on both databases. On PostgreSQL with pgvector it is also
//! stored in a column of the type `vector`, with an index: see [`vectors`](crate::vectors).

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbErr;

use crate::ddl::Ddl;
use crate::vectors;

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let ddl = Ddl::new(manager);
        ddl.tenant_table(
            "search_vector_models",
            "model $text NOT NULL,
             dimensions $int NOT NULL,
             is_current $bool NOT NULL,
             created_at $time NOT NULL,
             completed_at $time,
             PRIMARY KEY (tenant_id, model, dimensions)",
        )
        .await?;
        // Queries are compared with the vectors of one model.
        ddl.run(
            "CREATE UNIQUE INDEX search_vector_models_current ON search_vector_models (tenant_id) WHERE is_current",
        )
        .await?;
        ddl.tenant_table(
            "search_passages",
            "document_id $uuid NOT NULL,
             passage $int NOT NULL,
             content_key $text NOT NULL,
             content_hash $text,
             PRIMARY KEY (tenant_id, document_id, passage),
             FOREIGN KEY (tenant_id, document_id) REFERENCES search_documents (tenant_id, id) ON DELETE CASCADE",
        )
        .await?;
        ddl.run("CREATE INDEX search_passages_hash ON search_passages (tenant_id, content_hash)")
            .await?;
        ddl.tenant_table(
            "search_vectors",
            "model $text NOT NULL,
             dimensions $int NOT NULL,
             content_hash $text NOT NULL,
             created_at $time NOT NULL,
             vector $bytes NOT NULL,
             PRIMARY KEY (tenant_id, model, dimensions, content_hash),
             FOREIGN KEY (tenant_id, model, dimensions) REFERENCES search_vector_models (tenant_id, model, dimensions) ON DELETE CASCADE",
        )
        .await?;
        if ddl.is_postgres() {
            ddl.run(POSTGRES).await?;
            vectors::prepare(manager.get_connection()).await?;
        }
        Ok(())
    }
}

/// The signature of the function that compares vectors past row-level security. See [`POSTGRES`].
pub const FUNCTION: &str = "nyxcore_nearest(text, text, bigint, uuid, text[], text[], bigint)";

/// The operators of pgvector are not leakproof, so no index supports them under row-level security. This function runs
/// as the owner of the tables, whom the policies `search_read` let read. It filters by the transaction's tenant, and
/// returns nothing if none is set. Each kind gets its own `max_rows` passages, the nearest first.
///
/// The text of the query is built at run time, so that the function also exists without the extension. A graph index
/// finds the nearest vectors of all tenants; the iterative scan continues until enough of this tenant's are found. The
/// planner uses it if that is cheaper than comparing all rows that pass the filters.
const POSTGRES: &str = "
    CREATE FUNCTION nyxcore_nearest(question text, of_model text, of_dimensions bigint, project uuid, kinds text[], stacks text[],
                                    max_rows bigint)
        RETURNS TABLE (id uuid, similarity double precision)
        LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 200 SET search_path = pg_catalog, pg_temp
        AS $body$
        DECLARE
            tenant uuid := nullif(current_setting('nyxcore.tenant_id', true), '')::uuid;
            home text := (SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                          WHERE e.extname = 'vector');
            form text := home || CASE WHEN of_dimensions > 2000 THEN '.halfvec(' ELSE '.vector(' END || of_dimensions || ')';
        BEGIN
            IF tenant IS NULL OR home IS NULL THEN
                RETURN;
            END IF;
            PERFORM set_config('hnsw.iterative_scan', 'strict_order', true);
            PERFORM set_config('hnsw.ef_search', least(greatest(max_rows, 40), 1000)::text, true);
            RETURN QUERY EXECUTE format($query$
                SELECT nearest.id, nearest.similarity
                FROM unnest($2) AS wanted (kind) CROSS JOIN LATERAL (
                    SELECT d.id, (1 - (v.embedding::%1$s OPERATOR(%2$s.<=>) $1::%1$s))::double precision AS similarity
                    FROM public.search_vectors v
                    JOIN public.search_passages p ON p.tenant_id = v.tenant_id AND p.content_hash = v.content_hash
                    JOIN public.search_documents d ON d.tenant_id = p.tenant_id AND d.id = p.document_id
                    WHERE v.tenant_id = $3 AND v.model = $4 AND v.dimensions = %3$s AND v.embedding IS NOT NULL
                      AND d.kind = wanted.kind
                      AND ($5 IS NULL OR d.project_id = $5 OR d.project_id IS NULL)
                      AND ($6 IS NULL OR d.stack IS NULL OR d.stack = ANY ($6))
                    ORDER BY v.embedding::%1$s OPERATOR(%2$s.<=>) $1::%1$s
                    LIMIT $7
                ) nearest
                $query$, form, home, of_dimensions)
            USING question, kinds, tenant, of_model, project, stacks, max_rows;
        END
        $body$;
    CREATE POLICY search_read ON search_vectors FOR SELECT TO CURRENT_USER USING (true);
    CREATE POLICY search_read ON search_passages FOR SELECT TO CURRENT_USER USING (true);
    REVOKE ALL ON FUNCTION nyxcore_nearest(text, text, bigint, uuid, text[], text[], bigint) FROM PUBLIC;";
