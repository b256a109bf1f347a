//! Types, exceptions, interfaces and tests are named by habit.

use super::super::super::fixture::found;

fn of(part: &str, sources: &[(&str, &str)]) -> Vec<String> {
    let mut found = found("naming", sources);
    found.retain(|key| key.contains(part));
    found
}

#[test]
fn tests_of_php_may_be_named_in_words() {
    let names = [
        "writing_a_file",
        "reading_a_file",
        "moving_a_file",
        "listing_files",
        "copying_it",
    ];
    let methods: String = names
        .iter()
        .map(|name| {
            format!("    /**\n     * @test\n     */\n    public function {name}(): void {{}}\n")
        })
        .collect();
    let source = format!("<?php\nclass DiskTest extends TestCase\n{{\n{methods}}}\n");
    assert_eq!(
        of("/tests/", &[("src/DiskTest.php", &source)]),
        ["naming/php/tests/underscores 5/5"]
    );
}

/// Go's documentation shows an example beside what its name says, so the name has underscores.
#[test]
fn names_of_examples_in_go_are_no_habit() {
    let tests = ["Get", "Put", "All", "Cut", "End"]
        .map(|name| format!("func Test{name}(t *testing.T) {{}}\n"));
    let examples = "func Example_whole() {}\n\nfunc ExampleStore_Get() {}\n";
    let source = format!("package store\n\n{}\n{examples}", tests.concat());
    assert_eq!(
        of("/tests/", &[("store_test.go", &source)]),
        ["naming/go/tests/one-word 5/5"]
    );
}

#[test]
fn names_of_tests_in_backticks_are_sentences() {
    let source = |names: [&str; 6]| {
        let tests = names.map(|name| format!("    @Test\n    fun {name}() {{}}\n\n"));
        format!("package a\n\nclass CartTest {{\n{}}}\n", tests.concat())
    };
    let of = |names| {
        of(
            "/tests/",
            &[("src/test/kotlin/CartTest.kt", &source(names))],
        )
    };
    assert_eq!(
        of([
            "`it is empty`",
            "`it adds`",
            "`it adds two`",
            "`it sums`",
            "`it is full`",
            "`it ends`"
        ]),
        ["naming/kotlin/tests/sentence 6/6"]
    );
    let mixed = of([
        "`it is empty`",
        "`it adds`",
        "sumsUp",
        "endsAlso",
        "is_full",
        "is_over",
    ]);
    assert!(mixed.is_empty(), "{mixed:?}");
}

#[test]
fn the_types_of_a_folder_end_alike() {
    let classes = |end: &str| -> String {
        (0..6)
            .map(|n| format!("export class Order{n}{end} {{}}\n"))
            .collect()
    };
    assert_eq!(
        of(
            "-types",
            &[("src/controllers/a.ts", &classes("Controller"))]
        ),
        ["naming/typescript/controller-types/suffix 6/6"]
    );
    assert!(of("-types", &[("src/controllers/a.ts", &classes(""))]).is_empty());
    assert!(of("-types", &[("src/other/a.ts", &classes("Controller"))]).is_empty());
}

#[test]
fn files_say_the_role_of_their_class() {
    let sources: Vec<(String, String)> = (0..5)
        .map(|n| {
            let text = format!("export class Order{n}Service {{}}\n");
            (format!("src/order{n}.service.ts"), text)
        })
        .collect();
    let sources: Vec<(&str, &str)> = sources
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    assert_eq!(
        of("role-files", &sources),
        ["naming/typescript/role-files/dotted 5/5"]
    );
    let plain: Vec<(String, &str)> = (0..5)
        .map(|n| (format!("src/s{n}.ts"), sources[n].1))
        .collect();
    let plain: Vec<(&str, &str)> = plain
        .iter()
        .map(|(path, text)| (path.as_str(), *text))
        .collect();
    assert!(of("role-files", &plain).is_empty());
}

#[test]
fn exceptions_end_with_error() {
    let classes = |end: &str| -> String {
        (0..6)
            .map(|n| format!("class Bad{n}{end}(ValueError):\n    pass\n\n"))
            .collect()
    };
    assert_eq!(
        of("exceptions", &[("p/a.py", &classes("Error"))]),
        ["naming/python/exceptions/Error 6/6"]
    );
    assert!(of("exceptions", &[("p/a.py", &classes("Thing"))]).is_empty());
}

#[test]
fn interfaces_are_plain_or_begin_with_a_letter() {
    let source = |prefix: &str| -> String {
        (0..6)
            .map(|n| format!("export interface {prefix}Item{n} {{ a: string }}\n"))
            .collect()
    };
    assert_eq!(
        of("interfaces", &[("src/a.ts", &source(""))]),
        ["naming/typescript/interfaces/plain 6/6"]
    );
    assert_eq!(
        of("interfaces", &[("src/a.ts", &source("I"))]),
        ["naming/typescript/interfaces/prefix 6/6"]
    );
    let both = source("") + &source("I");
    assert!(of("interfaces", &[("src/a.ts", &both)]).is_empty());
}

#[test]
fn tests_begin_with_test_or_do_not() {
    let source = |prefix: &str| -> String {
        let tests: String = (0..6)
            .map(|n| format!("    #[test]\n    fn {prefix}it_works_{n}() {{}}\n"))
            .collect();
        format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{\n{tests}}}\n")
    };
    assert_eq!(
        of("/tests/", &[("src/a.rs", &source(""))]),
        ["naming/rust/tests/plain 6/6"]
    );
    assert_eq!(
        of("/tests/", &[("src/a.rs", &source("test_"))]),
        ["naming/rust/tests/test-prefix 6/6"]
    );
}
