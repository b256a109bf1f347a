//! The role of a file, by its path. Patterns are computed from the project's own source files only.

use super::super::language::Language;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The project's own source.
    Source,
    /// Tests.
    Test,
    /// What tests read: never evidence of a habit.
    Fixture,
    /// Examples, benchmarks and documentation: written for another reader.
    Aside,
}

const FIXTURE_FOLDERS: &[&str] = &[
    "fixtures",
    "fixture",
    "__fixtures__",
    "testdata",
    "test_data",
    "test-data",
    "__snapshots__",
    "snapshots",
    "__mocks__",
    "golden",
    "goldens",
    "corpus",
    "templates",
];
const TEST_FOLDERS: &[&str] = &[
    "test",
    "tests",
    "__tests__",
    "spec",
    "specs",
    "e2e",
    "testing",
    "integration-tests",
    "acceptance",
    "testutil",
    "testutils",
    "test_utils",
    "test-utils",
    "test_helpers",
    "test-helpers",
];
const ASIDE_FOLDERS: &[&str] = &[
    "examples",
    "example",
    "_examples",
    "samples",
    "sample",
    "demo",
    "demos",
    "docs",
    "doc",
    "docs_src",
    "benches",
    "bench",
    "benchmark",
    "benchmarks",
    "tutorials",
    "playground",
];

/// The role of the file at `path`.
pub(crate) fn of(path: &str) -> Role {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let any = |names: &[&str]| folders.split('/').any(|folder| names.contains(&folder));
    if any(FIXTURE_FOLDERS) {
        Role::Fixture
    } else if any(TEST_FOLDERS) || folders.split('/').any(is_test_folder) || is_test_name(name) {
        Role::Test
    } else if any(ASIDE_FOLDERS) {
        Role::Aside
    } else {
        Role::Source
    }
}

/// `integration-tests`, and the folders of Swift, Kotlin and C#: `Tests`, `commonTest`, `Shop.Tests`. `latest` is none.
fn is_test_folder(folder: &str) -> bool {
    ["-tests", "Tests", "Test"]
        .iter()
        .any(|end| folder.ends_with(end))
}

fn is_test_name(name: &str) -> bool {
    let Some((stem, _)) = name.rsplit_once('.') else {
        return false;
    };
    match Language::detect(name) {
        Some(Language::Rust) => {
            matches!(stem, "tests" | "test") || stem.ends_with("_tests") || stem.ends_with("_test")
        }
        Some(Language::Python) => {
            stem.starts_with("test_")
                || stem.ends_with("_test")
                || matches!(stem, "tests" | "test" | "conftest")
        }
        Some(Language::Go) => stem.ends_with("_test"),
        Some(Language::TypeScript | Language::Tsx | Language::JavaScript) => {
            [".test", ".spec", ".cy", ".e2e"]
                .iter()
                .any(|mark| stem.ends_with(mark))
                || stem.ends_with(".stories")
        }
        Some(Language::Java) => {
            stem.ends_with("Test") || stem.ends_with("Tests") || stem.ends_with("TestCase")
        }
        // gtest's and Catch's habits, and those of C's many frameworks.
        Some(Language::C | Language::Cpp) => {
            stem.starts_with("test_")
                || ["_test", "_tests", "_unittest", "Test", "Tests"]
                    .iter()
                    .any(|end| stem.ends_with(end))
                || matches!(stem, "test" | "tests")
        }
        Some(Language::CSharp | Language::Kotlin | Language::Scala) => {
            ["Test", "Tests", "Spec", "Specs", "Suite"]
                .iter()
                .any(|end| stem.ends_with(end) && stem != *end)
        }
        Some(Language::Ruby) => {
            stem.ends_with("_spec")
                || stem.ends_with("_test")
                || stem.starts_with("test_")
                || matches!(stem, "spec_helper" | "rails_helper")
        }
        Some(Language::Php | Language::Swift) => {
            stem.ends_with("Test") || stem.ends_with("Tests") || stem.ends_with("TestCase")
        }
        Some(Language::Shell) => {
            name.ends_with(".bats") || stem.ends_with("_test") || stem.ends_with(".test")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_source_from_tests_fixtures_and_examples() {
        for (path, role) in [
            ("src/client.rs", Role::Source),
            ("src/testimony.py", Role::Source),
            ("tests/api.rs", Role::Test),
            ("pkg/a_test.go", Role::Test),
            ("src/App.test.tsx", Role::Test),
            ("src/test/java/a/B.java", Role::Test),
            ("lib/a_spec.rb", Role::Test),
            ("src/CartTest.php", Role::Test),
            ("AppUITests/Launch.swift", Role::Test),
            ("Sources/Contest.swift", Role::Source),
            ("bin/add.bats", Role::Test),
            ("tests/fixtures/broken.py", Role::Fixture),
            ("internal/testdata/x.go", Role::Fixture),
            ("examples/hello/main.rs", Role::Aside),
            ("benches/parse.rs", Role::Aside),
            ("db/cache_test.cc", Role::Test),
            ("db/contest.cc", Role::Source),
            ("src/Latest.cs", Role::Source),
            ("src/OrderTests.cs", Role::Test),
            ("app/FeedSpec.kt", Role::Test),
            ("okio/src/jvmTest/kotlin/A.kt", Role::Test),
            ("Shop.Tests/Helpers.cs", Role::Test),
            ("core/LedgerSuite.scala", Role::Test),
            ("okio/src/commonTest/kotlin/A.kt", Role::Test),
            ("Src/Shop.Tests/Order.cs", Role::Test),
            ("Tests/App/routes.swift", Role::Test),
            ("lib/order_spec.rb", Role::Test),
            ("src/Contest/Latest.php", Role::Source),
        ] {
            assert_eq!(of(path), role, "{path}");
        }
    }
}
