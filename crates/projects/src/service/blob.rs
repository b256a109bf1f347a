//! Contents, stored once per tenant under their Git blob id.

use std::collections::{HashMap, HashSet};

use nyxcore_tenancy::{Access, Backend, ReadWrite, Result, Scoped, ScopedSelectIn};
use sea_orm::{ActiveValue::Set, ColumnTrait, FromQueryResult, Value};

use crate::entity::{blob, source_file};
use crate::model::SourceId;

/// The most bytes of content in one statement. Client and server both hold a statement in memory.
const STATEMENT_BYTES_MAX: usize = 8 << 20;

/// Git blob ids in one bound parameter: 42 bytes each.
const OIDS_PER_STATEMENT: usize = 5_000;

/// A file's content, to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBlob {
    /// Its Git blob id.
    pub oid: String,
    /// The size in bytes.
    pub size: i64,
    /// The text. `None` for binary or too large content. PostgreSQL stores no NUL in a text: content with one is
    /// binary.
    pub content: Option<String>,
}

/// Which of these contents are not stored yet, each once, in the order given.
///
/// # Errors
/// The database fails.
pub async fn blobs_missing<A: Access, S: AsRef<str> + Sync>(
    scoped: &Scoped<A>,
    oids: &[S],
) -> Result<Vec<String>> {
    let found: Vec<(String,)> = blobs(scoped, oids).columns([blob::Column::Oid]).await?;
    let mut known: HashSet<String> = found.into_iter().map(|(oid,)| oid).collect();
    Ok(oids
        .iter()
        .map(|oid| oid.as_ref().to_owned())
        .filter(|oid| known.insert(oid.clone()))
        .collect())
}

/// Stores contents. Those that are already stored stay unchanged.
///
/// # Errors
/// The database fails.
pub async fn blobs_insert(scoped: &Scoped<ReadWrite>, blobs: Vec<NewBlob>) -> Result<()> {
    let mut rows = Vec::new();
    let mut bytes = 0;
    for new in blobs {
        let content = new.content.filter(|text| !text.contains('\0'));
        bytes += content.as_ref().map_or(0, String::len);
        rows.push(blob::ActiveModel {
            oid: Set(new.oid),
            size: Set(new.size),
            content: Set(content),
            ..Default::default()
        });
        if bytes >= STATEMENT_BYTES_MAX {
            insert_new(scoped, std::mem::take(&mut rows)).await?;
            bytes = 0;
        }
    }
    insert_new(scoped, rows).await
}

async fn insert_new(scoped: &Scoped<ReadWrite>, rows: Vec<blob::ActiveModel>) -> Result<()> {
    scoped.upsert_all(rows, &[blob::Column::Oid], &[]).await
}

/// Stores the text of contents that had none, once they can be read.
///
/// # Errors
/// The database fails.
pub async fn blobs_refill(scoped: &Scoped<ReadWrite>, blobs: Vec<NewBlob>) -> Result<()> {
    let rows = blobs.into_iter().map(|new| blob::ActiveModel {
        oid: Set(new.oid),
        size: Set(new.size),
        content: Set(new.content.filter(|text| !text.contains('\0'))),
        ..Default::default()
    });
    let changed = [blob::Column::Size, blob::Column::Content];
    scoped
        .upsert_all(rows.collect(), &[blob::Column::Oid], &changed)
        .await
}

/// The text of a content. `None` where the content is unknown, binary or too large.
///
/// # Errors
/// The database fails.
pub async fn blob_content<A: Access>(scoped: &Scoped<A>, oid: &str) -> Result<Option<String>> {
    let row = scoped
        .find::<blob::Entity>()
        .filter(blob::Column::Oid.eq(oid))
        .one()
        .await?;
    Ok(row.and_then(|row| row.content))
}

/// The texts of contents by blob id, without unknown, binary and too large ones.
///
/// # Errors
/// The database fails.
pub async fn blob_contents<A: Access, S: AsRef<str> + Sync>(
    scoped: &Scoped<A>,
    oids: &[S],
) -> Result<HashMap<String, String>> {
    let found: Vec<(String, String)> = blobs(scoped, oids)
        .filter(blob::Column::Content.is_not_null())
        .columns([blob::Column::Oid, blob::Column::Content])
        .await?;
    Ok(found.into_iter().collect())
}

/// Which of these contents have a text, by Git blob id. The texts are not read.
///
/// # Errors
/// The database fails.
pub async fn blobs_with_text<A: Access, S: AsRef<str> + Sync>(
    scoped: &Scoped<A>,
    oids: &[S],
) -> Result<HashSet<String>> {
    let found: Vec<(String,)> = blobs(scoped, oids)
        .filter(blob::Column::Content.is_not_null())
        .columns([blob::Column::Oid])
        .await?;
    Ok(found.into_iter().map(|(oid,)| oid).collect())
}

fn blobs<'s, A: Access, S: AsRef<str>>(
    scoped: &'s Scoped<A>,
    oids: &[S],
) -> ScopedSelectIn<'s, blob::Entity> {
    scoped.find_in(blob::Column::Oid, oids.iter().map(AsRef::as_ref))
}

/// Deletes those of these contents that no file refers to any longer, and returns their number.
///
/// A content that another transaction is assigning to a file is kept: the transaction that removes its last file
/// collects it.
///
/// # Errors
/// The database fails.
pub async fn blobs_collect<S: AsRef<str> + Sync>(
    scoped: &Scoped<ReadWrite>,
    oids: &[S],
) -> Result<u64> {
    let mut deleted = 0;
    for some in oids.chunks(OIDS_PER_STATEMENT) {
        let oids: Vec<&str> = some.iter().map(AsRef::as_ref).collect();
        let deletable = match scoped.backend() {
            Backend::Postgres => blobs_lock(scoped, &oids).await?,
            _ => json(&oids),
        };
        deleted += scoped.sql_execute(collect_sql(scoped), [deletable]).await?;
    }
    Ok(deleted)
}

/// Locks the contents that no other transaction has locked by referring a file to them. So the statement that follows
/// sees every file there is, and no file is added until this transaction ends.
async fn blobs_lock(scoped: &Scoped<ReadWrite>, oids: &[&str]) -> Result<Value> {
    #[derive(FromQueryResult)]
    struct LockedBlob {
        oid: String,
    }
    let locked: Vec<LockedBlob> = scoped
        .sql_all(
            "SELECT oid FROM blobs WHERE tenant_id = $1 AND oid IN (SELECT json_array_elements_text($2::json))
             ORDER BY oid FOR UPDATE SKIP LOCKED",
            [json(oids)],
        )
        .await?;
    let oids: Vec<&str> = locked.iter().map(|row| row.oid.as_str()).collect();
    Ok(json(&oids))
}

fn collect_sql(scoped: &Scoped<ReadWrite>) -> &'static str {
    match scoped.backend() {
        Backend::Postgres => {
            "DELETE FROM blobs WHERE tenant_id = $1 AND oid IN (SELECT json_array_elements_text($2::json))
             AND NOT EXISTS (SELECT 1 FROM source_files f WHERE f.tenant_id = $1 AND f.blob = blobs.oid)"
        }
        _ => {
            "DELETE FROM blobs WHERE tenant_id = $1 AND oid IN (SELECT value FROM json_each($2))
             AND NOT EXISTS (SELECT 1 FROM source_files f WHERE f.tenant_id = $1 AND f.blob = blobs.oid)"
        }
    }
}

/// A list as one bound parameter.
fn json(texts: &[&str]) -> Value {
    serde_json::Value::from(texts.to_vec()).to_string().into()
}

/// The contents of the sources' files, each once.
pub(super) async fn blobs_of_sources(
    scoped: &Scoped<ReadWrite>,
    sources: &[SourceId],
) -> Result<Vec<String>> {
    let found: Vec<(String,)> = scoped
        .find_in::<source_file::Entity, _>(source_file::Column::SourceId, sources.iter().copied())
        .columns([source_file::Column::Blob])
        .await?;
    let mut oids: Vec<String> = found.into_iter().map(|(oid,)| oid).collect();
    oids.sort_unstable();
    oids.dedup();
    Ok(oids)
}
