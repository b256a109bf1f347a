//! Moved files keep their identity, and everything else equals a fresh import.

use std::collections::{BTreeMap, HashMap};

use nyxcore_projects::{SourceFile, SourceFileId};
use nyxcore_sync::git::testing::TestRepository;
use nyxcore_tests::{TestDatabase, on_both_databases};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::world::{SyncWorld, repository};
use crate::support::store;

/// The number of tested pairs of trees.
const CASES: usize = 12;

fn text(lines: std::ops::Range<usize>) -> String {
    lines.map(|n| format!("let line_{n} = {n};\n")).collect()
}

async fn ids(
    world: &SyncWorld,
    source: nyxcore_projects::SourceId,
) -> HashMap<String, SourceFileId> {
    let files = world.files(source).await;
    files.into_iter().map(|file| (file.path, file.id)).collect()
}

/// A tree with a few paths and a few contents, so that the same content occurs at other paths.
fn trees() -> impl Strategy<Value = (BTreeMap<String, u8>, BTreeMap<String, u8>)> {
    let path = prop::sample::select(vec![
        "a.rs",
        "A.rs",
        "b.rs",
        "src/a.rs",
        "src/b.rs",
        "lib/a.rs",
        "lib/c/d.rs",
        "x.md",
        "docs/x.md",
        "docs/X.md",
    ]);
    let tree = prop::collection::btree_map(path.prop_map(str::to_owned), 0_u8..8, 1..8);
    (tree.clone(), tree)
}

fn tree_write(repository: &mut TestRepository, tree: &BTreeMap<String, u8>) {
    let files = repository.git(&["ls-files"]);
    for path in files.lines() {
        repository.remove(path);
    }
    for (path, content) in tree {
        let n = usize::from(*content) * 20;
        // Content 0 is empty, and contents 6 and 7 are nearly the same.
        let body = match content {
            0 => String::new(),
            7 => text(120..138),
            _ => text(n..n + 20),
        };
        repository.write(path, body);
    }
    repository.commit("a tree");
}

fn without_ids(files: &[SourceFile]) -> Vec<(String, String, Option<String>, i64)> {
    files
        .iter()
        .map(|file| {
            (
                file.path.clone(),
                file.blob.clone(),
                file.language.clone(),
                file.size,
            )
        })
        .collect()
}

on_both_databases! {
    async fn a_moved_file_keeps_its_id_commits_and_search_entry(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let mut repository = repository(&db, "atlas");
        repository
            .write("src/lease.rs", text(0..20))
            .write("src/queue.rs", text(100..120) + "fn overflowingQueue() {}\n")
            .write("Readme.md", "# Atlas\n")
            .write("twin_one.rs", "fn twin() {}\n")
            .write("twin_two.rs", "fn twin() {}\n")
            .write("rewritten.rs", text(200..220));
        repository.commit("one");
        repository.write("src/queue.rs", text(100..121) + "fn overflowingQueue() {}\n");
        repository.commit("two");
        let source = world.source(&repository, None, "").await;
        world.succeeded(source).await;
        let before = ids(&world, source).await;

        repository.git(&["mv", "src/lease.rs", "lease.rs"]);
        repository.git(&["mv", "src/queue.rs", "src/line.rs"]);
        // Through a third name, so that it also works on a case-insensitive file system.
        repository.git(&["mv", "Readme.md", "r"]);
        repository.git(&["mv", "r", "README.md"]);
        std::fs::create_dir_all(repository.path().join("twins")).unwrap();
        repository.git(&["mv", "twin_one.rs", "twins/twin_one.rs"]);
        repository.git(&["mv", "twin_two.rs", "twins/twin_two.rs"]);
        // One file keeps more than half of its text, the other nothing.
        repository.write("src/line.rs", text(100..115) + "fn overflowingQueue() {}\n// and more\n");
        repository.remove("rewritten.rs").write("other.rs", text(900..920));
        repository.commit("three");
        let sync = world.succeeded(source).await;
        let found = &sync.detail;
        assert_eq!((found.files_renamed, found.files_added, found.files_updated, found.files_deleted, found.files_unchanged), (5, 1, 0, 1, 0));
        let after = ids(&world, source).await;
        for (from, to) in [
            ("src/lease.rs", "lease.rs"),
            ("src/queue.rs", "src/line.rs"),
            ("Readme.md", "README.md"),
            ("twin_one.rs", "twins/twin_one.rs"),
            ("twin_two.rs", "twins/twin_two.rs"),
        ] {
            assert_eq!(before[from], after[to], "{from} -> {to}");
        }
        assert_ne!(before["rewritten.rs"], after["other.rs"]);
        let moved = world.files(source).await;
        let commits = |path: &str| moved.iter().find(|file| file.path == path).unwrap().commits;
        assert_eq!((commits("src/line.rs"), commits("lease.rs"), commits("other.rs")), (3, 2, 1));
        assert_eq!(world.searched("overflowing queue").await, ["src/line.rs"]);
        let documents = world.rows(source).await.documents;
        assert!(documents.iter().all(|document| after.contains_key(&document.0)), "{documents:?}");
    }

    async fn whatever_two_trees_are_the_files_are_those_of_a_fresh_import(db: TestDatabase) {
        let store = store(&db).await;
        let world = SyncWorld::new(&db, &store, "acme").await;
        let fresh = SyncWorld::new(&db, &store, "fresh").await;
        let mut runner = TestRunner::deterministic();
        for case in 0..CASES {
            let (before, after) = trees().new_tree(&mut runner).unwrap().current();
            let mut repository = repository(&db, &format!("case-{case}"));
            tree_write(&mut repository, &before);
            let source = world.source(&repository, None, "").await;
            world.succeeded(source).await;
            let old = world.files(source).await;
            tree_write(&mut repository, &after);
            let sync = world.succeeded(source).await;
            let new = world.files(source).await;
            let other = fresh.source(&repository, None, "").await;
            fresh.succeeded(other).await;
            assert_eq!(without_ids(&new), without_ids(&fresh.files(other).await), "{before:?} {after:?}");
            assert_eq!(world.rows(source).await.documents, fresh.rows(other).await.documents, "{before:?} {after:?}");

            // A path that stays keeps its file; a content that disappears and appears elsewhere is a moved file.
            let old_by_path: HashMap<&str, &SourceFile> = old.iter().map(|file| (file.path.as_str(), file)).collect();
            let kept = new.iter().filter_map(|file| Some((old_by_path.get(file.path.as_str())?.id, file.id)));
            assert!(kept.clone().all(|(was, is)| was == is), "{before:?} {after:?}");
            let is_new = |file: &&SourceFile| !before.contains_key(&file.path);
            let mut gone: Vec<&SourceFile> = old.iter().filter(|file| !after.contains_key(&file.path)).collect();
            let mut exact = 0;
            for file in new.iter().filter(is_new) {
                let from = gone.iter().position(|old| old.id == file.id);
                if let Some(at) = from {
                    exact += usize::from(gone.remove(at).blob == file.blob);
                } else {
                    assert!(old.iter().all(|old| old.id != file.id), "{before:?} {after:?}");
                }
            }
            let mut contents: HashMap<&str, (usize, usize)> = HashMap::new();
            for file in old.iter().filter(|file| !after.contains_key(&file.path)) {
                contents.entry(&file.blob).or_default().0 += 1;
            }
            for file in new.iter().filter(is_new) {
                contents.entry(&file.blob).or_default().1 += 1;
            }
            let pairs: usize = contents.values().map(|(old, new)| old.min(new)).sum();
            assert_eq!(exact, pairs, "{before:?} {after:?}");
            assert!(sync.detail.files_renamed >= i64::try_from(pairs).unwrap());
        }
    }
}
