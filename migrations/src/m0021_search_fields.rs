//! The search index ranks by fields and roles: the words of a document carry how much it says about each.
//!
//! A word of the index consists of its level, its class (`f` for a file of code, `k` for everything else), its tenant's
//! key and its term, as `nyxcore_retrieval` writes it: the same on both databases. Existing documents get a middle
//! level, and are found by their unstemmed words until they are published again; the next sync of a source does that.
//! by its unstemmed words until it is published anew; the next sync of a source does that.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbErr;

use crate::ddl::Ddl;

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let ddl = Ddl::new(manager);
        if ddl.is_postgres() {
            return ddl.run(POSTGRES).await;
        }
        // The table is created again, because SQLite reads a row from its start: the columns that a search reads must
        // come before long texts.
        ddl.tenant_table("search_documents_new", SQLITE_COLUMNS)
            .await?;
        ddl.run(SQLITE).await
    }
}

/// The signature of the only function that searches past row-level security. See [`POSTGRES`].
pub const FUNCTION: &str = "nyxcore_search(jsonb, uuid, text[], text[], bigint, jsonb, jsonb)";

/// The function ranks each kind separately and a subject by its best chunk. It returns the positions up to `max_rows`,
/// and the rarity of each query term with the first of them. `words` are `[word, term, level's weight, stress]`, the
/// words of a term in the order in which they are read.
///
/// Each word is looked up separately: `ts_rank` would read every matching vector, which takes most of the time. The
/// tenant is compared by `IS NOT DISTINCT FROM`, which no other index supports; sequential scans are disabled for the
/// same reason. Every look-up also reads the index's list of pending entries, so that list is kept short.
const POSTGRES: &str = "
    ALTER TABLE search_documents ADD COLUMN role $text;
    ALTER TABLE search_documents ADD COLUMN authority $text;
    ALTER TABLE search_documents ADD COLUMN alike $int NOT NULL DEFAULT 0;
    ALTER TABLE search_documents NO FORCE ROW LEVEL SECURITY;
    UPDATE search_documents
    SET terms = regexp_replace(terms, '''([^'']+)''(:[0-9,]+)?', '''3' || CASE kind WHEN 'CODE' THEN 'f' ELSE 'k' END || '\\1''', 'g');
    ALTER TABLE search_documents FORCE ROW LEVEL SECURITY;
    ALTER INDEX search_documents_tsv SET (gin_pending_list_limit = 64);
    DROP FUNCTION nyxcore_search(text, uuid, text[], text[], bigint);
    CREATE FUNCTION nyxcore_search(words jsonb, project uuid, kinds text[], stacks text[], max_rows bigint, roles jsonb, bounds jsonb)
        RETURNS TABLE (id uuid, score double precision, weights jsonb)
        LANGUAGE sql STABLE SECURITY DEFINER ROWS 200 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
        AS $body$
            WITH tenant AS MATERIALIZED (
                SELECT nullif(current_setting('nyxcore.tenant_id', true), '')::uuid AS id
            ), asked AS MATERIALIZED (
                SELECT (word ->> 0)::tsquery AS word, (word ->> 1)::bigint AS term, (word ->> 2)::double precision AS impact,
                       (word ->> 3)::double precision AS stress, position
                FROM jsonb_array_elements(words) WITH ORDINALITY AS listed (word, position)
            ), total AS MATERIALIZED (
                SELECT count(*) AS documents FROM (
                    SELECT 1 FROM public.search_documents d, tenant WHERE d.tenant_id = tenant.id LIMIT (bounds ->> 'counted')::bigint
                ) counted
            ), entries AS MATERIALIZED (
                SELECT asked.term, asked.position, asked.impact, asked.stress, of_word.id, of_word.kind, of_word.subject, of_word.chunk,
                       of_word.role
                FROM asked CROSS JOIN LATERAL (
                    SELECT d.id, d.kind COLLATE \"C\" AS kind, d.subject COLLATE \"C\" AS subject, d.chunk, d.role
                    FROM public.search_documents d
                    WHERE d.tsv @@ asked.word
                      AND d.tenant_id IS NOT DISTINCT FROM (SELECT tenant.id FROM tenant)
                      AND d.tenant_id IS NOT NULL
                      AND d.kind = ANY (kinds)
                      AND (project IS NULL OR d.project_id IS NOT DISTINCT FROM project OR d.project_id IS NULL)
                      AND (stacks IS NULL OR d.stack IS NULL OR d.stack = ANY (stacks))
                    LIMIT (bounds ->> 'entries_of_word')::bigint
                ) of_word
            ), counts AS MATERIALIZED (
                SELECT entries.term, count(*) AS documents FROM entries GROUP BY entries.term
                ORDER BY documents, entries.term LIMIT (bounds ->> 'terms')::bigint
            ), rarities AS MATERIALIZED (
                SELECT counts.term, counts.documents,
                       ln(1 + (greatest(total.documents, most.documents) - counts.documents + 0.5)::double precision / (counts.documents + 0.5)) AS rarity
                FROM counts, total, (SELECT max(counts.documents) AS documents FROM counts) most
            ), read AS MATERIALIZED (
                SELECT listed.position, listed.rarity
                FROM (
                    SELECT of_word.position, of_word.rarity,
                           sum(of_word.documents) OVER (ORDER BY of_word.of_term, of_word.term, of_word.position) AS running,
                           row_number() OVER (ORDER BY of_word.of_term, of_word.term, of_word.position) AS nth
                    FROM (
                        SELECT entries.position, entries.term, rarities.rarity, rarities.documents AS of_term, count(*) AS documents
                        FROM entries JOIN rarities ON rarities.term = entries.term
                        GROUP BY entries.position, entries.term, rarities.rarity, rarities.documents
                    ) of_word
                ) listed
                WHERE listed.nth = 1 OR listed.running <= (bounds ->> 'entries')::bigint
            ), weighed AS MATERIALIZED (
                SELECT role ->> 0 AS role, (role ->> 1)::double precision AS weight FROM jsonb_array_elements(roles) AS listed (role)
            ), scores AS (
                SELECT entries.id, entries.kind, entries.subject, entries.chunk,
                       sum(entries.impact * read.rarity * entries.stress) * coalesce(max(weighed.weight), 1.0) AS score
                FROM entries JOIN read ON read.position = entries.position LEFT JOIN weighed ON weighed.role = entries.role
                GROUP BY entries.id, entries.kind, entries.subject, entries.chunk
            ), pieces AS (
                SELECT scores.id, scores.kind, scores.score,
                       row_number() OVER (PARTITION BY scores.kind, scores.subject ORDER BY scores.score DESC, scores.chunk) AS piece
                FROM scores
            ), ranked AS (
                SELECT pieces.id, pieces.score, row_number() OVER (PARTITION BY pieces.kind ORDER BY pieces.score DESC, pieces.id) AS place
                FROM pieces WHERE pieces.piece = 1
            )
            SELECT ranked.id, ranked.score,
                   CASE WHEN ranked.place = 1 THEN (SELECT jsonb_object_agg(rarities.term, rarities.rarity) FROM rarities) END
            FROM ranked WHERE ranked.place <= max_rows
        $body$;
    REVOKE ALL ON FUNCTION nyxcore_search(jsonb, uuid, text[], text[], bigint, jsonb, jsonb) FROM PUBLIC;";

/// `role` and `authority` weight a match, and `alike` is a fingerprint of the words. See `m0004_search` for the other
/// columns.
const SQLITE_COLUMNS: &str = "seq INTEGER PRIMARY KEY,
    id $uuid NOT NULL,
    project_id $uuid,
    kind $text NOT NULL,
    subject $text NOT NULL,
    subject_id $uuid,
    chunk $int NOT NULL,
    stack $text,
    role $text,
    authority $text,
    alike $int NOT NULL DEFAULT 0,
    path $text,
    source_id $uuid,
    start_line $int,
    end_line $int,
    content_key $text NOT NULL,
    title $text NOT NULL,
    body $text NOT NULL,
    terms $text NOT NULL,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, kind, subject, chunk),
    FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE";

/// The full text stores only the documents of each word: the word contains the rest.
const SQLITE: &str = "
    DROP TRIGGER search_documents_insert;
    DROP TRIGGER search_documents_delete;
    DROP TRIGGER search_documents_update;
    DROP TABLE search_postings;
    DROP TABLE search_vocabulary;
    DROP TABLE search_terms;
    CREATE VIRTUAL TABLE search_terms USING fts5 (terms,
        content = '', contentless_delete = 1, detail = 'none', tokenize = \"ascii tokenchars '_'\");
    CREATE VIRTUAL TABLE search_vocabulary USING fts5vocab ('search_terms', 'row');
    INSERT INTO search_documents_new (tenant_id, seq, id, project_id, kind, subject, subject_id, chunk, stack, path, source_id,
        start_line, end_line, content_key, title, body, terms)
    SELECT tenant_id, seq, id, project_id, kind, subject, subject_id, chunk, stack, path, source_id, start_line, end_line,
        content_key, title, body,
        coalesce((SELECT group_concat((CASE kind WHEN 'CODE' THEN '3f' ELSE '3k' END)
                || replace(value, ' ', CASE kind WHEN 'CODE' THEN ' 3f' ELSE ' 3k' END), ' ')
            FROM json_each(search_documents.terms) WHERE value <> ''), '')
    FROM search_documents;
    DROP TABLE search_documents;
    ALTER TABLE search_documents_new RENAME TO search_documents;
    CREATE INDEX search_documents_subject ON search_documents (tenant_id, kind, subject);
    CREATE INDEX search_documents_project ON search_documents (tenant_id, project_id, kind);
    INSERT INTO search_terms (rowid, terms) SELECT seq, terms FROM search_documents;
    CREATE TRIGGER search_documents_insert AFTER INSERT ON search_documents BEGIN
        INSERT INTO search_terms (rowid, terms) VALUES (new.seq, new.terms);
    END;
    CREATE TRIGGER search_documents_delete AFTER DELETE ON search_documents BEGIN
        DELETE FROM search_terms WHERE rowid = old.seq;
    END;
    CREATE TRIGGER search_documents_update AFTER UPDATE OF terms ON search_documents BEGIN
        DELETE FROM search_terms WHERE rowid = old.seq;
        INSERT INTO search_terms (rowid, terms) VALUES (new.seq, new.terms);
    END;";
