//! The database: its location, and the check that its schema matches this program.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use nyxcore_migrations::guard::{ROLE_REMEDY, role_problems};
use nyxcore_migrations::{Migrator, MigratorTrait, SchemaState, schema_state};
use nyxcore_tenancy::{
    Env, Error as StoreError, StatementListener, Store, StoreOptions, database_open,
};
use sea_orm::{
    DatabaseConnection, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tokio::net::TcpStream;
use url::Url;

use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::master_key;
use crate::settings::Settings;
use crate::wiring::registry;

/// The SQLite file in the data directory.
pub const SQLITE_FILE: &str = "nyxcore.sqlite";

/// The folder of the mirrors in the data directory.
const MIRRORS: &str = "mirrors";

/// The number of connections for commands that only read or change the schema.
const FEW: u32 = 2;
/// The port of a PostgreSQL server whose URL names none.
const POSTGRES_PORT: u16 = 5432;
/// How long the search for the reason may take when a server did not answer.
const LOOK_PATIENCE: Duration = Duration::from_secs(2);

/// The location of the database.
#[derive(Clone)]
pub enum Place {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL server, by a URL that may contain a password.
    Postgres(String),
}

impl Place {
    /// Reads the location from the settings.
    ///
    /// # Errors
    /// [`Error::SettingInvalid`] for a URL of another kind of database.
    pub fn of(settings: &Settings, data_dir: &Path) -> Result<Self> {
        let Some(url) = settings
            .database_url
            .as_deref()
            .filter(|url| !url.is_empty())
        else {
            return Ok(Self::Sqlite(data_dir.join(SQLITE_FILE)));
        };
        match url.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(url.to_owned())),
            Some(("sqlite", file)) => {
                let file = file.split('?').next().unwrap_or_default();
                Ok(Self::Sqlite(PathBuf::from(file)))
            }
            _ => Err(Error::SettingInvalid(
                "the setting \"database_url\" must begin with postgres:// or sqlite://".into(),
            )
            .into()),
        }
    }

    /// Refuses a database file that is missing or empty although the data directory shows an earlier use. Creating a
    /// new one would hide that all data is lost.
    ///
    /// # Errors
    /// [`Error::DatabaseMissing`].
    pub fn check(&self, data_dir: &Path) -> Result<()> {
        let Self::Sqlite(file) = self else {
            return Ok(());
        };
        let length = std::fs::metadata(file).map_or(0, |found| found.len());
        // SQLite also takes a file of one byte for an empty one (`unixFileSize` in its os_unix.c).
        if length > 1 {
            return Ok(());
        }
        match former_use(file, data_dir) {
            None => Ok(()),
            Some(found) => Err(Error::DatabaseMissing {
                file: file.clone(),
                found,
                state: if file.exists() {
                    "is empty"
                } else {
                    "is missing"
                },
            }
            .into()),
        }
    }

    /// Refuses a database file that was never created.
    ///
    /// # Errors
    /// [`Error::NoDatabase`]; as [`Place::check`].
    pub fn require(&self, data_dir: &Path) -> Result<()> {
        self.check(data_dir)?;
        match self {
            Self::Sqlite(file) if matches!(file.try_exists(), Ok(false)) => {
                Err(Error::NoDatabase(file.clone()).into())
            }
            // Other problems are reported when it is opened.
            Self::Sqlite(_) | Self::Postgres(_) => Ok(()),
        }
    }

    /// The options for opening it.
    pub fn options(&self, settings: &Settings) -> StoreOptions {
        let mut options = match self {
            Self::Sqlite(file) => StoreOptions::sqlite(file),
            Self::Postgres(url) => StoreOptions::new(url),
        };
        let seconds = |count: NonZeroU32| Duration::from_secs(count.get().into());
        options.allow_privileged_role = settings.allow_privileged_role;
        options.max_connections = settings.database.connections.get();
        options.lock_timeout = seconds(settings.database.lock_timeout);
        options.statement_timeout = seconds(settings.database.statement_timeout);
        options
    }
}

/// The trace of an earlier use of the database in a data directory.
fn former_use(file: &Path, data_dir: &Path) -> Option<&'static str> {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    let is_filled = |path: &Path| std::fs::metadata(path).is_ok_and(|found| found.len() > 0);
    let has_mirrors =
        std::fs::read_dir(data_dir.join(MIRRORS)).is_ok_and(|mut all| all.next().is_some());
    let has_key = data_dir.join(master_key::FILE).exists();
    if is_filled(Path::new(&log)) {
        return Some("is its log");
    }
    match (has_mirrors, has_key) {
        (true, true) => Some("are mirrors and a master key"),
        (true, false) => Some("are mirrors"),
        (false, true) => Some("is a master key"),
        (false, false) => None,
    }
}

/// Opens a few connections to read or change the schema.
///
/// # Errors
/// [`Error::DatabaseUnreachable`], [`Error::DatabaseRefused`].
pub async fn connection_open(place: &Place, settings: &Settings) -> Result<DatabaseConnection> {
    let mut options = place.options(settings);
    options.max_connections = FEW;
    match database_open(&options).await {
        Ok(connection) => Ok(connection),
        Err(error) => Err(refusal_of(place, error).await),
    }
}

/// Opens the store on a current schema; `listener` is called for each of its statements. An older SQLite schema is
/// migrated. On PostgreSQL the migration needs the owner's role, so an operator does it.
///
/// # Errors
/// [`Error::DatabaseNewer`], [`Error::SchemaBehind`], [`Error::DatabaseUnreachable`], [`Error::DatabaseRefused`],
/// [`Error::DatabaseMissing`], [`Error::RoleUnsafe`], and what the store refuses.
pub async fn store_open(
    settings: &Settings,
    data_dir: &DataDir,
    listener: Option<StatementListener>,
) -> Result<Store> {
    let place = Place::of(settings, data_dir.path())?;
    place.check(data_dir.path())?;
    let connection = connection_open(&place, settings).await?;
    let state = schema_state(&connection)
        .await
        .map_err(nyxcore_tenancy::Error::from)?;
    match (state, &place) {
        (SchemaState::Current, _) => {}
        (SchemaState::Newer, _) => bail!(Error::DatabaseNewer),
        (SchemaState::Behind, Place::Postgres(_)) => bail!(Error::SchemaBehind),
        (SchemaState::Behind, Place::Sqlite(_)) => {
            schema_migrate(&connection).await?;
        }
    }
    if !settings.allow_privileged_role {
        role_check(&connection).await?;
    }
    connection
        .close()
        .await
        .map_err(nyxcore_tenancy::Error::from)?;
    let options = StoreOptions {
        statement_listener: listener,
        ..place.options(settings).with_registry(registry()?)
    };
    match Store::connect(&options, Env::default()).await {
        Ok(store) => Ok(store),
        Err(error) => Err(refusal_of(&place, error).await),
    }
}

/// Refuses a PostgreSQL role with more rights than serving needs: it could bypass row-level security, or give itself
/// the right to.
async fn role_check(connection: &DatabaseConnection) -> Result<()> {
    let problems = role_problems(connection).await;
    let problems = problems.map_err(nyxcore_tenancy::Error::from)?;
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Error::RoleUnsafe(format!("{}: {ROLE_REMEDY}", problems.join("; "))).into()),
    }
}

/// Applies all missing migrations or none, and returns their names. If two processes do so at once, they are applied
/// once.
///
/// # Errors
/// [`Error::MigrationLocked`]; the database refuses.
pub async fn schema_migrate(connection: &DatabaseConnection) -> Result<Vec<String>> {
    let migrate = async {
        let transaction = connection
            .begin_with_options(TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            })
            .await?;
        let pending = Migrator::get_pending_migrations_read_only(&transaction).await?;
        Migrator::up(&transaction, None).await?;
        transaction.commit().await?;
        Ok(pending.iter().map(|one| one.name().to_owned()).collect())
    };
    migrate.await.map_err(migration_refused)
}

/// The error of a migration that the database refused.
pub fn migration_refused(error: DbErr) -> anyhow::Error {
    match error.into() {
        nyxcore_tenancy::Error::Busy => Error::MigrationLocked.into(),
        error => anyhow::Error::new(error),
    }
}

/// The error of a database that could not be opened. For a server, it tells an unreachable one from a refusal.
async fn refusal_of(place: &Place, error: StoreError) -> anyhow::Error {
    let Place::Postgres(url) = place else {
        return error.into();
    };
    if let Some((state, words)) = error.server_answer() {
        // https://www.postgresql.org/docs/current/errcodes-appendix.html
        let remedy = match state.as_str() {
            "28P01" | "28000" => "check the role and the password in the database's URL",
            "3D000" => {
                "check the database's name in its URL; `nyxcore setup postgres` makes what is missing"
            }
            "42501" => "let the role connect to it, or name another in the database's URL",
            _ => return Error::DatabaseUnreachable(words).into(),
        };
        return Error::DatabaseRefused(format!("{words}: {remedy}")).into();
    }
    match error {
        StoreError::Database(source) | StoreError::Unreachable(source) => {
            Error::DatabaseUnreachable(source.to_string()).into()
        }
        StoreError::Busy => Error::DatabaseUnreachable(unreachable_reason(url).await).into(),
        error => error.into(),
    }
}

/// The reason why a server did not answer. The driver retries a refused port until the time-out, and does not report
/// the refusal.
async fn unreachable_reason(url: &str) -> String {
    let silence = "it did not answer in time".to_owned();
    let Ok(url) = Url::parse(url) else {
        return silence;
    };
    // A socket folder is percent-encoded in the URL.
    let host = url.host_str().filter(|host| !host.contains('%'));
    let Some(host) = host.map(|host| host.trim_matches(['[', ']'])) else {
        return silence;
    };
    let port = url.port().unwrap_or(POSTGRES_PORT);
    match tokio::time::timeout(LOOK_PATIENCE, TcpStream::connect((host, port))).await {
        Ok(Err(error)) => format!("{host}:{port}: {error}"),
        Ok(Ok(_)) | Err(_) => silence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_where_nobody_listens_is_named() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let said = unreachable_reason(&format!("postgres://nyx:secret@{address}/nyx")).await;
        assert!(
            said.contains("refused") && said.contains(&address.to_string()),
            "{said}"
        );
        assert!(!said.contains("secret"), "{said}");
    }
}
