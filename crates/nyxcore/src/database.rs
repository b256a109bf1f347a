//! The database: where it is, and that its schema is the one this program knows.

use std::path::{Path, PathBuf};

use nyxcore_migrations::{Migrator, MigratorTrait, SchemaState, schema_state};
use nyxcore_tenancy::{Env, Store, StoreOptions, database_open};
use sea_orm::{DatabaseConnection, SqliteTransactionMode, TransactionOptions, TransactionTrait};

use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::settings::Settings;

/// The SQLite file in the data directory.
pub const SQLITE_FILE: &str = "nyxcore.sqlite";

/// Connections that a command holds which only looks at or changes the schema.
const FEW: u32 = 2;

/// Which database it is.
#[derive(Clone)]
pub enum Place {
    /// A file.
    Sqlite(PathBuf),
    /// A server, by a URL that may hold a password.
    Postgres(String),
}

impl Place {
    /// Where the settings say it is.
    ///
    /// # Errors
    /// [`Error::SettingInvalid`] for a URL of another kind.
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
            )),
        }
    }

    /// How to open it.
    pub fn options(&self, settings: &Settings) -> StoreOptions {
        let mut options = match self {
            Self::Sqlite(file) => StoreOptions::sqlite(file),
            Self::Postgres(url) => StoreOptions::new(url),
        };
        options.allow_privileged_role = settings.allow_privileged_role;
        options
    }
}

/// Opens a few connections to look at or change the schema.
///
/// # Errors
/// [`Error::DatabaseUnreachable`].
pub async fn connection_open(place: &Place, settings: &Settings) -> Result<DatabaseConnection> {
    let mut options = place.options(settings);
    options.max_connections = FEW;
    database_open(&options)
        .await
        .map_err(|error| unreachable(place, error))
}

/// Opens the store on a schema that is current. SQLite is migrated where it is behind; on PostgreSQL that takes the owner's role, so that
/// an operator does it.
///
/// # Errors
/// [`Error::DatabaseNewer`], [`Error::SchemaBehind`], [`Error::DatabaseUnreachable`], and what the store refuses.
pub async fn store_open(settings: &Settings, data_dir: &DataDir) -> Result<Store> {
    let place = Place::of(settings, data_dir.path())?;
    let connection = connection_open(&place, settings).await?;
    let state = schema_state(&connection)
        .await
        .map_err(nyxcore_tenancy::Error::from)?;
    match (state, &place) {
        (SchemaState::Current, _) => {}
        (SchemaState::Newer, _) => return Err(Error::DatabaseNewer),
        (SchemaState::Behind, Place::Postgres(_)) => return Err(Error::SchemaBehind),
        (SchemaState::Behind, Place::Sqlite(_)) => {
            schema_migrate(&connection).await?;
        }
    }
    connection
        .close()
        .await
        .map_err(nyxcore_tenancy::Error::from)?;
    let store = Store::connect(&place.options(settings), Env::default()).await;
    store.map_err(|error| unreachable(&place, error))
}

/// Applies what is missing, all of it or nothing, and tells the names. Two processes that do so at once do it once.
///
/// # Errors
/// The database refuses.
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
    migrate
        .await
        .map_err(|error: sea_orm::DbErr| Error::Store(error.into()))
}

/// On a server, what the store cannot name is that the server is not there or does not let us in.
fn unreachable(place: &Place, error: nyxcore_tenancy::Error) -> Error {
    match (place, error) {
        (
            Place::Postgres(_),
            nyxcore_tenancy::Error::Database(source) | nyxcore_tenancy::Error::Unreachable(source),
        ) => Error::DatabaseUnreachable(source.to_string()),
        (Place::Postgres(_), nyxcore_tenancy::Error::Busy) => {
            Error::DatabaseUnreachable("it did not answer in time".into())
        }
        (_, error) => error.into(),
    }
}
