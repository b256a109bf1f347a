//! A library without a test build (`test = false`) has its unit tests in places where they are run.

use toml::{Table, Value};

use super::{files, manifests, none};

/// The problem with a file of such a library, given the texts of the crate's `tests/`. A module that one of these
/// includes by `#[path]` runs its tests there.
fn idle(path: &str, text: &str, tests: &str) -> Option<String> {
    let name = path.rsplit('/').next()?;
    let is_run = tests.contains(&format!("src/{name}\""));
    (text.contains("#[cfg(test)]") && !is_run)
        .then(|| format!("the tests in {path} never run: put them into the crate's `tests/`"))
}

fn is_without_tests(manifest: &Table) -> bool {
    let library = manifest.get("lib").and_then(|library| library.get("test"));
    library.and_then(Value::as_bool) == Some(false)
}

#[test]
fn no_test_is_in_a_library_that_is_compiled_without() {
    let sources = files(&[".rs"]);
    let mut complaints = none();
    for (path, _) in manifests().iter().filter(|of| is_without_tests(of.1)) {
        let folder = path.trim_end_matches("Cargo.toml");
        let (library, tests) = (format!("{folder}src/"), format!("{folder}tests/"));
        let tests = sources.iter().filter(|of| of.0.starts_with(&tests));
        let tests: String = tests.map(|(_, text)| text.as_str()).collect();
        let library = sources.iter().filter(|of| of.0.starts_with(&library));
        complaints.extend(library.filter_map(|(path, text)| idle(path, text, &tests)));
    }
    assert_eq!(complaints, none());
    let tested = "#[cfg(test)]\nmod tests {}";
    let taken_in = "#[path = \"../src/a.rs\"]\nmod a;";
    assert!(idle("src/a.rs", tested, "").is_some());
    assert!(idle("src/b.rs", tested, taken_in).is_some());
    assert!(idle("src/a.rs", tested, taken_in).is_none());
}
