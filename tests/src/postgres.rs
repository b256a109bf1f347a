//! Databases on the PostgreSQL server of the test run: one migrated template, and a copy for each test.

use std::path::Path;

use anyhow::{Context, bail};
use nyxcore_migrations::{Migrator, MigratorTrait, grant_app_role};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use sha2::{Digest, Sha256};
use url::Url;
use uuid::Uuid;

use crate::database::connect;

/// The variable with the URL of the server, for a superuser.
const URL_VARIABLE: &str = "NYXCORE_TEST_DATABASE_URL";

/// The owner of the tables, like an operator's owner role. It cannot create roles, is no superuser, and row-level
/// security applies to it.
const OWNER_ROLE: &str = "nyxcore_test_owner";
/// The serving role: it may log in, and owns nothing.
const APP_ROLE: &str = "nyxcore_test_app";

/// The lock that is held while the template is created, so that tests that start together create it once. The number is
/// arbitrary, but used nowhere else.
const TEMPLATE_LOCK: i64 = 0x6e79_7863_6f72_6501;

/// The superuser's URL of the run's server, for a test that creates roles and databases itself.
///
/// # Errors
/// The environment names no server.
pub fn postgres_superuser_url() -> anyhow::Result<Url> {
    Ok(Postgres::from_env()?.superuser)
}

/// The server of the run.
pub struct Postgres {
    superuser: Url,
}

/// One test's database.
pub struct PostgresDatabase {
    pub app_url: String,
    pub owner_url: String,
    pub superuser_url: String,
    name: String,
    server: Url,
}

impl Postgres {
    /// The server in the environment variable.
    pub fn from_env() -> anyhow::Result<Self> {
        match std::env::var(URL_VARIABLE) {
            Ok(url) if !url.is_empty() => Ok(Self {
                superuser: Url::parse(&url)
                    .with_context(|| format!("{URL_VARIABLE} is not a URL"))?,
            }),
            _ => bail!(
                "{URL_VARIABLE} is not set: run `just test`, which starts a server for the tests"
            ),
        }
    }

    /// A new database for one test.
    pub async fn database_create(&self) -> anyhow::Result<PostgresDatabase> {
        let server = connect(self.superuser.as_str()).await?;
        let template = self.template_ensure(&server).await?;
        #[expect(
            clippy::disallowed_methods,
            reason = "the name must be new on a server that other runs use too"
        )]
        let name = format!("nyxcore_test_{}", Uuid::now_v7().simple());
        server
            .execute_unprepared(&format!(
                "CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER_ROLE}"
            ))
            .await?;
        server.close().await?;
        Ok(PostgresDatabase {
            app_url: self.url(&name, Some(APP_ROLE))?,
            owner_url: self.url(&name, Some(OWNER_ROLE))?,
            superuser_url: self.url(&name, None)?,
            name,
            server: self.superuser.clone(),
        })
    }

    /// The template's name. The template is created if it is missing.
    async fn template_ensure(&self, server: &DatabaseConnection) -> anyhow::Result<String> {
        let template = format!("nyxcore_template_{}", history_digest()?);
        if exists(server, &template).await? {
            return Ok(template);
        }
        // The lock belongs to a database session: one connection acquires it, and its end releases it.
        let holder = connect(self.superuser.as_str()).await?;
        let session = sea_orm::TransactionTrait::begin(&holder).await?;
        session
            .execute_unprepared(&format!("SELECT pg_advisory_xact_lock({TEMPLATE_LOCK})"))
            .await?;
        if !exists(server, &template).await? {
            self.template_create(server, &template).await?;
        }
        session.commit().await?;
        holder.close().await?;
        Ok(template)
    }

    /// Creates the template under another name until it is complete, so that an interrupted run leaves nothing that
    /// looks complete.
    async fn template_create(
        &self,
        server: &DatabaseConnection,
        template: &str,
    ) -> anyhow::Result<()> {
        let unfinished = format!("{template}_unfinished");
        for role in [OWNER_ROLE, APP_ROLE] {
            if !role_exists(server, role).await? {
                server
                    .execute_unprepared(&format!("CREATE ROLE {role}"))
                    .await?;
            }
            let password = self.password(role);
            server
                .execute_unprepared(&format!(
                    "ALTER ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD '{password}'"
                ))
                .await?;
        }
        server
            .execute_unprepared(&format!(
                "DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)"
            ))
            .await?;
        server
            .execute_unprepared(&format!("CREATE DATABASE {unfinished} OWNER {OWNER_ROLE}"))
            .await?;
        // As an operator, because the owner of the tables may not do this.
        let operator = connect(&self.url(&unfinished, None)?).await?;
        operator
            .execute_unprepared("CREATE EXTENSION IF NOT EXISTS vector")
            .await
            .context("the tests need a PostgreSQL with the extension vector")?;
        operator.close().await?;
        let owner = connect(&self.url(&unfinished, Some(OWNER_ROLE))?).await?;
        Migrator::up(&owner, None)
            .await
            .context("cannot migrate PostgreSQL")?;
        grant_app_role(&owner, APP_ROLE).await?;
        owner.close().await?;
        server
            .execute_unprepared(&format!("ALTER DATABASE {unfinished} RENAME TO {template}"))
            .await?;
        Ok(())
    }

    /// The URL of a database on this server for a role, or for the superuser if none is given.
    fn url(&self, database: &str, role: Option<&str>) -> anyhow::Result<String> {
        let mut url = self.superuser.clone();
        url.set_path(database);
        if let Some(role) = role {
            let set = url
                .set_username(role)
                .and_then(|()| url.set_password(Some(&self.password(role))));
            set.ok()
                .with_context(|| format!("{URL_VARIABLE} names no host"))?;
        }
        Ok(url.into())
    }

    /// The role's password: the same in every process of the run, and unknown without the superuser's password.
    fn password(&self, role: &str) -> String {
        let secret = self.superuser.password().unwrap_or_default();
        hex::encode(Sha256::digest(format!("{role} {secret}")))
    }
}

impl PostgresDatabase {
    /// Drops the database, even if clients are still connected.
    pub async fn remove(&self) -> anyhow::Result<()> {
        let server = connect(self.server.as_str()).await?;
        server
            .execute_unprepared(&format!("DROP DATABASE {} WITH (FORCE)", self.name))
            .await?;
        server.close().await?;
        Ok(())
    }
}

/// A digest that distinguishes schema histories: a server that outlives the run keeps its templates, and an outdated
/// one must not be used.
fn history_digest() -> anyhow::Result<String> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/src"));
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort_unstable();
    let mut digest = Sha256::new();
    for file in files {
        digest.update(std::fs::read(file)?);
    }
    Ok(hex::encode(&digest.finalize()[..8]))
}

async fn exists(server: &DatabaseConnection, database: &str) -> anyhow::Result<bool> {
    any_row(
        server,
        "SELECT 1 FROM pg_database WHERE datname = $1",
        database,
    )
    .await
}

async fn role_exists(server: &DatabaseConnection, role: &str) -> anyhow::Result<bool> {
    any_row(server, "SELECT 1 FROM pg_roles WHERE rolname = $1", role).await
}

async fn any_row(server: &DatabaseConnection, query: &str, argument: &str) -> anyhow::Result<bool> {
    let statement =
        Statement::from_sql_and_values(server.get_database_backend(), query, [argument.into()]);
    Ok(server.query_one_raw(statement).await?.is_some())
}
