//! House rules of the analysis engine: its dependencies, and the dependencies between its parts.

use toml::Table;

use super::{dependencies, files, manifest, manifests, none};

/// Dependencies that are forbidden to the analysis engine: everything that knows a database, a tenant or a runtime.
fn beyond_the_engine(manifest: &Table) -> Vec<&str> {
    dependencies(manifest)
        .filter(|(kind, _, _)| *kind != "dev-dependencies")
        .map(|(_, name, _)| name)
        .filter(|name| {
            ["nyxcore", "sea-orm", "sqlx", "tokio", "futures", "async"]
                .iter()
                .any(|start| name.starts_with(start))
        })
        .collect()
}

#[test]
fn the_analysis_engine_needs_no_database() {
    let manifests = manifests();
    let engine = &manifests["crates/code-engine/Cargo.toml"];
    assert_eq!(beyond_the_engine(engine), Vec::<&str>::new());
    let heavy =
        manifest("package.name = 'x'\ndependencies.tokio = '1'\ndependencies.sea-orm = '2'");
    assert_eq!(beyond_the_engine(&heavy).len(), 2);
}

/// The parts of the engine, each with the parts above it, which it must not import.
const ENGINE_PARTS: &[(&str, &[&str])] = &[
    (
        "parse",
        &["project", "patterns", "analysis", "tree", "render"],
    ),
    (
        "rules",
        &["project", "patterns", "analysis", "tree", "render"],
    ),
    ("project", &["patterns", "analysis", "tree", "render"]),
    ("patterns", &["analysis", "tree", "render"]),
    ("analysis", &["tree", "render"]),
];

/// The imports of an engine's file from the parts above its own, without tests.
fn imports_upward(path: &str, text: &str) -> Vec<String> {
    let part = ENGINE_PARTS
        .iter()
        .find(|(part, _)| path.starts_with(&format!("crates/code-engine/src/{part}/")));
    let Some((_, above)) = part.filter(|_| !path.ends_with("tests.rs")) else {
        return Vec::new();
    };
    let depth = path.matches('/').count() - 2 - usize::from(path.ends_with("/mod.rs"));
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let imports = code.lines().filter(|line| {
        line.trim_start().starts_with("use ") || line.trim_start().starts_with("pub use ")
    });
    imports
        .filter(|line| {
            let from = line.replace("super::", "").replace("crate::", "");
            let first = from.split_once("use ").map_or("", |(_, path)| path);
            let is_outside = line.contains("crate::") || line.matches("super::").count() >= depth;
            is_outside
                && above
                    .iter()
                    .any(|above| first.starts_with(&format!("{above}::")))
        })
        .map(|line| format!("{path}: {line}"))
        .collect()
}

#[test]
fn the_parts_of_the_engine_point_down() {
    let all = files(&[".rs"]);
    let upward = all
        .iter()
        .flat_map(|(path, text)| imports_upward(path, text));
    assert_eq!(upward.collect::<Vec<_>>(), none());
    let path = "crates/code-engine/src/project/history.rs";
    for import in [
        "use super::super::patterns::Pattern;",
        "use crate::analysis::Step;",
    ] {
        assert_eq!(imports_upward(path, import).len(), 1, "{import}");
    }
    assert_eq!(imports_upward(path, "use super::render::Page;"), none());
}
