//! The repository that is synced: made by `git fast-import` from counted numbers, so that it is the same everywhere, or one that was given.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Outcome;

/// Files of the generated repository, and commits; the least that is worth measuring is 3,000 and 1,000.
const FILES: usize = 3_200;
const COMMITS: usize = 1_200;
/// Files that a commit after the first changes.
const CHANGED: usize = 5;
/// Lines of a file: about 6 kB, as source files are.
const LINES: usize = 160;

/// A bare repository that is served, and can be committed to.
pub struct Remote {
    path: PathBuf,
    branch: String,
}

impl Remote {
    /// The generated repository, `atlas.git` below the folder.
    pub fn generate(root: &Path) -> Outcome<Self> {
        let path = root.join("atlas.git");
        git(
            root,
            &["init", "--quiet", "--bare", "--initial-branch=main"],
        )
        .arg(&path)
        .output_checked(&[])?;
        git(&path, &["fast-import", "--quiet"]).output_checked(&history())?;
        // As a server keeps it.
        git(&path, &["gc", "--quiet"]).output_checked(&[])?;
        Ok(Self {
            path,
            branch: "main".to_owned(),
        })
    }

    /// A copy of a repository on this machine, so that it can be committed to.
    pub fn copy(root: &Path, from: &Path) -> Outcome<Self> {
        let path = root.join("atlas.git");
        git(root, &["clone", "--quiet", "--bare", "--no-hardlinks"])
            .arg(from)
            .arg(&path)
            .output_checked(&[])?;
        let head = git(&path, &["symbolic-ref", "--short", "HEAD"]).output_checked(&[])?;
        Ok(Self {
            path,
            branch: String::from_utf8(head)?.trim().to_owned(),
        })
    }

    /// Files and commits.
    pub fn size(&self) -> Outcome<(usize, usize)> {
        let files = git(&self.path, &["ls-tree", "-r", "HEAD"]).output_checked(&[])?;
        let commits = git(&self.path, &["rev-list", "--count", "HEAD"]).output_checked(&[])?;
        let files = files.iter().filter(|byte| **byte == b'\n').count();
        Ok((files, String::from_utf8(commits)?.trim().parse()?))
    }

    /// Commits another text of one file.
    pub fn commit_one(&self, number: usize) -> Outcome<()> {
        let (branch, text) = (&self.branch, text(7_000_000 + number));
        let mut stream = String::new();
        let when = 1_780_000_000 + number;
        stream.push_str(&format!(
            "commit refs/heads/{branch}\ncommitter Bench <bench@example.org> {when} +0000\ndata 3\none\nfrom refs/heads/{branch}^0\n\
             M 100644 inline changed_once.rs\ndata {}\n{text}\n\n",
            text.len()
        ));
        git(&self.path, &["fast-import", "--quiet"])
            .output_checked(stream.as_bytes())
            .map(drop)
    }
}

fn history() -> Vec<u8> {
    let mut stream = String::new();
    let mut next = 0;
    for commit in 0..COMMITS {
        let when = 1_767_225_600 + commit * 60;
        stream.push_str(&format!(
            "commit refs/heads/main\ncommitter Bench <bench@example.org> {when} +0000\ndata 2\nc\n\n"
        ));
        let changed = if commit == 0 { FILES } else { CHANGED };
        for _ in 0..changed {
            let file = if commit == 0 {
                next
            } else {
                next * 7919 % FILES
            };
            let text = text(next);
            stream.push_str(&format!(
                "M 100644 inline part_{}/module_{}/file_{file}.rs\ndata {}\n{text}\n",
                file % 8,
                file % 64,
                text.len()
            ));
            next += 1;
        }
    }
    stream.into_bytes()
}

/// Lines that look like code: a hundred words in an order that the seed decides.
fn text(seed: usize) -> String {
    let mut state = seed as u64 * 2 + 1;
    let mut word = || {
        // The multiplier of Knuth's MMIX generator.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        WORDS[(state >> 33) as usize % WORDS.len()]
    };
    let mut text = String::new();
    for line in 0..LINES {
        let (a, b, c, d) = (word(), word(), word(), word());
        match line % 4 {
            0 => text.push_str(&format!("pub fn {a}_{b}({c}: u64) -> u64 {{\n")),
            1 => text.push_str(&format!("    let {a} = {b}_{c}({d});\n")),
            2 => text.push_str(&format!("    {a}.{b}({c} + {line}) // {d}\n")),
            _ => text.push_str("}\n"),
        }
    }
    text
}

#[rustfmt::skip]
const WORDS: [&str; 48] = [
    "lease", "renew", "worker", "queue", "commit", "branch", "source", "mirror", "fetch", "import", "batch", "token", "tenant", "scope", "read",
    "write", "index", "search", "chunk", "line", "path", "blob", "tree", "diff", "merge", "phase", "event", "signal", "cancel", "retry", "clock",
    "limit", "pattern", "facts", "parse", "node", "graph", "rank", "score", "note", "persona", "model", "stream", "cursor", "page", "role",
    "secret", "audit",
];

/// A plain git, as a person would use it, to be run in a folder.
pub fn git(folder: &Path, arguments: &[&str]) -> Command {
    #[expect(
        clippy::disallowed_methods,
        reason = "the peer that is measured against is git itself"
    )]
    let mut command = Command::new("git");
    command
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    command
}

/// Running a command to its end.
pub trait Checked {
    /// What it printed.
    fn output_checked(&mut self, input: &[u8]) -> Outcome<Vec<u8>>;
}

impl Checked for Command {
    fn output_checked(&mut self, input: &[u8]) -> Outcome<Vec<u8>> {
        let mut child = self
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stdin = child.stdin.take().ok_or("no pipe")?;
        let input = input.to_owned();
        let feed = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output()?;
        feed.join().map_err(|_| "git did not read its input")??;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(format!("{self:?}: {said}").into());
        }
        Ok(output.stdout)
    }
}
