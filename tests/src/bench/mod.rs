//! The shared parts of the gateway benchmarks: a PostgreSQL with rows, and the measured servers.

mod rows;
mod server;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, ensure};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use tempfile::TempDir;
use tokio::process::Command;
use url::Url;

use crate::TestDatabase;
pub use rows::{CreatedRows, NOTES, NOTES_WRITTEN, PROJECTS};
pub use server::Server;

/// The PostgreSQL server of the run, and the folders of the servers and of the peers' packages.
pub struct Bench {
    /// The URLs of the superuser, of the role that owns the tables and of the role that serves.
    superuser: Url,
    owner: Url,
    app: Url,
    peers: PathBuf,
    folder: TempDir,
    /// It creates the roles, and is dropped with this.
    _database: TestDatabase,
}

/// A nyxcore that serves, and its database.
pub struct Nyxcore {
    /// The server.
    pub server: Server,
    /// The name of its database.
    pub database: String,
}

impl Bench {
    /// Finds the PostgreSQL server that `with-postgres` started, and the packages of the peers.
    ///
    /// # Errors
    /// One of them is missing.
    pub async fn prepare(peers: &Path) -> anyhow::Result<Self> {
        ensure!(
            peers.join("node_modules").is_dir(),
            "{} has no node_modules: run `just bench-gateway`",
            peers.display()
        );
        let database = TestDatabase::postgres().await?;
        let superuser = Url::parse(database.superuser_url().context("this is PostgreSQL's")?)?;
        Ok(Self {
            superuser,
            owner: Url::parse(database.owner_url())?,
            app: Url::parse(database.app_url())?,
            peers: peers.to_owned(),
            folder: tempfile::tempdir()?,
            _database: database,
        })
    }

    /// The URL for serving a database. Its role owns nothing, and row-level security applies to it.
    pub fn app_url(&self, database: &str) -> Url {
        with_database(&self.app, database)
    }

    /// A connection that bypasses row-level security.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn superuser(&self, database: &str) -> anyhow::Result<DatabaseConnection> {
        let url = with_database(&self.superuser, database);
        let mut options = ConnectOptions::new(url.as_str());
        options.max_connections(1).sqlx_logging(false);
        #[expect(
            clippy::disallowed_methods,
            reason = "the rows are made without the product"
        )]
        Ok(Database::connect(options).await?)
    }

    /// Starts a nyxcore on a new database that it migrates itself, with the tenant `acme`, and a token of its owner.
    ///
    /// # Errors
    /// A command of the program fails; it does not start.
    pub async fn nyxcore(&self, label: &str, binary: &Path) -> anyhow::Result<Nyxcore> {
        let name = label.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let database = format!("nyxcore_bench_{}", name.to_ascii_lowercase());
        self.database_create(&database).await?;
        let nyxcore = |role: &Url| {
            let mut command = program(binary);
            command
                .arg("--data-dir")
                .arg(self.folder.path().join(label))
                .env(
                    "NYXCORE_DATABASE_URL",
                    with_database(role, &database).as_str(),
                )
                .env("NYXCORE_LOG", "warn")
                // One tenant sends requests without a limit, and has all streams.
                .env("NYXCORE_POINTS_PER_MINUTE", "0")
                .env("NYXCORE_CONNECTIONS_MAX", "12000")
                .env("NYXCORE_STREAMS_PER_USER", "12000")
                .env("RUST_LOG", "warn")
                .current_dir(self.folder.path());
            command
        };
        output(nyxcore(&self.owner).args(["migrate", "--app-role", self.app.username()])).await?;
        let created = output(nyxcore(&self.app).args([
            "tenant",
            "create",
            "acme",
            "--name",
            "Acme",
            "--owner",
            "ada@example.org",
            "--print-token",
        ]))
        .await?;
        let token = created
            .split_whitespace()
            .rfind(|word| word.starts_with("nyx_"))
            .context("no token was printed")?
            .to_owned();
        let port = free_port()?;
        let listen = format!("127.0.0.1:{port}");
        let child = nyxcore(&self.app)
            .args(["serve", "--workers", "0", "--listen", &listen])
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot run {}", binary.display()))?;
        let server = Server::ready(label, port, Some(token), child).await?;
        Ok(Nyxcore { server, database })
    }

    /// Starts a peer that is a script of Node.js, in the folder of its packages: `node SCRIPT DATABASE_URL PORT`. Its
    /// role is subject to row-level security, and it uses 10 connections.
    ///
    /// # Errors
    /// It does not start.
    pub async fn node(&self, peer: NodePeer<'_>) -> anyhow::Result<Server> {
        let path = self.peers.join(peer.script);
        ensure!(path.is_file(), "{} is missing", path.display());
        let port = free_port()?;
        let child = program("node")
            .arg(&path)
            .arg(self.app_url(peer.database).as_str())
            .arg(port.to_string())
            .current_dir(&self.peers)
            .env("NODE_ENV", "production")
            .env("GRAPHILE_ENV", "production")
            .envs(peer.settings.iter().copied())
            .spawn()
            .context("cannot run node")?;
        Server::ready(peer.label, port, peer.token.map(Into::into), child).await
    }

    /// Starts a peer that is a program: `PROGRAM DATABASE_URL PORT`.
    ///
    /// # Errors
    /// It does not start.
    pub async fn native(
        &self,
        label: &str,
        binary: &Path,
        database: &str,
        token: &str,
    ) -> anyhow::Result<Server> {
        let port = free_port()?;
        let child = program(binary)
            .arg(self.app_url(database).as_str())
            .arg(port.to_string())
            .spawn()
            .with_context(|| format!("cannot run {}", binary.display()))?;
        Server::ready(label, port, Some(token.into()), child).await
    }

    async fn database_create(&self, name: &str) -> anyhow::Result<()> {
        let postgres = self.superuser("postgres").await?;
        postgres
            .execute_unprepared(&format!(
                "CREATE DATABASE {name} OWNER {}",
                self.owner.username()
            ))
            .await?;
        postgres.close().await?;
        let operator = self.superuser(name).await?;
        operator
            .execute_unprepared("CREATE EXTENSION IF NOT EXISTS vector")
            .await?;
        Ok(operator.close().await?)
    }
}

/// A peer that is a script of Node.js.
pub struct NodePeer<'a> {
    /// Its name in the table.
    pub label: &'a str,
    /// The file in the folder of the peers.
    pub script: &'a str,
    /// The name of the database that it serves from.
    pub database: &'a str,
    /// The token of its requests.
    pub token: Option<&'a str>,
    /// Additional environment variables.
    pub settings: &'a [(&'a str, &'a str)],
}

fn with_database(url: &Url, name: &str) -> Url {
    let mut url = url.clone();
    url.set_path(name);
    url
}

/// Runs a command to its end and returns its output.
///
/// # Errors
/// It cannot be started, or it failed.
pub async fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().await?;
    ensure!(
        output.status.success(),
        "{command:?} failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A program that ends when its handle is dropped.
#[expect(
    clippy::disallowed_methods,
    reason = "servers and load generators are programs"
)]
pub fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    command.kill_on_drop(true);
    command
}

/// The median of an odd number of values; of an even number, the upper one.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    percentile(values, 50)
}

/// The smallest value that so many per cent of the values do not exceed. 0 without values.
pub fn percentile(values: impl IntoIterator<Item = f64>, percent: usize) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let place = (values.len() * percent / 100).min(values.len().saturating_sub(1));
    values.get(place).copied().unwrap_or_default()
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
