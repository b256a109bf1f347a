//! Partitions the search index by tenant: each word of the full text begins with the key of its tenant.
//!
//! The list of documents with a word then contains the documents of one tenant only. The statistics and the duration
//! of a search do not depend on what other tenants wrote. The key is the last 48 bits of the tenant's id in
//! hexadecimal, as `nyxcore_retrieval` writes it.

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
        ddl.run(if ddl.is_postgres() { POSTGRES } else { SQLITE })
            .await
    }
}

/// The generated vector follows the terms. The table's policies apply to the owner, and no tenant is set here.
const POSTGRES: &str = "
    ALTER TABLE search_documents NO FORCE ROW LEVEL SECURITY;
    UPDATE search_documents
    SET terms = regexp_replace(terms, '''([^'']+)''', '''' || right(replace(tenant_id::text, '-', ''), 12) || '\\1''', 'g');
    ALTER TABLE search_documents FORCE ROW LEVEL SECURITY;";

/// `terms` is now a JSON list of 16 texts, each a column of the full text. A word is in the text of its weight, from 0
/// to 15. The words of existing documents get a middle weight until they are published again. The tokenizer splits only
/// at spaces: the program produces the words.
const SQLITE: &str = "
    DROP TRIGGER search_documents_insert;
    DROP TRIGGER search_documents_delete;
    DROP TRIGGER search_documents_update;
    DROP TABLE search_terms;
    CREATE VIRTUAL TABLE search_terms USING fts5 (w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15,
        content = '', contentless_delete = 1, detail = 'column', tokenize = \"ascii tokenchars '_'\");
    CREATE VIRTUAL TABLE search_postings USING fts5vocab ('search_terms', 'instance');
    CREATE VIRTUAL TABLE search_vocabulary USING fts5vocab ('search_terms', 'row');
    CREATE TRIGGER search_documents_insert AFTER INSERT ON search_documents BEGIN
        INSERT INTO search_terms (rowid, w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15)
        VALUES (new.seq, new.terms ->> 0, new.terms ->> 1, new.terms ->> 2, new.terms ->> 3, new.terms ->> 4, new.terms ->> 5,
            new.terms ->> 6, new.terms ->> 7, new.terms ->> 8, new.terms ->> 9, new.terms ->> 10, new.terms ->> 11,
            new.terms ->> 12, new.terms ->> 13, new.terms ->> 14, new.terms ->> 15);
    END;
    CREATE TRIGGER search_documents_delete AFTER DELETE ON search_documents BEGIN
        DELETE FROM search_terms WHERE rowid = old.seq;
    END;
    CREATE TRIGGER search_documents_update AFTER UPDATE OF terms ON search_documents BEGIN
        DELETE FROM search_terms WHERE rowid = old.seq;
        INSERT INTO search_terms (rowid, w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15)
        VALUES (new.seq, new.terms ->> 0, new.terms ->> 1, new.terms ->> 2, new.terms ->> 3, new.terms ->> 4, new.terms ->> 5,
            new.terms ->> 6, new.terms ->> 7, new.terms ->> 8, new.terms ->> 9, new.terms ->> 10, new.terms ->> 11,
            new.terms ->> 12, new.terms ->> 13, new.terms ->> 14, new.terms ->> 15);
    END;
    UPDATE search_documents
    SET terms = json_array('', '', '', '', '', '', '',
        CASE WHEN terms = '' THEN ''
        ELSE lower(hex(substr(tenant_id, 11))) || replace(terms, ' ', ' ' || lower(hex(substr(tenant_id, 11)))) END,
        '', '', '', '', '', '', '', '');";
