//! The limit of open files and connections of this process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// File descriptors that are reserved for other uses than client connections: the database, git, repositories that are
/// read, and the log.
const RESERVED: u64 = 256;

/// Raises the soft limit of open files to the hard one. Returns how many client connections fit into it, at most
/// `wanted`.
///
/// The soft limit is 1,024 on most systems, for the sake of old programs that use `select`.
pub fn connections_allow(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
    let allowed = room(getrlimit(Resource::Nofile).current);
    if allowed < wanted {
        tracing::warn!(
            connections = allowed,
            wanted,
            "the limit of open files is lower than the connection limit: raise it (LimitNOFILE, ulimit -n)"
        );
    }
    wanted.min(allowed)
}

/// The number of connections within a limit of open files. `None` means no limit.
fn room(files: Option<u64>) -> usize {
    let Some(files) = files else {
        return usize::MAX;
    };
    // With a low limit, the connections get half of the descriptors.
    let room = files.saturating_sub(RESERVED).max(files / 2);
    usize::try_from(room).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_everything_else() {
        assert_eq!(room(None), usize::MAX);
        assert_eq!(room(Some(1024)), 768);
        assert_eq!(room(Some(256)), 128);
    }
}
