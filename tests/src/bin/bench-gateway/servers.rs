//! The measured servers, each on a database with the same rows.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use nyxcore_tests::TestDatabase;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use url::Url;

/// Rows of the one tenant that is asked.
const PROJECTS: usize = 1_000;
const NOTES: usize = 100_000;
/// How long a server may take to answer its first request.
const PATIENCE: Duration = Duration::from_secs(60);

/// The PostgreSQL server of the run, and where the servers keep their files.
pub struct Bench {
    /// The URLs of the superuser, of the role that owns the tables and of the role that serves.
    superuser: Url,
    owner: Url,
    app: Url,
    peer: PathBuf,
    folder: TempDir,
    /// The database that the URLs name is dropped with it.
    _database: TestDatabase,
}

/// A server that is measured. It ends with this.
pub struct Server {
    /// Its name in the table.
    pub label: String,
    /// The bearer token that it wants.
    pub token: Option<String>,
    /// A project to ask for, in the form of this server's ids.
    pub project_id: String,
    port: u16,
    child: Child,
}

impl Server {
    /// Where it answers GraphQL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/graphql", self.port)
    }

    /// The most memory it has had resident so far, in megabytes.
    ///
    /// # Errors
    /// The process has ended.
    pub fn peak_memory_mb(&self) -> anyhow::Result<u64> {
        let id = self.child.id().context("the server has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next());
        Ok(kilobytes.context("no VmHWM")?.parse::<u64>()? / 1024)
    }

    async fn ask(&self, query: &str) -> anyhow::Result<serde_json::Value> {
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let body = serde_json::json!({ "query": query }).to_string();
        let mut request = client
            .post(self.url())
            .header("Content-Type", "application/json")
            .body(body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await?.text().await?;
        Ok(serde_json::from_str(&answer)?)
    }

    async fn wait_until_ready(&self) -> anyhow::Result<()> {
        let start = tokio::time::Instant::now();
        while self.ask("{ __typename }").await.is_err() {
            ensure!(start.elapsed() < PATIENCE, "{} did not start", self.label);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

impl Bench {
    /// Finds the PostgreSQL server that `with-postgres` started.
    ///
    /// # Errors
    /// There is none; or the peer is not installed.
    pub async fn prepare(peer: &Path) -> anyhow::Result<Self> {
        ensure!(
            peer.join("node_modules").is_dir(),
            "the peer is not installed: run `just bench-gateway`"
        );
        let database = TestDatabase::postgres().await?;
        let superuser = Url::parse(database.superuser_url().context("this is PostgreSQL's")?)?;
        Ok(Self {
            superuser,
            owner: Url::parse(database.owner_url())?,
            app: Url::parse(database.app_url())?,
            peer: peer.to_owned(),
            folder: tempfile::tempdir()?,
            _database: database,
        })
    }

    /// A nyxcore on a database that it migrated itself.
    ///
    /// # Errors
    /// A command of the program fails, or it does not start.
    pub async fn nyxcore(&self, label: &str, binary: &Path) -> anyhow::Result<Server> {
        let name = format!(
            "nyxcore_bench_{}",
            label.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
        );
        self.database_make(&name).await?;
        let nyxcore = |role: &Url| {
            let mut url = role.clone();
            url.set_path(&name);
            let mut command = program(binary);
            command
                .arg("--data-dir")
                .arg(self.folder.path().join(label))
                .env("NYXCORE_DATABASE_URL", url.as_str())
                .env("NYXCORE_LOG", "warn")
                // One tenant asks as fast as it can.
                .env("NYXCORE_POINTS_PER_MINUTE", "0")
                .env("RUST_LOG", "warn")
                .current_dir(self.folder.path());
            command
        };
        output(nyxcore(&self.owner).args(["migrate", "--app-role", self.app.username()])).await?;
        let created = [
            "tenant",
            "create",
            "acme",
            "--name",
            "Acme",
            "--owner",
            "ada@example.org",
            "--print-token",
        ];
        let token = output(nyxcore(&self.app).args(created)).await?;
        let token = token
            .split_whitespace()
            .rfind(|word| word.starts_with("nyx_"));
        let token = token.context("no token was printed")?.to_owned();
        self.rows_make(&name).await?;
        let port = free_port()?;
        let child = nyxcore(&self.app)
            .args([
                "serve",
                "--workers",
                "0",
                "--listen",
                &format!("127.0.0.1:{port}"),
            ])
            .stdout(Stdio::null())
            .spawn()?;
        let mut server = Server {
            label: label.to_owned(),
            token: Some(token),
            project_id: String::new(),
            port,
            child,
        };
        server.wait_until_ready().await?;
        let first = server
            .ask("{ projects(first: 1) { nodes { id } } }")
            .await?;
        let id = first["data"]["projects"]["nodes"][0]["id"].as_str();
        server.project_id = id.with_context(|| first.to_string())?.to_owned();
        Ok(server)
    }

    /// The peer, as a superuser, on a database of its own that the test harness migrated.
    ///
    /// # Errors
    /// It does not start.
    pub async fn mercurius(&self) -> anyhow::Result<Server> {
        let name = self.superuser.path().trim_start_matches('/').to_owned();
        let connection = connect(self.superuser.as_str()).await?;
        connection
            .execute_unprepared(
                "INSERT INTO tenants (id, slug, name, created_at) VALUES (gen_random_uuid(), 'acme', 'Acme', now())",
            )
            .await?;
        connection.close().await?;
        self.rows_make(&name).await?;
        let script = self.peer.join("mercurius.mjs");
        std::fs::write(&script, include_str!("mercurius.mjs"))?;
        let port = free_port()?;
        let child = program("node")
            .arg(&script)
            .args([self.superuser.as_str(), &port.to_string()])
            .current_dir(&self.peer)
            .env("NODE_ENV", "production")
            .spawn()
            .context("cannot run node")?;
        let connection = connect(self.superuser.as_str()).await?;
        let sql = "SELECT id::text AS id FROM projects ORDER BY id DESC LIMIT 1";
        let row = connection
            .query_one_raw(Statement::from_string(
                connection.get_database_backend(),
                sql,
            ))
            .await?
            .context("no project")?;
        let server = Server {
            label: "mercurius".into(),
            token: None,
            project_id: row.try_get("", "id")?,
            port,
            child,
        };
        connection.close().await?;
        server.wait_until_ready().await?;
        Ok(server)
    }

    async fn database_make(&self, name: &str) -> anyhow::Result<()> {
        let connection = connect(self.superuser.as_str()).await?;
        connection
            .execute_unprepared(&format!(
                "CREATE DATABASE {name} OWNER {}",
                self.owner.username()
            ))
            .await?;
        Ok(connection.close().await?)
    }

    /// Projects and notes of the one tenant, spread evenly.
    async fn rows_make(&self, name: &str) -> anyhow::Result<()> {
        let mut url = self.superuser.clone();
        url.set_path(name);
        let connection = connect(url.as_str()).await?;
        let each = NOTES / PROJECTS;
        connection
            .execute_unprepared(&format!(
                "INSERT INTO projects (tenant_id, id, slug, name, created_at, updated_at)
                 SELECT t.id, gen_random_uuid(), 'project-' || n, 'Project ' || n, now(), now()
                 FROM tenants t, generate_series(1, {PROJECTS}) n;
                 INSERT INTO notes (tenant_id, id, project_id, title, body, created_at, updated_at)
                 SELECT p.tenant_id, gen_random_uuid(), p.id, 'title ' || n, repeat('body ', 40), now(), now()
                 FROM projects p, generate_series(1, {each}) n"
            ))
            .await?;
        connection.execute_unprepared("ANALYZE").await?;
        Ok(connection.close().await?)
    }
}

async fn connect(url: &str) -> anyhow::Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    #[expect(
        clippy::disallowed_methods,
        reason = "the rows are made past the product"
    )]
    Ok(Database::connect(options).await?)
}

async fn output(command: &mut Command) -> anyhow::Result<String> {
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

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
