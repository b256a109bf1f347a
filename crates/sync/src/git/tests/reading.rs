//! Reads listings, differences and contents.

use super::super::blob::AHEAD;
use super::*;

fn paths(listing: &TreeListing) -> Vec<&str> {
    listing
        .entries
        .iter()
        .map(|entry| entry.path.as_str())
        .collect()
}

fn lines(diff: &TreeDiff) -> Vec<String> {
    diff.changes
        .iter()
        .map(|change| format!("{:?} {}", change.kind, change.path))
        .collect()
}

#[tokio::test]
async fn a_listing_has_every_file_and_counts_what_it_leaves_out() {
    let world = World::new();
    let repository = world.repository("a");
    repository
        .write("src/lib.rs", "//! x\n")
        .write("src/deep/er/a b.txt", "x")
        .write("README.md", "# x")
        .write("run.sh", "#!/bin/sh\n");
    std::os::unix::fs::symlink("/etc/passwd", repository.path().join("link")).expect("a link");
    std::os::unix::fs::symlink("../..", repository.path().join("src/up")).expect("a link");
    repository.git(&["add", "--all"]);
    repository.git(&["update-index", "--chmod=+x", "run.sh"]);
    let submodule = "0123456789012345678901234567890123456789";
    repository.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("160000,{submodule},vendor/sub"),
    ]);
    let blob = repository.git_with(&["hash-object", "-w", "--stdin"], &[], b"x");
    repository.git_with(
        &["update-index", "-z", "--index-info"],
        &[],
        &[b"100644 ", blob.as_bytes(), b"\tlatin-\xe9.txt\0"].concat(),
    );
    let tree = repository.git(&["write-tree"]);
    let commit = repository.git(&["commit-tree", &tree, "-m", "all kinds"]);

    let listing = open(&repository)
        .tree_list(&commit, &ScanPath::default(), &world.cancel)
        .await
        .expect("a listing");
    assert_eq!(
        paths(&listing),
        ["README.md", "run.sh", "src/deep/er/a b.txt", "src/lib.rs"]
    );
    assert_eq!(
        listing.skipped,
        SkippedEntries {
            symlinks: 2,
            submodules: 1,
            non_utf8_paths: 1,
            ..SkippedEntries::default()
        }
    );
    assert_eq!(listing.skipped.total(), 4);
    let executable: Vec<_> = listing
        .entries
        .iter()
        .filter(|entry| entry.executable)
        .map(|entry| entry.path.as_str())
        .collect();
    assert_eq!(executable, ["run.sh"]);
    assert_eq!(listing.entries[2].blob, blob);

    let below = open(&repository)
        .tree_list(&commit, &scan("src/deep"), &world.cancel)
        .await
        .expect("a listing");
    assert_eq!(paths(&below), ["src/deep/er/a b.txt"]);
    assert_eq!(below.skipped.total(), 0);
}

#[tokio::test]
async fn a_scan_path_that_is_not_a_folder_is_named() {
    let world = World::new();
    let mut repository = world.repository("a");
    std::os::unix::fs::symlink("/etc", repository.path().join("link")).expect("a link");
    let commit = {
        repository.write("src/lib.rs", "x");
        repository.commit("one")
    };
    let reader = open(&repository);
    let code = async |path: &str| {
        reader
            .tree_list(&commit, &scan(path), &world.cancel)
            .await
            .map_err(|error| error.code())
            .map(|listing| listing.entries.len())
    };
    assert_eq!(code("/").await, Ok(1));
    assert_eq!(code("./src/").await, Ok(1));
    assert_eq!(code("lib").await, Err("SCAN_PATH_NOT_FOUND"));
    assert_eq!(code("src/lib.rs/x").await, Err("SCAN_PATH_INVALID"));
    assert_eq!(code("src/lib.rs").await, Err("SCAN_PATH_INVALID"));
    assert_eq!(
        code("link").await,
        Err("SCAN_PATH_INVALID"),
        "a symbolic link is never followed"
    );
}

#[tokio::test]
async fn a_comparison_names_exactly_what_changed() {
    let world = World::new();
    let mut repository = world.repository("a");
    repository
        .write("src/a.rs", "a")
        .write("src/b.rs", "b")
        .write("src/c.rs", "c")
        .write("docs/x.md", "x")
        .write("kind", "file")
        .write("same", "s");
    let one = repository.commit("one");
    repository
        .write("src/a.rs", "a2")
        .remove("src/b.rs")
        .write("src/new/d.rs", "d")
        .remove("docs/x.md")
        .write("docs/y.md", "x")
        .remove("kind")
        .write("kind/file", "f");
    let two = repository.commit("two");
    let reader = open(&repository);
    let diff = async |from: Option<&str>, to: &str, path: &str| {
        reader.tree_diff(from, to, &scan(path), &world.cancel).await
    };

    let all = diff(Some(&one), &two, "").await.expect("a diff");
    assert_eq!(
        lines(&all),
        [
            "Deleted docs/x.md",
            "Added docs/y.md",
            "Deleted kind",
            "Added kind/file",
            "Modified src/a.rs",
            "Deleted src/b.rs",
            "Added src/new/d.rs",
        ]
    );
    assert_eq!(
        all.changes[0].blob, all.changes[1].blob,
        "a rename keeps its blob"
    );
    let src = diff(Some(&one), &two, "src").await.expect("a diff");
    assert_eq!(
        lines(&src),
        [
            "Modified src/a.rs",
            "Deleted src/b.rs",
            "Added src/new/d.rs"
        ]
    );
    assert_eq!(
        lines(&diff(Some(&one), &two, "src/new").await.expect("a diff")),
        ["Added src/new/d.rs"],
        "the folder is new"
    );
    assert_eq!(
        lines(&diff(Some(&one), &two, "kind").await.expect("a diff")),
        ["Added kind/file"],
        "the folder was a file"
    );
    assert_eq!(
        diff(Some(&two), &two, "").await.expect("a diff"),
        TreeDiff::default()
    );
    assert_eq!(diff(None, &one, "").await.expect("a diff").changes.len(), 6);
    assert_eq!(
        diff(Some(&one), &two, "gone").await.expect_err("it").code(),
        "SCAN_PATH_NOT_FOUND"
    );
    let gone = "1234567890123456789012345678901234567890";
    assert_eq!(
        diff(Some(gone), &two, "").await,
        Err(GitError::CommitNotFound {
            commit: gone.to_owned()
        })
    );
    assert_eq!(
        diff(None, "main", "").await.expect_err("no id").code(),
        "COMMIT_NOT_FOUND"
    );
    assert!(
        reader.commit_exists(&one).await.expect("it")
            && !reader.commit_exists(gone).await.expect("it")
    );

    world.cancel.cancel();
    assert_eq!(diff(Some(&one), &two, "").await, Err(GitError::Cancelled));
}

#[tokio::test]
async fn a_comparison_agrees_with_git() {
    let world = World::new();
    let mut repository = world.repository("a");
    let mut commits = Vec::new();
    for round in 0..8_u32 {
        for file in 0..40_u32 {
            let path = format!("d{}/e{}/f{file}", file % 3, file % 5);
            match (file * 7 + round * 5) % 6 {
                0 => drop(std::fs::remove_file(repository.path().join(&path))),
                1 | 2 => drop(repository.write(&path, format!("{round} {file}"))),
                _ => {}
            }
        }
        commits.push(repository.commit("next"));
    }
    let reader = open(&repository);
    for pair in [(0, 1), (0, 7), (3, 5), (7, 2)] {
        let (from, to) = (&commits[pair.0], &commits[pair.1]);
        let ours = reader
            .tree_diff(Some(from), to, &ScanPath::default(), &world.cancel)
            .await
            .expect("a diff");
        let ours: Vec<String> = ours
            .changes
            .iter()
            .map(|change| format!("{}\t{}", &format!("{:?}", change.kind)[..1], change.path))
            .collect();
        let git = repository.git(&["diff-tree", "-r", "--no-renames", "--name-status", from, to]);
        assert!(!ours.is_empty());
        assert_eq!(ours.join("\n"), git);
    }
}

#[tokio::test]
async fn a_tree_made_to_harm_is_skipped_or_refused() {
    let world = World::new();
    let repository = world.repository("a");
    let blob = repository.git_with(&["hash-object", "-w", "--stdin"], &[], b"x");
    let raw: Vec<u8> = (0..40)
        .step_by(2)
        .map(|at| u8::from_str_radix(&blob[at..at + 2], 16).expect("hex"))
        .collect();
    let mut names = Vec::new();
    for name in ["..", ".", ".GIT", "a/b", "ok"] {
        names.extend_from_slice(&[b"100644 ", name.as_bytes(), b"\0", &raw].concat());
    }
    let tree = repository.git_with(
        &["hash-object", "-w", "-t", "tree", "--literally", "--stdin"],
        &[],
        &names,
    );
    let commit = repository.git(&["commit-tree", &tree, "-m", "names"]);
    let listing = open(&repository)
        .tree_list(&commit, &ScanPath::default(), &world.cancel)
        .await
        .expect("a listing");
    assert_eq!(paths(&listing), ["ok"]);
    assert_eq!(listing.skipped.unsafe_names, 4);

    // A duplicate name, and names that are not sorted.
    let mut names = Vec::new();
    for name in ["twice", "first", "twice"] {
        names.extend_from_slice(&[b"100644 ", name.as_bytes(), b"\0", &raw].concat());
    }
    let tree = repository.git_with(
        &["hash-object", "-w", "-t", "tree", "--literally", "--stdin"],
        &[],
        &names,
    );
    let commit = repository.git(&["commit-tree", &tree, "-m", "twice"]);
    let listing = open(&repository)
        .tree_list(&commit, &ScanPath::default(), &world.cancel)
        .await
        .expect("a listing");
    assert_eq!(paths(&listing), ["first", "twice"]);
    assert_eq!(listing.skipped.unsafe_names, 1);

    // Ten folders that are the same folder of ten folders, ten deep: 10^10 files in eleven objects.
    let mut tree = repository.git_with(
        &["mktree"],
        &[],
        format!("100644 blob {blob}\tf\n").as_bytes(),
    );
    for _ in 0..10 {
        let lines: String = (0..10)
            .map(|n| format!("040000 tree {tree}\td{n}\n"))
            .collect();
        tree = repository.git_with(&["mktree"], &[], lines.as_bytes());
    }
    let commit = repository.git(&["commit-tree", &tree, "-m", "bomb"]);
    let bomb = open(&repository)
        .tree_list(&commit, &ScanPath::default(), &world.cancel)
        .await;
    assert_eq!(bomb.expect_err("it").code(), "REPOSITORY_TOO_LARGE");

    // Nested folders whose path exceeds every limit.
    let name = "n".repeat(200);
    let mut tree = repository.git_with(
        &["mktree"],
        &[],
        format!("100644 blob {blob}\tf\n").as_bytes(),
    );
    for _ in 0..30 {
        tree = repository.git_with(
            &["mktree"],
            &[],
            format!("040000 tree {tree}\t{name}\n").as_bytes(),
        );
    }
    let commit = repository.git(&["commit-tree", &tree, "-m", "deep"]);
    let deep = open(&repository)
        .tree_list(&commit, &ScanPath::default(), &world.cancel)
        .await
        .expect("a listing");
    assert_eq!((deep.entries.len(), deep.skipped.long_paths), (0, 1));
}

#[tokio::test]
async fn contents_are_told_apart() {
    let world = World::new();
    let mut repository = world.repository("a");
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n";
    repository
        .write("1-text", "grün\r\n")
        .write("2-empty", "")
        .write("3-binary", b"\x7fELF\0\0")
        .write("4-latin", b"gr\xfcn")
        .write("5-large", "x".repeat(101))
        .write("6-limit", "y".repeat(100))
        .write("7-lfs", pointer);
    let commit = repository.commit("all");
    let reader = open(&repository);
    let listing = reader
        .tree_list(&commit, &ScanPath::default(), &world.cancel)
        .await
        .expect("a listing");
    let mut ids: Vec<String> = listing
        .entries
        .iter()
        .map(|entry| entry.blob.clone())
        .collect();
    ids.extend([commit.clone(), "0".repeat(40), "nonsense".to_owned()]);
    assert_eq!(
        contents(&reader, ids.clone(), 100).await,
        [
            BlobContent::Text("grün\r\n".to_owned()),
            BlobContent::Text(String::new()),
            BlobContent::Binary,
            BlobContent::NotUtf8,
            BlobContent::TooLarge { size: 101 },
            BlobContent::Text("y".repeat(100)),
            BlobContent::LfsPointer,
            BlobContent::Missing,
            BlobContent::Missing,
            BlobContent::Missing,
        ]
    );
    let sizes = reader.blob_sizes(ids, &world.cancel).await.expect("sizes");
    assert_eq!(
        sizes,
        [
            Some(7),
            Some(0),
            Some(6),
            Some(4),
            Some(101),
            Some(100),
            Some(pointer.len() as u64),
            None,
            None,
            None
        ]
    );
}

#[tokio::test]
async fn reading_contents_stops_when_it_is_cancelled() {
    let world = World::new();
    let mut repository = world.repository("a");
    repository.write("a", "a");
    repository.commit("one");
    let blob = repository.git(&["rev-parse", "HEAD:a"]);
    let mut stream = open(&repository).blobs_read(vec![blob; 10_000], 100, &world.cancel);
    assert!(stream.blob_next().await.expect("one").is_ok());
    world.cancel.cancel();
    let mut read = 1;
    loop {
        match stream.blob_next().await {
            Some(Ok(_)) => read += 1,
            Some(Err(error)) => break assert_eq!(error, GitError::Cancelled),
            None => panic!("the end came without a word"),
        }
    }
    // The blobs that were read ahead, the one that waits for room, and the first.
    assert!(
        read <= AHEAD + 2,
        "{read} blobs were read in spite of the cancellation"
    );
    assert!(stream.blob_next().await.is_none());
}
