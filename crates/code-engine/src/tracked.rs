//! The files that git tracks, from its index. `.gitignore` only applies to untracked files: a tracked file belongs to
//! the project even if `.gitignore` matches it.

use std::fs;
use std::path::{Path, PathBuf};

use gix_index::entry::Mode;
use gix_index::{File, decode, hash};

/// The maximum size of an index, in bytes: about two million files.
const INDEX_CAP: u64 = 256 << 20;

/// The paths in the index of the repository at `root`, relative to the root. `None` if there is no index, or it cannot
/// be read.
pub(crate) fn tracked(root: &Path) -> Option<Vec<String>> {
    let path = git_folder(root)?.join("index");
    if path.metadata().ok()?.len() > INDEX_CAP {
        return None;
    }
    // The checksum protects against disk corruption, which git itself detects, and costs more than the rest.
    let index = File::at(path, hash::Kind::Sha1, true, decode::Options::default()).ok()?;
    // Neither submodules, nor the folder entries of a sparse index.
    let is_file = |mode| matches!(mode, Mode::FILE | Mode::FILE_EXECUTABLE | Mode::SYMLINK);
    let files = index.entries().iter().filter(|entry| is_file(entry.mode));
    let names = files.filter_map(|entry| std::str::from_utf8(entry.path(&index)).ok());
    Some(names.map(str::to_owned).collect())
}

/// The git folder of a work tree: `.git`, or the folder that the file `.git` of a linked worktree or of a submodule
/// names.
fn git_folder(root: &Path) -> Option<PathBuf> {
    let own = root.join(".git");
    if own.is_dir() {
        return Some(own);
    }
    let text = fs::read_to_string(own).ok()?;
    Some(root.join(text.strip_prefix("gitdir:")?.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::disallowed_methods,
        reason = "a test makes a repository as git itself does"
    )]
    fn git(root: &Path, arguments: &[&str]) {
        let mut command = std::process::Command::new("git");
        let done = command.arg("-C").arg(root).args(arguments).output();
        let done = done.unwrap();
        assert!(done.status.success(), "{done:?}");
    }

    fn repository() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        git(root.path(), &["init", "--quiet"]);
        for (name, text) in [
            (".gitignore", "build\n"),
            ("build/package.json", "{}"),
            ("build/run", "run"),
            ("src/a.rs", "fn a() {}"),
            ("src/ab.rs", "fn b() {}"),
        ] {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        git(root.path(), &["add", "."]);
        git(root.path(), &["add", "--force", "build/package.json"]);
        root
    }

    const TRACKED: [&str; 4] = [".gitignore", "build/package.json", "src/a.rs", "src/ab.rs"];

    #[test]
    fn an_ignored_file_that_was_added_is_tracked() {
        let root = repository();
        assert_eq!(tracked(root.path()).unwrap(), TRACKED);
    }

    #[test]
    fn every_version_of_the_index_names_the_files() {
        let root = repository();
        for version in ["2", "3", "4"] {
            git(root.path(), &["update-index", "--index-version", version]);
            assert_eq!(tracked(root.path()).unwrap(), TRACKED, "{version}");
        }
    }

    #[test]
    fn a_submodule_is_no_file() {
        let root = repository();
        let module = "160000,4b825dc642cb6eb9a060e54bf8d69288fbee4904,module";
        git(
            root.path(),
            &["update-index", "--add", "--cacheinfo", module],
        );
        assert_eq!(tracked(root.path()).unwrap(), TRACKED);
    }

    #[test]
    fn a_further_work_tree_has_an_index_of_its_own() {
        let root = repository();
        let moved = root.path().join("elsewhere.git");
        fs::rename(root.path().join(".git"), &moved).unwrap();
        fs::write(
            root.path().join(".git"),
            format!("gitdir: {}\n", moved.display()),
        )
        .unwrap();
        assert_eq!(tracked(root.path()).unwrap(), TRACKED);
    }

    #[test]
    fn a_damaged_index_names_nothing() {
        let root = repository();
        let path = root.path().join(".git/index");
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() / 2 {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(tracked(root.path()).is_none(), "{length}");
        }
    }
}
