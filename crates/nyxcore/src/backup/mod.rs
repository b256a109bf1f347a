//! The backup of an installation as one file: the database, and the needed files of the data directory. Mirrors are not
//! in it, because they are fetched again.
//!
//! The file is a tar archive of [`archive`] with a manifest. [`sqlite`] and [`postgres`] copy the database and restore
//! it.

pub mod archive;
pub mod manifest;
mod pg_tools;
pub mod postgres;
pub mod sqlite;

use std::collections::BTreeMap;
use std::path::Path;

use nyxcore_migrations::{Migrator, MigratorTrait, sea_orm_migration::SchemaManager};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use crate::error::{Error, Result};
use manifest::Manifest;

/// The member of the archive that is the database: a SQLite file, or a dump in `pg_dump`'s custom format.
pub const DATABASE: &str = "database";

/// The tables with rows, without those that SQLite's full-text search creates itself: `name`.
const TABLES_SQLITE: &str = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
     AND name NOT LIKE 'sqlite_%' ORDER BY name";
/// The tables with rows, without those of an extension.
const TABLES_POSTGRES: &str = "SELECT c.relname::text AS name FROM pg_class c
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
       AND NOT EXISTS (SELECT 1 FROM pg_depend d
           WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
     ORDER BY 1";

/// The names of the applied migrations of a database, oldest first.
///
/// # Errors
/// The database refuses.
pub async fn migrations_read(db: &DatabaseConnection) -> Result<Vec<String>> {
    let manager = SchemaManager::new(db);
    let has_record = manager.has_table("seaql_migrations").await;
    if !has_record.map_err(nyxcore_tenancy::Error::from)? {
        return Ok(Vec::new());
    }
    texts(db, "SELECT version FROM seaql_migrations ORDER BY version").await
}

/// The number of rows of every table, as the connected role sees them.
///
/// # Errors
/// The database refuses.
pub async fn rows_count(db: &impl ConnectionTrait) -> Result<BTreeMap<String, u64>> {
    let mut counts = BTreeMap::new();
    for table in tables(db).await? {
        // A table's name from the database's catalogue, quoted as an identifier.
        let sql = format!("SELECT count(*) FROM {}", quoted(&table));
        let statement = Statement::from_string(db.get_database_backend(), sql);
        let row = db.query_one_raw(statement).await;
        let count: Option<i64> = match row.map_err(nyxcore_tenancy::Error::from)? {
            Some(row) => Some(
                row.try_get_by_index(0)
                    .map_err(nyxcore_tenancy::Error::from)?,
            ),
            None => None,
        };
        let count = count.and_then(|count| u64::try_from(count).ok());
        counts.insert(table, count.unwrap_or_default());
    }
    Ok(counts)
}

/// The names of the tables that hold rows.
async fn tables(db: &impl ConnectionTrait) -> Result<Vec<String>> {
    let sql = match db.get_database_backend() {
        DbBackend::Postgres => TABLES_POSTGRES,
        _ => TABLES_SQLITE,
    };
    texts(db, sql).await
}

async fn texts(db: &impl ConnectionTrait, sql: &str) -> Result<Vec<String>> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(statement).await;
    let rows = rows.map_err(nyxcore_tenancy::Error::from)?;
    let texts: Result<_, sea_orm::DbErr> = rows.iter().map(|row| row.try_get_by_index(0)).collect();
    Ok(texts.map_err(nyxcore_tenancy::Error::from)?)
}

/// Quotes a name as an SQL identifier.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Refuses the backup of a database with migrations that this program does not know.
///
/// # Errors
/// [`Error::BackupNewer`].
pub fn schema_check(file: &Path, manifest: &Manifest) -> Result<()> {
    let known: Vec<String> = Migrator::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect();
    let unknown = manifest
        .migrations
        .iter()
        .find(|name| !known.contains(name));
    match unknown {
        None => Ok(()),
        Some(name) => Err(Error::BackupNewer {
            path: file.to_owned(),
            reason: format!(
                "its database was migrated by nyxcore {} ({name})",
                manifest.version
            ),
        }
        .into()),
    }
}

/// Refuses a restored database whose tables have other numbers of rows than the manifest says.
///
/// # Errors
/// [`Error::BackupInvalid`].
pub fn rows_check(file: &Path, manifest: &Manifest, found: &BTreeMap<String, u64>) -> Result<()> {
    let names = manifest.rows.keys().chain(found.keys());
    let differs = names.filter(|name| manifest.rows.get(*name) != found.get(*name));
    let Some(name) = differs.min() else {
        return Ok(());
    };
    let told = |count: Option<&u64>| count.map_or("none".to_owned(), u64::to_string);
    Err(Error::BackupInvalid {
        path: file.to_owned(),
        reason: format!(
            "the table {name} has {} rows after the restore, and {} in the manifest",
            told(found.get(name)),
            told(manifest.rows.get(name))
        ),
    }
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::code_of;

    #[test]
    fn a_name_is_quoted_whatever_is_in_it() {
        assert_eq!(quoted("notes"), "\"notes\"");
        assert_eq!(quoted("a\"; DROP"), "\"a\"\"; DROP\"");
    }

    #[test]
    fn a_missing_row_and_a_missing_table_are_told() {
        let manifest = Manifest {
            rows: [("notes".to_owned(), 2), ("users".to_owned(), 1)].into(),
            ..manifest::tests::sample()
        };
        let file = Path::new("b.tar");
        assert!(rows_check(file, &manifest, &manifest.rows).is_ok());
        for found in [
            BTreeMap::from([("notes".to_owned(), 1), ("users".to_owned(), 1)]),
            BTreeMap::from([("users".to_owned(), 1)]),
        ] {
            let error = rows_check(file, &manifest, &found).unwrap_err();
            assert_eq!(code_of(&error), "BACKUP_INVALID");
            assert!(error.to_string().contains("notes"), "{error}");
        }
    }

    #[test]
    fn an_unknown_migration_is_of_a_newer_program() {
        let file = Path::new("b.tar");
        let mut manifest = manifest::tests::sample();
        assert!(schema_check(file, &manifest).is_ok());
        manifest.migrations.push("m9999_later".to_owned());
        let error = schema_check(file, &manifest).unwrap_err();
        assert_eq!(code_of(&error), "BACKUP_NEWER");
    }
}
