//! A temporary PostgreSQL cluster for one run: optimised for speed instead of durability, and always removed.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;
use tokio::process::{Child, ChildStdin};

use crate::binaries::{command, quiet};

/// Durability is useless for a database that lives for one run.
const SETTINGS: &[&str] = &[
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "max_connections=200",
    "shared_buffers=128MB",
    "wal_level=minimal",
    "max_wal_senders=0",
    "listen_addresses=127.0.0.1",
    // A test finds its own statements in the log by its database.
    "log_line_prefix=[%p] %d ",
];

/// Starts the server, and stops it when standard input ends: because this process closed it or has ended, even if
/// killed. If the server ends by itself, its folder stays for the log.
const KEEPER: &str = r#"
folder=$1; shift
exec 3<&0
"$@" 3<&- &
server=$!
(read -r _ <&3; : >"$folder/stopping"; kill -QUIT "$server") 2>/dev/null &
watcher=$!
wait "$server"
if [ -e "$folder/stopping" ]; then rm -rf "$folder"; else kill "$watcher"; exit 1; fi
"#;

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running cluster. Dropping it stops the server too; [`Cluster::stop`] also waits until the server has ended.
pub struct Cluster {
    url: String,
    version: String,
    keeper: Child,
    /// Held open while the server must run.
    keeper_input: ChildStdin,
    /// Removed by the keeper, or by this process if the keeper could not.
    _folder: TempDir,
}

impl Cluster {
    /// Creates the cluster and waits until it accepts connections.
    ///
    /// # Errors
    /// `initdb` failed, or the server did not start; the message carries its log.
    pub async fn start(bin: &Path) -> anyhow::Result<Self> {
        let user = server_user()?;
        let folder = tempfile::Builder::new()
            .prefix("nyxcore-postgres-")
            .tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))?;
        let data = folder.path().join("data");
        let password = password()?;
        let password_file = folder.path().join("password");
        fs::write(&password_file, &password)?;
        if let Some((uid, gid)) = user {
            chown(&password_file, Some(uid), Some(gid))?;
            chown(folder.path(), Some(uid), Some(gid))?;
        }

        let mut initdb = command(bin.join("initdb"));
        initdb
            .args([
                "--username=postgres",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            ])
            .arg("--no-sync")
            .arg(format!("--pwfile={}", password_file.display()))
            .arg(format!("--pgdata={}", data.display()));
        quiet(as_user(&mut initdb, user))?;

        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = folder.path().join("log");
        let log_file = fs::File::create(&log)?;
        let mut keeper = command("/bin/sh");
        keeper
            .args(["-c", KEEPER, "keeper"])
            .arg(folder.path())
            .arg(bin.join("postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-p")
            .arg(port.to_string())
            .arg("-k")
            .arg(folder.path());
        for setting in SETTINGS {
            keeper.args(["-c", setting]);
        }
        // In its own process group: Ctrl-C is for the command, and the server ends after it.
        as_user(&mut keeper, user)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(log_file.try_clone()?)
            .stderr(log_file);
        let mut keeper = tokio::process::Command::from(keeper)
            .spawn()
            .context("cannot run /bin/sh")?;
        // Taken out of the child, because waiting for a child closes its input.
        let keeper_input = keeper.stdin.take().context("the keeper has no input")?;
        let mut cluster = Self {
            url: format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres"),
            version: version(bin)?,
            keeper,
            keeper_input,
            _folder: folder,
        };
        cluster.wait_until_ready(&data, &log).await?;
        Ok(cluster)
    }

    /// The superuser's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The version that the server reports.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Stops the server and waits until it has ended and its folder is removed.
    ///
    /// # Errors
    /// The server's keeper could not be waited for.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.keeper_input);
        self.keeper.wait().await.context("cannot stop PostgreSQL")?;
        Ok(())
    }

    /// The server writes its state into the last line of `postmaster.pid`; `pg_ctl --wait` reads it there too.
    async fn wait_until_ready(&mut self, data: &Path, log: &Path) -> anyhow::Result<()> {
        let ready = async {
            loop {
                let state = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
                if state
                    .lines()
                    .last()
                    .is_some_and(|line| line.trim() == "ready")
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let problem = tokio::select! {
            () = ready => return Ok(()),
            _ = self.keeper.wait() => "ended as it started".to_owned(),
            () = tokio::time::sleep(PATIENCE) => format!("did not start within {} s", PATIENCE.as_secs()),
        };
        bail!(
            "PostgreSQL {problem}:\n{}",
            fs::read_to_string(log).unwrap_or_default()
        );
    }
}

/// Whether this process runs as root, for which PostgreSQL refuses to run.
///
/// # Errors
/// `id` cannot be run.
pub fn is_root() -> anyhow::Result<bool> {
    Ok(id(&["-u"])? == 0)
}

/// The user of the server if this process runs as root: `postgres` if a package created that user, else `nobody`.
fn server_user() -> anyhow::Result<Option<(u32, u32)>> {
    if !is_root()? {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        if let (Ok(uid), Ok(gid)) = (id(&["-u", name]), id(&["-g", name])) {
            return Ok(Some((uid, gid)));
        }
    }
    bail!("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as");
}

fn as_user(command: &mut Command, user: Option<(u32, u32)>) -> &mut Command {
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    // A folder that the user may enter; the current one may deny access.
    command.current_dir("/")
}

fn id(arguments: &[&str]) -> anyhow::Result<u32> {
    let output = command("id")
        .args(arguments)
        .output()
        .context("cannot run id")?;
    ensure!(output.status.success(), "id {arguments:?} failed");
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

fn version(bin: &Path) -> anyhow::Result<String> {
    let output = command(bin.join("postgres")).arg("--version").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// 128 random bits in hexadecimal: the server listens on the loopback address, which other users of the machine can
/// reach.
fn password() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
