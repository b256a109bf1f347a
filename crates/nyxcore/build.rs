//! Stores the commit of the build in the program, if known: from `NYXCORE_COMMIT`, or else from git.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=NYXCORE_COMMIT");
    println!("cargo::rerun-if-changed=build.rs");
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let given = std::env::var("NYXCORE_COMMIT").ok();
    let commit = given
        .map(|commit| commit.trim().to_owned())
        .filter(|commit| !commit.is_empty())
        .or_else(head_commit);
    match commit {
        Some(commit) => {
            let short: String = commit.chars().take(12).collect();
            println!("cargo::rustc-env=NYXCORE_COMMIT={commit}");
            println!("cargo::rustc-env=NYXCORE_VERSION={version} ({short})");
        }
        None => println!("cargo::rustc-env=NYXCORE_VERSION={version}"),
    }
}

/// The commit that is checked out. Cargo is told to ask again when HEAD, or the branch that it points at, moves.
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

fn git(arguments: &[&str]) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a build script is not the program"
    )]
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
