//! The files of a source, changed in bulk by a sync.

use std::collections::{BTreeMap, HashMap};

use nyxcore_retrieval::{KnowledgeKind, documents_withdraw};
use nyxcore_tenancy::{
    Access, Backend, Error, ReadWrite, Repository, Result, Scoped, TypedId, text,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, FromQueryResult};

use crate::check::FILE_PATH_MAX;
use crate::entity::source_file;
use crate::model::{SourceFileId, SourceId};
use crate::repository::Sources;

/// A file of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its path from the repository's root.
    pub path: String,
    /// Its Git blob id. The content must already be stored.
    pub blob: String,
    /// The language, where it is known.
    pub language: Option<String>,
    /// The size in bytes.
    pub size: i64,
}

/// A file that has moved to another path, perhaps with another content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenamedFile {
    /// The id that it keeps.
    pub id: SourceFileId,
    /// The path that it had.
    pub from: String,
    /// The file at its new path.
    pub file: NewFile,
}

/// The differences between two commits of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileChanges {
    /// New files.
    pub added: Vec<NewFile>,
    /// Files with another content.
    pub updated: Vec<NewFile>,
    /// Files that moved to a path that was free.
    pub renamed: Vec<RenamedFile>,
    /// Paths of deleted files.
    pub deleted: Vec<String>,
}

/// The fields of a stored file that a comparison needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its id.
    pub id: SourceFileId,
    /// Its Git blob id.
    pub blob: String,
    /// The size in bytes.
    pub size: i64,
}

/// Counts in one bound parameter: some 100 bytes each.
const COUNTS_PER_STATEMENT: usize = 5_000;

/// The columns of a [`StoredFile`] and its path.
const STORED: [source_file::Column; 4] = [
    source_file::Column::Path,
    source_file::Column::Id,
    source_file::Column::Blob,
    source_file::Column::Size,
];

/// The subject of a file in the search index, where its documents have the kind `CODE`.
#[must_use]
pub fn code_subject(source: SourceId, path: &str) -> String {
    format!("{source}:{path}")
}

/// The source of the file with that subject in the search index. See [`code_subject`].
#[must_use]
pub fn code_subject_source(subject: &str) -> Option<SourceId> {
    let (source, _) = subject.split_once(':')?;
    SourceId::parse(source).ok()
}

/// The stored files of a source by their path: all of them, or those that exist of the given paths.
///
/// # Errors
/// The database fails.
pub async fn files_by_path<A: Access, S: AsRef<str> + Sync>(
    scoped: &Scoped<A>,
    source: SourceId,
    paths: Option<&[S]>,
) -> Result<HashMap<String, StoredFile>> {
    let of_source = source_file::Column::SourceId.eq(source);
    let found: Vec<(String, SourceFileId, String, i64)> = match paths {
        None => {
            let files = scoped.find::<source_file::Entity>().filter(of_source);
            files.columns(STORED).await?
        }
        Some(paths) => {
            let paths = paths.iter().map(AsRef::as_ref);
            let files = scoped.find_in::<source_file::Entity, _>(source_file::Column::Path, paths);
            files.filter(of_source).columns(STORED).await?
        }
    };
    let files = found.into_iter();
    Ok(files
        .map(|(path, id, blob, size)| (path, StoredFile { id, blob, size }))
        .collect())
}

/// The stored files of a source whose path contains that text, ignoring the case of ASCII letters. The caller has to
/// filter them further. `%`, `_` and `\` stand for themselves.
///
/// # Errors
/// The database fails.
pub async fn files_named<A: Access>(
    scoped: &Scoped<A>,
    source: SourceId,
    part: &str,
) -> Result<Vec<(String, StoredFile)>> {
    let found: Vec<(String, SourceFileId, String, i64)> = scoped
        .find::<source_file::Entity>()
        .filter(source_file::Column::SourceId.eq(source))
        .filter(text::contains(
            scoped.backend(),
            r#""source_files"."path""#,
            part,
        ))
        .columns(STORED)
        .await?;
    let files = found.into_iter();
    Ok(files
        .map(|(path, id, blob, size)| (path, StoredFile { id, blob, size }))
        .collect())
}

/// The languages that the stored files of a source are written in, each once.
///
/// # Errors
/// The database fails.
pub async fn file_languages<A: Access>(
    scoped: &Scoped<A>,
    source: SourceId,
) -> Result<Vec<String>> {
    #[derive(FromQueryResult)]
    struct Language {
        language: String,
    }
    let sql = "SELECT DISTINCT language FROM source_files
               WHERE tenant_id = $1 AND source_id = $2 AND language IS NOT NULL ORDER BY language";
    let found: Vec<Language> = scoped.sql_all(sql, [source.0.into()]).await?;
    Ok(found.into_iter().map(|row| row.language).collect())
}

/// Moves a source's files to another commit. An existing file keeps its id and its commit count, also when it is
/// moved. Deleted files and left paths are removed from the search; the caller publishes added, updated and moved
/// files.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound) for the source, or for a content that is not stored;
/// [`Invalid`](nyxcore_tenancy::Error::Invalid) for a path longer than [`FILE_PATH_MAX`] bytes.
pub async fn files_apply(
    scoped: &Scoped<ReadWrite>,
    source: SourceId,
    changes: FileChanges,
) -> Result<()> {
    Sources::require(scoped, source).await?;
    let of_source = source_file::Column::SourceId.eq(source);
    scoped
        .delete_in::<source_file::Entity, _>(source_file::Column::Path, &changes.deleted, of_source)
        .await?;
    let left = changes.renamed.iter().map(|renamed| &renamed.from);
    code_withdraw(scoped, source, changes.deleted.iter().chain(left)).await?;
    let renamed: BTreeMap<SourceFileId, NewFile> = changes
        .renamed
        .into_iter()
        .map(|renamed| (renamed.id, renamed.file))
        .collect();
    // A map by path makes one row of a path that occurs twice: PostgreSQL refuses to write a row twice in one
    // statement.
    let written: BTreeMap<String, NewFile> = changes
        .added
        .into_iter()
        .chain(changes.updated)
        .map(|file| (file.path.clone(), file))
        .collect();
    let paths = written
        .keys()
        .chain(renamed.values().map(|file| &file.path));
    if let Some(path) = paths.into_iter().find(|path| path.len() > FILE_PATH_MAX) {
        let start: String = path.chars().take(60).collect();
        return Err(Error::Invalid(format!(
            "a path is longer than {FILE_PATH_MAX} bytes: {start}..."
        )));
    }
    let content = [
        source_file::Column::Blob,
        source_file::Column::Language,
        source_file::Column::Size,
    ];
    // Moved files come first: they are found by their ids, and their new paths are free.
    let moved = renamed
        .into_iter()
        .map(|(id, file)| row_of(source, id, file));
    let with_path = [&[source_file::Column::Path], content.as_slice()].concat();
    scoped
        .upsert_all(moved.collect(), &[source_file::Column::Id], &with_path)
        .await?;
    let rows = written
        .into_values()
        .map(|file| row_of(source, SourceFileId(scoped.env().id()), file));
    let key = [source_file::Column::SourceId, source_file::Column::Path];
    scoped.upsert_all(rows.collect(), &key, &content).await
}

fn row_of(source: SourceId, id: SourceFileId, file: NewFile) -> source_file::ActiveModel {
    source_file::ActiveModel {
        id: Set(id),
        source_id: Set(source),
        path: Set(file.path),
        blob: Set(file.blob),
        language: Set(file.language),
        size: Set(file.size),
        commits: Set(0),
        ..Default::default()
    }
}

/// Removes the code at those paths from the search index.
async fn code_withdraw(
    scoped: &Scoped<ReadWrite>,
    source: SourceId,
    paths: impl Iterator<Item = &String>,
) -> Result<()> {
    let subjects: Vec<String> = paths.map(|path| code_subject(source, path)).collect();
    for kind in [KnowledgeKind::Code, KnowledgeKind::Document] {
        documents_withdraw(scoped, kind, &subjects).await?;
    }
    Ok(())
}

/// Adds to the counts of commits that touched a source's files. Paths without a file are skipped.
///
/// # Errors
/// The database fails.
pub async fn churn_add<S: AsRef<str> + Sync>(
    scoped: &Scoped<ReadWrite>,
    source: SourceId,
    commits: &[(S, i64)],
) -> Result<()> {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for (path, count) in commits {
        *sums.entry(path.as_ref()).or_default() += count;
    }
    let sql = match scoped.backend() {
        Backend::Postgres => {
            "UPDATE source_files SET commits = source_files.commits + more.value::bigint
             FROM json_each_text($3::json) AS more
             WHERE tenant_id = $1 AND source_id = $2 AND source_files.path = more.key"
        }
        _ => {
            // It is a materialized table: otherwise SQLite parses the JSON once per file, which took 5 s for 5,000
            // paths and 12,000 files.
            "WITH more AS MATERIALIZED (SELECT key, value FROM json_each($3))
             UPDATE source_files SET commits = source_files.commits + more.value
             FROM more
             WHERE tenant_id = $1 AND source_id = $2 AND source_files.path = more.key"
        }
    };
    let sums: Vec<(&str, i64)> = sums.into_iter().collect();
    for some in sums.chunks(COUNTS_PER_STATEMENT) {
        // All counts are one bound parameter, an object of counts by path.
        let more: serde_json::Map<String, serde_json::Value> = some
            .iter()
            .map(|(path, count)| ((*path).to_owned(), (*count).into()))
            .collect();
        let more = serde_json::Value::Object(more).to_string();
        scoped
            .sql_execute(sql, [source.into(), more.into()])
            .await?;
    }
    Ok(())
}

/// Sets the counts of commits of a source's files to 0, before a history is counted from its beginning.
///
/// # Errors
/// The database fails.
pub async fn churn_reset(scoped: &Scoped<ReadWrite>, source: SourceId) -> Result<()> {
    let which = source_file::Column::SourceId.eq(source);
    let none = source_file::ActiveModel {
        commits: Set(0),
        ..Default::default()
    };
    scoped.update(which, none).await?;
    Ok(())
}
