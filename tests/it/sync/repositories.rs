//! The contents of repositories, from a remote to the database rows: changing branches, names of any bytes, links,
//! submodules, LFS pointers.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use nyxcore_runs::{EventBody, Level, RunStatus};
use nyxcore_sync::git::testing::TestRepository;
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::world::{SyncWorld, repository};
use crate::support::store;

const LFS_POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

/// Unusual names without a special meaning.
const ODD_NAMES: [&str; 12] = [
    "-rf",
    "--upload-pack=x",
    " leading and trailing ",
    "two\nlines.rs",
    "tab\t.rs",
    "\"quoted\".rs",
    "back\\slash.rs",
    "crab 🦀.rs",
    "e\u{301}.rs",
    "...",
    "$(id).rs",
    "colon:name",
];

/// A way to fill a repository.
type Fill = fn(&mut TestRepository);

/// A repository, and the result of its sync: the stored paths, and the messages for the user.
struct Case {
    name: &'static str,
    fill: Fill,
    paths: &'static [&'static str],
    told: &'static [&'static str],
}

const CASES: [Case; 5] = [
    Case {
        name: "links lead nowhere",
        fill: |repository| {
            repository.write("real.rs", "fn real() {}\n");
            symlink("real.rs", repository.path().join("link.rs")).unwrap();
            symlink("/etc/passwd", repository.path().join("passwd.txt")).unwrap();
            symlink("../../..", repository.path().join("up")).unwrap();
        },
        paths: &["real.rs"],
        told: &["3 files skipped: 3 symbolic links"],
    },
    Case {
        name: "submodules are other repositories",
        fill: |repository| {
            repository.write("real.rs", "fn real() {}\n");
            let commit = "1111111111111111111111111111111111111111";
            repository.git(&["add", "--all"]);
            repository.git(&[
                "update-index",
                "--add",
                "--cacheinfo",
                &format!("160000,{commit},vendor/lib"),
            ]);
            repository.git(&["commit", "--quiet", "-m", "with a submodule"]);
            // `add --all` would remove a submodule that is not checked out.
            std::fs::create_dir_all(repository.path().join("vendor/lib")).unwrap();
        },
        paths: &["real.rs"],
        told: &["1 file skipped: 1 submodule"],
    },
    Case {
        name: "what LFS keeps elsewhere has no text",
        fill: |repository| {
            repository
                .write("model.bin", LFS_POINTER)
                .write("film.mp4", LFS_POINTER)
                .write("picture.png", b"\0");
        },
        paths: &["film.mp4", "model.bin", "picture.png"],
        told: &["3 files skipped: 1 binary, 2 in Git LFS"],
    },
    Case {
        name: "names of any bytes",
        fill: |repository| {
            for name in ODD_NAMES {
                repository.write(name, format!("fn of() {{}} // {name:?}\n"));
            }
            for name in [b"caf\xe9.rs".as_slice(), b"\xff\xfe"] {
                std::fs::write(repository.path().join(OsStr::from_bytes(name)), "x\n").unwrap();
            }
        },
        paths: &ODD_NAMES,
        told: &[
            "2 files skipped: 2 with names that are not UTF-8",
            r"skipped, because their names are not UTF-8: caf\xe9.rs, \xff\xfe",
        ],
    },
    Case {
        name: "names that differ in case alone",
        fill: |repository| {
            repository
                .write("Makefile", "a:\n")
                .write("makefile", "b:\n")
                .write("SRC/a.rs", "fn a() {}\n")
                .write("src/a.rs", "fn b() {}\n");
        },
        paths: &["Makefile", "SRC/a.rs", "makefile", "src/a.rs"],
        told: &[],
    },
];

on_both_databases! {
    async fn what_repositories_hold_becomes_files_or_is_told(db: TestDatabase) {
        let store = store(&db).await;
        for (number, case) in CASES.iter().enumerate() {
            let mut repository = repository(&db, &format!("case-{number}"));
            (case.fill)(&mut repository);
            repository.commit("all of it");
            // The second tenant shares nothing with the first; the second source of a tenant reuses all its contents.
            for (slug, sources) in [("first", 2), ("second", 1)] {
                let world = SyncWorld::new(&db, &store, &format!("{slug}-{number}")).await;
                for branch in [None, Some("main")].into_iter().take(sources) {
                    let source = world.source(&repository, branch, "").await;
                    let sync = world.succeeded(source).await;
                    let mut expected: Vec<&str> = case.paths.to_vec();
                    expected.sort_unstable();
                    assert_eq!(world.paths(source).await, expected, "{}", case.name);
                    let told: Vec<String> = world.messages(&sync).await.into_iter().filter(|text| text != "told").collect();
                    assert_eq!(told, case.told, "{}", case.name);
                    let texts = world.rows(source).await.texts().join("\n");
                    assert!(!texts.contains("root:") && !texts.contains("git-lfs"), "{}", case.name);
                }
            }
        }
    }

    async fn a_branch_that_is_gone_is_named_and_the_files_stay(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let mut repository = repository(&db, "atlas");
        repository.write("a.rs", "fn a() {}\n");
        repository.commit("one");
        repository.git(&["checkout", "--quiet", "-b", "side"]);
        repository.write("side.rs", "fn side() {}\n");
        repository.commit("two");
        let source = world.source(&repository, Some("side"), "").await;
        world.succeeded(source).await;
        let before = world.rows(source).await;
        repository.git(&["checkout", "--quiet", "main"]);
        repository.git(&["branch", "--move", "side", "aside"]);
        let sync = world.synced(source).await;
        let error = sync.run.error.unwrap();
        assert_eq!((sync.run.status, error.code.as_str()), (RunStatus::Failed, "BRANCH_NOT_FOUND"));
        assert!(error.message.contains("\"side\""), "{}", error.message);
        assert_eq!(world.rows(source).await, before);
        repository.git(&["branch", "--move", "aside", "side"]);
        let sync = world.succeeded(source).await;
        assert_eq!((sync.detail.files_unchanged, world.rows(source).await), (2, before));
    }

    async fn a_default_branch_may_have_another_name_and_another_commit(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let mut repository = repository(&db, "atlas");
        repository.write("a.rs", "fn a() {}\n");
        repository.commit("one");
        let source = world.source(&repository, None, "").await;
        world.succeeded(source).await;
        let before = world.rows(source).await;
        repository.git(&["branch", "--move", "main", "trunk"]);
        world.succeeded(source).await;
        assert_eq!(world.rows(source).await, before);
        repository.write("b.rs", "fn b() {}\n");
        repository.commit("two");
        world.succeeded(source).await;
        assert_eq!(world.paths(source).await, ["a.rs", "b.rs"]);
    }

    async fn a_file_may_become_a_folder_link_or_submodule(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let mut repository = repository(&db, "atlas");
        repository.write("x", "fn file() {}\n").write("y/in.rs", "fn inside() {}\n").write("z.rs", "fn zed() {}\n");
        repository.commit("one");
        let source = world.source(&repository, None, "").await;
        world.succeeded(source).await;
        repository.remove("x").write("x/deep.rs", "fn deep() {}\n").remove("y/in.rs");
        std::fs::remove_dir_all(repository.path().join("y")).unwrap();
        repository.write("y", "fn flat() {}\n").remove("z.rs");
        symlink("y", repository.path().join("z.rs")).unwrap();
        repository.commit("two");
        let sync = world.succeeded(source).await;
        assert_eq!(world.paths(source).await, ["x/deep.rs", "y"]);
        assert_eq!((sync.detail.files_skipped, sync.detail.files_unchanged), (1, 0));
        assert!(world.searched("zed").await.is_empty());
        repository.remove("z.rs").write("z.rs", "fn zed() {}\n");
        repository.commit("three");
        world.succeeded(source).await;
        assert_eq!(world.paths(source).await, ["x/deep.rs", "y", "z.rs"]);
        assert_eq!(world.searched("zed").await, ["z.rs"]);
    }

    async fn what_cannot_be_read_is_refused_with_a_reason(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        // A repository without a commit is refused instead of synced as empty: the user has given a wrong address, or
        // has not pushed yet.
        let empty = repository(&db, "empty");
        let path = db.folder().join("remotes/sha256");
        std::fs::create_dir_all(&path).unwrap();
        let sha256 = repository(&db, "sha256-parent");
        sha256.git(&["init", "--quiet", "--object-format=sha256", "--initial-branch=main", path.to_str().unwrap()]);
        let in_it = path.to_str().unwrap();
        sha256.git(&["-C", in_it, "commit", "--quiet", "--allow-empty", "-m", "one"]);
        for (source, code, says) in [
            (world.source(&empty, None, "").await, "REPOSITORY_EMPTY", "push"),
            (world.source_at(in_it, None, "").await, "REPOSITORY_FORMAT_UNSUPPORTED", "SHA-1"),
        ] {
            let sync = world.synced(source).await;
            let error = sync.run.error.unwrap();
            assert_eq!((sync.run.status, sync.run.attempt, error.code.as_str()), (RunStatus::Failed, 1, code));
            assert!(error.message.contains(says), "{}", error.message);
            assert!(world.rows(source).await.files.is_empty());
        }
        let warned = world.events(&world.synced(world.source_at(in_it, Some("main"), "").await).await).await;
        assert!(warned.iter().all(|event| !matches!(&event.body, EventBody::Message { level: Level::Warning, .. })));
    }
}
