//! `analyze` on real folders and commits: what it prints where, what it makes of revisions, and of files that nobody should have.

use std::fs;
use std::path::Path;

use super::*;

fn json(said: &Said) -> Value {
    assert!(said.status.success(), "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

/// A repository with everything that a revision and its checkout could disagree about.
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
        .write("src/conflict.py", "def a():\n    pass\n        let piped = Command::new("mkfifo")
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
        // Eight parts, and the one that the deeper list keeps.
        assert_eq!(report["project"]["metrics"]["functions"], 9);
        assert_eq!(report["project"]["rules"]["rules"][0]["matches"], 8);
    });
}

#[test]
fn reports_go_to_standard_output_or_a_file_and_all_else_to_standard_error() {
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
            &["analyze"][..],
            &["analyze", path, "--format", "xml"],
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
        let help = nyxcore(&db, &["analyze", "--help"]);
        assert!(
            help.status.success() && help.out.contains("--rev v1.2.0"),
            "{}",
            help.out
        );
    });
}
