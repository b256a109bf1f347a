//! A search over 100,000 documents, by words and by vectors, in less time.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbErr;

use crate::ddl::Ddl;
use crate::{m0021_search_fields, m0023_vectors};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let ddl = Ddl::new(manager);
        if ddl.is_postgres() {
            // The estimates of these queries can be far too high, and would have them compiled for nothing. It made no
            // difference with 20,000 documents.
            for function in [m0021_search_fields::FUNCTION, m0023_vectors::FUNCTION] {
                ddl.run(&format!("ALTER FUNCTION {function} SET jit = off"))
                    .await?;
            }
            return ddl.run(NEAREST).await;
        }
        // The vectors that were added last: the entries of SQLite's indexes end with the row number.
        ddl.run("CREATE INDEX search_vectors_rows ON search_vectors (tenant_id, model, dimensions)")
            .await
    }
}

/// The function of [`m0023_vectors`], which skips kinds without a document: the scan of a graph goes on until it has
/// seen the most tuples that it may, where it finds nothing.
const NEAREST: &str = "
    CREATE OR REPLACE FUNCTION nyxcore_nearest(question text, of_model text, of_dimensions bigint, project uuid, kinds text[],
                                               stacks text[], max_rows bigint)
        RETURNS TABLE (id uuid, similarity double precision)
        LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 200 SET search_path = pg_catalog, pg_temp SET jit = off
        AS $body$
        DECLARE
            tenant uuid := nullif(current_setting('nyxcore.tenant_id', true), '')::uuid;
            home text := (SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                          WHERE e.extname = 'vector');
            form text := home || CASE WHEN of_dimensions > 2000 THEN '.halfvec(' ELSE '.vector(' END || of_dimensions || ')';
            known text[];
        BEGIN
            IF tenant IS NULL OR home IS NULL THEN
                RETURN;
            END IF;
            known := ARRAY(SELECT wanted.kind FROM unnest(kinds) AS wanted (kind) WHERE EXISTS (
                SELECT 1 FROM public.search_documents d WHERE d.tenant_id = tenant AND d.kind = wanted.kind));
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
            USING question, known, tenant, of_model, project, stacks, max_rows;
        END
        $body$;";
