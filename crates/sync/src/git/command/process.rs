//! The processes of one git command, and what they read and write.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin},
};

use crate::git::{FetchProgress, GitError, progress::progress_parse};

/// The limit of captured standard error, without progress lines.
const STDERR_BYTES_MAX: usize = 8 * 1024;
/// How long a command may take to clean up after it was asked to stop.
const STOP_GRACE: Duration = Duration::from_millis(500);

/// The process group of the command. If it is dropped while armed (because the future was dropped), the group is
/// killed: `kill_on_drop` alone would leave git's helpers running.
pub(super) struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    pub(super) fn of(child: &Child) -> Self {
        Self(
            child
                .id()
                .and_then(|id| i32::try_from(id).ok())
                .and_then(Pid::from_raw),
        )
    }

    /// Sets limits for the command and its child processes: the address space, and the size of a file that they write.
    #[cfg(target_os = "linux")]
    pub(super) fn limit(&self, memory: u64, file: Option<u64>) {
        use rustix::process::{Resource, Rlimit, prlimit};
        let Some(pid) = self.0 else { return };
        for (resource, most) in [(Resource::As, Some(memory)), (Resource::Fsize, file)] {
            let Some(most) = most else { continue };
            let limit = Rlimit {
                current: Some(most),
                maximum: Some(most),
            };
            // The process may have ended already. If the system refuses, the command's other limits still apply.
            if let Err(error) = prlimit(Some(pid), resource, limit) {
                tracing::debug!(%error, ?resource, "git runs without a limit");
            }
        }
    }

    /// Other systems cannot limit another process; git's own memory is limited by its configuration.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn limit(&self, _memory: u64, _file: Option<u64>) {}

    pub(super) fn disarm(&mut self) {
        self.0 = None;
    }

    /// Sends SIGTERM first, so that git removes its locks and half-written packs, and SIGKILL after the grace period.
    pub(super) async fn stop(&mut self, child: &mut Child) {
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

pub(super) async fn stdin_write(stdin: Option<ChildStdin>, input: Vec<u8>) -> Result<(), GitError> {
    if let Some(mut stdin) = stdin {
        // A command that ends before it has read everything says why on its standard error.
        let _ = stdin.write_all(&input).await;
    }
    Ok(())
}

pub(super) async fn stdout_read(
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

/// Reports progress as it arrives, and keeps the end of the other output.
pub(super) async fn stderr_read(
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
