//! The only place that starts `git`. Every command runs in a closed environment: our configuration only, no prompts,
//! no hooks, no helpers, and only the verified protocol. It ends with its caller, including all child processes.
//!
//! Longer than 450 lines: every guard around a git process is in one place.

use std::{
    ffi::OsString,
    net::IpAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, Command},
};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{FetchProgress, GitError, failure::failure_classify, progress::progress_parse};

/// Most that is kept of what git prints on standard output: one line a ref of a very large remote.
const STDOUT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most that is kept of what git prints on standard error, progress aside.
const STDERR_BYTES_MAX: usize = 8 * 1024;
/// How long a command may take to clean up behind itself once it was asked to stop.
const STOP_GRACE: Duration = Duration::from_millis(500);

/// Limits git's memory for any remote: large files are streamed in pieces, packs are mapped in small windows.
const MEMORY: &[(&str, &str)] = &[
    ("core.bigFileThreshold", "16m"),
    ("core.packedGitWindowSize", "32m"),
    ("core.packedGitLimit", "512m"),
    ("core.deltaBaseCacheLimit", "64m"),
    ("pack.windowMemory", "64m"),
    ("pack.threads", "2"),
];

/// The `git` command of this machine, and its environment.
#[derive(Debug, Clone)]
pub struct GitOptions {
    /// The program: a name that is looked up in `search_path`, or an absolute path.
    pub program: PathBuf,
    /// `PATH` for git and its child processes (ssh, its own helpers).
    pub search_path: OsString,
    /// A folder that is empty, or not there at all: git's home.
    pub home: PathBuf,
    /// Certificates to trust instead of the system's, for hosts with a company's own authority.
    pub ca_file: Option<PathBuf>,
    /// The SSH key to sign in with. Without one, no key is offered: the keys of the account that runs the server are
    /// the operator's, not the tenants'.
    pub ssh_key_file: Option<PathBuf>,
    /// Known SSH hosts. Without it a host is trusted at first sight and remembered below the data directory.
    pub ssh_known_hosts_file: Option<PathBuf>,
    /// The most address space that git or one of its helpers may take, in bytes; 4 GiB by default. What it keeps in
    /// memory is bounded besides, see `MEMORY`. On Linux alone.
    pub memory_bytes_max: u64,
    /// The least room on the disk of the mirrors, in bytes, with which a fetch is begun; 1 GiB by default.
    pub free_bytes_min: u64,
    /// Longest time for a question to a remote (what branches it has).
    pub query_timeout: Duration,
    /// Longest time for a fetch. A connection that stalls is given up after a minute, whatever this says.
    pub fetch_timeout: Duration,
}

impl GitOptions {
    /// The defaults: `git` from the usual places, a minute for questions, an hour for fetches.
    #[must_use]
    pub fn new(home: PathBuf) -> Self {
        Self {
            program: "git".into(),
            search_path: "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin".into(),
            home: std::path::absolute(&home).unwrap_or(home),
            ca_file: None,
            ssh_key_file: None,
            ssh_known_hosts_file: None,
            memory_bytes_max: 4 << 30,
            free_bytes_min: 1 << 30,
            query_timeout: Duration::from_secs(60),
            fetch_timeout: Duration::from_secs(60 * 60),
        }
    }

    /// For reading the user's current repository, without a data directory.
    #[must_use]
    pub fn without_home() -> Self {
        Self::new("/nonexistent/git-home".into())
    }

    /// Where the program is. With a name to look up in a `PATH` that is not the server's own, starting it would copy
    /// the whole process first.
    fn program_find(&self) -> PathBuf {
        if self.program.components().count() > 1 {
            return self.program.clone();
        }
        std::env::split_paths(&self.search_path)
            .map(|folder| folder.join(&self.program))
            .find(|path| path.is_file())
            .unwrap_or_else(|| self.program.clone())
    }

    /// `ssh` as git starts it: no user configuration, no agent, no prompt, no forwarding, and the address that was
    /// checked.
    fn ssh_command(&self, remote: &SshRemote) -> String {
        let (own_key, own_hosts) = remote.files.clone().unzip();
        let named_hosts = own_hosts.flatten().or(self.ssh_known_hosts_file.clone());
        let known_hosts = named_hosts
            .clone()
            .unwrap_or_else(|| self.home.with_file_name("known_hosts"));
        let checking = if named_hosts.is_some() {
            "yes"
        } else {
            "accept-new"
        };
        let key = match own_key.or(self.ssh_key_file.clone()) {
            Some(file) => shell_quote(&file),
            None => "/dev/null".to_owned(),
        };
        let mut pin = remote
            .address
            .map(|address| format!(" -o HostName={address}"))
            .unwrap_or_default();
        if let Some(name) = &remote.known_as {
            pin.push_str(&format!(
                " -o HostKeyAlias={}",
                shell_quote(Path::new(name))
            ));
        }
        format!(
            "ssh -F /dev/null -o BatchMode=yes -o ClearAllForwardings=yes -o ForwardAgent=no -o PermitLocalCommand=no \
             -o ProxyCommand=none -o IdentityAgent=none -o IdentitiesOnly=yes -o IdentityFile={key} -o StrictHostKeyChecking={checking} \
             -o UserKnownHostsFile={known} -o GlobalKnownHostsFile=/etc/ssh/ssh_known_hosts -o ConnectTimeout=15 \
             -o ServerAliveInterval=15 -o ServerAliveCountMax=4{pin}",
            known = shell_quote(&known_hosts),
        )
    }
}

/// An operator's path inside the command line that git hands to a shell.
fn shell_quote(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}

/// Where ssh connects to, and with which key.
#[derive(Debug, Default)]
pub(crate) struct SshRemote {
    /// The address that was checked.
    pub address: Option<IpAddr>,
    /// What the host is called in `known_hosts`.
    pub known_as: Option<String>,
    /// The file of a key of the source's own, and of the hosts it is for, where they are named.
    pub files: Option<(PathBuf, Option<PathBuf>)>,
}

/// One run of `git`, being put together.
pub(crate) struct GitCommand<'a> {
    options: &'a GitOptions,
    operation: &'static str,
    arguments: Vec<OsString>,
    config: Vec<(String, String)>,
    secret_config: Option<(String, Zeroizing<String>)>,
    directory: PathBuf,
    protocol: &'static str,
    ssh: SshRemote,
    timeout: Duration,
    bytes_max: Option<u64>,
    input: Vec<u8>,
}

impl<'a> GitCommand<'a> {
    /// `git <subcommand>` in `directory`; `operation` names it in errors.
    pub fn new(
        options: &'a GitOptions,
        operation: &'static str,
        directory: &Path,
        subcommand: &'static str,
    ) -> Self {
        Self {
            options,
            operation,
            // A partial clone would fetch what it lacks by itself, each fetch starting the next: from a shallow source
            // that never ends. A git too old to be told so must fail.
            arguments: vec!["--no-lazy-fetch".into(), subcommand.into()],
            config: Vec::new(),
            secret_config: None,
            // Git runs inside it: a path relative to here would lead nowhere there.
            directory: std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned()),
            protocol: "none",
            ssh: SshRemote::default(),
            timeout: options.query_timeout,
            bytes_max: None,
            input: Vec::new(),
        }
    }

    /// Options of ours: never anything a user wrote.
    pub fn flags(mut self, flags: &[&'static str]) -> Self {
        self.arguments.extend(flags.iter().map(Into::into));
        self
    }

    /// An option of ours with a value of ours.
    pub fn flag_with(mut self, flag: &'static str, value: impl std::fmt::Display) -> Self {
        self.arguments.push(format!("{flag}={value}").into());
        self
    }

    /// Everything after this is an operand, whatever it looks like.
    pub fn operands<T: Into<OsString>>(mut self, operands: impl IntoIterator<Item = T>) -> Self {
        self.arguments.push("--end-of-options".into());
        self.arguments.extend(operands.into_iter().map(Into::into));
        self
    }

    /// Configuration of this command alone. It travels in the environment: no process list shows it.
    pub fn config(mut self, key: &str, value: impl Into<String>) -> Self {
        self.config.push((key.to_owned(), value.into()));
        self
    }

    /// Configuration that holds a secret.
    pub fn secret_config(mut self, entry: Option<(String, Zeroizing<String>)>) -> Self {
        self.secret_config = entry;
        self
    }

    /// The one transport that git may use: `https`, `ssh`, `http`, `file`.
    pub fn protocol(mut self, protocol: &'static str) -> Self {
        self.protocol = protocol;
        self
    }

    /// Where ssh connects to, and with which key.
    pub fn ssh(mut self, remote: SshRemote) -> Self {
        self.ssh = remote;
        self
    }

    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Stops the command when it reports more than this many bytes received. See [`file_bytes_max`] for what happens
    /// where it does not report.
    pub fn bytes_max(mut self, bytes_max: Option<u64>) -> Self {
        self.bytes_max = bytes_max;
        self
    }

    /// What the command reads on its standard input.
    pub fn input(mut self, input: Vec<u8>) -> Self {
        self.input = input;
        self
    }

    /// Runs the command to its end and returns its output.
    ///
    /// # Errors
    /// [`GitError::Cancelled`], [`GitError::Timeout`], [`GitError::GitMissing`], or the meaning of git's error
    /// message.
    pub async fn run(
        self,
        cancel: &CancellationToken,
        progress: &mut (dyn FnMut(FetchProgress) + Send),
    ) -> Result<Vec<u8>, GitError> {
        let mut output = Vec::new();
        let mut keep = |bytes: &[u8]| {
            output.extend_from_slice(bytes);
            if output.len() > STDOUT_BYTES_MAX {
                let reason = "it has too many branches and tags to list";
                return Err(GitError::RepositoryTooLarge { reason });
            }
            Ok(())
        };
        self.run_piped(cancel, progress, &mut keep).await?;
        Ok(output)
    }

    /// Runs the command to its end and passes its output on as it arrives.
    ///
    /// # Errors
    /// As [`GitCommand::run`], and the errors of `sink`.
    pub async fn run_piped(
        self,
        cancel: &CancellationToken,
        progress: &mut (dyn FnMut(FetchProgress) + Send),
        sink: &mut (dyn FnMut(&[u8]) -> Result<(), GitError> + Send),
    ) -> Result<(), GitError> {
        if cancel.is_cancelled() {
            return Err(GitError::Cancelled);
        }
        let operation = self.operation;
        let mut child = self.command().spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound if self.directory.is_dir() => GitError::GitMissing,
            _ => GitError::failed(operation, error),
        })?;
        let mut group = ProcessGroup::of(&child);
        group.limit(
            self.options.memory_bytes_max,
            self.bytes_max.map(file_bytes_max),
        );
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(GitError::failed(operation, "git has no output"));
        };
        let bytes_max = self.bytes_max;
        let (stdin, input) = (child.stdin.take(), self.input);
        let work = async {
            let ((), (), stderr) = tokio::try_join!(
                stdin_write(stdin, input),
                stdout_read(operation, stdout, sink),
                stderr_read(operation, stderr, bytes_max, progress)
            )?;
            let status = child
                .wait()
                .await
                .map_err(|error| GitError::failed(operation, error))?;
            Ok((status, stderr))
        };
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(GitError::Cancelled),
            () = tokio::time::sleep(self.timeout) => Err(GitError::Timeout { operation }),
            outcome = work => outcome,
        };
        match outcome {
            Ok((status, stderr)) => {
                group.disarm();
                if status.success() {
                    Ok(())
                } else {
                    Err(failure_classify(operation, &stderr))
                }
            }
            Err(error) => {
                group.stop(&mut child).await;
                Err(error)
            }
        }
    }

    fn command(&self) -> Command {
        let options = self.options;
        #[expect(clippy::disallowed_methods, reason = "this is the place")]
        let mut command = Command::new(options.program_find());
        command
            .args(&self.arguments)
            .current_dir(&self.directory)
            .stdin(if self.input.is_empty() {
                Stdio::null()
            } else {
                Stdio::piped()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .env_clear()
            .env("PATH", &options.search_path)
            .env("HOME", &options.home)
            .env("XDG_CONFIG_HOME", &options.home)
            // Without this a broken mirror would be searched for upwards, and found in whatever repository is around
            // it.
            .env("GIT_DIR", &self.directory)
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "true")
            .env("SSH_ASKPASS", "true")
            .env("GIT_PROTOCOL_FROM_USER", "0")
            .env("GIT_ALLOW_PROTOCOL", self.protocol)
            .env("GIT_SSH_COMMAND", options.ssh_command(&self.ssh))
            .env("GIT_SSH_VARIANT", "ssh")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_ADVICE", "0");
        if let Some(file) = &options.ca_file {
            command.env("GIT_SSL_CAINFO", file);
        }
        let fixed = [
            ("core.hooksPath", "/dev/null"),
            ("core.fsmonitor", "false"),
            ("core.symlinks", "false"),
            ("core.attributesFile", "/dev/null"),
            ("credential.helper", ""),
            ("protocol.ext.allow", "never"),
            ("submodule.recurse", "false"),
            ("fetch.recurseSubmodules", "false"),
            // Mirrors are ours whichever account made them (a volume, a restored backup).
            ("safe.directory", "*"),
            ("gc.auto", "0"),
            ("maintenance.auto", "false"),
            // Received packs are kept as packs: faster to write and to read than thousands of loose files.
            ("transfer.unpackLimit", "1"),
            ("http.followRedirects", "false"),
            ("http.lowSpeedLimit", "1000"),
            ("http.lowSpeedTime", "45"),
        ];
        let config = fixed
            .into_iter()
            .chain(MEMORY.iter().copied())
            .chain(
                self.config
                    .iter()
                    .map(|(key, value)| (key.as_str(), value.as_str())),
            )
            .chain(
                self.secret_config
                    .iter()
                    .map(|(key, value)| (key.as_str(), value.as_str())),
            );
        let mut count = 0;
        for (key, value) in config {
            command
                .env(format!("GIT_CONFIG_KEY_{count}"), key)
                .env(format!("GIT_CONFIG_VALUE_{count}"), value);
            count += 1;
        }
        command.env("GIT_CONFIG_COUNT", count.to_string());
        command
    }
}

/// The maximum file size of a command that may receive that many bytes. Git reports progress once a second. The limit
/// is high enough that the report stops the command first, with a reason; it stops data without a report.
fn file_bytes_max(received_max: u64) -> u64 {
    received_max.saturating_mul(2).max(64 << 20)
}

/// The command with all it started. When this is dropped while armed (its future was dropped), the group is killed:
/// `kill_on_drop` alone would leave git's helpers running.
struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    fn of(child: &Child) -> Self {
        Self(
            child
                .id()
                .and_then(|id| i32::try_from(id).ok())
                .and_then(Pid::from_raw),
        )
    }

    /// What the command and all it starts may take: address space, and the size of a file that they write.
    #[cfg(target_os = "linux")]
    fn limit(&self, memory: u64, file: Option<u64>) {
        use rustix::process::{Resource, Rlimit, prlimit};
        let Some(pid) = self.0 else { return };
        for (resource, most) in [(Resource::As, Some(memory)), (Resource::Fsize, file)] {
            let Some(most) = most else { continue };
            let limit = Rlimit {
                current: Some(most),
                maximum: Some(most),
            };
            // It may have ended already; where the system refuses, its other limits stand.
            if let Err(error) = prlimit(Some(pid), resource, limit) {
                tracing::debug!(%error, ?resource, "git runs without a limit");
            }
        }
    }

    /// Other systems do not limit a process from outside; what git keeps in memory is bounded by its configuration.
    #[cfg(not(target_os = "linux"))]
    fn limit(&self, _memory: u64, _file: Option<u64>) {}

    fn disarm(&mut self) {
        self.0 = None;
    }

    /// Asks first, so that git removes its locks and half-written packs; then does not ask.
    async fn stop(&mut self, child: &mut Child) {
        let Some(group) = self.0 else { return };
        // The group may have ended by itself meanwhile: nothing to do then.
        let _ = kill_process_group(group, Signal::TERM);
        let ended = tokio::time::timeout(STOP_GRACE, child.wait()).await.is_ok();
        let _ = kill_process_group(group, Signal::KILL);
        self.disarm();
        if !ended {
            let _ = child.wait().await;
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

async fn stdin_write(stdin: Option<ChildStdin>, input: Vec<u8>) -> Result<(), GitError> {
    if let Some(mut stdin) = stdin {
        // A command that ends before it has read everything says why on its standard error.
        let _ = stdin.write_all(&input).await;
    }
    Ok(())
}

async fn stdout_read(
    operation: &'static str,
    mut stdout: impl AsyncRead + Unpin,
    sink: &mut (dyn FnMut(&[u8]) -> Result<(), GitError> + Send),
) -> Result<(), GitError> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = stdout
            .read(&mut buffer)
            .await
            .map_err(|error| GitError::failed(operation, error))?;
        if read == 0 {
            return Ok(());
        }
        sink(&buffer[..read])?;
    }
}

/// Hands progress on as it comes and keeps the end of the rest.
async fn stderr_read(
    operation: &'static str,
    mut stderr: impl AsyncRead + Unpin,
    bytes_max: Option<u64>,
    progress: &mut (dyn FnMut(FetchProgress) + Send),
) -> Result<String, GitError> {
    let mut kept = String::new();
    let mut line = Vec::new();
    let mut buffer = [0; 4096];
    let mut take = |line: &mut Vec<u8>, kept: &mut String| {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        let outcome = match progress_parse(text) {
            Some(step) => {
                progress(step);
                let over = step
                    .bytes
                    .zip(bytes_max)
                    .is_some_and(|(bytes, max)| bytes > max);
                if over {
                    Err(GitError::RepositoryTooLarge {
                        reason: "it has more data than this server accepts",
                    })
                } else {
                    Ok(())
                }
            }
            None => {
                if !text.is_empty() {
                    kept.push_str(text);
                    kept.push('\n');
                    let surplus = kept.len().saturating_sub(STDERR_BYTES_MAX);
                    let cut = kept.ceil_char_boundary(surplus);
                    kept.drain(..cut);
                }
                Ok(())
            }
        };
        line.clear();
        outcome
    };
    loop {
        let read = stderr
            .read(&mut buffer)
            .await
            .map_err(|error| GitError::failed(operation, error))?;
        if read == 0 {
            take(&mut line, &mut kept)?;
            return Ok(kept);
        }
        for byte in &buffer[..read] {
            if matches!(byte, b'\r' | b'\n') || line.len() >= STDERR_BYTES_MAX {
                take(&mut line, &mut kept)?;
            } else {
                line.push(*byte);
            }
        }
    }
}
