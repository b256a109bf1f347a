//! Tests of finding the definitions in a file.

use super::*;

fn names(path: &str, text: &str) -> Vec<(String, usize, usize)> {
    let outline = outline(Some(path), text);
    let definition = |one: &Definition<'_>| (one.name.to_owned(), one.start, one.end);
    outline.definitions.iter().map(definition).collect()
}

#[test]
fn a_line_declares_a_name_in_many_languages() {
    for (line, name) in [
        (
            "pub(crate) async fn renew_lease(&self) {",
            Some("renew_lease"),
        ),
        (
            "func (s *Server) Serve(l net.Listener) error {",
            Some("Serve"),
        ),
        ("    def self.build(options)", Some("build")),
        ("export const streamSSE = (c, cb) => {", Some("streamSSE")),
        ("export default class Router<T> {", Some("Router")),
        (
            "    public static List<Owner> findAll(int page) throws X {",
            Some("findAll"),
        ),
        (
            "static int parse_header(const char *text)",
            Some("parse_header"),
        ),
        ("  handle(request: Request): Response {", Some("handle")),
        ("macro_rules! wait {", Some("wait")),
        ("    if (ready) {", None),
        ("    foo(bar);", None),
        ("    return new Thing(1) {", None),
        ("    self.parse(text)", None),
        ("x = compute(y)", None),
    ] {
        assert_eq!(definition_name(line), name, "{line}");
    }
}

#[test]
fn a_definition_ends_where_its_indentation_does() {
    let python = "class A:\n    def f(\n        self,\n    ):\n        return 1\n\n    def g(self):\n        pass\n\nx = 1\n";
    let f = |name: &str, start, end| (name.to_owned(), start, end);
    assert_eq!(
        names("a.py", python),
        [f("A", 1, 8), f("f", 2, 5), f("g", 7, 8)]
    );
    let rust = "fn a() {\n    b();\n}\n\nstruct S;\nfn c() {}\n";
    assert_eq!(
        names("a.rs", rust),
        [f("a", 1, 3), f("S", 5, 5), f("c", 6, 6)]
    );
    let braces = "public class A\n{\n    void F()\n    {\n        G();\n    }\n}\n";
    assert_eq!(names("A.cs", braces), [f("A", 1, 7), f("F", 3, 6)]);
}

#[test]
fn destructured_parameters_are_not_the_whole_function() {
    let f = |name: &str, start, end| (name.to_owned(), start, end);
    let arrow = "const delay = ({\n\tlimit,\n\tnoise,\n}) => {\n\treturn limit + noise;\n};\n\nconst other = 1;\n";
    assert_eq!(names("a.ts", arrow), [f("delay", 1, 6), f("other", 8, 8)]);
    let function =
        "function View({\n  title,\n}: Props) {\n  return title;\n}\nfunction next() {}\n";
    assert_eq!(names("a.tsx", function), [f("View", 1, 5), f("next", 6, 6)]);
}

#[test]
fn a_local_variable_is_no_definition() {
    let f = |name: &str, start, end| (name.to_owned(), start, end);
    let text = "function wait() {\n\tconst timeout = setTimeout(resolve, 5);\n\tconst done = () => 1;\n\tconst LIMIT = 3;\n}\n";
    assert_eq!(
        names("a.js", text),
        [f("wait", 1, 5), f("done", 3, 3), f("LIMIT", 4, 4)]
    );
}

#[test]
fn comments_and_headings_are_told_from_the_rest() {
    use LineKind::{Body, Comment, Heading};
    let kinds = |path: &str, text| outline(Some(path), text).lines;
    assert_eq!(
        kinds("a.rs", "/* one\ntwo */\nfn f() {}\n// three\n"),
        [Comment, Comment, Body, Comment]
    );
    assert_eq!(
        kinds(
            "a.py",
            "\"\"\"One.\n\nTwo.\"\"\"\nx = 1\n'''three'''\ny = 2\n"
        ),
        [Comment, Comment, Comment, Body, Comment, Body]
    );
    assert_eq!(
        kinds("a.md", "# One\ntext\n```sh\n# no heading\n```\nTwo\n===\n"),
        [Heading, Body, Body, Body, Body, Heading, Body]
    );
}

#[test]
fn lists_of_words_are_sorted_or_short() {
    assert!(KEYWORDS.is_sorted());
}

proptest::proptest! {
    #[test]
    fn any_text_has_an_outline(text in "(fn |class |\"\"\"|/\\*|#|=|\n|\t|ä|[a-z(){}=.:; ]){0,80}", ending in "(rs|py|md|json|c)") {
        let path = format!("a.{ending}");
        let outline = outline(Some(&path), &text);
        let lines = text.lines().count();
        proptest::prop_assert_eq!(outline.lines.len(), lines);
        for one in outline.definitions {
            proptest::prop_assert!(one.start >= 1 && one.start <= one.end && one.end <= lines);
        }
    }
}
