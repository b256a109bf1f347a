//! Opens a database, and refuses a role that could bypass row-level security.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement,
};
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection, Executor};

use super::Store;
use crate::error::{Error, Result};
use crate::registry::Registry;

/// How long opening a connection may take. The gate limits the waiting for an open one.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a starting program waits for its database, which may be starting too.
const START_PATIENCE: Duration = Duration::from_secs(15);

/// Called with the text of a statement that has ended, and with its duration.
pub type StatementListener = Arc<dyn Fn(&str, Duration) + Send + Sync>;

/// The address of the database, and its options.
#[derive(Clone)]
pub struct StoreOptions {
    /// `sqlite:///path/to/file` or `postgres://user:password@host/name`.
    pub url: String,
    /// The registry of the process; unregistered actions are refused for everybody. By default only this crate's
    /// registration.
    pub registry: Registry,
    /// The most connections held at once.
    pub max_connections: u32,
    /// Accept a role that is a superuser or has BYPASSRLS.
    pub allow_privileged_role: bool,
    /// The lock timeout of a statement of a client's request, or of a migration, on PostgreSQL. Shorter than a client
    /// waits for an answer.
    pub lock_timeout: Duration,
    /// The statement timeout of a client's request, on PostgreSQL. It also limits the cost of a client that has
    /// disconnected.
    pub statement_timeout: Duration,
    /// How long a verified credential is cached without a signal. `None`: 10 s on PostgreSQL, where every change sends
    /// a signal, and 1 s on SQLite, where another process on the same file sends none.
    pub credential_recheck: Option<Duration>,
    /// How long after the first use the uses of credentials are stored, together.
    pub credential_flush: Duration,
    /// Called after every statement with its text, without its values, by the task that ran the statement.
    pub statement_listener: Option<StatementListener>,
}

impl StoreOptions {
    /// A database by its URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            registry: Registry::default(),
            max_connections: 10,
            allow_privileged_role: false,
            lock_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(30),
            credential_recheck: None,
            credential_flush: Duration::from_secs(2),
            statement_listener: None,
        }
    }

    /// A database in one file, which is created if it is missing.
    pub fn sqlite(file: &Path) -> Self {
        Self::new(format!("sqlite://{}?mode=rwc", file.display()))
    }

    /// The same options with another registry.
    #[must_use]
    pub fn with_registry(self, registry: Registry) -> Self {
        Self { registry, ..self }
    }
}

/// The database connections of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    /// The number of open connections.
    pub open: u32,
    /// The number of idle connections.
    pub idle: u32,
    /// The maximum number of connections.
    pub max: u32,
}

impl Store {
    /// The connections of this process.
    pub fn pool_state(&self) -> PoolState {
        let (open, idle) = match self.backend() {
            DbBackend::Postgres => {
                let pool = self.0.db.get_postgres_connection_pool();
                (pool.size(), pool.num_idle())
            }
            _ => {
                let pool = self.0.db.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle())
            }
        };
        PoolState {
            open,
            idle: u32::try_from(idle).unwrap_or(open),
            max: self.0.connections,
        }
    }
}

/// Opens the connections, for [`crate::Store`] and for migrations.
///
/// # Errors
/// The database cannot be reached or its file cannot be opened.
pub async fn database_open(options: &StoreOptions) -> Result<DatabaseConnection> {
    open(options, None).await
}

/// Opens the connections of a store. Statements without a transaction get the timeout of a client's statement here,
/// because a limit that a statement sets does not apply to itself.
pub(super) async fn serving_open(options: &StoreOptions) -> Result<DatabaseConnection> {
    open(options, Some(options.statement_timeout)).await
}

async fn open(
    options: &StoreOptions,
    statement_timeout: Option<Duration>,
) -> Result<DatabaseConnection> {
    let lock_timeout = options.lock_timeout;
    let mut connect = ConnectOptions::new(&options.url);
    connect
        .max_connections(options.max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|sqlite| {
            // Readers continue beside one writer. A power failure may lose the last commits, but never corrupts the
            // file.
            sqlite
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(10))
                // The log is copied into the file every 16 MB instead of every 4 MB, because each copy waits twice for
                // the disk.
                .pragma("wal_autocheckpoint", "4000")
                .pragma("cache_size", "-16000")
                // A search reads thousands of rows that are spread over the file: mapped, they are not copied.
                .pragma("mmap_size", "268435456")
                .pragma("temp_store", "memory")
        })
        .map_sqlx_sqlite_pool_opts(|pool| {
            // On a full disk SQLite ends a transaction by itself. The driver's ROLLBACK then fails, and the connection
            // would count as inside a transaction for ever. Such a connection is closed. The ping waits for a rollback
            // that is still running.
            pool.after_release(|connection, _| {
                Box::pin(async move {
                    connection.ping().await?;
                    Ok(!connection.is_in_transaction())
                })
            })
        })
        .map_sqlx_postgres_pool_opts(move |pool| {
            // For work outside of the store's transactions, such as a migration: while a statement waits for a table's
            // lock, every later reader of that table waits behind it.
            let mut limits = format!("SET lock_timeout = {}", lock_timeout.as_millis());
            if let Some(limit) = statement_timeout {
                limits = format!("{limits}; SET statement_timeout = {}", limit.as_millis());
            }
            pool.after_connect(move |connection, _| {
                let limits = limits.clone();
                Box::pin(async move { connection.execute(AssertSqlSafe(limits)).await.map(drop) })
            })
        });
    let began = Instant::now();
    let mut database = loop {
        match Database::connect(connect.clone())
            .await
            .map_err(Error::from)
        {
            Err(Error::Busy | Error::Unreachable(_)) if began.elapsed() < START_PATIENCE => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            database => break database?,
        }
    };
    if let Some(listener) = options.statement_listener.clone() {
        database.set_metric_callback(move |info| listener(&info.statement.sql, info.elapsed));
    }
    Ok(database)
}

/// Checks the role: superusers and roles with BYPASSRLS see every tenant's rows, whatever the policies say.
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
