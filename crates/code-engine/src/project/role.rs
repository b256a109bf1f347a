//! The role of a file, by its path. Patterns are computed from the project's own source files only.

use std::cell::RefCell;

use super::super::language::Language;

/// The role of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The project's own source.
    Source,
    /// Tests.
    Test,
    /// Files that tests read: never evidence of a habit.
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
    "test_files",
    "test-files",
    "testfiles",
    "TestFiles",
    "TestData",
    "TestResources",
    "Fixtures",
    "__snapshots__",
    "__Snapshots__",
    "snapshots",
    "Snapshots",
    "__mocks__",
    "golden",
    "goldens",
    "corpus",
    "templates",
];
/// The folders among these whose files a program wrote, and a test compares with what it writes now.
const EXPECTED_OUTPUTS: &[&str] = &[
    "__snapshots__",
    "__Snapshots__",
    "snapshots",
    "Snapshots",
    "golden",
    "goldens",
];
const TEST_FOLDERS: &[&str] = &[
    "test",
    "tests",
    "__tests__",
    "__e2e__",
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
    "fuzz",
    "jmh",
    "tutorials",
    "playground",
    "Documentation",
    "Example",
    "Examples",
    "Sample",
    "Samples",
];

/// Folder names that keep their meaning below a source root. Other names there are chosen by the project, such as
/// `samples` of `org.example.samples` or `templates` of a template engine.
const KEPT_BELOW_ROOT: &[&str] = &[
    "__fixtures__",
    "__mocks__",
    "__snapshots__",
    "__Snapshots__",
    "__tests__",
    "__e2e__",
    "benches",
    "benchmark",
    "benchmarks",
    "fixtures",
    "jmh",
    "test",
    "test_files",
    "testdata",
    "tests",
];

/// The usual folders of a workspace's packages.
const WORKSPACES: &[&str] = &["crates", "libs", "packages"];

/// Folders that only contain a package's source.
const SOURCE_ROOTS: &[&str] = &["src", "lib", "Sources", "source"];

/// The folders of a path that determine the role of its file. Folders below a source root mostly do not. Folders below
/// the root of a JVM language (`src/main/java`) are packages and never do.
fn telling_folders(folders: &str) -> impl Iterator<Item = &str> {
    let names = || folders.split('/');
    let packages = names()
        .zip(names().skip(2))
        .position(|(one, third)| {
            one == "src" && matches!(third, "java" | "kotlin" | "scala" | "groovy")
        })
        .map_or(usize::MAX, |at| at + 3);
    let root = names().position(|name| SOURCE_ROOTS.contains(&name));
    let tells = move |at: usize, name: &str| {
        root.is_none_or(|root| at <= root)
            || KEPT_BELOW_ROOT.contains(&name)
            || is_test_folder(name)
            || is_aside_project(name)
    };
    names()
        .enumerate()
        .take_while(move |(at, _)| *at < packages)
        .filter(move |(at, name)| tells(*at, name))
        .map(|(_, name)| name)
}

/// Whether `path` is a test or test data, or is a folder of such files.
#[must_use]
pub fn is_for_tests(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    // A name without an extension is taken for a folder.
    let role = if name.contains('.') {
        of(path)
    } else {
        of(&format!("{path}/_"))
    };
    matches!(role, Role::Test | Role::Fixture)
}

/// Whether the file at `path` is the expected output of a test. Nobody wrote it, so it is no code of the project.
pub(crate) fn is_expected_output(path: &str) -> bool {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    telling_folders(folders).any(|folder| EXPECTED_OUTPUTS.contains(&folder))
}

/// Whether the file is named as something that stands in for another in tests: `SftpStub.php`, `clock_mock.py`.
pub(crate) fn is_stand_in(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    let ends = [
        "Stub", "Mock", "Fake", "_stub", "_mock", "_fake", "-stub", "-mock", "-fake",
    ];
    ends.iter()
        .any(|end| stem.len() > end.len() && stem.ends_with(end))
}

/// The role of the file at `path`.
pub(crate) fn of(path: &str) -> Role {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    match of_folders_known(folders) {
        Role::Source if is_test_name(name) => Role::Test,
        // A tool dictates the content and the form of its configuration.
        Role::Source if is_tool_config(name) || is_measure(name) => Role::Aside,
        other => other,
    }
}

/// The result of [`of_folders`]. The last one of each thread is remembered: every step asks for the roles of all files,
/// and most files follow another one of their folder.
fn of_folders_known(folders: &str) -> Role {
    thread_local! {
        static LAST: RefCell<(String, Role)> = const { RefCell::new((String::new(), Role::Source)) };
    }
    LAST.with_borrow_mut(|(last, role)| {
        if last != folders {
            *role = of_folders(folders);
            folders.clone_into(last);
        }
        *role
    })
}

/// The role that the folders of a file give it; files at the top are source.
fn of_folders(folders: &str) -> Role {
    let mut role = Role::Source;
    for folder in telling_folders(folders) {
        if is_published_testing(folders, folder) {
            continue;
        }
        if FIXTURE_FOLDERS.contains(&folder) {
            return Role::Fixture;
        }
        // The tests of an example are a part of the example.
        if role == Role::Source && (TEST_FOLDERS.contains(&folder) || is_test_folder(folder)) {
            role = Role::Test;
        } else if role == Role::Source
            && (ASIDE_FOLDERS.contains(&folder) || is_aside_project(folder) || is_measuring(folder))
        {
            role = Role::Aside;
        }
    }
    role
}

/// Whether a folder among the packages of a workspace is one for those who test with the project: `packages/testing`.
fn is_published_testing(folders: &str, folder: &str) -> bool {
    let mut names = folders.split('/');
    folder == "testing"
        && names
            .next()
            .is_some_and(|first| WORKSPACES.contains(&first))
        && names.next() == Some(folder)
}

/// Whether a folder is a separate project that demonstrates or measures the others: `iOS Example`,
/// `Shop.Tests.Benchmarks`.
fn is_aside_project(folder: &str) -> bool {
    let words = [
        "Benchmark",
        "Benchmarks",
        "Demo",
        "Demos",
        "Example",
        "Examples",
        "Sample",
        "Samples",
        "Snippets",
    ];
    let last = folder.rsplit_once(['.', ' ']).map(|(_, last)| last);
    // In .NET, the code of documentation is in a separate project.
    folder == "Snippets" || last.is_some_and(|last| words.contains(&last))
}

/// Whether a folder contains benchmarks: `perf`, `perf-measures`, `bench-suite`.
fn is_measuring(folder: &str) -> bool {
    let first = folder.split(['-', '_']).next();
    folder == "perf"
        || (first != Some(folder)
            && matches!(first, Some("perf" | "bench" | "benchmark" | "benchmarks")))
}

/// Whether a file is a program that measures: `multi_queue_bench`, `parse_benchmark.py`.
fn is_measure(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    let ends = ["_bench", "-bench", "_benchmark", "-benchmark"];
    ends.iter()
        .any(|end| stem.len() > end.len() && stem.ends_with(end))
}

/// Whether a file is the configuration of a JavaScript tool, written as a module: `vitest.config.ts`,
/// `rollup.config.js`.
fn is_tool_config(name: &str) -> bool {
    let stem = [".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending));
    stem.and_then(|stem| stem.strip_suffix(".config"))
        .is_some_and(|tool| !tool.is_empty())
}

/// The suffixes of folders with tests or test helpers: `integration-tests`, and in Swift, Kotlin, C# and PHP `Tests`,
/// `commonTest`, `Shop.Tests`, `AdapterTestUtilities`. `latest` has no such suffix.
const TEST_FOLDER_ENDS: [&str; 8] = [
    "-tests",
    "Tests",
    "Test",
    "TestHelpers",
    "TestSupport",
    "TestUtil",
    "TestUtilities",
    "TestUtils",
];

fn is_test_folder(folder: &str) -> bool {
    TEST_FOLDER_ENDS.iter().any(|end| folder.ends_with(end))
}

/// Test helpers in any language: `util/testutil.h`.
const TEST_STEMS: [&str; 8] = [
    "test_harness",
    "test_helper",
    "test_helpers",
    "test_util",
    "test_utils",
    "testharness",
    "testutil",
    "testutils",
];

fn is_test_name(name: &str) -> bool {
    let Some((stem, _)) = name.rsplit_once('.') else {
        return false;
    };
    if TEST_STEMS.contains(&stem) {
        return true;
    }
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
            [".test", ".test-d", ".spec", ".spec-d", ".cy", ".e2e"]
                .iter()
                .any(|mark| stem.ends_with(mark))
                || stem.ends_with(".stories")
        }
        Some(Language::Java) => {
            stem.ends_with("Test") || stem.ends_with("Tests") || stem.ends_with("TestCase")
        }
        // The conventions of gtest and Catch, and of the many C frameworks.
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
mod tests;
