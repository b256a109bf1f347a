//! A change that does not follow the habits of the code around it, and one that does.

use std::fs;
use std::path::Path;

use nyxcore_code_engine::check::deviations_new;
use nyxcore_code_engine::tree::{TreeOptions, TreeReport, tree_analyze};

/// The path and the content of each file.
type Files = [(String, String)];

fn analyse(root: &Path, files: &Files) -> TreeReport {
    for (path, content) in files {
        let full = root.join(path);
        fs::create_dir_all(full.parent().expect("a folder")).expect("folders");
        fs::write(full, content).expect("a file");
    }
    tree_analyze(root, &TreeOptions::default(), |_| {}).expect("a report")
}

/// The places of a change that do not follow a habit of this kind, as "path:line key n/m". The change writes these
/// files.
fn deviations(kind: &str, before: &Files, change: &[(&str, &str)]) -> Vec<String> {
    let own = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
    let change: Vec<(String, String)> = change.iter().map(own).collect();
    let mut after = before.to_vec();
    after.retain(|(path, _)| change.iter().all(|(changed, _)| changed != path));
    after.extend(change);
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let (base, head) = (
        analyse(folders[0].path(), before),
        analyse(folders[1].path(), &after),
    );
    let read = |at: usize, path: &str| fs::read_to_string(folders[at].path().join(path)).ok();
    let found = deviations_new(
        &base.project.patterns,
        &head.project.patterns,
        |path| read(0, path),
        |path| read(1, path),
    );
    let of_kind = found.iter().filter(|one| one.key.starts_with(kind));
    of_kind
        .map(|one| {
            format!(
                "{}:{} {} {}/{}",
                one.path, one.start_line, one.key, one.support, one.cases
            )
        })
        .collect()
}

/// Twenty files with this content, with their numbers for `{}`.
fn project(path: &str, content: &str) -> Vec<(String, String)> {
    let number = |text: &str, n: usize| text.replace("{}", &n.to_string());
    (0..20)
        .map(|n| (number(path, n), number(content, n)))
        .collect()
}

#[test]
fn a_function_without_annotations_is_told() {
    let before = project(
        "app/m{}.py",
        "def read_{}(name: str) -> str:\n    return name\n",
    );
    let kind = "type_annotations";
    let bare =
        "def read_3(name: str) -> str:\n    return name\n\n\ndef write_3(name):\n    return name\n";
    assert_eq!(
        deviations(kind, &before, &[("app/m3.py", bare)]),
        ["app/m3.py:5 type_annotations/python/functions/annotated 20/20"]
    );
    let lost = "def read_3(name):\n    return name\n";
    assert_eq!(
        deviations(kind, &before, &[("app/m3.py", lost)]),
        ["app/m3.py:1 type_annotations/python/functions/annotated 20/20"]
    );
    let follows = bare.replace("write_3(name)", "write_3(name: str) -> str");
    assert!(deviations(kind, &before, &[("app/m3.py", &follows)]).is_empty());
}

#[test]
fn an_exported_function_without_its_type_is_told() {
    let before = project(
        "src/m{}.ts",
        "export function read{}(name: string): string {\n  return name;\n}\n",
    );
    let kind = "type_annotations";
    let bare = "export const write = (name: string) => name;\n";
    assert_eq!(
        deviations(kind, &before, &[("src/new.ts", bare)]),
        ["src/new.ts:1 type_annotations/typescript/exported-functions/return-type 20/20"]
    );
    let follows = "export const write = (name: string): string => name;\n";
    assert!(deviations(kind, &before, &[("src/new.ts", follows)]).is_empty());
}

#[test]
fn a_file_without_the_directive_of_others_is_told() {
    let before = project(
        "lib/m{}.js",
        "'use strict';\n\nmodule.exports = require('./n{}');\n",
    );
    let kind = "file_opening";
    let bare = "const a = require('a');\n\nmodule.exports = a;\n";
    assert_eq!(
        deviations(kind, &before, &[("lib/new.js", bare)]),
        ["lib/new.js:1 file_opening/javascript/directive/use-strict 20/20"]
    );
    let follows = format!("'use strict';\n\n{bare}");
    assert!(deviations(kind, &before, &[("lib/new.js", &follows)]).is_empty());
}

#[test]
fn a_crate_that_allows_items_without_docs_is_excused() {
    let before = project(
        "old/src/m{}.rs",
        "/// Reads.\npub fn read_{}() -> u32 {\n    1\n}\n",
    );
    let kind = "documentation/rust/functions";
    let bare = ("new/src/m.rs", "pub fn write() -> u32 {\n    1\n}\n");
    let told = deviations(kind, &before, &[bare, ("new/src/lib.rs", "pub mod m;\n")]);
    assert_eq!(told.len(), 1, "{told:?}");
    let root = "#![allow(warnings)]\n\npub mod m;\n";
    let excused = deviations(kind, &before, &[bare, ("new/src/lib.rs", root)]);
    assert!(excused.is_empty(), "{excused:?}");
}

#[test]
fn the_entry_of_a_bundle_may_have_a_default_export() {
    let before = project("src/m{}.mjs", "export const read{} = 1;\n");
    let kind = "import_style/javascript/exports";
    let entry = "const all = 1;\nexport default all;\n";
    assert_eq!(
        deviations(kind, &before, &[("src/new.mjs", entry)]).len(),
        1
    );
    assert!(deviations(kind, &before, &[("browser-entry.mjs", entry)]).is_empty());
}

#[test]
fn a_test_of_go_may_have_an_underscore() {
    let test = |name: &str| {
        format!("package store\n\nimport \"testing\"\n\nfunc Test{name}(t *testing.T) {{\n}}\n")
    };
    let before = project("m{}_test.go", &test("Read{}"));
    let change = [("new_test.go", &*test("Store_Get"))];
    assert!(deviations("naming/go/tests", &before, &change).is_empty());
}

#[test]
fn a_java_field_that_a_static_block_sets_is_no_constant() {
    let class = |field: &str| format!("package a;\n\nclass M {{\n  {field}\n}}\n");
    let before = project(
        "src/main/java/a/M{}.java",
        &class("static final int LIMIT_{} = 1;"),
    );
    let kind = "naming/java/constants";
    let told = |field: &str| {
        let path = "src/main/java/a/Platform.java";
        deviations(kind, &before, &[(path, &class(field))]).len()
    };
    assert_eq!(told("static final int mostOfAll = 1;"), 1);
    assert_eq!(
        told("static final int mostOfAll;\n  static { mostOfAll = 1; }"),
        0
    );
}
