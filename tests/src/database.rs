//! A database for one test: created, migrated, and removed afterwards.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use nyxcore_migrations::{Migrator, MigratorTrait};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbBackend};
use tempfile::TempDir;

use crate::postgres::{Postgres, PostgresDatabase};

/// A database for one test, new and migrated. Clones are handles to the same database.
#[derive(Clone)]
pub struct TestDatabase(Arc<Inner>);

struct Inner {
    /// A server of this test also stores its files here.
    folder: TempDir,
    urls: Urls,
}

enum Urls {
    Sqlite(String),
    Postgres(PostgresDatabase),
}

impl TestDatabase {
    /// A SQLite file in a temporary folder.
    ///
    /// # Errors
    /// The file cannot be created or migrated.
    pub async fn sqlite() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("nyxcore-test-").tempdir()?;
        let url = format!(
            "sqlite://{}?mode=rwc",
            folder.path().join("test.sqlite").display()
        );
        let connection = connect(&url).await?;
        Migrator::up(&connection, None)
            .await
            .context("cannot migrate SQLite")?;
        connection.close().await?;
        Ok(Self(Arc::new(Inner {
            folder,
            urls: Urls::Sqlite(url),
        })))
    }

    /// A copy of the migrated template on the server that `just test` started.
    ///
    /// # Errors
    /// `NYXCORE_TEST_DATABASE_URL` is missing, or the server refuses.
    pub async fn postgres() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("nyxcore-test-").tempdir()?;
        let database = Postgres::from_env()?.database_create().await?;
        Ok(Self(Arc::new(Inner {
            folder,
            urls: Urls::Postgres(database),
        })))
    }

    /// The kind of the database.
    pub fn backend(&self) -> DbBackend {
        match self.0.urls {
            Urls::Sqlite(_) => DbBackend::Sqlite,
            Urls::Postgres(_) => DbBackend::Postgres,
        }
    }

    /// The URL for serving. On PostgreSQL its role owns nothing, and row-level security applies to it.
    pub fn app_url(&self) -> &str {
        match &self.0.urls {
            Urls::Sqlite(url) => url,
            Urls::Postgres(database) => &database.app_url,
        }
    }

    /// The URL for migrating. On PostgreSQL its role owns the tables and is no superuser, so that row-level security
    /// applies to it as well (FORCE).
    pub fn owner_url(&self) -> &str {
        match &self.0.urls {
            Urls::Sqlite(url) => url,
            Urls::Postgres(database) => &database.owner_url,
        }
    }

    /// A plain connection of the serving role, for a test that tries its rights by raw SQL.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn app_connection(&self) -> anyhow::Result<DatabaseConnection> {
        connect(self.app_url()).await
    }

    /// The superuser's URL, for a test of its refusal. `None` on SQLite, which has no roles.
    pub fn superuser_url(&self) -> Option<&str> {
        match &self.0.urls {
            Urls::Sqlite(_) => None,
            Urls::Postgres(database) => Some(&database.superuser_url),
        }
    }

    /// A plain connection that bypasses row-level security, for a test that checks the stored rows.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn superuser_connection(&self) -> anyhow::Result<DatabaseConnection> {
        match &self.0.urls {
            Urls::Sqlite(url) => connect(url).await,
            Urls::Postgres(database) => connect(&database.superuser_url).await,
        }
    }

    /// A temporary folder that lives as long as the database, such as a server's data directory.
    pub fn folder(&self) -> &Path {
        self.0.folder.path()
    }

    /// Removes the database, even if clients are still connected.
    async fn remove(self) -> anyhow::Result<()> {
        match &self.0.urls {
            Urls::Sqlite(_) => Ok(()),
            Urls::Postgres(database) => database.remove().await,
        }
    }
}

/// A small pool: a server allows a few hundred connections, and tests run concurrently.
#[expect(
    clippy::disallowed_methods,
    reason = "a test looks at the database without the store, to see what the store did"
)]
pub(crate) async fn connect(url: &str) -> anyhow::Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(2).sqlx_logging(false);
    Ok(Database::connect(options).await?)
}

/// Runs a test with a SQLite database of its own.
///
/// # Panics
/// If the test panics, or the database cannot be created.
pub fn run_on_sqlite<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    test: impl FnOnce(TestDatabase) -> F,
) -> T {
    run(TestDatabase::sqlite(), test)
}

/// Runs a test with a PostgreSQL database of its own.
///
/// # Panics
/// If the test panics, or the database cannot be created.
pub fn run_on_postgres<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    test: impl FnOnce(TestDatabase) -> F,
) -> T {
    run(TestDatabase::postgres(), test)
}

fn run<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    database: impl Future<Output = anyhow::Result<TestDatabase>>,
    test: impl FnOnce(TestDatabase) -> F,
) -> T {
    // The program does the same at its start: the HTTP client needs a crypto provider for TLS. A second installation
    // has no effect.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a test needs a runtime");
    runtime.block_on(async {
        let database = match database.await {
            Ok(database) => database,
            Err(error) => panic!("no database for this test: {error:#}"),
        };
        // As a separate task, so that the database is removed also after a test that panicked.
        let outcome = tokio::spawn(test(database.clone())).await;
        let removed = database.remove().await;
        match outcome {
            Ok(value) => {
                removed.expect("the test's database can be removed");
                value
            }
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    })
}
