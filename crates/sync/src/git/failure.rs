//! Maps git's error messages to errors. Git has no error codes, so the English messages (by `LC_ALL=C`) are parsed.

use super::GitError;

/// Longest detail kept for the log, in characters.
const DETAIL_CHARS_MAX: usize = 500;

/// The message about a remote that cannot read its own repository.
const REMOTE_CORRUPT: &str = "repository corruption on the remote side";
/// The message about folders that are nested deeper than `core.maxTreeDepth`, which is 2,048.
const TREE_DEPTH: &str = "exceeded maximum allowed tree depth";

/// Maps git's error output to an error. The first matching rule decides, so specific rules come before general ones.
pub(crate) fn failure_classify(operation: &'static str, stderr: &str) -> GitError {
    // Only git's own messages are matched, not the remote's: a remote can write anything.
    let own: String = stderr
        .lines()
        .filter(|line| !line.starts_with("remote:"))
        .collect::<Vec<_>>()
        .join("\n");
    let has = |words: &[&str]| words.iter().any(|word| own.contains(word));
    let unreachable = |reason, transient| GitError::RemoteUnreachable { reason, transient };

    if has(&["No space left on device", "Disk quota exceeded"]) {
        GitError::DiskFull
    } else if has(&[
        "mismatched algorithms",
        "unknown repository extension",
        "Expected git repo version",
        "object-format",
        "unknown object format",
    ]) {
        GitError::RepositoryFormatUnsupported
    } else if has(&["File too large"]) {
        GitError::RepositoryTooLarge {
            reason: "it has more data than this server accepts",
        }
    } else if has(&["Out of memory", "Cannot allocate memory", "out of memory"]) {
        GitError::RepositoryTooLarge {
            reason: "it needs more memory than this server gives to a fetch",
        }
    } else if has(&["transport '", "protocol '"]) && has(&["not allowed", "not supported"]) {
        GitError::SourceUrlForbidden {
            reason: "uses a scheme that is not allowed; use https:// or ssh://",
        }
    } else if has(&[
        "Authentication failed",
        "could not read Username",
        "could not read Password",
        "terminal prompts disabled",
        "Permission denied (",
        "error: 401",
        "error: 403",
        "Too many authentication failures",
    ]) {
        GitError::AuthenticationFailed
    } else if has(&[
        "Host key verification failed",
        "SSL certificate",
        "server certificate",
        "certificate verif",
    ]) {
        unreachable(
            "could not prove its identity (certificate or host key)",
            false,
        )
    } else if has(&[
        "error: 301",
        "error: 302",
        "error: 303",
        "error: 307",
        "error: 308",
    ]) {
        GitError::SourceUrlInvalid {
            reason: "redirects somewhere else; use the address it redirects to",
        }
    } else if has(&["error: 429"]) {
        unreachable("asked to try again later", true)
    } else if has(&["error: 5"]) {
        unreachable("responded with an internal error", true)
    } else if has(&["Could not resolve host"]) {
        unreachable("has a host name that cannot be resolved", true)
    } else if has(&[
        "Couldn't connect",
        "Could not connect",
        "Failed to connect",
        "Connection refused",
        "No route to host",
        "Network is unreachable",
        "Connection timed out",
        "Operation timed out",
    ]) {
        unreachable("could not be reached", true)
    } else if has(&["couldn't find remote ref"]) {
        GitError::BranchNotFound { branch: None }
    } else if has(&[
        "not found",
        "does not appear to be a git repository",
        "not a git repository",
        "does not exist",
        "error: 404",
        "error: 410",
        "not valid: is this a git repository",
    ]) {
        GitError::NotARepository
    } else if has(&["unknown option: --no-lazy-fetch"]) {
        GitError::GitMissing
    } else if has(DELTA_BASE_MISSING) {
        GitError::GitFailed {
            operation,
            detail: detail_clean(stderr),
        }
    } else if has(&[TREE_DEPTH]) || stderr.contains(&format!("remote: fatal: {TREE_DEPTH}")) {
        // Git refuses such folders on either side. If the remote's git refuses to send them, only the remote's message
        // says so. That message may be trusted here: the error is permanent either way, so a false one gains nothing.
        GitError::RepositoryTooLarge {
            reason: "its folders are nested deeper than git allows",
        }
    } else if has(&[REMOTE_CORRUPT]) {
        unreachable(
            "lacks objects of its own repository; is it a partial clone?",
            false,
        )
    } else if has(&[
        "early EOF",
        "RPC failed",
        "unexpected disconnect",
        "hung up unexpectedly",
        "Connection reset",
        "Operation too slow",
        "Broken pipe",
        "invalid index-pack output",
    ]) {
        unreachable("broke off", true)
    } else if has(&[
        "Read-only file system",
        "Permission denied",
        "insufficient permission",
    ]) {
        GitError::StorageReadOnly
    } else {
        GitError::GitFailed {
            operation,
            detail: detail_clean(stderr),
        }
    }
}

/// The messages if a remote sent a file as a delta against a file that was omitted for its size.
const DELTA_BASE_MISSING: &[&str] = &["from promisor remote", "unresolved deltas"];

/// Whether the failure says that a delta's base object is missing in the mirror.
pub(crate) fn failure_is_delta_base(error: &GitError) -> bool {
    error.detail().is_some_and(|detail| {
        DELTA_BASE_MISSING
            .iter()
            .any(|words| detail.contains(words))
    })
}

/// Whether the failure says that the mirror itself is damaged, so that creating it again would help.
pub(crate) fn failure_is_corruption(error: &GitError) -> bool {
    let GitError::GitFailed { detail, .. } = error else {
        return false;
    };
    [
        "bad object",
        "corrupt",
        "unable to read",
        "missing ",
        "invalid sha1 pointer",
        "bad config",
        "not a valid object",
        "did not send all necessary objects",
        "inflate",
        "cannot lock ref",
    ]
    .iter()
    .any(|words| detail.contains(words))
}

/// The last lines, printable and shortened, without anything between `://` and `@`.
fn detail_clean(stderr: &str) -> String {
    let mut text = String::new();
    for word in stderr.split_inclusive(char::is_whitespace) {
        match (word.find("://"), word.rfind('@')) {
            (Some(scheme), Some(at)) if scheme < at => {
                text.push_str(&word[..scheme + 3]);
                text.push_str(&word[at + 1..]);
            }
            _ => text.push_str(word),
        }
    }
    let printable: Vec<char> = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    let start = printable.len().saturating_sub(DETAIL_CHARS_MAX);
    printable[start..]
        .iter()
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_git_become_codes() {
        for (stderr, code, transient) in [
            (
                "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
                "AUTHENTICATION_FAILED",
                false,
            ),
            (
                "git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.",
                "AUTHENTICATION_FAILED",
                false,
            ),
            (
                "remote: fatal: exceeded maximum allowed tree depth\nfatal: git upload-pack: aborting due to possible repository corruption on the remote side.",
                "REPOSITORY_TOO_LARGE",
                false,
            ),
            (
                "fatal: git upload-pack: aborting due to possible repository corruption on the remote side.",
                "REMOTE_UNREACHABLE",
                false,
            ),
            (
                "fatal: repository 'https://example.org/a/' not found",
                "NOT_A_REPOSITORY",
                false,
            ),
            (
                "fatal: '/tmp/x' does not appear to be a git repository",
                "NOT_A_REPOSITORY",
                false,
            ),
            (
                "fatal: unable to access 'https://x.example/': Could not resolve host: x.example",
                "REMOTE_UNREACHABLE",
                true,
            ),
            (
                "fatal: unable to access 'https://x/': Failed to connect to x port 443 after 0 ms: Couldn't connect to server",
                "REMOTE_UNREACHABLE",
                true,
            ),
            (
                "fatal: unable to access 'https://x/': The requested URL returned error: 503",
                "REMOTE_UNREACHABLE",
                true,
            ),
            (
                "fatal: unable to access 'https://x/': The requested URL returned error: 429",
                "REMOTE_UNREACHABLE",
                true,
            ),
            (
                "fatal: unable to access 'https://x/': The requested URL returned error: 301",
                "SOURCE_URL_INVALID",
                false,
            ),
            (
                "fatal: unable to access 'https://x/': server certificate verification failed. CAfile: none",
                "REMOTE_UNREACHABLE",
                false,
            ),
            (
                "fatal: couldn't find remote ref refs/heads/x",
                "BRANCH_NOT_FOUND",
                false,
            ),
            (
                "fatal: mismatched algorithms: client sha1; server sha256",
                "REPOSITORY_FORMAT_UNSUPPORTED",
                false,
            ),
            (
                "fatal: transport 'ext' not allowed",
                "SOURCE_URL_FORBIDDEN",
                false,
            ),
            (
                "unknown option: --no-lazy-fetch\nusage: git",
                "GIT_MISSING",
                false,
            ),
            (
                "fatal: write error: No space left on device",
                "DISK_FULL",
                true,
            ),
            (
                "error: cannot open 'x': Read-only file system",
                "STORAGE_READ_ONLY",
                false,
            ),
            (
                "error: RPC failed; curl 18 transfer closed\nfatal: early EOF",
                "REMOTE_UNREACHABLE",
                true,
            ),
            (
                "remote: repository not found, really\nfatal: something else",
                "GIT_FAILED",
                false,
            ),
        ] {
            let error = failure_classify("the fetch", stderr);
            assert_eq!(
                (error.code(), error.is_transient()),
                (code, transient),
                "{stderr}"
            );
        }
    }

    #[test]
    fn the_detail_for_the_log_holds_no_credential() {
        let error = failure_classify(
            "the fetch",
            "fatal: odd\u{1b}[31m 'https://user:s3cret@example.org/a' s\n",
        );
        let detail = error.detail().expect("a detail");
        assert!(
            !detail.contains("s3cret")
                && detail.contains("https://example.org/a")
                && !detail.contains('\u{1b}'),
            "{detail}"
        );
        assert!(
            !error.to_string().contains("example.org"),
            "a client sees no detail: {error}"
        );
    }
}
