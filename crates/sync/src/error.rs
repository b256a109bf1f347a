//! Maps git errors to run failures: code and message are kept, and git's output goes to the log.

use nyxcore_runs::RunFailure;

use crate::git::GitError;

impl From<GitError> for RunFailure {
    fn from(error: GitError) -> Self {
        if error == GitError::Cancelled {
            return Self::stopped();
        }
        if let Some(detail) = error.detail() {
            tracing::warn!(code = error.code(), detail, "git failed in a sync");
        }
        Self::new(error.code(), error.to_string(), error.is_transient())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_git_layer_says_whether_another_attempt_may_help() {
        let down = GitError::RemoteUnreachable {
            reason: "did not answer",
            transient: true,
        };
        let failure = RunFailure::from(down);
        assert_eq!(
            failure,
            RunFailure::transient("REMOTE_UNREACHABLE", "the remote did not answer")
        );
        let gone = GitError::BranchNotFound {
            branch: Some("old".into()),
        };
        let failure = RunFailure::from(gone);
        assert!(!failure.transient && failure.message.contains("\"old\""));
    }

    #[test]
    fn what_git_said_is_not_for_the_reader() {
        let error = GitError::GitFailed {
            operation: "the fetch",
            detail: "fatal: secret.example".into(),
        };
        assert!(!RunFailure::from(error).to_string().contains("secret"));
    }
}
