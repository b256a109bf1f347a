//! The only place that starts `git`. Every command runs in a closed environment: our configuration only, no prompts,
//! no hooks, no helpers, and only the verified protocol. It ends with its caller, including all child processes.

mod options;
mod process;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::process::Command;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

pub use options::GitOptions;
pub(crate) use options::SshRemote;
use process::{ProcessGroup, stderr_read, stdin_write, stdout_read};

use super::{FetchProgress, GitError, failure::failure_classify};

/// The limit of captured standard output: it fits one line per ref of a very large remote.
const STDOUT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Limits git's memory for any remote: large files are streamed in pieces, packs are mapped in small windows.
const MEMORY: &[(&str, &str)] = &[
    ("core.bigFileThreshold", "16m"),
    ("core.packedGitWindowSize", "32m"),
    ("core.packedGitLimit", "512m"),
    ("core.deltaBaseCacheLimit", "64m"),
    ("pack.windowMemory", "64m"),
    ("pack.threads", "2"),
];

/// A builder for one execution of `git`.
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
            // By default a partial clone fetches missing objects by itself, and each fetch may start the next: a
            // shallow source would never end. A git that is too old for this option must fail.
            arguments: vec!["--no-lazy-fetch".into(), subcommand.into()],
            config: Vec::new(),
            secret_config: None,
            // Git runs inside the directory: a relative path would be resolved there.
            directory: std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned()),
            protocol: "none",
            ssh: SshRemote::default(),
            timeout: options.query_timeout,
            bytes_max: None,
            input: Vec::new(),
        }
    }

    /// Adds constant options: never user input.
    pub fn flags(mut self, flags: &[&'static str]) -> Self {
        self.arguments.extend(flags.iter().map(Into::into));
        self
    }

    /// Adds a constant option with a value of this program.
    pub fn flag_with(mut self, flag: &'static str, value: impl std::fmt::Display) -> Self {
        self.arguments.push(format!("{flag}={value}").into());
        self
    }

    /// Adds operands. Git does not parse them as options, whatever they look like.
    pub fn operands<T: Into<OsString>>(mut self, operands: impl IntoIterator<Item = T>) -> Self {
        self.arguments.push("--end-of-options".into());
        self.arguments.extend(operands.into_iter().map(Into::into));
        self
    }

    /// Adds configuration for this command only. It is passed in the environment, so no process list shows it.
    pub fn config(mut self, key: &str, value: impl Into<String>) -> Self {
        self.config.push((key.to_owned(), value.into()));
        self
    }

    /// Adds configuration that contains a secret.
    pub fn secret_config(mut self, entry: Option<(String, Zeroizing<String>)>) -> Self {
        self.secret_config = entry;
        self
    }

    /// Sets the one transport that git may use: `https`, `ssh`, `http`, `file`.
    pub fn protocol(mut self, protocol: &'static str) -> Self {
        self.protocol = protocol;
        self
    }

    /// Sets where ssh connects to, and with which key.
    pub fn ssh(mut self, remote: SshRemote) -> Self {
        self.ssh = remote;
        self
    }

    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Stops the command when it reports more than this many bytes received. See [`file_bytes_max`] for data without
    /// such a report.
    pub fn bytes_max(mut self, bytes_max: Option<u64>) -> Self {
        self.bytes_max = bytes_max;
        self
    }

    /// Sets the standard input of the command.
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
            // Without this git would search the parent folders of a broken mirror, and use any repository that it finds
            // there.
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
            // Mirrors belong to this program, whichever account created them (a volume, a restored backup).
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
