//! The errors of the git layer, with stable codes and short messages that say what to do.

use std::io;

use nyxcore_projects::NameError;

/// An error of the git layer. The message is for the owner of the source: it contains no path of this machine, no
/// credential and no text from the remote. Git's own message is in [`GitError::detail`], for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// The server answers, but has no repository at this address.
    #[error("no git repository was found at this address; check the address and its permissions")]
    NotARepository,
    /// The repository has no commit yet.
    #[error("the repository has no commits yet; push one and sync again")]
    RepositoryEmpty,
    /// The given branch does not exist, or (`None`) the remote's default branch does not exist.
    #[error("{}", branch_not_found(.branch.as_deref()))]
    BranchNotFound {
        /// The requested branch.
        branch: Option<String>,
    },
    /// The text cannot be a branch name.
    #[error("the branch name {reason}")]
    BranchInvalid {
        /// The problem.
        reason: &'static str,
    },
    /// The commit is not in the mirror: history was rewritten, or the id is wrong.
    #[error(
        "commit {commit} is no longer in the repository; compare with the full listing instead"
    )]
    CommitNotFound {
        /// The requested id.
        commit: String,
    },
    /// The user's revision names no commit, or more than one.
    #[error(
        "\"{}\" names no commit of the repository; give a branch, a tag or a commit's id, as `git rev-parse` takes them", .revision.escape_debug()
    )]
    RevisionNotFound {
        /// The given revision, or its beginning.
        revision: String,
    },
    /// The scan path does not exist at this commit.
    #[error(
        "the scan path \"{path}\" is not in the repository; choose a folder that exists on this branch"
    )]
    ScanPathNotFound {
        /// The normalised scan path.
        path: String,
    },
    /// The scan path is malformed.
    #[error("the scan path {reason}")]
    ScanPathInvalid {
        /// The problem.
        reason: &'static str,
    },
    /// The address is malformed.
    #[error("the source's address {reason}")]
    SourceUrlInvalid {
        /// The problem.
        reason: &'static str,
    },
    /// The address is well-formed, but this server does not fetch from there.
    #[error("the source's address {reason}")]
    SourceUrlForbidden {
        /// Why it is refused.
        reason: &'static str,
    },
    /// The remote requires credentials, or refused the given ones.
    #[error("the remote denied access; the repository may be private or may not exist")]
    AuthenticationFailed,
    /// The remote could not be reached, or the connection broke.
    #[error("the remote {reason}")]
    RemoteUnreachable {
        /// What happened.
        reason: &'static str,
        /// Whether the same request may succeed later.
        transient: bool,
    },
    /// The repository uses the SHA-256 object format, or an extension that is not supported.
    #[error("the repository's object format is not supported; only SHA-1 repositories can be read")]
    RepositoryFormatUnsupported,
    /// The repository exceeds a limit of this server.
    #[error("the repository is too large: {reason}")]
    RepositoryTooLarge {
        /// The limit that was exceeded.
        reason: &'static str,
    },
    /// The mirror lacks objects that it should have, or cannot read them. Remove the mirror and sync again.
    #[error("the server's copy of the repository is damaged; the next sync creates it again")]
    MirrorDamaged {
        /// The missing or unreadable object: for the log.
        detail: String,
    },
    /// Git, or the object store, failed in another way.
    #[error("{operation} failed; the server's log has the details")]
    GitFailed {
        /// The operation.
        operation: &'static str,
        /// Git's message: for the log, never for a client.
        detail: String,
    },
    /// There is no git command, or it is too old to disable lazy fetching.
    #[error("git 2.45 or newer was not found on the server; install it")]
    GitMissing,
    /// The data directory's disk is full.
    #[error("the server's disk is full; free some space and sync again")]
    DiskFull,
    /// The data directory cannot be written.
    #[error("the server's data directory cannot be written; check its owner and mode")]
    StorageReadOnly,
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The operation took longer than allowed.
    #[error("{operation} took too long and was stopped")]
    Timeout {
        /// The operation.
        operation: &'static str,
    },
}

fn branch_not_found(branch: Option<&str>) -> String {
    match branch {
        Some(branch) => {
            format!("the branch \"{branch}\" is not in the repository; choose one that exists")
        }
        None => "the repository's default branch does not exist; name a branch".to_owned(),
    }
}

impl From<NameError> for GitError {
    fn from(error: NameError) -> Self {
        match error {
            NameError::Branch(reason) => Self::BranchInvalid { reason },
            NameError::ScanPath(reason) => Self::ScanPathInvalid { reason },
        }
    }
}

impl GitError {
    /// The stable code that clients may match on.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotARepository => "NOT_A_REPOSITORY",
            Self::RepositoryEmpty => "REPOSITORY_EMPTY",
            Self::BranchNotFound { .. } => "BRANCH_NOT_FOUND",
            Self::BranchInvalid { .. } => "BRANCH_INVALID",
            Self::CommitNotFound { .. } => "COMMIT_NOT_FOUND",
            Self::RevisionNotFound { .. } => "REVISION_NOT_FOUND",
            Self::ScanPathNotFound { .. } => "SCAN_PATH_NOT_FOUND",
            Self::ScanPathInvalid { .. } => "SCAN_PATH_INVALID",
            Self::SourceUrlInvalid { .. } => "SOURCE_URL_INVALID",
            Self::SourceUrlForbidden { .. } => "SOURCE_URL_FORBIDDEN",
            Self::AuthenticationFailed => "AUTHENTICATION_FAILED",
            Self::RemoteUnreachable { .. } => "REMOTE_UNREACHABLE",
            Self::RepositoryFormatUnsupported => "REPOSITORY_FORMAT_UNSUPPORTED",
            Self::RepositoryTooLarge { .. } => "REPOSITORY_TOO_LARGE",
            Self::MirrorDamaged { .. } => "MIRROR_DAMAGED",
            Self::GitFailed { .. } => "GIT_FAILED",
            Self::GitMissing => "GIT_MISSING",
            Self::DiskFull => "DISK_FULL",
            Self::StorageReadOnly => "STORAGE_READ_ONLY",
            Self::Cancelled => "CANCELLED",
            Self::Timeout { .. } => "TIMEOUT",
        }
    }

    /// Whether the same request may succeed later without any change.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::RemoteUnreachable { transient, .. } => *transient,
            Self::DiskFull | Self::MirrorDamaged { .. } | Self::Timeout { .. } => true,
            _ => false,
        }
    }

    /// The message of git or the system, for the server's log.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::GitFailed { detail, .. } | Self::MirrorDamaged { detail } => Some(detail),
            _ => None,
        }
    }

    /// An error of the file system below the data directory.
    pub(crate) fn storage(operation: &'static str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::StorageReadOnly
            }
            _ => Self::GitFailed {
                operation,
                detail: error.to_string(),
            },
        }
    }

    pub(crate) fn failed(operation: &'static str, detail: impl ToString) -> Self {
        Self::GitFailed {
            operation,
            detail: detail.to_string(),
        }
    }
}
