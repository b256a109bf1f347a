//! The report is the same with and without the cache, after any change of the files or the cache.

use std::fs;
use std::path::{Path, PathBuf};

use nyxcore_code_engine::tree::{TreeOptions, TreeReport, tree_analyze};

/// A folder, and a folder for its cache.
pub(crate) struct Tree {
    root: tempfile::TempDir,
    cache: tempfile::TempDir,
}

impl Tree {
    pub(crate) fn empty() -> Tree {
        Tree {
            root: tempfile::tempdir().expect("a folder"),
            cache: tempfile::tempdir().expect("a folder"),
        }
    }

    /// Creates forty modules, none of which was modified a moment ago.
    fn new() -> Tree {
        let tree = Tree::empty();
        for number in 0..40 {
            tree.write(
                &format!("src/m{number:02}.py"),
                &format!("def f_{number}(a):\n    return a\n"),
            );
        }
        tree.write("src/README.md", "# Notes\n");
        tree.write("src/broken.py", &"(".repeat(10_000));
        tree
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let full = self.path(path);
        fs::create_dir_all(full.parent().expect("a folder")).expect("folders");
        fs::write(&full, text).expect("a file");
    }

    fn analyse(&self, options: &TreeOptions) -> TreeReport {
        tree_analyze(self.root.path(), options, |_| {}).expect("a report")
    }

    /// Analyses with the cache, and compares the report with one without a cache.
    pub(crate) fn cached(&self) -> TreeReport {
        self.cached_with(&TreeOptions::default())
    }

    /// Like [`cached`](Self::cached), with options.
    pub(crate) fn cached_with(&self, options: &TreeOptions) -> TreeReport {
        let cached = self.analyse(&TreeOptions {
            cache: Some(self.cache.path().join("kept")),
            ..options.clone()
        });
        let fresh = self.analyse(options);
        let json = |report: &TreeReport| serde_json::to_string(report).expect("JSON");
        assert_eq!(json(&cached), json(&fresh), "with a cache and without");
        // Compares also what is not part of the JSON.
        assert!(cached == fresh, "with a cache and without");
        cached
    }

    fn packs(&self) -> Vec<PathBuf> {
        self.kept("facts")
    }

    /// The cache files with this extension.
    pub(crate) fn kept(&self, ending: &str) -> Vec<PathBuf> {
        let mut kept = files(&self.cache.path().join("kept"));
        kept.retain(|path| path.extension().is_some_and(|one| one == ending));
        kept
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

#[test]
fn a_changed_a_moved_and_a_removed_file_are_seen() {
    let tree = Tree::new();
    assert_eq!(tree.cached().project.metrics.functions, 40);
    assert_eq!(tree.cached().skipped[0].paths, ["src/broken.py"]);
    // The size is the same, but the times differ.
    tree.write("src/m00.py", "def g_0(a):\n    return a\n");
    tree.cached();
    fs::rename(tree.path("src/m01.py"), tree.path("src/n01.py")).expect("moved");
    tree.cached();
    fs::remove_file(tree.path("src/m02.py")).expect("removed");
    assert_eq!(tree.cached().project.metrics.functions, 39);
    tree.write("src/broken.py", "def mended():\n    pass\n");
    let report = tree.cached();
    assert_eq!(report.project.metrics.functions, 40);
    assert_eq!(report.skipped, []);
}

#[test]
fn a_file_that_is_written_again_within_the_same_tick_is_seen() {
    let tree = Tree::new();
    for number in 0..20 {
        tree.write(
            "src/m00.py",
            &format!("def h{number:02}(a):\n    return a\n"),
        );
        let modified = fs::metadata(tree.path("src/m00.py")).and_then(|m| m.modified());
        tree.cached();
        tree.write(
            "src/m00.py",
            &format!("def i{number:02}(a):\n    return a\n"),
        );
        // Setting the time back, as tools for unpacking archives do, does not hide a change.
        let file = fs::File::options()
            .write(true)
            .open(tree.path("src/m00.py"));
        file.expect("a file")
            .set_modified(modified.expect("a time"))
            .expect("set");
        tree.cached();
    }
}

#[test]
fn one_pack_is_kept_a_tree_and_it_forgets_what_is_gone() {
    let tree = Tree::new();
    tree.cached();
    let size = |tree: &Tree| {
        let packs = tree.packs();
        assert_eq!(packs.len(), 1, "{packs:?}");
        fs::metadata(&packs[0]).expect("a pack").len()
    };
    let all = size(&tree);
    for number in 0..30 {
        fs::remove_file(tree.path(&format!("src/m{number:02}.py"))).expect("removed");
    }
    tree.cached();
    assert!(size(&tree) < all / 2);
}

#[test]
fn a_damaged_a_foreign_and_an_unwritable_cache_are_done_without() {
    let tree = Tree::new();
    tree.cached();
    let pack = tree.packs().remove(0);
    let whole = fs::read(&pack).expect("a pack");
    for at in (0..whole.len()).step_by(37) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x40;
        fs::write(&pack, &damaged).expect("written");
        tree.cached();
    }
    for cut in [0, 1, 44, whole.len() / 2, whole.len() - 1] {
        fs::write(&pack, &whole[..cut]).expect("written");
        tree.cached();
    }
    fs::write(&pack, "something else entirely\n".repeat(100)).expect("written");
    tree.cached();
    fs::remove_dir_all(tree.cache.path().join("kept")).expect("removed");
    fs::write(tree.cache.path().join("kept"), "a file in its place").expect("written");
    tree.cached();
}

#[test]
fn damaged_sums_and_those_of_another_pack_are_done_without() {
    let tree = Tree::new();
    tree.cached();
    let sums = tree.kept("sums").remove(0);
    let old = fs::read(&sums).expect("sums");
    for at in (0..old.len()).step_by(61) {
        let mut damaged = old.clone();
        damaged[at] ^= 0x40;
        fs::write(&sums, &damaged).expect("written");
        tree.write("src/m00.py", &format!("def _g_{at}(a):\n    return a\n"));
        tree.cached();
    }
    for cut in [0, 7, 16, old.len() - 1] {
        fs::write(&sums, &old[..cut]).expect("written");
        tree.write("src/m00.py", &format!("def _h_{cut}(a):\n    return a\n"));
        tree.cached();
    }
    fs::write(&sums, &old).expect("written");
    tree.write("src/m00.py", "def _i(a):\n    return a\n");
    tree.cached();
}

#[test]
fn two_runs_at_once_share_a_cache() {
    let tree = Tree::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..5).for_each(|_| drop(tree.cached())));
        }
    });
    assert_eq!(tree.packs().len(), 1);
    let unfinished = tree.kept("tmp");
    assert!(unfinished.is_empty(), "nothing is left: {unfinished:?}");
}

#[test]
fn what_a_run_that_was_killed_left_is_removed_after_an_hour() {
    let tree = Tree::new();
    tree.cached();
    let folder = tree.cache.path().join("kept");
    for (name, hours) in [("old.tmp", 2), ("new.tmp", 0), ("other.txt", 2)] {
        let file = fs::File::create(folder.join(name)).expect("a file");
        let now = file.metadata().and_then(|m| m.modified()).expect("a time");
        let then = now - std::time::Duration::from_secs(hours * 3600);
        file.set_modified(then).expect("set");
    }
    tree.cached();
    let exists = |name: &str| folder.join(name).exists();
    assert_eq!(
        ["old.tmp", "new.tmp", "other.txt"].map(exists),
        [false, true, true]
    );
}
