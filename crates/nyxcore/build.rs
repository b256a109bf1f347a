//! Stores the build's facts in the program: the commit (`NYXCORE_COMMIT`, or else git's HEAD), whether files differ
//! from it (`NYXCORE_DIRTY`, or else git's answer), and the time (`SOURCE_DATE_EPOCH`, or else now). Outside of a
//! repository and without git the commit is unknown, and the build succeeds.

use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    for variable in ["NYXCORE_COMMIT", "NYXCORE_DIRTY", "SOURCE_DATE_EPOCH"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    println!("cargo::rerun-if-changed=build.rs");
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let given = given("NYXCORE_COMMIT");
    let dirty = match &given {
        Some(_) => self::given("NYXCORE_DIRTY").map(|dirty| dirty == "true"),
        None => has_changes(),
    };
    let commit = given.or_else(head_commit);
    match &commit {
        Some(commit) => {
            let short: String = commit.chars().take(12).collect();
            println!("cargo::rustc-env=NYXCORE_COMMIT={commit}");
            println!("cargo::rustc-env=NYXCORE_VERSION={version} ({short})");
        }
        None => println!("cargo::rustc-env=NYXCORE_VERSION={version}"),
    }
    if let Some(dirty) = dirty.filter(|_| commit.is_some()) {
        println!("cargo::rustc-env=NYXCORE_DIRTY={dirty}");
        sources_watch();
    }
    if let Some(seconds) = built_at() {
        println!("cargo::rustc-env=NYXCORE_BUILT_AT={seconds}");
    }
}

fn given(variable: &str) -> Option<String> {
    let text = std::env::var(variable).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The time of the build, in seconds since 1970.
fn built_at() -> Option<u64> {
    if let Some(given) = given("SOURCE_DATE_EPOCH") {
        return given.parse().ok();
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "the time of the build is what is asked for"
    )]
    let now = SystemTime::now();
    Some(now.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

/// The commit that is checked out. Cargo reruns this script when HEAD, or the branch that it points at, moves.
fn head_commit() -> Option<String> {
    let commit = git(&["rev-parse", "HEAD"])?;
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    // A branch is a file of its own or, packed, a line of `packed-refs`.
    for name in [Some("HEAD"), branch.as_deref(), Some("packed-refs")]
        .into_iter()
        .flatten()
    {
        if let Some(path) = git(&["rev-parse", "--git-path", name])
            && Path::new(&path).exists()
        {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    Some(commit)
}

/// Whether tracked files differ from the commit.
fn has_changes() -> Option<bool> {
    let output = git_output(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(!output.trim().is_empty())
}

/// Makes cargo rerun this script when a source changes: a clean work tree may no longer be clean.
fn sources_watch() {
    let folders = std::fs::read_dir("..").into_iter().flatten().flatten();
    for folder in folders.map(|entry| entry.path().join("src")) {
        if folder.is_dir() {
            println!("cargo::rerun-if-changed={}", folder.display());
        }
    }
    println!("cargo::rerun-if-changed=../../migrations/src");
    println!("cargo::rerun-if-changed=../../Cargo.lock");
}

fn git(arguments: &[&str]) -> Option<String> {
    let text = git_output(arguments)?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn git_output(arguments: &[&str]) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a build script is not the program"
    )]
    let output = Command::new("git")
        // The command must not write to the repository.
        .arg("--no-optional-locks")
        .args(arguments)
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
