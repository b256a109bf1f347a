//! A search counts how many documents have each of its words, and then reads the words that matter most. The kinds with
//! many documents share one search for vectors.
//!
//! The counts come from a function of their own, so that a process can remember those of common words. Rows of
//! `search_documents` become short, because their texts are stored outside of them: a search reads thousands of rows,
//! and of most of them only the kind, the subject and the role. Rows that exist become short when they are published
//! again.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbErr;

use crate::ddl::Ddl;
use crate::m0021_search_fields;

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// The signature of the function that counts the documents of words. See [`COUNTS`].
pub const COUNTS_FUNCTION: &str = "nyxcore_search_counts(text[], bigint, bigint)";
/// The signature of the function that searches past row-level security. See [`SEARCH`].
pub const SEARCH_FUNCTION: &str = "nyxcore_search(jsonb, uuid, text[], text[], bigint, jsonb)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let ddl = Ddl::new(manager);
        if !ddl.is_postgres() {
            return Ok(());
        }
        ddl.run("ALTER TABLE search_documents SET (toast_tuple_target = 128)")
            .await?;
        ddl.run(&format!("DROP FUNCTION {}", m0021_search_fields::FUNCTION))
            .await?;
        ddl.run(COUNTS).await?;
        ddl.run(SEARCH).await?;
        ddl.run(NEAREST).await?;
        for function in [COUNTS_FUNCTION, SEARCH_FUNCTION] {
            ddl.run(&format!("REVOKE ALL ON FUNCTION {function} FROM PUBLIC"))
                .await?;
        }
        Ok(())
    }
}

/// The number of documents of each word, at most `most`, and of all documents, at most `most_documents`, as that of the
/// empty word. A word without documents is left out.
///
/// Only these functions may use the full-text index under row-level security, because `@@` is not leakproof. The tenant
/// is compared by `IS NOT DISTINCT FROM`, which no other index supports; sequential scans are disabled for the same
/// reason.
const COUNTS: &str = "
    CREATE FUNCTION nyxcore_search_counts(words text[], most bigint, most_documents bigint)
        RETURNS TABLE (tenant_id uuid, word text, documents bigint)
        LANGUAGE sql STABLE SECURITY DEFINER ROWS 100 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off
        AS $body$
            WITH tenant AS MATERIALIZED (
                SELECT nullif(current_setting('nyxcore.tenant_id', true), '')::uuid AS id
            ), counts AS (
                SELECT asked.word, of_word.documents
                FROM unnest(words) AS asked (word) CROSS JOIN LATERAL (
                    SELECT count(*) AS documents FROM (
                        SELECT 1 FROM public.search_documents d
                        WHERE d.tsv @@ quote_literal(asked.word)::tsquery
                          AND d.tenant_id IS NOT DISTINCT FROM (SELECT tenant.id FROM tenant)
                          AND d.tenant_id IS NOT NULL
                        LIMIT most
                    ) counted
                ) of_word
                WHERE of_word.documents > 0
                UNION ALL
                SELECT '', count(*) FROM (
                    SELECT 1 FROM public.search_documents d, tenant WHERE d.tenant_id = tenant.id LIMIT most_documents
                ) counted
            )
            SELECT tenant.id, counts.word, counts.documents FROM tenant, counts
        $body$;";

/// The best documents of each kind, a subject by its best chunk. `words` are `[word, weight, most]`: of each word at
/// most `most` documents are read. Of each kind the chunks with the highest scores are compared, eight for each row
/// that is asked for.
///
/// Each word is looked up separately: `ts_rank` would read every matching vector, which takes most of the time.
const SEARCH: &str = "
    CREATE FUNCTION nyxcore_search(words jsonb, project uuid, kinds text[], stacks text[], max_rows bigint, roles jsonb)
        RETURNS TABLE (id uuid, score double precision)
        LANGUAGE sql STABLE SECURITY DEFINER ROWS 200 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off
        AS $body$
            WITH tenant AS MATERIALIZED (
                SELECT nullif(current_setting('nyxcore.tenant_id', true), '')::uuid AS id
            ), asked AS MATERIALIZED (
                SELECT quote_literal(word ->> 0)::tsquery AS word, (word ->> 1)::double precision AS weight, (word ->> 2)::bigint AS most
                FROM jsonb_array_elements(words) AS listed (word)
            ), weighed AS MATERIALIZED (
                SELECT role ->> 0 AS role, (role ->> 1)::double precision AS weight FROM jsonb_array_elements(roles) AS listed (role)
            ), scores AS (
                SELECT of_word.id, of_word.kind, of_word.subject, of_word.chunk, of_word.role, sum(asked.weight) AS score
                FROM asked CROSS JOIN LATERAL (
                    SELECT d.id, d.kind COLLATE \"C\" AS kind, d.subject COLLATE \"C\" AS subject, d.chunk, d.role
                    FROM public.search_documents d
                    WHERE d.tsv @@ asked.word
                      AND d.tenant_id IS NOT DISTINCT FROM (SELECT tenant.id FROM tenant)
                      AND d.tenant_id IS NOT NULL
                      AND d.kind = ANY (kinds)
                      AND (project IS NULL OR d.project_id IS NOT DISTINCT FROM project OR d.project_id IS NULL)
                      AND (stacks IS NULL OR d.stack IS NULL OR d.stack = ANY (stacks))
                    LIMIT asked.most
                ) of_word
                GROUP BY of_word.id, of_word.kind, of_word.subject, of_word.chunk, of_word.role
            ), best AS (
                SELECT listed.id, listed.kind, listed.subject, listed.chunk, listed.score
                FROM (
                    SELECT scored.id, scored.kind, scored.subject, scored.chunk, scored.score,
                           row_number() OVER (PARTITION BY scored.kind ORDER BY scored.score DESC, scored.id) AS place
                    FROM (
                        SELECT scores.id, scores.kind, scores.subject, scores.chunk,
                               scores.score * coalesce(weighed.weight, 1.0) AS score
                        FROM scores LEFT JOIN weighed ON weighed.role = scores.role
                    ) scored
                ) listed
                WHERE listed.place <= max_rows * 8
            ), pieces AS (
                SELECT best.id, best.kind, best.score,
                       row_number() OVER (PARTITION BY best.kind, best.subject ORDER BY best.score DESC, best.chunk) AS piece
                FROM best
            ), ranked AS (
                SELECT pieces.id, pieces.score, row_number() OVER (PARTITION BY pieces.kind ORDER BY pieces.score DESC, pieces.id) AS place
                FROM pieces WHERE pieces.piece = 1
            )
            SELECT ranked.id, ranked.score FROM ranked WHERE ranked.place <= max_rows
        $body$;";

/// The function of [`m0023_vectors`]. Kinds of more than 2,000 documents share one scan of the index, because a scan
/// for one kind reads the documents of the others too. The scan returns six times `max_rows` documents, of which each
/// kind gets `max_rows` at most. The other kinds are searched one by one, and kinds without a document not at all.
///
/// [`m0023_vectors`]: crate::m0023_vectors
pub(crate) const NEAREST: &str = "
    CREATE OR REPLACE FUNCTION nyxcore_nearest(question text, of_model text, of_dimensions bigint, project uuid, kinds text[], stacks text[], max_rows bigint)
        RETURNS TABLE (id uuid, similarity double precision)
        LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 200 SET search_path = pg_catalog, pg_temp SET jit = off
        AS $body$
        DECLARE
            tenant uuid := nullif(current_setting('nyxcore.tenant_id', true), '')::uuid;
            home text := (SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                          WHERE e.extname = 'vector');
            form text := home || CASE WHEN of_dimensions > 2000 THEN '.halfvec(' ELSE '.vector(' END || of_dimensions || ')';
            small text[];
            large text[];
        BEGIN
            IF tenant IS NULL OR home IS NULL THEN
                RETURN;
            END IF;
            SELECT array_agg(wanted.kind) FILTER (WHERE of_kind.documents BETWEEN 1 AND 2000),
                   array_agg(wanted.kind) FILTER (WHERE of_kind.documents > 2000)
            INTO small, large
            FROM unnest(kinds) AS wanted (kind) CROSS JOIN LATERAL (
                SELECT count(*) AS documents FROM (
                    SELECT 1 FROM public.search_documents d WHERE d.tenant_id = tenant AND d.kind = wanted.kind LIMIT 2001
                ) counted
            ) of_kind;
            PERFORM set_config('hnsw.iterative_scan', 'strict_order', true);
            PERFORM set_config('hnsw.ef_search', least(greatest(max_rows * 6, 40), 1000)::text, true);
            RETURN QUERY EXECUTE format($query$
                WITH shared AS MATERIALIZED (
                    SELECT d.id, d.kind, (1 - (v.embedding::%1$s OPERATOR(%2$s.<=>) $1::%1$s))::double precision AS similarity
                    FROM public.search_vectors v
                    JOIN public.search_passages p ON p.tenant_id = v.tenant_id AND p.content_hash = v.content_hash
                    JOIN public.search_documents d ON d.tenant_id = p.tenant_id AND d.id = p.document_id
                    WHERE v.tenant_id = $3 AND v.model = $4 AND v.dimensions = %3$s AND v.embedding IS NOT NULL
                      AND d.kind = ANY ($8)
                      AND ($5 IS NULL OR d.project_id = $5 OR d.project_id IS NULL)
                      AND ($6 IS NULL OR d.stack IS NULL OR d.stack = ANY ($6))
                    ORDER BY v.embedding::%1$s OPERATOR(%2$s.<=>) $1::%1$s
                    LIMIT $7 * 6
                )
                SELECT ranked.id, ranked.similarity FROM (
                    SELECT shared.id, shared.similarity, row_number() OVER (PARTITION BY shared.kind ORDER BY shared.similarity DESC) AS place
                    FROM shared
                ) ranked WHERE ranked.place <= $7
                UNION ALL
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
            USING question, small, tenant, of_model, project, stacks, max_rows, large;
        END
        $body$;";
