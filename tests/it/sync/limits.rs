//! Oversized repositories and changed limits: an oversized repository is refused as a whole, and contents within a
//! raised limit are fetched with one request.

use nyxcore_runs::RunStatus;
use nyxcore_sync::git::SourcePolicy;
use nyxcore_sync::git::testing::{
    FIRST_COMMIT_SECONDS, GitHttpOptions, GitHttpServer, TestRepository,
};
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::world::{SyncWorld, repository};
use crate::support::store;

/// Commits a tree on `main` that no work tree could contain.
fn commit_tree(repository: &TestRepository, tree: &str) {
    let commit = repository.git(&["commit-tree", tree, "-m", "a bomb"]);
    repository.git(&["update-ref", "refs/heads/main", &commit]);
}

/// A tree with that many identical entries.
fn tree_of(repository: &TestRepository, entries: usize, mode_and_id: &str) -> String {
    let lines: String = (0..entries)
        .map(|n| format!("{mode_and_id}\tentry-{n:03}\n"))
        .collect();
    repository.git_with(&["mktree"], &[], lines.as_bytes())
}

/// Creates files by their paths, without a work tree.
fn import_file(repository: &TestRepository, paths: &[String]) {
    let mut stream = format!(
        "commit refs/heads/main\ncommitter T <t@example.org> {FIRST_COMMIT_SECONDS} +0000\ndata 0\n\n"
    );
    for path in paths {
        stream.push_str(&format!("M 100644 inline {path}\ndata 10\nfn f() {{}}\n\n"));
    }
    repository.git_with(&["fast-import", "--quiet"], &[], stream.as_bytes());
}

on_both_databases! {
    async fn trees_that_unfold_without_end_are_refused_and_leave_nothing(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let bomb = repository(&db, "bomb");
        let blob = bomb.git_with(&["hash-object", "-w", "--stdin"], &[], b"x\n");
        let mut tree = tree_of(&bomb, 100, &format!("100644 blob {blob}"));
        let mut trees = Vec::new();
        for _ in 0..7 {
            tree = tree_of(&bomb, 100, &format!("040000 tree {tree}"));
            trees.push(tree.clone());
        }
        // Only folders: two in each, forty deep.
        let mut folders = bomb.git_with(&["mktree"], &[], b"");
        for _ in 0..40 {
            folders = tree_of(&bomb, 2, &format!("040000 tree {folders}"));
        }
        let source = world.source(&bomb, None, "").await;
        // A million files from a few kilobytes, then 10^16, then endless folders without any file.
        for tree in [&trees[1], &trees[6], &folders] {
            commit_tree(&bomb, tree);
            let sync = world.synced(source).await;
            let error = sync.run.error.unwrap();
            assert_eq!((sync.run.status, sync.run.attempt, error.code.as_str()), (RunStatus::Failed, 1, "REPOSITORY_TOO_LARGE"));
            assert!(error.message.contains("scan path"), "{}", error.message);
            let rows = world.rows(source).await;
            assert!(rows.files.is_empty() && rows.blobs.is_empty() && rows.documents.is_empty() && rows.head_commit.is_none());
        }
    }

    async fn a_bomb_in_the_history_keeps_nobody_from_the_files(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let mut repository = repository(&db, "atlas");
        let blob = repository.git_with(&["hash-object", "-w", "--stdin"], &[], b"x\n");
        let mut tree = tree_of(&repository, 100, &format!("100644 blob {blob}"));
        for _ in 0..2 {
            tree = tree_of(&repository, 100, &format!("040000 tree {tree}"));
        }
        commit_tree(&repository, &tree);
        repository.write("a.rs", "fn a() {}\n");
        repository.commit("clean");
        let source = world.source(&repository, None, "").await;
        let sync = world.succeeded(source).await;
        assert_eq!(world.paths(source).await, ["a.rs"]);
        let told = world.messages(&sync).await;
        assert!(told.iter().any(|text| text.starts_with("the history was not read")), "{told:?}");
        // From here on the history is counted again.
        repository.write("a.rs", "fn aa() {}\n");
        repository.commit("two");
        world.succeeded(source).await;
        assert_eq!(world.files(source).await[0].commits, 1);
    }

    async fn a_source_that_grows_beyond_the_limit_stays_as_it_was(db: TestDatabase) {
        let mut world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        world.options.files_max = 10;
        let mut repository = repository(&db, "atlas");
        for n in 0..10 {
            repository.write(&format!("{n}.rs"), format!("fn f{n}() {{}}\n"));
        }
        repository.commit("one");
        let source = world.source(&repository, None, "").await;
        world.succeeded(source).await;
        // Replaces all ten files: the number stays within the limit.
        for n in 0..10 {
            repository.remove(&format!("{n}.rs")).write(&format!("other-{n}.txt"), format!("{}\n", n + 100));
        }
        repository.commit("two");
        world.succeeded(source).await;
        let before = world.rows(source).await;
        repository.write("one-more.rs", "fn more() {}\n");
        repository.commit("three");
        let sync = world.synced(source).await;
        assert_eq!(sync.run.error.unwrap().code, "REPOSITORY_TOO_LARGE");
        assert_eq!(world.rows(source).await, before);
    }

    async fn paths_that_are_too_long_are_left_out_and_counted(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let deep = repository(&db, "deep");
        let longest = format!("{}f", format!("{}/", "d".repeat(194)).repeat(21));
        assert_eq!(longest.len(), 4_096);
        let paths = [
            "kept.rs".to_owned(),
            longest,
            format!("{}f", "d/".repeat(1_200)),
            format!("{}f", "e/".repeat(999)),
        ];
        import_file(&deep, &paths);
        let source = world.source(&deep, None, "").await;
        let sync = world.succeeded(source).await;
        assert_eq!(world.paths(source).await, [paths[3].as_str(), "kept.rs"]);
        assert!(world.messages(&sync).await.contains(&"2 files skipped: 2 with paths that are too long".to_owned()), "{:?}", world.messages(&sync).await);

        // Folders that exceed git's own depth limit.
        let deeper = repository(&db, "deeper");
        import_file(&deeper, &[format!("{}f", "d/".repeat(5_000))]);
        let source = world.source(&deeper, None, "").await;
        let sync = world.synced(source).await;
        assert_eq!((sync.run.attempt, sync.run.error.unwrap().code.as_str()), (1, "REPOSITORY_TOO_LARGE"));
        assert!(world.rows(source).await.files.is_empty());
    }

    async fn a_file_of_a_gibibyte_is_kept_without_its_text(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let mut repository = repository(&db, "atlas");
        let file = std::fs::File::create(repository.path().join("zeros.bin")).unwrap();
        file.set_len(1 << 30).unwrap();
        repository.git(&["config", "core.compression", "1"]);
        repository.git(&["config", "core.bigFileThreshold", "1m"]);
        repository.write("small.rs", "fn small() {}\n");
        repository.commit("one");
        let server = GitHttpServer::start(&db.folder().join("remotes"), GitHttpOptions::default()).await;
        let mut world = world;
        world.options.policy = SourcePolicy { allow_private: true, ..world.options.policy };
        // This server does not support omitting files. The file arrives compressed to a few megabytes, and is never
        // decompressed in memory.
        let source = world.source_at(&server.url("atlas/.git"), None, "").await;
        let sync = world.succeeded(source).await;
        assert!(sync.detail.bytes_fetched < 16 << 20, "{}", sync.detail.bytes_fetched);
        let sizes: Vec<(String, i64)> = world.files(source).await.into_iter().map(|file| (file.path, file.size)).collect();
        assert_eq!(sizes, [("small.rs".to_owned(), 14), ("zeros.bin".to_owned(), 1 << 30)]);
        assert_eq!(world.rows(source).await.texts(), ["fn small() {}\n"]);
    }

    async fn what_may_be_read_by_now_comes_in_one_request(db: TestDatabase) {
        let mut world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        world.options.policy = SourcePolicy { allow_private: true, ..world.options.policy };
        world.options.blob_bytes_max = 1_000;
        let mut repository = repository(&db, "atlas");
        for n in 0..20 {
            repository.write(&format!("large_{n:02}.rs"), format!("// {}\nfn formerlyLarge{n}() {{}}\n", "x".repeat(2_000)));
        }
        repository.write("large_07.rs", format!("// {}\nfn quokka() {{}}\n", "x".repeat(2_000)));
        repository.write("small.rs", "fn small() {}\n").write("huge.txt", "y".repeat(50_000));
        repository.commit("one");
        let server = GitHttpServer::start(&db.folder().join("remotes"), GitHttpOptions { filter: true, ..GitHttpOptions::default() }).await;
        let source = world.source_at(&server.url("atlas/.git"), None, "").await;
        let first = world.succeeded(source).await;
        assert_eq!((first.detail.files_added, first.detail.files_skipped), (22, 21));
        world.step.take();

        world.options.blob_bytes_max = 10_000;
        let before = server.requests().len();
        let second = world.succeeded(source).await;
        let requests: Vec<String> = server.requests().split_off(before);
        let posts = requests.iter().filter(|line| line.starts_with("POST")).count();
        // One request lists the refs, and one fetches the contents.
        assert!(posts <= 3, "{requests:?}");
        assert_eq!((second.detail.files_updated, second.detail.files_skipped, second.detail.files_unchanged), (21, 1, 1));
        assert!(second.detail.bytes_fetched > 0);
        assert_eq!(world.step.take().len(), 1);
        assert_eq!(world.searched("quokka").await, ["large_07.rs"]);
        let sizes: Vec<i64> = world.files(source).await.into_iter().map(|file| file.size).collect();
        assert_eq!((sizes[0], sizes[21]), (50_000, 14));

        // From now on only the branch is requested, and new files are fetched as usual.
        let before = server.requests().len();
        let third = world.succeeded(source).await;
        let asked = server.requests().split_off(before);
        assert!(asked.len() <= 2 && third.detail.bytes_fetched == 0, "{asked:?}");
        repository.write("next.rs", format!("// {}\nfn nextOne() {{}}\n", "z".repeat(3_000)));
        repository.commit("two");
        world.succeeded(source).await;
        assert_eq!(world.searched("next one").await, ["next.rs"]);

        // Contents that were stored under the higher limit stay when it is lowered.
        world.options.blob_bytes_max = 1_000;
        repository.write("small.rs", "fn smaller() {}\n");
        repository.commit("three");
        world.succeeded(source).await;
        assert_eq!(world.searched("next one").await, ["next.rs"]);
    }
}
