//! The search index: documents with split identifiers, and the full-text search of each database.

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
            ddl.tenant_table(
                "search_documents",
                &format!("{COLUMNS}, tsv tsvector GENERATED ALWAYS AS (terms::tsvector) STORED"),
            )
            .await?;
            ddl.run("CREATE INDEX search_documents_tsv ON search_documents USING gin (tsv)")
                .await?;
            // The vector is generated from the terms, and nothing else reads them.
            ddl.run("ALTER TABLE search_documents ALTER terms SET STORAGE EXTERNAL")
                .await?;
            ddl.run(POSTGRES_SEARCH).await?;
        } else {
            // An INTEGER PRIMARY KEY is a row id that VACUUM keeps, which the full-text table needs.
            ddl.tenant_table(
                "search_documents",
                &format!("seq INTEGER PRIMARY KEY, {COLUMNS}"),
            )
            .await?;
            ddl.run(SQLITE_SEARCH).await?;
        }
        ddl.run(
            "CREATE INDEX search_documents_subject ON search_documents (tenant_id, kind, subject)",
        )
        .await?;
        ddl.run("CREATE INDEX search_documents_project ON search_documents (tenant_id, project_id, kind)")
            .await?;
        Ok(())
    }
}

/// `terms` is the text with its identifiers split, on PostgreSQL in the form of a `tsvector`; `title` and `body` are
/// the text for people. `subject` names the object of the document within its kind, `chunk` numbers its chunks from 0,
/// and `content_key` shows whether a chunk changed.
///
/// The long texts come last: SQLite reads a row from its start, and a search reads the other columns of every match.
const COLUMNS: &str = "id $uuid NOT NULL,
    project_id $uuid,
    kind $text NOT NULL,
    subject $text NOT NULL,
    subject_id $uuid,
    chunk $int NOT NULL,
    stack $text,
    path $text,
    start_line $int,
    end_line $int,
    content_key $text NOT NULL,
    title $text NOT NULL,
    body $text NOT NULL,
    terms $text NOT NULL,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, kind, subject, chunk),
    FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE";

const SQLITE_SEARCH: &str = "
    CREATE VIRTUAL TABLE search_terms USING fts5 (terms, content = 'search_documents', content_rowid = 'seq', tokenize = 'unicode61');
    CREATE TRIGGER search_documents_insert AFTER INSERT ON search_documents BEGIN
        INSERT INTO search_terms (rowid, terms) VALUES (new.seq, new.terms);
    END;
    CREATE TRIGGER search_documents_delete AFTER DELETE ON search_documents BEGIN
        INSERT INTO search_terms (search_terms, rowid, terms) VALUES ('delete', old.seq, old.terms);
    END;
    CREATE TRIGGER search_documents_update AFTER UPDATE OF terms ON search_documents BEGIN
        INSERT INTO search_terms (search_terms, rowid, terms) VALUES ('delete', old.seq, old.terms);
        INSERT INTO search_terms (rowid, terms) VALUES (new.seq, new.terms);
    END;";

/// Under row-level security `@@` may not use an index (it is not leakproof): 128 ms over 195,000 rows. This function
/// runs as the owner of the tables, whom the policy `search_read` lets read this one table. It takes 7 ms. Its body
/// filters by the transaction's tenant and its search path is pinned, so it returns nothing if no tenant is set. It
/// needs no role of its own: roles belong to the whole cluster, and two installations in one cluster would have to
/// share it.
///
/// It ranks each kind separately and a subject by its best chunk, and returns the positions up to `max_rows`. Sorting
/// by COLLATE "C" compares bytes.
const POSTGRES_SEARCH: &str = "
    CREATE FUNCTION nyxcore_search(query text, project uuid, kinds text[], stacks text[], max_rows bigint)
        RETURNS TABLE (id uuid, place bigint)
        LANGUAGE sql STABLE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp
        AS $body$
            SELECT ranked.id, ranked.place
            FROM (
                SELECT pieces.id, row_number() OVER (PARTITION BY pieces.kind ORDER BY pieces.score DESC, pieces.id) AS place
                FROM (
                    SELECT found.id, found.kind, found.score,
                           row_number() OVER (PARTITION BY found.kind, found.subject ORDER BY found.score DESC, found.chunk) AS piece
                    FROM (
                        SELECT d.id, d.kind COLLATE \"C\" AS kind, d.subject COLLATE \"C\" AS subject, d.chunk, ts_rank(d.tsv, q, 1) AS score
                        FROM public.search_documents d, CAST(query AS tsquery) q
                        WHERE d.tenant_id = (SELECT nullif(current_setting('nyxcore.tenant_id', true), '')::uuid)
                          AND d.tsv @@ q
                          AND d.kind = ANY (kinds)
                          AND (project IS NULL OR d.project_id = project OR d.project_id IS NULL)
                          AND (stacks IS NULL OR d.stack IS NULL OR d.stack = ANY (stacks))
                    ) found
                ) pieces
                WHERE pieces.piece = 1
            ) ranked
            WHERE ranked.place <= max_rows
        $body$;
    CREATE POLICY search_read ON search_documents FOR SELECT TO CURRENT_USER USING (true);
    REVOKE ALL ON FUNCTION nyxcore_search(text, uuid, text[], text[], bigint) FROM PUBLIC;";
