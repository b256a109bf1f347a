//! The messages and changes of commits: the labels of a search benchmark that needs no manual labels.

use tokio_util::sync::CancellationToken;

use super::command::GitCommand;
use super::{GitError, RepositoryReader};

/// The maximum number of bytes of history that are read.
const BYTES_MAX: usize = 256 << 20;

/// The start of a commit in git's output, and the start of its message. Ordinary paths cannot begin with the first.
const COMMIT_MARK: char = '\x01';
const MESSAGE_MARK: char = '\x02';

/// How a commit changes a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelChange {
    /// Its content changed.
    Modified,
    /// It was added.
    Added,
    /// It was deleted.
    Deleted,
    /// It was moved, or its type changed.
    Other,
}

/// A commit with one parent: its message, and the files that it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitLabel {
    /// The id, as hex.
    pub commit: String,
    /// The id of its parent, as hex.
    pub parent: String,
    /// The subject and the body.
    pub message: String,
    /// The files, from the repository's root. A moved file has its new name.
    pub changes: Vec<(LabelChange, String)>,
}

impl RepositoryReader {
    /// The newest commits of the history of `to` that have one parent, newest first; at most `commits_max`.
    ///
    /// # Errors
    /// [`GitError::GitMissing`], [`GitError::GitFailed`] such as for an unknown commit, [`GitError::Cancelled`],
    /// [`GitError::Timeout`], [`GitError::RepositoryTooLarge`].
    pub async fn commit_labels(
        &self,
        to: &str,
        commits_max: usize,
        cancel: &CancellationToken,
    ) -> Result<Vec<CommitLabel>, GitError> {
        let command = GitCommand::new(
            &self.options,
            "reading commit messages",
            self.repository.path(),
            "log",
        )
        .flags(&[
            "--format=tformat:%x01%H %P%x02%B",
            "-z",
            "--name-status",
            "--find-renames",
            "--no-merges",
            // A user's git configuration could turn this on.
            "--no-show-signature",
            "--no-ext-diff",
            "--no-textconv",
            "--no-notes",
            "--no-color",
            "--no-relative",
            "-O/dev/null",
        ])
        .flag_with("--max-count", commits_max)
        .timeout(self.options.fetch_timeout)
        .operands([to, "--"]);
        let mut output: Vec<u8> = Vec::new();
        let mut sink = |bytes: &[u8]| {
            output.extend_from_slice(bytes);
            if output.len() > BYTES_MAX {
                let reason = "its history is longer than this program reads";
                return Err(GitError::RepositoryTooLarge { reason });
            }
            Ok(())
        };
        command.run_piped(cancel, &mut |_| (), &mut sink).await?;
        Ok(labels(&String::from_utf8_lossy(&output)))
    }
}

/// Parses git's output: a commit with its message, then a status and a path (two paths for a moved file), each ended by
/// NUL.
fn labels(output: &str) -> Vec<CommitLabel> {
    let mut labels: Vec<CommitLabel> = Vec::new();
    let mut has_parent = false;
    let mut tokens = output.split('\0');
    while let Some(token) = tokens.next() {
        let token = token.trim_start_matches('\n');
        if let Some(about) = token.strip_prefix(COMMIT_MARK) {
            let (ids, message) = about.split_once(MESSAGE_MARK).unwrap_or((about, ""));
            let (commit, parent) = ids.split_once(' ').unwrap_or((ids, ""));
            has_parent = !parent.is_empty() && !parent.contains(' ');
            if has_parent {
                labels.push(CommitLabel {
                    commit: commit.to_owned(),
                    parent: parent.to_owned(),
                    message: message.trim().to_owned(),
                    changes: Vec::new(),
                });
            }
            continue;
        }
        let change = match token.chars().next() {
            Some('M') => LabelChange::Modified,
            Some('A') => LabelChange::Added,
            Some('D') => LabelChange::Deleted,
            Some('R' | 'C') => {
                // The old name.
                tokens.next();
                LabelChange::Other
            }
            Some(_) => LabelChange::Other,
            None => continue,
        };
        let Some(path) = tokens.next() else {
            break;
        };
        if let Some(label) = labels.last_mut().filter(|_| has_parent) {
            label.changes.push((change, path.to_owned()));
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_read_with_its_files() {
        let output = "\x01aa bb\x02Fix it\n\nBecause.\n\0\nM\0src/a.rs\0R090\0old.rs\0new.rs\0\x01bb cc\x02Other\n\0\nA\0b.rs\0\x01cc \x02Root\n\0\nA\0c.rs\0";
        let labels = labels(output);
        assert_eq!(labels.len(), 2);
        assert_eq!(
            (labels[0].commit.as_str(), labels[0].parent.as_str()),
            ("aa", "bb")
        );
        assert_eq!(labels[0].message, "Fix it\n\nBecause.");
        let changes = [
            (LabelChange::Modified, "src/a.rs".to_owned()),
            (LabelChange::Other, "new.rs".to_owned()),
        ];
        assert_eq!(labels[0].changes, changes);
        assert_eq!(labels[1].changes, [(LabelChange::Added, "b.rs".to_owned())]);
    }
}
