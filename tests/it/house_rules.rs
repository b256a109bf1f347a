//! The house rules as tests. Each rule is a function from text to complaints, tried on the workspace and on a text that
//! breaks it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

mod engine;
mod english;
mod examples;
mod unit_tests;

/// Dependencies point down only, and crates of one layer do not import each other. A new crate is added here first.
const LAYERS: &[(u8, &[&str])] = &[
    (7, &["nyxcore"]),
    (6, &["nyxcore-gateway"]),
    (5, &["nyxcore-graphql"]),
    (
        4,
        &[
            "nyxcore-note-enrichment",
            "nyxcore-consolidation",
            "nyxcore-evaluation",
            "nyxcore-mcp",
        ],
    ),
    (
        3,
        &["nyxcore-sync", "nyxcore-code-analysis", "nyxcore-knowledge"],
    ),
    (
        2,
        &[
            "nyxcore-projects",
            "nyxcore-personas",
            "nyxcore-context",
            "nyxcore-embeddings",
        ],
    ),
    (
        1,
        &[
            "nyxcore-runs",
            "nyxcore-retrieval",
            "nyxcore-model-catalog",
            "nyxcore-github",
        ],
    ),
    (
        0,
        &[
            "nyxcore-tenancy",
            "nyxcore-outbound",
            "nyxcore-llm",
            "nyxcore-code-engine",
            "nyxcore-console",
            "nyxcore-local-embeddings",
        ],
    ),
];

/// The schema history is beside the layers: it imports none of them, and only the program imports it.
const MIGRATIONS: &str = "nyxcore-migrations";
/// The harness is above all layers, and other crates may use it only in their tests.
const TESTS: &str = "nyxcore-tests";

/// A file should be readable in one sitting. A longer one states the reason in its header, after [`REASON`].
const MOST_LINES: usize = 450;
const REASON: &str = "Longer than 450 lines: ";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// All code files of the workspace with one of these endings, by their path from the root. Files in a `corpus` folder
/// are test input and excluded.
fn files(endings: &[&str]) -> BTreeMap<String, String> {
    let root = root();
    let mut found = BTreeMap::new();
    let mut folders: Vec<PathBuf> = ["crates", "migrations", "tests"]
        .map(|name| root.join(name))
        .into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_str().unwrap();
            if entry.file_type().unwrap().is_dir() {
                if !name.starts_with('.')
                    && !["target", "node_modules", "dist", "corpus"].contains(&name)
                {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let text = fs::read_to_string(&path).unwrap();
                found.insert(
                    path.strip_prefix(&root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                    text,
                );
            }
        }
    }
    assert!(!found.is_empty(), "no {endings:?} under {}", root.display());
    found
}

/// The manifests of the workspace's members, by path. One with `[workspace]` is no member: it is built separately.
fn manifests() -> BTreeMap<String, Table> {
    let parse = |(path, text): (String, String)| (path, text.parse().unwrap());
    let all = files(&["Cargo.toml"]).into_iter().map(parse);
    all.filter(|(_, manifest): &(String, Table)| !manifest.contains_key("workspace"))
        .collect()
}

fn package(manifest: &Table) -> &str {
    manifest["package"]["name"].as_str().unwrap()
}

/// The dependency tables of a manifest, including those by target, each with its kind.
fn dependency_tables(manifest: &Table) -> Vec<(&'static str, &Table)> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let targets = targets
        .into_iter()
        .flat_map(|targets| targets.values().filter_map(Value::as_table));
    std::iter::once(manifest)
        .chain(targets)
        .flat_map(|table| {
            ["dependencies", "build-dependencies", "dev-dependencies"]
                .into_iter()
                .filter_map(|kind| Some((kind, table.get(kind)?.as_table()?)))
        })
        .collect()
}

fn dependencies(manifest: &Table) -> impl Iterator<Item = (&'static str, &str, &Value)> {
    dependency_tables(manifest)
        .into_iter()
        .flat_map(|(kind, table)| {
            table
                .iter()
                .map(move |(name, value)| (kind, name.as_str(), value))
        })
}

fn layer(package: &str) -> Option<u8> {
    LAYERS
        .iter()
        .find(|(_, packages)| packages.contains(&package))
        .map(|(layer, _)| *layer)
}

fn arrows(manifest: &Table) -> Vec<String> {
    let from = package(manifest);
    if from == TESTS {
        return vec![];
    }
    let ours = layer(from);
    if ours.is_none() && from != MIGRATIONS {
        return vec![format!("{from} has no layer: give it one in LAYERS")];
    }
    dependencies(manifest)
        .filter(|(_, name, _)| name.starts_with("nyxcore"))
        .filter(|(kind, to, _)| match (ours, layer(to)) {
            (Some(ours), Some(theirs)) => theirs >= ours,
            _ if *kind == "dev-dependencies" => ![TESTS, MIGRATIONS].contains(to),
            _ => !(from == "nyxcore" && *to == MIGRATIONS),
        })
        .map(|(kind, to, _)| format!("{from} imports {to} ({kind}), which is not below it"))
        .collect()
}

/// Packages that only the crates of the API may use: the prefix of a package's name, and the crates that may depend on
/// it. The tests have a bare server for comparison.
const WEB: &[(&str, &[&str])] = &[
    (
        "async-graphql",
        &["nyxcore-graphql", "nyxcore-gateway", "nyxcore-tests"],
    ),
    ("axum", &["nyxcore-gateway", "nyxcore-tests"]),
];

fn strangers_to_the_web(manifest: &Table) -> Vec<String> {
    let from = package(manifest);
    let is_known = |name: &str| {
        let mut web = WEB.iter().filter(|(package, _)| name.starts_with(package));
        web.all(|(_, friends)| friends.contains(&from))
    };
    dependencies(manifest)
        .filter(|(_, name, _)| !is_known(name))
        .map(|(_, name, _)| format!("{from} imports {name}: only the crates in WEB know it"))
        .collect()
}

fn versions(manifest: &Table) -> Vec<String> {
    let from = package(manifest);
    dependencies(manifest)
        .filter_map(|(_, name, value)| {
            let pinned_once = value.get("workspace").and_then(Value::as_bool) == Some(true);
            let widened = value.get("features").is_some() && !name.starts_with("nyxcore");
            (!pinned_once || widened)
                .then(|| format!("{from}: {name} gets its version and features in the workspace's Cargo.toml, nowhere else"))
        })
        .collect()
}

fn length(path: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    let has_reason = text
        .lines()
        .take_while(|line| line.starts_with("//"))
        .any(|line| line.contains(REASON));
    (lines > MOST_LINES && !has_reason)
        .then(|| format!("{path} has {lines} lines; the most is {MOST_LINES}"))
}

fn opening(path: &str, text: &str) -> Option<String> {
    (!text.starts_with("//! "))
        .then(|| format!("{path} does not open with a `//!` line on what it is for"))
}

fn attributes(path: &str, text: &str) -> Vec<String> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| {
            let line = line.trim_start();
            let attribute = line.starts_with("#[") || line.starts_with("#![");
            let generated_doors = [
                "#[sea_orm::model",
                "#[sea_orm::compact_model",
                "#[sea_orm(compact_model",
            ];
            attribute && (line.contains("allow(") || line.contains("[ignore"))
                || generated_doors.iter().any(|door| line.starts_with(door))
        })
        .map(|(index, line)| format!("{path}:{}: {}", index + 1, line.trim()))
        .collect()
}

/// A snapshot has the name of its test, or the name that the test gave it; its header names the source file.
fn orphan(path: &str, text: &str, sources: &BTreeMap<String, String>) -> Option<String> {
    let source = text
        .lines()
        .find_map(|line| line.strip_prefix("source: "))
        .unwrap_or_default();
    let name = Path::new(path).file_stem()?.to_str()?;
    let name = name.rsplit("__").next()?.split('@').next()?;
    let test = name
        .trim_end_matches(|c: char| c.is_ascii_digit())
        .trim_end_matches('-');
    let used = sources.get(source.trim_matches('"')).is_some_and(|code| {
        [name, test].iter().any(|name| {
            code.contains(&format!("fn {name}("))
                || code.contains(&format!("fn test_{name}("))
                || code.contains(&format!("\"{name}\""))
        })
    });
    (!used).then(|| format!("{path} belongs to no test"))
}

fn manifest(text: &str) -> Table {
    text.parse().unwrap()
}

fn none() -> Vec<String> {
    vec![]
}

#[test]
fn arrows_point_down_only() {
    assert_eq!(
        manifests().values().flat_map(arrows).collect::<Vec<_>>(),
        none()
    );
    let of =
        |name: &str, rest: &str| arrows(&manifest(&format!("package.name = '{name}'\n{rest}")));
    assert_eq!(
        of(
            "nyxcore-sync",
            "dependencies.nyxcore-projects.workspace = true"
        ),
        none()
    );
    assert_eq!(
        of(
            "nyxcore",
            "dependencies.nyxcore-migrations.workspace = true"
        ),
        none()
    );
    assert_eq!(
        of(
            "nyxcore-runs",
            "dev-dependencies.nyxcore-tests.workspace = true"
        ),
        none()
    );
    for (from, rest) in [
        (
            "nyxcore-projects",
            "dependencies.nyxcore-sync.workspace = true",
        ),
        (
            "nyxcore-sync",
            "dependencies.nyxcore-knowledge.workspace = true",
        ),
        (
            "nyxcore-sync",
            "target.'cfg(unix)'.build-dependencies.nyxcore-gateway.workspace = true",
        ),
        (
            "nyxcore-runs",
            "dev-dependencies.nyxcore-gateway.workspace = true",
        ),
        (
            "nyxcore-runs",
            "dependencies.nyxcore-tests.workspace = true",
        ),
        (
            "nyxcore-runs",
            "dependencies.nyxcore-migrations.workspace = true",
        ),
        (
            "nyxcore-migrations",
            "dependencies.nyxcore-tenancy.workspace = true",
        ),
        (
            "nyxcore-runs",
            "dependencies.nyxcore-nobody.workspace = true",
        ),
        ("nyxcore-newcomer", ""),
    ] {
        assert_eq!(of(from, rest).len(), 1, "{from}: {rest}");
    }
}

#[test]
fn only_the_api_knows_axum_and_async_graphql() {
    assert_eq!(
        manifests()
            .values()
            .flat_map(strangers_to_the_web)
            .collect::<Vec<_>>(),
        none()
    );
    let stranger = manifest(
        "package.name = 'nyxcore'\ndependencies.axum = '1'\ndev-dependencies.async-graphql-axum = '1'",
    );
    assert_eq!(strangers_to_the_web(&stranger).len(), 2);
    let schema = manifest(
        "package.name = 'nyxcore-graphql'\ndependencies.axum = '1'\ndependencies.async-graphql = '7'",
    );
    assert_eq!(strangers_to_the_web(&schema).len(), 1);
}

#[test]
fn a_version_is_given_once() {
    assert_eq!(
        manifests().values().flat_map(versions).collect::<Vec<_>>(),
        none()
    );
    let own = "package.name = 'x'\n[dependencies]\na = '1'\nb = { path = 'b' }\nc = { workspace = true, features = ['more'] }\nd.workspace = true";
    assert_eq!(versions(&manifest(own)).len(), 3);
}

#[test]
fn a_file_is_read_in_one_sitting() {
    let sources = files(&[".rs", ".ts", ".tsx"]);
    assert_eq!(
        sources
            .iter()
            .filter_map(|(path, text)| length(path, text))
            .collect::<Vec<_>>(),
        none()
    );
    let long = "\n".repeat(MOST_LINES + 1);
    assert!(length("long.rs", &long).is_some());
    assert!(length("long.rs", &format!("//! {REASON}it is a table.{long}")).is_none());
}

#[test]
fn a_file_opens_with_what_it_is_for() {
    assert_eq!(
        files(&[".rs"])
            .iter()
            .filter_map(|(path, text)| opening(path, text))
            .collect::<Vec<_>>(),
        none()
    );
    assert!(opening("bare.rs", "use std::fs;\n//! Late.").is_some());
}

#[test]
fn no_lint_is_allowed_and_no_test_ignored() {
    let sources = files(&[".rs"]);
    assert_eq!(
        sources
            .iter()
            .flat_map(|(path, text)| attributes(path, text))
            .collect::<Vec<_>>(),
        none()
    );
    let bad = "#![allow(unused)]\n  #[allow(dead_code)]\n#[cfg_attr(test, allow(unused))]\n#[ignore = \"slow\"]\n#[sea_orm::model]\n#[ignore]";
    assert_eq!(attributes("bad.rs", bad).len(), 6);
    assert_eq!(
        attributes(
            "good.rs",
            "#[expect(dead_code, reason = \"...\")]\n// #[allow(x)]"
        ),
        none()
    );
}

#[test]
fn every_snapshot_belongs_to_a_test() {
    let sources = files(&[".rs"]);
    let snapshots = files(&[".snap", "Cargo.toml"]);
    let snapshots = snapshots.iter().filter(|(path, _)| path.ends_with(".snap"));
    assert_eq!(
        snapshots
            .filter_map(|(path, text)| orphan(path, text, &sources))
            .collect::<Vec<_>>(),
        none()
    );
    let code = BTreeMap::from([(
        "a.rs".to_owned(),
        "fn tells() { assert_snapshot!(\"named\", 1) }".to_owned(),
    )]);
    for (path, source, is_orphan) in [
        ("s/a__tells.snap", "a.rs", false),
        ("s/a__tells-2.snap", "a.rs", false),
        ("s/a__named.snap", "a.rs", false),
        ("s/a__gone.snap", "a.rs", true),
        ("s/a__tells.snap", "gone.rs", true),
    ] {
        let text = format!("---\nsource: {source}\n---\n1");
        assert_eq!(
            orphan(path, &text, &code).is_some(),
            is_orphan,
            "{path} of {source}"
        );
    }
}
