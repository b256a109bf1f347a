//! Tests of the roles of files.

use super::*;

#[test]
fn a_path_says_what_a_file_is_for() {
    use FileRole as R;
    for (path, role) in [
        ("src/flask/ctx.py", R::Source),
        ("src/templates/index.html", R::Resource),
        ("static/css/site.css", R::Resource),
        ("db/postgres/schema.sql", R::Resource),
        ("db/postgres/data.sql", R::Fixture),
        ("LICENSE", R::Template),
        ("LICENSE-APACHE", R::Template),
        ("LICENSE.txt", R::Template),
        ("docs/CODE_OF_CONDUCT.md", R::Template),
        ("src/license.rs", R::Source),
        ("tests/test_ctx.py", R::Test),
        ("src/middleware/cors/index.test.ts", R::Test),
        ("pkg/server_test.go", R::Test),
        ("tests/data/answer.json", R::Fixture),
        ("src/__snapshots__/a.snap", R::Fixture),
        ("README.md", R::Document),
        ("docs/blueprints.rst", R::Document),
        ("CHANGES.rst", R::ChangeLog),
        ("docs/changelog.md", R::ChangeLog),
        (".github/ISSUE_TEMPLATE/bug.md", R::Template),
        ("Cargo.lock", R::Generated),
        ("gradlew", R::Generated),
        ("static/app.min.js", R::Generated),
        ("docs/ko/docs/index.md", R::Translation),
        (
            "src/main/resources/messages/messages_ru.properties",
            R::Translation,
        ),
        ("README.zh-CN.md", R::Translation),
        ("sphinx/locale/de/LC_MESSAGES/sphinx.po", R::Translation),
        ("pyproject.toml", R::Configuration),
        (".github/workflows/ci.yml", R::Configuration),
        ("examples/todo/main.go", R::Example),
        ("src/id/parse.ts", R::Source),
        ("src/main/java/com/example/samples/Visit.java", R::Source),
        ("src/main/kotlin/org/test/Run.kt", R::Source),
        ("src/test/java/com/example/VisitTests.java", R::Test),
        ("samples/src/main/java/org/acme/Run.java", R::Example),
    ] {
        assert_eq!(R::of_path(path), role, "{path}");
    }
}

#[test]
fn translations_of_one_text_share_a_path() {
    let neutral = |path| locale_neutral(path).unwrap();
    assert_eq!(
        neutral("docs/ko/docs/index.md"),
        neutral("docs/pt-br/docs/index.md")
    );
    assert_eq!(
        neutral("x/messages_ru.properties"),
        neutral("x/messages_ko.properties")
    );
    assert_eq!(neutral("README.zh-CN.md"), neutral("README.ja.md"));
    assert_eq!(locale_neutral("docs/index.md"), None);
}

#[test]
fn a_document_binds_by_its_name() {
    let of = Authority::of_path;
    assert_eq!(of("CONTRIBUTING.md"), Some(Authority::Mandatory));
    assert_eq!(of("docs/decisions/0001-x.md"), Some(Authority::Mandatory));
    assert_eq!(of("README.md"), Some(Authority::Guideline));
    assert_eq!(of("docs/limits.md"), Some(Authority::Informational));
    assert_eq!(of("src/lib.rs"), None);
    assert_eq!(of("docs/de/index.md"), None);
}

#[test]
fn a_question_for_tests_gets_tests() {
    assert!(FileRole::Test.weight_for(&["test"]) > FileRole::Test.weight_for(&["leas"]));
    assert_eq!(FileRole::Source.weight_for(&["test"]), 1.0);
}
