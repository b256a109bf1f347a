//! The form of tests: functions or classes, fixtures, assertions and tables.
//!
//! Longer than 450 lines: the questions of all languages are one table.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::facts::{Definition, DefinitionKind, Import};
use super::super::super::language::Language;
use super::super::super::project::SourceFile;
use super::super::super::references::Reference;
use super::super::{Answer, Case, Context, Question, calls, is_module, name_of};

pub(super) fn questions<'a>(context: &Context<'a>) -> Vec<Question<'a>> {
    let mut questions = vec![
        python_form(context),
        python_setup(context),
        python_conftest(context),
        go_subtests(context),
        go_asserts(context),
        java_asserts(context),
        java_runner(context),
    ];
    for stack in [Language::TypeScript, Language::JavaScript] {
        questions.push(script_runner(context, stack));
        questions.push(script_words(context, stack));
        questions.push(script_groups(context, stack));
    }
    questions
}

/// Whether a reference shows the form of tests. `asserts` is the result of [`assert_names`] for its file.
pub(in super::super) fn notes(stack: Language, asserts: &[&str], one: &Reference<'_>) -> bool {
    let first = one.path.split('.').next().unwrap_or(one.path);
    match stack {
        Language::Python => FIXTURES.contains(&one.path),
        Language::Go => first == "t" || asserts.contains(&first) || TABLES.contains(&first),
        Language::TypeScript | Language::JavaScript => {
            matches!(first, "it" | "test" | "describe" | "suite") || one.path.ends_with(".describe")
        }
        _ => false,
    }
}

/// The local names of assertion packages in a Go file, by its imports, and the usual names.
pub(in super::super) fn assert_names(stack: Language, imports: &[Import]) -> Vec<&str> {
    if stack != Language::Go {
        return Vec::new();
    }
    let imported = imports.iter().map(|one| (imported_name(one), &one.module));
    let asserts =
        imported.filter(|(_, module)| module.contains("/testify/") || is_for_tests(module));
    let names = asserts.map(|(name, _)| name);
    names.chain(["require", "assert"]).collect()
}

/// The decorators that define a pytest fixture.
const FIXTURES: &[&str] = &["pytest.fixture", "fixture", "pytest_asyncio.fixture"];

fn whole<'a>(file: &'a SourceFile, one: &Definition, answer: usize) -> Case<'a> {
    Case {
        file,
        start_line: one.start_line,
        end_line: one.end_line,
        answer,
    }
}

/// The functions of a file that are tests by their names.
fn named<'a>(file: &'a SourceFile, prefix: &'static str) -> impl Iterator<Item = &'a Definition> {
    let definitions = file.facts.definitions.iter();
    definitions.filter(move |one| {
        matches!(one.kind, DefinitionKind::Function | DefinitionKind::Method)
            && one.name.starts_with(prefix)
            && one.metrics.is_some()
    })
}

fn python_form<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "functions",
            "Tests are functions",
            "Write a test as a function of its module, not as a method of a class.",
        ),
        Answer::rule(
            "methods",
            "Tests are methods of test classes",
            "Write a test as a method of a test class.",
        ),
    ];
    let mut cases = Vec::new();
    for file in context.tests(Language::Python) {
        let tests = named(file, "test");
        cases.extend(tests.map(|one| whole(file, one, usize::from(one.parent.is_some()))));
    }
    Question {
        subject: "form".into(),
        stack: Language::Python,
        answers,
        cases,
    }
}

/// Whether pytest fixtures or set-up methods prepare tests.
fn python_setup<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "fixtures",
            "What tests need is made by fixtures",
            "Make what tests need in a fixture of pytest, and take it as a parameter; do not use `setUp` methods.",
        ),
        Answer::rule(
            "set-up",
            "What tests need is made by `setUp`",
            "Make what the tests of a class need in its `setUp`.",
        ),
    ];
    let mut cases = Vec::new();
    for file in context.tests(Language::Python) {
        let marks = file.noted();
        let marks = marks.filter(|one| FIXTURES.contains(&one.path));
        for one in marks {
            let imported: BTreeSet<u32> = file
                .facts
                .imports
                .iter()
                .map(|import| import.line)
                .collect();
            let lines = one.lines().filter(|line| !imported.contains(line));
            cases.extend(lines.map(|line| Case::line(file, line, 0)));
        }
        let set_up = file.facts.definitions.iter();
        let set_up = set_up.filter(|one| {
            matches!(
                one.name.as_str(),
                "setUp" | "setUpClass" | "setup_method" | "setup_class" | "setUpTestData"
            )
        });
        cases.extend(set_up.map(|one| whole(file, one, 1)));
    }
    Question {
        subject: "set-up".into(),
        stack: Language::Python,
        answers,
        cases,
    }
}

/// Whether fixtures that several modules could use are in a `conftest.py`.
fn python_conftest<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "conftest",
            "Fixtures are in `conftest.py`",
            "Put a fixture into the `conftest.py` of its folder.",
        ),
        Answer::rule(
            "beside-tests",
            "Fixtures are in the modules that use them",
            "Put a fixture into the module of the tests that use it.",
        ),
        Answer::other("for-others"),
    ];
    let mut cases = Vec::new();
    for file in context.tests(Language::Python) {
        // A module without tests, as a plugin is one, contains fixtures for others.
        let answer = match (name_of(&file.path), file.facts.tests.is_empty()) {
            ("conftest.py", _) => 0,
            (_, false) => 1,
            (_, true) => 2,
        };
        for one in file.noted().filter(|one| one.path == "pytest.fixture") {
            cases.extend(one.lines().map(|line| Case::line(file, line, answer)));
        }
    }
    // Tests of any folder use a plugin of the project, so no folder has a habit of its own.
    let for_others = cases.iter().filter(|case| case.answer == 2).count();
    if for_others * 4 > cases.len() {
        cases.clear();
    }
    Question {
        subject: "fixtures".into(),
        stack: Language::Python,
        answers,
        cases,
    }
}

/// Usual names of a table of cases, and of one case in a loop.
const TABLES: &[&str] = &[
    "case",
    "cases",
    "params",
    "table",
    "tables",
    "tc",
    "tcs",
    "testCase",
    "testCases",
    "testcase",
    "testcases",
    "testData",
    "testdata",
    "tests",
    "tt",
    "tts",
];

/// Whether Go tests with several inputs use `t.Run`. A case is a test with a table or a subtest. A loop alone may have
/// other purposes: it waits, counts, or starts goroutines.
fn go_subtests<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "subtests",
            "Tests of several cases run them as subtests",
            "Run each case of a table as a subtest, by `t.Run`.",
        ),
        Answer::rule(
            "loops",
            "Tests of several cases run them in a plain loop",
            "Run the cases of a table in a plain loop, without `t.Run`.",
        ),
    ];
    let mut cases = Vec::new();
    for file in context.tests(Language::Go) {
        let lines: BTreeSet<u32> = file
            .noted()
            .filter(|one| one.path == "t.Run")
            .flat_map(|one| one.lines().collect::<Vec<_>>())
            .collect();
        let tables: BTreeSet<u32> = file
            .noted()
            .filter(|one| TABLES.contains(&one.path.split('.').next().unwrap_or(one.path)))
            .flat_map(|one| one.lines().collect::<Vec<_>>())
            .collect();
        for one in named(file, "Test") {
            let is_in =
                |lines: &BTreeSet<u32>| lines.range(one.start_line..=one.end_line).next().is_some();
            let runs = is_in(&lines);
            // A test without nesting has one input.
            let nests = one.metrics.is_some_and(|metrics| metrics.nesting > 0);
            if runs || (nests && is_in(&tables)) {
                cases.push(whole(file, one, usize::from(!runs)));
            }
        }
    }
    Question {
        subject: "tables".into(),
        stack: Language::Go,
        answers,
        cases,
    }
}

fn go_asserts<'a>(context: &Context<'a>) -> Question<'a> {
    let rule = |slug: &'static str, what: &str| {
        Answer::rule(
            slug,
            format!("Tests assert with {what}"),
            format!("Assert with {what} in tests."),
        )
    };
    let mut answers = vec![
        rule("require", "testify's `require`"),
        rule("assert", "testify's `assert`"),
        Answer::rule(
            "testing",
            "Tests assert with the `testing` package alone",
            "Compare by hand and call `t.Errorf` or `t.Fatalf`; use no package for asserts.",
        ),
    ];
    let known = answers.len();
    let mut packages: Vec<&str> = Vec::new();
    let mut cases = Vec::new();
    for file in context.tests(Language::Go) {
        let imported = imported_names(file);
        for one in file.noted() {
            let Some((before, name)) = one.path.split_once('.') else {
                continue;
            };
            let answer = match (imported.get(before), before, name) {
                (Some(module), _, _) if module.contains("/testify/") => match before {
                    _ if module.ends_with("/require") => 0,
                    _ if module.ends_with("/assert") => 1,
                    _ => continue,
                },
                (Some(module), _, _) if is_own_assert(module, name) => {
                    let at = packages.iter().position(|one| one == module);
                    known
                        + at.unwrap_or_else(|| {
                            packages.push(*module);
                            packages.len() - 1
                        })
                }
                (None, "require", _) => 0,
                (None, "assert", _) => 1,
                // `t.Fatal(err)` usually means that the preparation of the test failed, so it does not count.
                (None, "t", "Error" | "Errorf" | "Fatalf") => 2,
                _ => continue,
            };
            cases.extend(one.lines().map(|line| Case::line(file, line, answer)));
        }
    }
    answers.extend(packages.iter().map(|module| {
        Answer::rule(
            (*module).to_owned(),
            format!("Tests assert with `{module}`"),
            format!("Assert with the functions of `{module}` in tests."),
        )
    }));
    Question {
        subject: "asserts".into(),
        stack: Language::Go,
        answers,
        cases,
    }
}

/// The modules that a Go file imports, by their local names.
fn imported_names(file: &SourceFile) -> BTreeMap<&str, &str> {
    let imports = file.facts.imports.iter();
    imports
        .map(|one| (imported_name(one), one.module.as_str()))
        .collect()
}

fn imported_name(import: &Import) -> &str {
    match import.alias.as_str() {
        "" => name_of(&import.module),
        alias => alias,
    }
}

/// Whether the name of a package shows that it helps tests.
fn is_for_tests(module: &str) -> bool {
    let package = name_of(module);
    ["test", "assert", "require", "must", "check"]
        .iter()
        .any(|word| package.contains(word))
}

/// Whether a function outside of the standard library is an assertion, by the names of its package and its own:
/// `Equals` of `example.org/shop/internal/test`.
fn is_own_assert(module: &str, name: &str) -> bool {
    const STARTS: [&str; 12] = [
        "Assert",
        "Check",
        "DeepEqual",
        "Equal",
        "Error",
        "Expect",
        "False",
        "Nil",
        "NoErr",
        "Not",
        "OK",
        "True",
    ];
    is_for_tests(module)
        && module
            .split('/')
            .next()
            .is_some_and(|host| host.contains('.'))
        && STARTS.iter().any(|start| name.starts_with(start))
}

/// The first of several libraries that a test file imports.
fn by_import<'a>(
    files: impl Iterator<Item = &'a SourceFile>,
    libraries: &[(&'static str, &[&str])],
) -> Vec<Case<'a>> {
    let of_file = |file: &'a SourceFile| {
        libraries
            .iter()
            .enumerate()
            .find_map(|(answer, (_, modules))| {
                let mut imports = file.facts.imports.iter();
                let found = imports
                    .find(|import| modules.iter().any(|one| is_module(&import.module, one)))?;
                Some(Case::line(file, found.line, answer))
            })
    };
    files.filter_map(of_file).collect()
}

fn library_answers(
    libraries: &[(&'static str, &[&str])],
    title: &str,
    statement: &str,
) -> Vec<Answer> {
    let answer = |(name, _): &(&'static str, &[&str])| {
        let slug = name.to_ascii_lowercase().replace([' ', ':'], "-");
        Answer::rule(
            slug,
            title.replace("{}", name),
            statement.replace("{}", name),
        )
    };
    libraries.iter().map(answer).collect()
}

fn java_asserts<'a>(context: &Context<'a>) -> Question<'a> {
    const LIBRARIES: [(&str, &[&str]); 4] = [
        ("Truth", &["com.google.common.truth"]),
        ("AssertJ", &["org.assertj"]),
        ("Hamcrest", &["org.hamcrest"]),
        (
            "JUnit's assertions",
            &[
                "org.junit.Assert",
                "org.junit.jupiter.api.Assertions",
                "junit.framework",
            ],
        ),
    ];
    Question {
        subject: "asserts".into(),
        stack: Language::Java,
        answers: library_answers(
            &LIBRARIES,
            "Tests assert with {}",
            "Assert with {} in tests.",
        ),
        cases: by_import(context.tests(Language::Java), &LIBRARIES),
    }
}

fn java_runner<'a>(context: &Context<'a>) -> Question<'a> {
    const LIBRARIES: [(&str, &[&str]); 3] = [
        // The packages are those of JUnit 5 and of JUnit 6.
        ("JUnit Jupiter", &["org.junit.jupiter"]),
        (
            "JUnit 4",
            &[
                "org.junit.Test",
                "org.junit.Before",
                "org.junit.runner",
                "org.junit.After",
            ],
        ),
        ("TestNG", &["org.testng"]),
    ];
    Question {
        subject: "runner".into(),
        stack: Language::Java,
        answers: library_answers(&LIBRARIES, "Tests run on {}", "Write tests for {}."),
        cases: by_import(context.tests(Language::Java), &LIBRARIES),
    }
}

fn script_runner<'a>(context: &Context<'a>, stack: Language) -> Question<'a> {
    const LIBRARIES: [(&str, &[&str]); 6] = [
        ("Vitest", &["vitest"]),
        ("Jest", &["@jest/globals"]),
        ("Playwright", &["@playwright/test"]),
        ("node:test", &["node:test"]),
        ("Mocha", &["mocha"]),
        ("Bun", &["bun:test"]),
    ];
    Question {
        subject: "runner".into(),
        stack,
        answers: library_answers(&LIBRARIES, "Tests run on {}", "Write tests for {}."),
        cases: by_import(context.tests(stack), &LIBRARIES),
    }
}

/// Whether a test is called `it` or `test`. A case is a file, by the word that most of its tests use.
fn script_words<'a>(context: &Context<'a>, stack: Language) -> Question<'a> {
    let answers = ["it", "test"]
        .map(|word| {
            Answer::rule(
                word,
                format!("Tests are declared with `{word}`"),
                format!("Declare a test with `{word}(...)`."),
            )
        })
        .into();
    let mut cases = Vec::new();
    for file in context.tests(stack) {
        let mut counts = [(0u32, 1u32); 2];
        for one in file.noted() {
            let at = match one.path.split('.').next() {
                Some("it") => 0,
                Some("test") => 1,
                _ => continue,
            };
            counts[at] = (counts[at].0 + one.count(), one.line());
        }
        let answer = usize::from(counts[1].0 > counts[0].0);
        if counts[answer].0 > 0 {
            cases.push(Case::line(file, counts[answer].1, answer));
        }
    }
    Question {
        subject: "words".into(),
        stack,
        answers,
        cases,
    }
}

fn script_groups<'a>(context: &Context<'a>, stack: Language) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "describe",
            "Tests are grouped by `describe`",
            "Group the tests of a file by `describe`.",
        ),
        Answer::rule(
            "flat",
            "Tests are not grouped",
            "Write tests at the top of their file, without `describe` around them.",
        ),
    ];
    let mut cases = Vec::new();
    for file in context.tests(stack) {
        let Some(first) = file.facts.tests.first() else {
            continue;
        };
        let mut all = calls(file, true).chain(calls(file, false));
        // `test.describe` is Playwright's; `schema.describe` may belong to any library.
        let group = all.find(|one| match one.path.split('.').next() {
            Some("describe" | "suite") => true,
            Some("test" | "it") => one.path.ends_with(".describe"),
            _ => false,
        });
        cases.push(match group {
            Some(group) => Case::line(file, group.line(), 0),
            None => Case::line(file, *first, 1),
        });
    }
    Question {
        subject: "groups".into(),
        stack,
        answers,
        cases,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture::found;

    fn of(part: &str, sources: &[(&str, &str)]) -> Vec<String> {
        let mut found = found("test_layout", sources);
        found.retain(|key| key.contains(part));
        found
    }

    #[test]
    fn python_tests_use_fixtures_or_set_up_methods() {
        let functions: String = (0..6)
            .map(|n| format!("@pytest.fixture\ndef thing{n}():\n    return 1\n\ndef test_{n}(thing{n}):\n    assert thing{n}\n\n"))
            .collect();
        let sources = [("tests/test_a.py", functions.as_str())];
        assert_eq!(
            of("/form/", &sources),
            ["test_layout/python/form/functions 6/6"]
        );
        assert_eq!(
            of("/set-up/", &sources),
            ["test_layout/python/set-up/fixtures 6/6"]
        );
        assert_eq!(
            of("/fixtures/", &sources),
            ["test_layout/python/fixtures/beside-tests 6/6"]
        );
        let plugin: String = (0..6)
            .map(|n| format!("@pytest.fixture\ndef thing{n}():\n    return 1\n\n"))
            .collect();
        let sources = [("tests/plugin.py", plugin.as_str())];
        assert!(
            of("/fixtures/", &sources).is_empty(),
            "a plugin is used by others"
        );
        let plugin = format!("{plugin}@pytest.fixture()\ndef test_params():\n    return 1\n");
        let sources = [("tests/plugin.py", plugin.as_str())];
        assert!(of("/fixtures/", &sources).is_empty(), "and has no tests");
        let classes: String = (0..6)
            .map(|n| format!("class Test{n}(TestCase):\n    def setUp(self):\n        pass\n\n    def test_it(self):\n        pass\n\n"))
            .collect();
        let sources = [("tests/test_a.py", classes.as_str())];
        assert_eq!(
            of("/form/", &sources),
            ["test_layout/python/form/methods 6/6"]
        );
        assert_eq!(
            of("/set-up/", &sources),
            ["test_layout/python/set-up/set-up 6/6"]
        );
        let both = functions + &classes;
        assert!(of("/form/", &[("tests/test_a.py", &both)]).is_empty());
    }

    #[test]
    fn go_tables_run_as_subtests_and_assert_in_one_way() {
        let test = |body: &str| -> String {
            let tests: String = (0..6)
                .map(|n| format!("func TestA{n}(t *testing.T) {{\n{body}}}\n\n"))
                .collect();
            format!("package a\n\n{tests}")
        };
        let subtests = test(
            "\tfor _, one := range all {\n\t\tt.Run(one.name, func(t *testing.T) {\n\t\t\trequire.Equal(t, 1, one.f())\n\t\t})\n\t}\n",
        );
        let sources = [("a/a_test.go", subtests.as_str())];
        assert_eq!(
            of("/tables/", &sources),
            ["test_layout/go/tables/subtests 6/6"]
        );
        assert_eq!(
            of("/asserts/", &sources),
            ["test_layout/go/asserts/require 6/6"]
        );
        let loops = test(
            "\tcases := []int{1, 2}\n\tfor _, tc := range cases {\n\t\trequire.Equal(t, tc, f())\n\t}\n",
        );
        assert_eq!(
            of("/tables/", &[("a/a_test.go", loops.as_str())]),
            ["test_layout/go/tables/loops 6/6"]
        );
        let waits =
            test("\tfor i := 0; i < 50; i++ {\n\t\tif f(i) != 1 {\n\t\t\tt.Fatal(i)\n\t\t}\n\t}\n");
        assert!(of("/tables/", &[("a/a_test.go", waits.as_str())]).is_empty());
        let plain = test("\tif f() != 1 {\n\t\tt.Fatalf(\"f\")\n\t}\n");
        let sources = [("a/a_test.go", plain.as_str())];
        assert!(of("/tables/", &sources).is_empty());
        assert_eq!(
            of("/asserts/", &sources),
            ["test_layout/go/asserts/testing 6/6"]
        );
    }

    #[test]
    fn go_tests_assert_with_a_package_of_the_project() {
        let asserts = "\trtest.OK(t, err)\n\trtest.Equals(t, 1, f())\n\tt.Fatalf(\"f\")\n";
        let tests: String = (0..6)
            .map(|n| {
                format!(
                    "func TestA{n}(t *testing.T) {{\n\trtest.Equals(t, 2, g())\n{asserts}}}\n\n"
                )
            })
            .collect();
        let of_import = |import: &str| {
            let text = format!("package a\n\nimport (\n\t{import}\n\t\"testing\"\n)\n\n{tests}");
            of("/asserts/", &[("a/a_test.go", text.as_str())])
        };
        assert_eq!(
            of_import("rtest \"example.org/shop/internal/test\""),
            ["test_layout/go/asserts/example.org/shop/internal/test 18/24"]
        );
        assert_eq!(
            of_import("rtest \"example.org/shop/runner\""),
            ["test_layout/go/asserts/testing 6/6"],
            "its name does not say that it is for tests"
        );
    }

    #[test]
    fn java_tests_run_and_assert_with_one_library() {
        let sources: Vec<(String, &str)> = ["A", "B", "C", "D", "E"]
            .map(|name| {
                let text = "import static com.google.common.truth.Truth.assertThat;\nimport org.junit.Test;\nclass X { @Test public void works() {} }\n";
                (format!("src/test/java/{name}Test.java"), text)
            })
            .into();
        let sources: Vec<(&str, &str)> = sources
            .iter()
            .map(|(path, text)| (path.as_str(), *text))
            .collect();
        assert_eq!(
            of("/asserts/", &sources),
            ["test_layout/java/asserts/truth 5/5"]
        );
        assert_eq!(
            of("/runner/", &sources),
            ["test_layout/java/runner/junit-4 5/5"]
        );
    }

    #[test]
    fn script_tests_have_words_groups_and_a_runner() {
        let names: Vec<String> = (0..5).map(|n| format!("src/m{n}.test.ts")).collect();
        let with = |text: &'static str| -> Vec<(&str, &str)> {
            names.iter().map(|name| (name.as_str(), text)).collect()
        };
        let grouped = with(
            "import { describe, it } from 'vitest';\ndescribe('a', () => {\n  it('works', () => {});\n});\n",
        );
        assert_eq!(
            of("/words/", &grouped),
            ["test_layout/typescript/words/it 5/5"]
        );
        assert_eq!(
            of("/groups/", &grouped),
            ["test_layout/typescript/groups/describe 5/5"]
        );
        assert_eq!(
            of("/runner/", &grouped),
            ["test_layout/typescript/runner/vitest 5/5"]
        );
        let flat = with("test('works', () => {});\n");
        assert_eq!(
            of("/words/", &flat),
            ["test_layout/typescript/words/test 5/5"]
        );
        assert_eq!(
            of("/groups/", &flat),
            ["test_layout/typescript/groups/flat 5/5"]
        );
        assert!(of("/runner/", &flat).is_empty());
        let described = with("test('works', () => {\n  schema.describe('a');\n});\n");
        assert_eq!(
            of("/groups/", &described),
            ["test_layout/typescript/groups/flat 5/5"]
        );
    }
}
