//! The documentation of a crate begins with an example that runs, on a database if the crate has tables.

use super::{LAYERS, files, none};

/// Crates that are not libraries for others: the program, and the API that it serves.
const NO_LIBRARIES: &[&str] = &["nyxcore", "nyxcore-gateway"];
/// The macro that gives an example a database in memory.
const STORE: &str = "nyxcore_tests::example!";

/// The problem with the documentation of a crate, given the text of its `lib.rs`.
fn example(package: &str, has_tables: bool, text: &str) -> Option<String> {
    let head = text.lines().take_while(|line| line.starts_with("//!"));
    let mut head = head.map(|line| line.trim_start_matches("//!").trim());
    let Some(fence) = head.find(|line| line.starts_with("```")) else {
        return Some(format!("{package} opens without an example"));
    };
    if fence != "```" {
        return Some(format!("the example of {package} does not run: {fence}"));
    }
    let is_stored = head.any(|line| line.contains(STORE));
    (has_tables && !is_stored)
        .then(|| format!("{package} has tables, and no example that uses {STORE}"))
}

#[test]
fn a_crate_opens_with_an_example_that_runs() {
    let sources = files(&[".rs"]);
    let packages = LAYERS.iter().flat_map(|(_, packages)| packages.iter());
    let libraries = packages.filter(|package| !NO_LIBRARIES.contains(package));
    let complaints = libraries.filter_map(|package| {
        let folder = format!("crates/{}/src", package.trim_start_matches("nyxcore-"));
        let has_tables = ["entity/mod.rs", "entity.rs"]
            .iter()
            .any(|file| sources.contains_key(&format!("{folder}/{file}")));
        example(package, has_tables, &sources[&format!("{folder}/lib.rs")])
    });
    assert_eq!(complaints.collect::<Vec<_>>(), none());
    for (has_tables, bad) in [
        (false, "//! Does it.\nmod a;"),
        (
            false,
            "//! Does it.\n//!\n//! ```no_run\n//! it();\n//! ```",
        ),
        (true, "//! Does it.\n//!\n//! ```\n//! it();\n//! ```"),
    ] {
        assert!(example("x", has_tables, bad).is_some(), "{bad}");
    }
}
