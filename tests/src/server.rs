//! The real `nyxcore` binary, listening on a free port, as a test's server.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use sea_orm::DbBackend;

use crate::TestDatabase;

/// How long a server may take to become ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running `nyxcore serve`. It is killed when this is dropped.
pub struct TestServer {
    child: Child,
    port: u16,
    log: PathBuf,
}

impl TestServer {
    /// Starts a server on the test's database and waits until `/readyz` reports that it is ready.
    ///
    /// On SQLite the database file is in its data directory, which is the database's folder; further servers of the
    /// same test share it. `arguments` follow `serve`, as in `["--allow-sources", "local"]`.
    ///
    /// # Errors
    /// It did not become ready; the message contains its output.
    pub async fn start(database: &TestDatabase, arguments: &[&str]) -> anyhow::Result<Self> {
        Self::start_by(database, arguments, &[]).await
    }

    /// As [`start`](Self::start), through another program that runs its arguments as a command: `["prlimit",
    /// "--nofile=1024"]`.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_by(
        database: &TestDatabase,
        arguments: &[&str],
        by: &[&str],
    ) -> anyhow::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = database.folder().join(format!("server-{port}.log"));
        let log_file = File::create(&log)?;
        let child = command_by(nyxcore_command(database)?, by)
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log_file.try_clone()?)
            .stderr(log_file)
            .spawn()
            .context("cannot start nyxcore")?;
        let mut server = Self { child, port, log };
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// `http://127.0.0.1:<port>` and the path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// `ws://127.0.0.1:<port>` and the path.
    pub fn ws_url(&self, path: &str) -> String {
        format!("ws://127.0.0.1:{}{path}", self.port)
    }

    /// Everything the server has written so far, standard output and standard error together.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Stops the server by SIGTERM, and waits until it has ended.
    ///
    /// # Errors
    /// It has not ended within `patience`.
    pub async fn terminate(&mut self, patience: Duration) -> anyhow::Result<ExitStatus> {
        #[expect(
            clippy::disallowed_methods,
            reason = "a test sends the signal that an operator sends"
        )]
        let mut kill = Command::new("kill");
        ensure!(kill.arg(self.child.id().to_string()).status()?.success());
        let start = tokio::time::Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            ensure!(
                start.elapsed() < patience,
                "nyxcore had not ended after {patience:?}:\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Kills the server, as a crash would.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits until `/readyz` reports success, whatever else the server serves.
    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let url = self.url("/readyz");
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(2))
            .build()?;
        let start = tokio::time::Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "nyxcore ended ({status}) before it was ready:\n{}",
                    self.log()
                );
            }
            let answer = client.get(&url).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            ensure!(
                start.elapsed() < PATIENCE,
                "nyxcore was not ready after {PATIENCE:?}:\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        // It may have ended already, which is fine.
        let _gone = self.kill();
    }
}

/// The same command, run by another program.
fn command_by(command: Command, by: &[&str]) -> Command {
    let Some((program, arguments)) = by.split_first() else {
        return command;
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "the server under test is a program"
    )]
    let mut outer = Command::new(program);
    outer.args(arguments).arg(command.get_program());
    outer.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        outer.current_dir(folder);
    }
    outer
}

/// The `nyxcore` command on the test's database, with the global options set and without other settings of this
/// machine.
///
/// # Errors
/// The binary has not been built.
pub fn nyxcore_command(database: &TestDatabase) -> anyhow::Result<Command> {
    nyxcore_command_in(database, &database.folder().join("data"))
}

/// As [`nyxcore_command`], with its own data directory, like a separate machine.
///
/// # Errors
/// As [`nyxcore_command`].
pub fn nyxcore_command_in(database: &TestDatabase, data_dir: &Path) -> anyhow::Result<Command> {
    let this = std::env::current_exe()?;
    // A program is in the folder of the binary, and target/debug/deps/it-0123456789abcdef one folder below it.
    let folders = this.ancestors().skip(1).take(2);
    let binary = folders
        .map(|folder| folder.join("nyxcore"))
        .find(|binary| binary.is_file())
        .context("the nyxcore binary has not been built: run `just test`")?;
    #[expect(
        clippy::disallowed_methods,
        reason = "the server under test is a program"
    )]
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("NYXCORE_") {
            command.env_remove(name);
        }
    }
    // Not in the work tree, which may contain a nyxcore.toml.
    command.current_dir(database.folder());
    command.arg("--data-dir").arg(data_dir);
    if database.backend() == DbBackend::Postgres {
        command.env("NYXCORE_DATABASE_URL", database.app_url());
    }
    Ok(command)
}
