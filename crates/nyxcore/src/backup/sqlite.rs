//! The backup of a SQLite file: a copy by `VACUUM INTO`, which is one snapshot even if others write meanwhile.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use nyxcore_tenancy::{StoreOptions, database_open};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use super::archive::file_sync;
use super::manifest::Manifest;
use super::{migrations_read, rows_check, rows_count, texts};
use crate::database::schema_migrate;
use crate::error::{Error, Result};
use crate::progress::Step;

/// Copies the database into a new file, checks the copy, and writes its contents into the manifest.
///
/// # Errors
/// [`Error::DatabaseBroken`] where SQLite finds the copy damaged; the file cannot be written.
pub async fn copy(
    db: &DatabaseConnection,
    into: &Path,
    manifest: &mut Manifest,
    step: &Step,
) -> Result<()> {
    step.phase("copying the database");
    let file = into.display().to_string();
    let statement =
        Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO $1", [file.into()]);
    let copied = db.execute_raw(statement).await;
    copied
        .map_err(nyxcore_tenancy::Error::from)
        .context("copying the database failed")?;
    step.phase("checking the copy");
    let copy = open(into).await?;
    let looked = look(&copy).await;
    close(copy, into).await?;
    (manifest.migrations, manifest.rows) = looked?;
    Ok(())
}

/// The migrations and the row counts of a database, if SQLite finds it undamaged.
async fn look(
    db: &DatabaseConnection,
) -> Result<(Vec<String>, std::collections::BTreeMap<String, u64>)> {
    let problems = texts(db, "PRAGMA integrity_check(3)").await?;
    if problems != ["ok"] {
        bail!(Error::DatabaseBroken(problems.join("; ")));
    }
    Ok((migrations_read(db).await?, rows_count(db).await?))
}

/// Migrates a database of a backup to this program's schema, and moves it to `into`, where no file exists.
///
/// # Errors
/// [`Error::BackupInvalid`]; [`Error::RestoreTargetInUse`] where a file was created meanwhile; a migration failed.
pub async fn restore(
    archive: &Path,
    manifest: &Manifest,
    copy: PathBuf,
    into: &Path,
    step: &Step,
) -> Result<()> {
    step.phase("checking the rows");
    let db = open(&copy).await?;
    let restored = async {
        let (migrations, rows) = look(&db).await?;
        if migrations != manifest.migrations {
            bail!(Error::BackupInvalid {
                path: archive.to_owned(),
                reason: "its database has other migrations than the manifest says".into(),
            });
        }
        rows_check(archive, manifest, &rows)?;
        step.phase("migrating");
        schema_migrate(&db).await
    };
    let restored = restored.await;
    close(db, &copy).await?;
    restored?;
    // A hard link fails if a file was created meanwhile; a rename would replace it.
    match fs::hard_link(&copy, into) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            bail!(Error::RestoreTargetInUse(in_the_way(into)));
        }
        Err(error) => return Err(error).context("putting the database in its place failed"),
    }
    let removed = fs::remove_file(&copy);
    removed.context("putting the database in its place failed")
}

/// Refuses a path where a database file or its log exists.
///
/// # Errors
/// [`Error::RestoreTargetInUse`].
pub fn place_check(file: &Path) -> Result<()> {
    for ending in ["", "-wal", "-journal"] {
        let mut path = file.as_os_str().to_owned();
        path.push(ending);
        let path = PathBuf::from(path);
        if path.symlink_metadata().is_ok() {
            bail!(Error::RestoreTargetInUse(in_the_way(&path)));
        }
    }
    Ok(())
}

fn in_the_way(path: &Path) -> String {
    format!(
        "{} exists: move it away, or restore into another data directory with --data-dir",
        path.display()
    )
}

async fn open(file: &Path) -> Result<DatabaseConnection> {
    let mut options = StoreOptions::sqlite(file);
    options.max_connections = 1;
    Ok(database_open(&options).await?)
}

/// Closes a database, so that its one file contains everything.
async fn close(db: DatabaseConnection, file: &Path) -> Result<()> {
    let emptied = db
        .execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)")
        .await;
    emptied.map_err(nyxcore_tenancy::Error::from)?;
    db.close().await.map_err(nyxcore_tenancy::Error::from)?;
    file_sync(file).context("writing the copy failed")
}
