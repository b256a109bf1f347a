//! Queries to the git command about the machine and the current repository. A missing answer is not an error.

use std::path::Path;
use std::process::Stdio;

/// The version that `git --version` prints.
pub async fn git_version() -> Option<String> {
    let text = git(Path::new("."), &["--version"]).await?;
    Some(text.trim().trim_start_matches("git version ").to_owned())
}

/// Whether a version is 2.45 or newer. In an older one, automatic fetches of a partial clone cannot be switched off.
pub fn is_new_enough(version: &str) -> bool {
    let mut numbers = version
        .split('.')
        .map_while(|part| part.parse::<u32>().ok());
    let (major, minor) = (numbers.next(), numbers.next());
    (major, minor) >= (Some(2), Some(45))
}

/// Whether tracked files differ from the last commit.
pub async fn has_changes(work_dir: &Path) -> bool {
    let status = git(
        work_dir,
        &[
            "status",
            "--porcelain",
            "--untracked-files=no",
            "--ignore-submodules=all",
        ],
    );
    status.await.is_some_and(|text| !text.trim().is_empty())
}

/// The output of a git command; `None` where it fails. The arguments are constants of this program, or commit ids that
/// were validated.
pub async fn git(directory: &Path, arguments: &[&str]) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "fixed questions, with nothing in them that a user wrote"
    )]
    let output = tokio::process::Command::new("git")
        // The query must neither run a program that the repository's configuration names, nor write its index.
        .args(["-c", "core.fsmonitor=false", "--no-optional-locks"])
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_their_numbers() {
        for (version, new_enough) in [
            ("2.47.3", true),
            ("2.45.0", true),
            ("3.0", true),
            ("2.39.5 (Apple Git-154)", false),
            ("2.9.9", false),
            ("none", false),
        ] {
            assert_eq!(is_new_enough(version), new_enough, "{version}");
        }
    }
}
