//! Opening a database, and refusing a role that could look past its rules.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement,
};
use sqlx::Connection;
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};

use crate::error::{Error, Result};

/// Hears the text of a statement.
pub type StatementListener = Arc<dyn Fn(&str) + Send + Sync>;

/// Where the database is and how it may be used.
#[derive(Clone)]
pub struct StoreOptions {
    /// `sqlite:///path/to/file` or `postgres://user:password@host/name`.
    pub url: String,
    /// The most connections held at once.
    pub max_connections: u32,
    /// Serve even as a superuser or with BYPASSRLS.
    pub allow_privileged_role: bool,
    /// Hears the text of every statement, without its values: what a test counts.
    pub statement_listener: Option<StatementListener>,
}

impl StoreOptions {
    /// A database by its URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 10,
            allow_privileged_role: false,
            statement_listener: None,
        }
    }

    /// A database in one file, made if it is not there.
    pub fn sqlite(file: &Path) -> Self {
        Self::new(format!("sqlite://{}?mode=rwc", file.display()))
    }
}

/// Opens the connections, for [`crate::Store`] and for migrations.
///
/// # Errors
/// The database cannot be reached or its file cannot be opened.
pub async fn database_open(options: &StoreOptions) -> Result<DatabaseConnection> {
    let mut connect = ConnectOptions::new(&options.url);
    connect
        .max_connections(options.max_connections)
        .acquire_timeout(Duration::from_secs(15))
        .connect_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|sqlite| {
            // Readers go on beside one writer; a power cut may lose the last commits but never breaks the file.
            sqlite
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(10))
                // What is written in bulk is copied from the log into the file every 16 MB, and not every 4: each time costs two waits for the disk.
                .pragma("wal_autocheckpoint", "4000")
                .pragma("cache_size", "-16000")
                .pragma("temp_store", "memory")
        })
        .map_sqlx_sqlite_pool_opts(|pool| {
            // On a full disk SQLite ends a transaction by itself; the driver's ROLLBACK then fails and the connection would be taken for
            // one in a transaction for ever. Such a one is closed. The ping waits for a rollback that is still under way.
            pool.after_release(|connection, _| {
                Box::pin(async move {
                    connection.ping().await?;
                    Ok(!connection.is_in_transaction())
                })
            })
        });
    let mut database = Database::connect(connect).await?;
    if let Some(listener) = options.statement_listener.clone() {
        database.set_metric_callback(move |info| listener(&info.statement.sql));
    }
    Ok(database)
}

/// Superusers and roles with BYPASSRLS see every tenant's rows whatever the policies say.
pub(super) async fn role_check(db: &DatabaseConnection) -> Result<()> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let sql = "SELECT rolname::text AS name FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)";
    let unsafe_role = db
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await?;
    match unsafe_role {
        Some(row) => Err(Error::UnsafeRole(row.try_get("", "name")?)),
        None => Ok(()),
    }
}
