//! `backup` and `restore`: one file with all data that cannot be fetched again.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, bail};
use nyxcore_migrations::grant_app_role;
use nyxcore_migrations::owner::owner_lacks;
use nyxcore_tenancy::Env;
use sea_orm::DatabaseConnection;

use crate::backup::archive::{Archive, archive_write, folder_of};
use crate::backup::manifest::{DatabaseKind, FORMAT, Manifest, schema_number};
use crate::backup::{DATABASE, postgres, schema_check, sqlite};
use crate::build_info::server_info;
use crate::cli::{BackupArgs, RestoreArgs};
use crate::data_dir::DataDir;
use crate::database::{Place, connection_open, migration_refused, schema_migrate};
use crate::error::{Error, Result};
use crate::progress::{Screen, Step};
use crate::settings::Settings;
use crate::wiring::end_signal;
use crate::{master_key, model_facts, output};

/// The files of the data directory that a backup contains if they exist: the key, and the facts about models.
const FILES: [&str; 2] = [master_key::FILE, model_facts::FILE];

/// Writes a backup.
///
/// # Errors
/// [`Error::FileExists`]; [`Error::NoDatabase`]; the role does not see every row; the file cannot be written.
pub async fn backup(settings: &Settings, args: BackupArgs, screen: &Screen) -> Result<()> {
    if args.file.symlink_metadata().is_ok() {
        bail!(Error::FileExists(args.file));
    }
    let step = screen.step("backup");
    let ended = end_signal()?;
    let work = backup_make(settings, &args, &step);
    let made = tokio::select! {
        made = work => made,
        () = ended => Err(Error::Interrupted.into()),
    };
    let manifest = match made {
        Ok(manifest) => manifest,
        Err(error) => {
            step.failed();
            return Err(error);
        }
    };
    step.done(&summary(&manifest));
    key_told(&manifest, settings, &args, screen);
    Ok(())
}

async fn backup_make(settings: &Settings, args: &BackupArgs, step: &Step) -> Result<Manifest> {
    let data_dir = std::path::absolute(&settings.data_dir).context("no such data directory")?;
    let place = match &settings.backup_url {
        Some(url) => Place::of(
            &Settings {
                database_url: Some(url.clone()),
                ..settings.clone()
            },
            &data_dir,
        )?,
        None => Place::of(settings, &data_dir)?,
    };
    place.require(&data_dir)?;
    let scratch = tempfile::Builder::new()
        .prefix(".nyxcore-backup-")
        .tempdir_in(folder_of(&args.file))
        .map_err(|error| Error::OutputRefused {
            path: args.file.clone(),
            reason: error.to_string(),
        })?;
    let mut manifest = manifest_begin(&place);
    let copy = scratch.path().join(DATABASE);
    let connection = connection_open(&place, settings).await?;
    let copied = match &place {
        Place::Sqlite(_) => sqlite::copy(&connection, &copy, &mut manifest, step).await,
        Place::Postgres(url) => postgres::dump(&connection, url, &copy, &mut manifest, step).await,
    };
    // Also after a failed copy.
    let _closed = connection.close().await;
    copied?;
    let newest = manifest.migrations.last();
    manifest.schema = newest.map_or(0, |name| schema_number(name));
    // A backup that this program cannot restore would be useless.
    if schema_check(&args.file, &manifest).is_err() {
        bail!(Error::DatabaseNewer);
    }
    let mut members = vec![(DATABASE, copy)];
    for name in FILES {
        if args.without_key && name == master_key::FILE {
            continue;
        }
        match fs::read(data_dir.join(name)) {
            Ok(content) => {
                let file = scratch.path().join(name);
                fs::write(&file, zeroize::Zeroizing::new(content).as_slice())
                    .context("writing the backup failed")?;
                members.push((name, file));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error).with_context(|| format!("reading {name} failed"));
            }
        }
    }
    step.phase("writing the archive");
    let file = args.file.clone();
    let written = tokio::task::spawn_blocking(move || {
        // The temporary folder must exist until the archive is written.
        let _scratch = scratch;
        archive_write(&file, &mut manifest, &members)?;
        Ok::<_, anyhow::Error>(manifest)
    });
    written.await.context("writing the archive failed")?
}

fn manifest_begin(place: &Place) -> Manifest {
    let program = server_info();
    Manifest {
        format: FORMAT,
        version: program.version,
        commit: program.commit,
        created_at: Env::default().now(),
        database: kind_of(place),
        schema: 0,
        migrations: Vec::new(),
        rows: Default::default(),
        members: Default::default(),
        postgres: None,
    }
}

fn kind_of(place: &Place) -> DatabaseKind {
    match place {
        Place::Sqlite(_) => DatabaseKind::Sqlite,
        Place::Postgres(_) => DatabaseKind::Postgres,
    }
}

/// `2,411 rows of 57 tables (SQLite, schema 22)`.
fn summary(manifest: &Manifest) -> String {
    let rows: u64 = manifest.rows.values().sum();
    format!(
        "{rows} rows of {} tables ({}, schema {})",
        manifest.rows.len(),
        manifest.database.name(),
        manifest.schema
    )
}

fn key_told(manifest: &Manifest, settings: &Settings, args: &BackupArgs, screen: &Screen) {
    let file = args.file.display();
    if manifest.members.contains_key(master_key::FILE) {
        screen.warning(&format!(
            "{file} has the master key in it: who has the file can read every secret. Keep it as you keep the key, or \
             make backups with --without-key"
        ));
    } else if settings.master_key.is_some() {
        screen.hint(&format!(
            "the master key is in NYXCORE_MASTER_KEY and not in {file}: keep a copy of it elsewhere"
        ));
    } else if args.without_key {
        screen.hint(&format!(
            "the master key is not in {file}: keep a copy of it elsewhere"
        ));
    }
}

/// Restores a backup into a database without rows.
///
/// # Errors
/// [`Error::RestoreTargetInUse`]; [`Error::BackupInvalid`], [`Error::BackupNewer`]; the backup is of another database.
pub async fn restore(settings: &Settings, args: RestoreArgs, screen: &Screen) -> Result<()> {
    let archive = Archive::open(&args.file)?;
    if args.check {
        return check(&archive, screen).await;
    }
    schema_check(&args.file, &archive.manifest)?;
    let step = screen.step("restore");
    let ended = end_signal()?;
    let work = restore_make(settings, &args, &archive, &step);
    let done = tokio::select! {
        done = work => done,
        () = ended => Err(Error::Interrupted.into()),
    };
    if let Err(error) = done {
        step.failed();
        return Err(error);
    }
    step.done(&summary(&archive.manifest));
    if archive.manifest.database == DatabaseKind::Postgres && args.app_role.is_none() {
        screen.hint(
            "run `nyxcore migrate --app-role NAME` so that the serving role may use the tables",
        );
    }
    if !archive.has(master_key::FILE) {
        screen.hint(
            "the backup has no master key: put it into the data directory or NYXCORE_MASTER_KEY",
        );
    }
    screen.hint("mirrors are fetched again by the next sync of each source");
    Ok(())
}

/// Compares the whole archive with its manifest, and prints the manifest.
async fn check(archive: &Archive, screen: &Screen) -> Result<()> {
    let step = screen.step("check");
    step.phase("reading the archive");
    let folder = tempfile::tempdir().context("making a temporary folder failed")?;
    if let Err(error) = archive.unpack(folder.path(), &[]) {
        step.failed();
        return Err(error);
    }
    step.done(&summary(&archive.manifest));
    let text = serde_json::to_string_pretty(&archive.manifest).context("printing failed")?;
    output::write(&format!("{text}\n"))
}

async fn restore_make(
    settings: &Settings,
    args: &RestoreArgs,
    archive: &Archive,
    step: &Step,
) -> Result<()> {
    let data_dir = DataDir::prepare(&settings.data_dir)?;
    let restored = restore_into(settings, args, archive, &data_dir, step).await;
    if restored.is_err() {
        data_dir.remove_if_made();
    }
    restored
}

async fn restore_into(
    settings: &Settings,
    args: &RestoreArgs,
    archive: &Archive,
    data_dir: &DataDir,
    step: &Step,
) -> Result<()> {
    let place = Place::of(settings, data_dir.path())?;
    let (manifest, here) = (&archive.manifest, kind_of(&place));
    if manifest.database != here {
        bail!(Error::BackupInvalid {
            path: args.file.clone(),
            reason: format!(
                "it is of {} and this database is {}: a backup is restored into the kind of database that it is of",
                manifest.database.name(),
                here.name()
            ),
        });
    }
    let files: Vec<&str> = FILES
        .into_iter()
        .filter(|name| archive.has(name))
        .filter(|name| !(args.without_key && *name == master_key::FILE))
        .collect();
    if let Place::Sqlite(file) = &place {
        sqlite::place_check(file)?;
    }
    step.phase("reading the archive");
    // In the database's folder, so that the file can be moved into place atomically.
    let beside = match &place {
        Place::Sqlite(file) => folder_of(file).to_owned(),
        Place::Postgres(_) => data_dir.path().to_owned(),
    };
    let scratch = tempfile::Builder::new()
        .prefix(".nyxcore-restore-")
        .tempdir_in(&beside)
        .with_context(|| format!("writing into {} failed", beside.display()))?;
    let mut names = files.clone();
    names.push(DATABASE);
    tokio::task::block_in_place(|| archive.unpack(scratch.path(), &names))?;
    for name in &files {
        file_check(scratch.path(), data_dir.path(), name)?;
    }
    match &place {
        Place::Sqlite(file) => {
            let copy = scratch.path().join(DATABASE);
            sqlite::restore(&args.file, manifest, copy, file, step).await?;
        }
        Place::Postgres(url) => {
            let connection = connection_open(&place, settings).await?;
            let restored =
                postgres_restore(&connection, url, args, manifest, scratch.path(), step).await;
            let _closed = connection.close().await;
            restored?;
        }
    }
    for name in &files {
        let to = data_dir.path().join(name);
        if !to.exists() {
            fs::rename(scratch.path().join(name), &to)
                .with_context(|| format!("putting {name} into the data directory failed"))?;
        }
    }
    Ok(())
}

async fn postgres_restore(
    connection: &DatabaseConnection,
    url: &str,
    args: &RestoreArgs,
    manifest: &Manifest,
    folder: &Path,
    step: &Step,
) -> Result<()> {
    if let Some(role) = &args.app_role {
        let lacks = owner_lacks(connection, Some(role)).await;
        let lacks = lacks.map_err(migration_refused)?;
        if !lacks.is_empty() {
            bail!(Error::OwnerLacks(lacks.join("; ")));
        }
    }
    postgres::restore(connection, url, &args.file, folder, manifest, step).await?;
    step.phase("migrating");
    schema_migrate(connection).await?;
    if let Some(role) = &args.app_role {
        let granted = grant_app_role(connection, role).await;
        granted.map_err(migration_refused)?;
    }
    Ok(())
}

/// Refuses to replace a file of the data directory by different content: a key in it may be the only copy.
fn file_check(scratch: &Path, data_dir: &Path, name: &str) -> Result<()> {
    let there = data_dir.join(name);
    let same = match fs::read(&there) {
        Ok(content) => {
            let content = zeroize::Zeroizing::new(content);
            let archived = fs::read(scratch.join(name)).context("reading the backup failed")?;
            *content == *zeroize::Zeroizing::new(archived)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => true,
        Err(error) => {
            return Err(error).with_context(|| format!("reading {} failed", there.display()));
        }
    };
    match same {
        true => Ok(()),
        false => Err(Error::RestoreTargetInUse(format!(
            "{} exists and is not the one of the backup: move it away first",
            there.display()
        ))
        .into()),
    }
}
