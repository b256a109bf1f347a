//! The location, file names and form of tests. A case of a location or name is a file with at least one test; [`form`]
//! covers the tests themselves.
//!
//! Longer than 450 lines: the questions of all languages are one table.

mod data;
mod form;

pub(super) use form::{assert_names, notes};

use std::collections::HashSet;

use super::super::facts::Sign;
use super::super::language::Language;
use super::super::project::SourceFile;
use super::{Answer, Case, Context, Pattern, Question, decide};

pub(super) const KIND: &str = "test_layout";

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let mut questions = questions(context);
    questions.extend(form::questions(context));
    questions.extend(data::questions(context));
    decide(KIND, &questions)
}

fn questions<'a>(context: &Context<'a>) -> Vec<Question<'a>> {
    let mut questions = vec![
        rust(context),
        go(context),
        python_places(context),
        python_names(context),
        java_names(context),
    ];
    for stack in [Language::TypeScript, Language::JavaScript] {
        questions.push(script_places(context, stack));
        questions.push(script_names(context, stack));
    }
    questions
}

/// The files that contain tests.
fn with_tests<'a>(context: &Context<'a>, stack: Language) -> impl Iterator<Item = &'a SourceFile> {
    context
        .tests
        .iter()
        .copied()
        .filter(move |file| file.language.stack() == stack && !file.facts.tests.is_empty())
}

fn folders(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folders, _)| folders)
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn rust<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "in-file",
            "Unit tests are in the file they test",
            "Put unit tests into a `#[cfg(test)]` module in the file that they test.",
        ),
        Answer::rule(
            "own-file",
            "Unit tests are in a file of their own",
            "Declare the `#[cfg(test)]` module in the file that it tests, and put its tests into a file of their own.",
        ),
    ];
    let mut cases = Vec::new();
    // `tests/` holds integration tests, which have no other place; the question is where unit tests go.
    for file in context.source(Language::Rust) {
        for (answer, sign) in [Sign::TestModuleInline, Sign::TestModuleElsewhere]
            .into_iter()
            .enumerate()
        {
            cases.extend(
                file.facts
                    .sign_lines(sign)
                    .iter()
                    .take(1)
                    .map(|line| Case::line(file, *line, answer)),
            );
        }
    }
    Question {
        subject: "unit-tests".into(),
        stack: Language::Rust,
        answers,
        cases,
    }
}

fn go<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "same-package",
            "Tests are in the package they test",
            "Write tests in the package that they test, not in a `_test` package.",
        ),
        Answer::rule(
            "test-package",
            "Tests are in a `_test` package",
            "Write tests in the external `_test` package, through what the package exports.",
        ),
    ];
    let mut cases = Vec::new();
    for file in with_tests(context, Language::Go) {
        // Examples are written from the view of a user; other such tests are marked by the name of their file.
        let own = name(&file.path);
        if own.starts_with("example_") || own.ends_with("_external_test.go") {
            continue;
        }
        for (answer, sign) in [Sign::TestPackageInside, Sign::TestPackageOutside]
            .into_iter()
            .enumerate()
        {
            cases.extend(
                file.facts
                    .sign_lines(sign)
                    .iter()
                    .take(1)
                    .map(|line| Case::line(file, *line, answer)),
            );
        }
    }
    Question {
        subject: "package".into(),
        stack: Language::Go,
        answers,
        cases,
    }
}

fn python_places<'a>(context: &Context<'a>) -> Question<'a> {
    let top = |slug, folder: &str| {
        Answer::rule(
            slug,
            format!("Tests are in the top-level `{folder}` folder"),
            format!("Put tests into the top-level `{folder}` folder, apart from the packages."),
        )
    };
    let inside = |slug, folder: &str| {
        Answer::rule(
            slug,
            format!("Tests are in a `{folder}` folder of the package they test"),
            format!("Put tests into a `{folder}` folder inside the package that they test."),
        )
    };
    let answers = vec![
        top("top-tests", "tests"),
        top("top-test", "test"),
        inside("package-tests", "tests"),
        inside("package-test", "test"),
        Answer::other("elsewhere"),
    ];
    let cases = with_tests(context, Language::Python)
        .map(|file| {
            let found = folders(&file.path)
                .split('/')
                .enumerate()
                .find(|(_, folder)| matches!(*folder, "tests" | "test"));
            let answer = match found {
                Some((0, "tests")) => 0,
                Some((0, _)) => 1,
                Some((_, "tests")) => 2,
                Some(_) => 3,
                None => 4,
            };
            Case::line(file, 1, answer)
        })
        .collect();
    Question {
        subject: "place".into(),
        stack: Language::Python,
        answers,
        cases,
    }
}

fn python_names<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "test-prefix",
            "Test files are named `test_*.py`",
            "Name a test file `test_*.py`.",
        ),
        Answer::rule(
            "test-suffix",
            "Test files are named `*_test.py`",
            "Name a test file `*_test.py`.",
        ),
        Answer::rule(
            "tests",
            "Test files are named `tests.py`",
            "Name the tests of a package `tests.py`.",
        ),
        Answer::other("other"),
    ];
    let cases = with_tests(context, Language::Python)
        // pytest dictates this name.
        .filter(|file| name(&file.path) != "conftest.py")
        .map(|file| {
            let name = name(&file.path);
            let answer = match () {
                () if name.starts_with("test_") => 0,
                () if name.ends_with("_test.py") => 1,
                () if name == "tests.py" => 2,
                () => 3,
            };
            Case::line(file, 1, answer)
        })
        .collect();
    Question {
        subject: "file-names".into(),
        stack: Language::Python,
        answers,
        cases,
    }
}

fn java_names<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "test-suffix",
            "Test classes are named `*Test`",
            "Name a test class after what it tests, with `Test` at the end.",
        ),
        Answer::rule(
            "tests-suffix",
            "Test classes are named `*Tests`",
            "Name a test class after what it tests, with `Tests` at the end.",
        ),
        Answer::rule(
            "test-prefix",
            "Test classes are named `Test*`",
            "Name a test class after what it tests, with `Test` in front.",
        ),
        Answer::other("other"),
    ];
    let cases = with_tests(context, Language::Java)
        .map(|file| {
            let stem = name(&file.path).trim_end_matches(".java");
            let answer = match () {
                () if stem.ends_with("Test") => 0,
                () if stem.ends_with("Tests") => 1,
                () if stem.starts_with("Test") => 2,
                () => 3,
            };
            Case::line(file, 1, answer)
        })
        .collect();
    Question {
        subject: "file-names".into(),
        stack: Language::Java,
        answers,
        cases,
    }
}

fn script_names<'a>(context: &Context<'a>, stack: Language) -> Question<'a> {
    // A file without test cases that tests types: another command checks it, by compiling it.
    let of_types = |mark: &str| {
        let mut files = context.tests(stack);
        files.any(|file| file.facts.tests.is_empty() && name(&file.path).contains(mark))
    };
    let apart = match (of_types(".test-d."), of_types(".spec-d.")) {
        (true, _) => ", and those that test types `*.test-d.*`",
        (false, true) => ", and those that test types `*.spec-d.*`",
        (false, false) => "",
    };
    let answer = |word: &'static str| {
        Answer::rule(
            word,
            format!("Test files are named `*.{word}.*`{apart}"),
            format!("Name a test file after what it tests, with `.{word}` before the extension."),
        )
    };
    let answers = vec![answer("test"), answer("spec"), Answer::other("other")];
    let cases = with_tests(context, stack)
        .map(|file| {
            let name = name(&file.path);
            let answer = match () {
                // `a.test-d.ts` tests types.
                () if name.contains(".test.") || name.contains(".test-d.") => 0,
                () if name.contains(".spec.") || name.contains(".spec-d.") => 1,
                () => 2,
            };
            Case::line(file, 1, answer)
        })
        .collect();
    Question {
        subject: "file-names".into(),
        stack,
        answers,
        cases,
    }
}

fn script_places<'a>(context: &Context<'a>, stack: Language) -> Question<'a> {
    const FOLDERS: [&str; 5] = ["__tests__", "tests", "test", "spec", "e2e"];
    let mut answers: Vec<Answer> = FOLDERS
        .into_iter()
        .map(|folder| {
            let statement = format!("Put tests into a `{folder}` folder.");
            Answer::rule(
                folder,
                format!("Tests are in a `{folder}` folder"),
                statement,
            )
        })
        .collect();
    answers.push(Answer::rule(
        "beside",
        "Tests are beside the code they test",
        "Put a test file into the folder of the file that it tests.",
    ));
    answers.push(Answer::other("other"));
    let source_folders: HashSet<&str> = context
        .source(stack)
        .map(|file| folders(&file.path))
        .collect();
    let cases = with_tests(context, stack)
        .map(|file| {
            let folders = folders(&file.path);
            let named = FOLDERS
                .iter()
                .position(|name| folders.split('/').any(|folder| folder == *name));
            let beside = if source_folders.contains(folders) {
                FOLDERS.len()
            } else {
                FOLDERS.len() + 1
            };
            Case::line(file, 1, named.unwrap_or(beside))
        })
        .collect();
    Question {
        subject: "place".into(),
        stack,
        answers,
        cases,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{found, patterns};

    fn project(paths: &[&str], source: &str) -> Vec<String> {
        let sources: Vec<(&str, &str)> = paths.iter().map(|path| (*path, source)).collect();
        places(&sources)
    }

    /// The patterns about locations and names.
    fn places(sources: &[(&str, &str)]) -> Vec<String> {
        let mut found = found("test_layout", sources);
        found.retain(|key| {
            ["/place/", "/file-names/", "/unit-tests/", "/package/"]
                .iter()
                .any(|part| key.contains(part))
        });
        found
    }

    #[test]
    fn rust_unit_tests_are_in_the_file_or_beside_it() {
        let inline = "fn a() {}\n#[cfg(test)]\nmod tests { #[test] fn t() {} }\n";
        let paths = [
            "src/a.rs",
            "src/b.rs",
            "src/c.rs",
            "src/d.rs",
            "src/e.rs",
            "tests/f.rs",
        ];
        assert_eq!(
            project(&paths, inline),
            ["test_layout/rust/unit-tests/in-file 5/5"]
        );
        assert_eq!(
            project(&paths, "#[cfg(test)]\nmod tests;\n"),
            ["test_layout/rust/unit-tests/own-file 5/5"]
        );
        assert!(project(&paths, "#[cfg(feature = \"test\")]\nmod tests {}\n").is_empty());
    }

    #[test]
    fn python_tests_have_a_place_and_a_name() {
        let paths = [
            "tests/test_a.py",
            "tests/test_b.py",
            "tests/x/test_c.py",
            "tests/test_d.py",
            "tests/test_e.py",
            "tests/util.py",
        ];
        let sources: Vec<(&str, &str)> = paths
            .iter()
            .map(|p| {
                (
                    *p,
                    if p.contains("util") {
                        "def helper(): pass\n"
                    } else {
                        "def test_it(): pass\n"
                    },
                )
            })
            .collect();
        assert_eq!(
            places(&sources),
            [
                "test_layout/python/place/top-tests 5/5",
                "test_layout/python/file-names/test-prefix 5/5"
            ]
        );
    }

    #[test]
    fn tests_all_over_the_place_have_no_layout() {
        let paths = [
            "tests/test_a.py",
            "tests/b_test.py",
            "p/tests/test_c.py",
            "p/tests/d_test.py",
            "p/test_e.py",
            "p/f_test.py",
        ];
        assert!(project(&paths, "def test_it(): pass\n").is_empty());
    }

    #[test]
    fn go_tests_are_inside_or_outside_of_the_package() {
        let paths = [
            "a/a_test.go",
            "b/b_test.go",
            "c/c_test.go",
            "d/d_test.go",
            "e/e_test.go",
        ];
        let source = "package a_test\nfunc TestA(t *testing.T) {}\n";
        assert_eq!(
            project(&paths, source),
            ["test_layout/go/package/test-package 5/5"]
        );
        let said = [
            "a/a_external_test.go",
            "b/b_external_test.go",
            "c/c_external_test.go",
            "d/example_d_test.go",
            "e/example_test.go",
        ];
        assert!(project(&said, source).is_empty());
        assert!(
            project(&paths, "package a_test\nfunc helper() {}\n").is_empty(),
            "files without a test are no cases"
        );
    }

    #[test]
    fn script_tests_lie_beside_the_code() {
        let test = "it('works', () => {});\n";
        let mut sources = vec![("src/a.ts", "export const a = 1;\n")];
        let paths = [
            "src/a.test.ts",
            "src/b.test.ts",
            "src/c.test.ts",
            "src/d.test.ts",
            "src/e.test-d.ts",
        ];
        sources.extend(paths.iter().map(|path| (*path, test)));
        assert_eq!(
            places(&sources),
            [
                "test_layout/typescript/place/beside 5/5",
                "test_layout/typescript/file-names/test 5/5"
            ]
        );
    }

    #[test]
    fn files_that_test_types_are_told_apart() {
        let mut sources: Vec<(String, &str)> = ["a", "b", "c", "d", "e"]
            .map(|one| (format!("src/{one}.spec.ts"), "it('works', () => {});\n"))
            .into();
        let title = |sources: &[(String, &str)]| {
            let sources = sources.iter().map(|(path, text)| (path.as_str(), *text));
            let found = patterns("test_layout", &sources.collect::<Vec<_>>());
            let named = found
                .into_iter()
                .find(|one| one.key.contains("/file-names/"));
            named.map(|one| one.title)
        };
        let plain = "Test files are named `*.spec.*`";
        assert_eq!(title(&sources).as_deref(), Some(plain));
        sources.push(("types/a.test-d.ts".to_owned(), "expectType<number>(a);\n"));
        let apart = format!("{plain}, and those that test types `*.test-d.*`");
        assert_eq!(title(&sources), Some(apart));
    }

    #[test]
    fn java_tests_are_named_after_what_they_test() {
        let paths = [
            "src/test/java/ATest.java",
            "src/test/java/BTest.java",
            "src/test/java/CTest.java",
            "src/test/java/DTest.java",
            "src/test/java/ETest.java",
        ];
        let source = "class X { @Test void works() {} }\n";
        assert_eq!(
            project(&paths, source),
            ["test_layout/java/file-names/test-suffix 5/5"]
        );
    }
}
