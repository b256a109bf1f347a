//! `with-postgres -- COMMAND...`: runs a command with a temporary PostgreSQL server. The command finds it through
//! `NYXCORE_TEST_DATABASE_URL`. The server is removed when the command ends in any way. The server's own programs come
//! first on the command's `PATH`.
//!
//! If that variable is already set, the server that it names is used and nothing is started.

mod binaries;
mod cluster;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The variable with the server's URL, for a superuser that creates databases and roles.
const URL_VARIABLE: &str = "NYXCORE_TEST_DATABASE_URL";

/// How long a command may take to end after a signal.
const GRACE: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("with-postgres: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<u8> {
    let mut arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "--") {
        arguments.remove(0);
    }
    if arguments.is_empty() {
        bail!("usage: with-postgres -- COMMAND...");
    }
    // From here on signals are handled below, so that none can leave a server behind.
    let mut signals = Signals::listen()?;

    if std::env::var_os(URL_VARIABLE).is_some_and(|url| !url.is_empty()) {
        eprintln!("with-postgres: using the server of {URL_VARIABLE}");
        return run_command(&arguments, None, &mut signals).await;
    }
    let binaries = binaries::find()?;
    let cluster = cluster::Cluster::start(&binaries).await?;
    eprintln!(
        "with-postgres: {} from {}",
        cluster.version(),
        binaries.display()
    );
    let code = run_command(&arguments, Some((&cluster, &*binaries)), &mut signals).await;
    cluster.stop().await?;
    code
}

/// Runs the command to its end and returns its exit code; 128 + n if signal n ended the command or this process.
async fn run_command(
    arguments: &[std::ffi::OsString],
    server: Option<(&cluster::Cluster, &Path)>,
    signals: &mut Signals,
) -> anyhow::Result<u8> {
    let mut command = command(&arguments[0]);
    command.args(&arguments[1..]);
    if let Some((cluster, binaries)) = server {
        command.env(URL_VARIABLE, cluster.url());
        // `pg_dump` and `pg_restore` of the server's own version come first.
        let path = std::env::var_os("PATH").unwrap_or_default();
        let own = std::iter::once(binaries.to_owned());
        command.env(
            "PATH",
            std::env::join_paths(own.chain(std::env::split_paths(&path)))?,
        );
    }
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run {}", arguments[0].display()))?;
    let (number, name) = tokio::select! {
        status = child.wait() => return Ok(exit_code(status?)),
        signal = signals.next() => signal,
    };
    // Ctrl-C reaches the whole foreground process group, so the command receives it too. A second one would interrupt
    // its cleanup.
    if number != SignalKind::interrupt().as_raw_value() {
        forward(&child, name).await;
    }
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        child.kill().await?;
    }
    Ok(128 + u8::try_from(number)?)
}

fn exit_code(status: std::process::ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let code = status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    u8::try_from(code).unwrap_or(1)
}

async fn forward(child: &Child, signal: &str) {
    if let Some(id) = child.id() {
        // The command may have ended just now; then nothing receives the signal.
        let _gone = command("kill")
            .args(["-s", signal, &id.to_string()])
            .status()
            .await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "running programs is what this one is for; it is no part of nyxcore"
)]
fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program)
}

/// The signals that ask a program to end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The next signal: its number and its name.
    async fn next(&mut self) -> (i32, &'static str) {
        tokio::select! {
            _ = self.interrupt.recv() => (SignalKind::interrupt().as_raw_value(), "INT"),
            _ = self.terminate.recv() => (SignalKind::terminate().as_raw_value(), "TERM"),
            _ = self.hang_up.recv() => (SignalKind::hangup().as_raw_value(), "HUP"),
        }
    }
}
