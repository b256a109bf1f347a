//! `analyze` on real folders and commits: output, revisions, and invalid files.

use std::fs;
use std::path::Path;

use super::*;

fn json(said: &CommandOutput) -> Value {
    assert!(said.status.success(), "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

/// A repository with all differences that a revision and its checkout can have.
fn tangled(path: &Path) -> TestRepository {
    let mut repository = TestRepository::create(path);
    for number in 0..8 {
        let source = format!(
            "use serde::Serialize;\n\n/// Reads.\npub fn read_{number}(all: bool) -> u32 {{\n    if all {{ 1 }} else {{ 0 }}\n}}\n"
        );
        repository.write(&format!("src/part_{number}.rs"), source);
    }
    repository
        .write("Cargo.toml", "[package]\nname = \"tangled\"\n[dependencies]\nserde = \"1\"\n")
        .write(".gitignore", "/out/\n*.tmp.rs\n")
        .write("src/.gitignore", "!kept.tmp.rs\n")
        .write(".nyxcoreignore", "legacy/\n")
        .write(".gitattributes", "src/told.rs linguist-generated\n")
        .write(".nyxcore/rules/own.yml", "id: no-serde\nlanguage: rust\nseverity: warning\nmessage: No serde\nrule:\n  pattern: use serde::Serialize;\n")
        .write(".github/workflows/test.yml", "on: push\n")
        .write(".hidden/a.rs", "fn hidden() {}\n")
        .write("out/a.rs", "fn out() {}\n")
        .write("src/gone.tmp.rs", "fn gone() {}\n")
        .write("src/kept.tmp.rs", "fn kept() {}\n")
        .write("src/told.rs", "fn told() {}\n")
        .write("legacy/a.rs", "fn legacy() {}\n")
        .write("vendor/a.rs", "fn vendored() {}\n")
        .write("src/wide.rs", b"\xff\xfe/\0/\0")
        .write("src/latin.py", b"# \xe9\n")
        .write("src/zero.c", b"int a;\0\n")
        .write("src/deep.py", "(".repeat(100_000))
        .write("src/long.js", "a;".repeat(600_000))
        .write("src/conflict.py", "def a():\n    pass\n<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> x\n")
        .write("web/ä ö.ts", "export const a = 1;\n");
    std::os::unix::fs::symlink("part_0.rs", repository.path().join("src/link.rs")).unwrap();
    std::os::unix::fs::symlink("..", repository.path().join("src/up")).unwrap();
    repository.git(&["add", "--force", "--all"]);
    repository.commit("Begin");
    repository
}

#[test]
fn a_revision_is_analysed_without_a_checkout() {
    run_on_sqlite(|db| async move {
        let mut repository = tangled(&db.folder().join("tangled"));
        repository.git(&["tag", "v1"]);
        repository.write("src/part_0.rs", "pub fn changed() {}\n");
        repository.remove("src/part_1.rs");
        let second = repository.commit("Change");
        // Uncommitted files belong to no revision.
        repository.write("src/new.rs", "fn new() {}\n");
        let path = repository.path().to_str().unwrap();
        let before = repository.git(&["status", "--porcelain"]);

        let checkout = db.folder().join("checkout");
        let target = checkout.to_str().unwrap();
        repository.git(&["worktree", "add", "--quiet", "--detach", target, "v1"]);
        for below in ["", "/src"] {
            for format in ["json", "sarif", "table"] {
                let options = ["--format", format, "--files", "--no-history"];
                let of = |path: String, more: &[&str]| {
                    let arguments = [&["analyze", &path][..], &options, more].concat();
                    let said = nyxcore(&db, &arguments);
                    assert!(said.status.success(), "{}", said.err);
                    said.out
                };
                let checked_out = of(format!("{target}{below}"), &[]);
                let revision = of(format!("{path}{below}"), &["--rev", "v1"]);
                assert_eq!(revision, checked_out, "{format} of {below:?}");
                // Also with a cache that another revision has filled.
                of(
                    format!("{path}{below}"),
                    &["--rev", &second, "--cache", "kept"],
                );
                let warm = of(
                    format!("{path}{below}"),
                    &["--rev", "v1", "--cache", "kept"],
                );
                assert_eq!(warm, checked_out, "{format} of {below:?}, with a cache");
            }
        }
        repository.git(&["worktree", "remove", target]);
        assert_eq!(repository.git(&["status", "--porcelain"]), before);

        let functions = |rev: &str| {
            json(&nyxcore(
                &db,
                &["analyze", path, "--rev", rev, "--format", "json"],
            ))["project"]["metrics"]["functions"]
                .clone()
        };
        assert_eq!(functions("v1"), functions("HEAD~1"));
        assert_eq!(functions("main"), functions(&second[..10]));
        assert_ne!(functions("v1"), functions("HEAD"));
        // The history ends at the revision.
        let hotspots = |rev: &str| {
            let report = json(&nyxcore(
                &db,
                &["analyze", path, "--rev", rev, "--format", "json"],
            ));
            let hotspots = report["project"]["hotspots"].as_array().unwrap().clone();
            hotspots
                .iter()
                .map(|one| one["commits"].as_u64().unwrap())
                .max()
        };
        assert_eq!((hotspots("v1"), hotspots("main")), (Some(1), Some(2)));
    });
}

#[test]
fn a_missing_revision_or_repository_is_a_coded_error() {
    run_on_sqlite(|db| async move {
        let repository = tangled(&db.folder().join("tangled"));
        let path = repository.path().to_str().unwrap();
        for rev in ["nowhere", "", "--upload-pack=x", "HEAD~99", "v1:src"] {
            let said = nyxcore(&db, &["analyze", path, &format!("--rev={rev}")]);
            assert_eq!(
                (said.status.code(), said.code()),
                (Some(1), "REVISION_NOT_FOUND"),
                "{rev}: {}",
                said.err
            );
            assert_eq!(said.out, "");
        }
        fs::create_dir(db.folder().join("bare folder")).unwrap();
        let said = nyxcore(&db, &["analyze", "bare folder", "--rev", "HEAD"]);
        assert_eq!(said.code(), "NOT_A_REPOSITORY", "{}", said.err);
        fs::create_dir(repository.path().join("untracked")).unwrap();
        let said = nyxcore(
            &db,
            &["analyze", &format!("{path}/untracked"), "--rev", "HEAD"],
        );
        assert_eq!(said.code(), "SCAN_PATH_NOT_FOUND", "{}", said.err);
    });
}

#[test]
fn bad_files_are_named_by_rule_and_do_not_stop_others() {
    run_on_sqlite(|db| async move {
        let repository = tangled(&db.folder().join("tangled"));
        let root = repository.path();
        std::os::unix::fs::symlink("b.rs", root.join("src/a.rs")).unwrap();
        std::os::unix::fs::symlink("a.rs", root.join("src/b.rs")).unwrap();
        let huge = fs::File::create(root.join("src/huge.ts")).unwrap();
        huge.set_len(50 << 20).unwrap();
        fs::write(root.join("src/one_line.ts"), "x".repeat(900_000)).unwrap();
        #[expect(
            clippy::disallowed_methods,
            reason = "a pipe is made by the system's own tool"
        )]
        let piped = Command::new("mkfifo")
            .arg(root.join("src/pipe.rs"))
            .status();
        assert!(piped.unwrap().success());
        let report = json(&nyxcore(
            &db,
            &[
                "analyze",
                root.to_str().unwrap(),
                "--format",
                "json",
                "--no-history",
            ],
        ));
        let skipped: Vec<(&str, u64)> = report["skipped"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                (
                    one["rule"].as_str().unwrap(),
                    one["files"].as_u64().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            skipped,
            [
                ("binary", 1),
                ("not_utf8", 1),
                ("too_large", 2),
                ("too_deep", 1),
                ("does_not_parse", 1),
                ("generated/linguist-generated", 1),
                ("minified/long-lines", 1),
                ("vendored/vendor", 1),
                ("utf16", 1),
                ("link", 3),
            ]
        );
        // Eight files, the one that the nested ignore list includes again, and the two tracked files that an ignore
        // list names.
        assert_eq!(report["project"]["metrics"]["functions"], 11);
        assert_eq!(report["project"]["rules"]["rules"][0]["matches"], 8);
    });
}

#[test]
fn only_reports_go_to_standard_output() {
    run_on_sqlite(|db| async move {
        let repository = tangled(&db.folder().join("tangled"));
        let path = repository.path().to_str().unwrap();
        let plain = nyxcore(&db, &["analyze", path, "--format", "sarif"]);
        assert_eq!(json(&plain)["version"], "2.1.0");
        let to_file = nyxcore(
            &db,
            &["analyze", path, "--format", "sarif", "-o", "out.sarif"],
        );
        assert!(
            to_file.status.success() && to_file.out.is_empty(),
            "{}",
            to_file.err
        );
        assert_eq!(
            fs::read_to_string(db.folder().join("out.sarif")).unwrap(),
            plain.out
        );
        let refused = nyxcore(&db, &["analyze", path, "-o", "no/such/folder.txt"]);
        assert_eq!(
            (refused.status.code(), refused.code()),
            (Some(1), "OUTPUT_REFUSED")
        );

        let table = nyxcore(&db, &["analyze", path]);
        assert!(
            !table.out.contains('\u{1b}') && table.out.contains("Skipped"),
            "{}",
            table.out
        );
        assert!(
            table.out.lines().all(|line| line.chars().count() <= 100),
            "{}",
            table.out
        );
        for wrong in [
            &["analyze", path, "--format", "xml"][..],
            &["analyze", path, "--jobs", "some"],
        ] {
            let said = nyxcore(&db, wrong);
            assert_eq!(
                (said.status.code(), said.out.as_str()),
                (Some(2), ""),
                "{}",
                said.err
            );
        }
        // Without a path the current folder is analysed.
        let mut here = nyxcore_command(&db).unwrap();
        let here = super::said(here.current_dir(path).arg("analyze"));
        assert!(here.out.starts_with("12 files"), "{}", here.err);
        let many = nyxcore(&db, &["analyze", path, "--jobs", "1000"]);
        assert!(
            many.status.success() && many.err.contains("--jobs 1000 is more than"),
            "{}",
            many.err
        );
        let help = nyxcore(&db, &["analyze", "--help"]);
        assert!(
            help.status.success() && help.out.contains("--rev v1.2.0"),
            "{}",
            help.out
        );
    });
}
