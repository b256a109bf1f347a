//! Public items are documented by habit, where they are the ones that a reader sees.

use super::super::fixture::{found, patterns};

#[test]
fn public_functions_with_docstrings_are_a_habit() {
    let documented: String = (0..5)
        .map(|n| format!("def f{n}():\n    \"\"\"Does.\"\"\"\n"))
        .collect();
    let source = format!(
        "{documented}def _hidden(): pass\ndef outer():\n    '''Has one.'''\n    def inner(): pass\n"
    );
    let patterns = patterns("documentation", &[("a.py", &source)]);
    assert_eq!(patterns.len(), 1);
    assert_eq!((patterns[0].support, patterns[0].cases), (6, 6));
    assert_eq!(
        patterns[0].statement,
        "Give every public function and method a docstring."
    );
}

#[test]
fn a_few_of_many_methods_make_no_habit() {
    let documented: String = (0..6)
        .map(|n| format!("def f{n}():\n    \"\"\"Does.\"\"\"\n"))
        .collect();
    let visitor = |count: usize| -> String {
        let methods: String = (0..count)
            .map(|n| format!("    def visit_{n}(self, node): pass\n"))
            .collect();
        format!("{documented}class Writer(Visitor):\n{methods}")
    };
    assert!(functions(&[("p/writer.py", &visitor(40))]).is_empty());
    assert_eq!(
        functions(&[("p/writer.py", &visitor(3))]),
        ["documentation/python/functions/documented 6/6"]
    );
}

#[test]
fn missing_comments_are_not_a_convention() {
    let source: String = (0..9).map(|n| format!("pub fn f{n}() {{}}\n")).collect();
    assert!(found("documentation", &[("src/a.rs", &source)]).is_empty());
}

#[test]
fn what_an_interface_documents_needs_no_second_comment() {
    let methods = |doc: &str| -> String {
        (0..5)
            .map(|n| {
                format!("    {doc}\n    public function get{n}(): int\n    {{ return {n}; }}\n")
            })
            .collect()
    };
    let declared: String = (0..5)
        .map(|n| format!("    /** Gets one. */\n    public function get{n}(): int;\n"))
        .collect();
    let interface = format!("<?php\n\ninterface Jar\n{{\n{declared}}}\n");
    let class = format!(
        "<?php\n\nclass CookieJar implements Jar\n{{\n{}}}\n",
        methods("")
    );
    let alone = format!(
        "<?php\n\nclass Other\n{{\n{}}}\n",
        methods("/** Gets one. */")
    );
    let of = |files: &[(&str, &str)]| {
        let keys = found("documentation", files);
        keys.into_iter()
            .filter(|key| key.starts_with("documentation/php/functions"))
            .collect::<Vec<_>>()
    };
    let both = [
        ("src/Jar.php", interface.as_str()),
        ("src/CookieJar.php", class.as_str()),
    ];
    assert_eq!(of(&both), ["documentation/php/functions/documented 5/5"]);
    let none = [
        ("src/CookieJar.php", class.as_str()),
        ("src/Other.php", alone.as_str()),
    ];
    assert!(of(&none).is_empty(), "five of ten");
}

#[test]
fn go_comments_begin_with_the_name() {
    let source: String = (0..5)
        .map(|n| format!("// Do{n} does.\nfunc Do{n}() {{}}\n\n"))
        .collect();
    let keys = found(
        "documentation",
        &[("a.go", &format!("package a\n\n{source}"))],
    );
    assert_eq!(
        keys,
        [
            "documentation/go/first-word/begins-with-name 5/5",
            "documentation/go/functions/documented 5/5"
        ]
    );
}

#[test]
fn methods_of_an_interface_of_go_need_no_comment() {
    let documented: String = (0..5)
        .map(|n| format!("// Do{n} does.\nfunc Do{n}() {{}}\n\n"))
        .collect();
    let error = "type Fault struct{}\n\nfunc (f Fault) Error() string { return \"\" }\n\nfunc (f Fault) Unwrap() error { return nil }\n\nfunc (f Fault) Flush() {}\n";
    let mut keys = found(
        "documentation",
        &[("a.go", &format!("package a\n\n{documented}{error}"))],
    );
    keys.retain(|key| key.contains("/functions/"));
    assert_eq!(keys, ["documentation/go/functions/documented 5/5"]);
}

fn functions(files: &[(&str, &str)]) -> Vec<String> {
    let mut keys = found("documentation", files);
    keys.retain(|key| key.contains("/functions/"));
    keys
}

#[test]
fn what_is_hidden_needs_no_documentation() {
    let documented: String = (0..5)
        .map(|n| format!("/// Does.\npub fn f{n}() {{}}\n"))
        .collect();
    let hidden = "struct Inner;\n\nimpl Inner {\n    pub fn new() -> Self { Inner }\n}\n";
    let keys = functions(&[("src/lib.rs", &format!("{documented}{hidden}"))]);
    assert_eq!(keys, ["documentation/rust/functions/documented 5/5"]);
    let documented: String = (0..12)
        .map(|n| format!("def f{n}():\n    \"\"\"Does.\"\"\"\n"))
        .collect();
    let bare = "def g(): pass\n";
    let files = [
        ("p/a.py", documented.as_str()),
        ("p/_compat.py", bare),
        ("p/_internal/b.py", bare),
    ];
    assert_eq!(
        functions(&files),
        ["documentation/python/functions/documented 12/12"]
    );
    let files = [("p/a.py", documented.as_str()), ("p/__init__.py", bare)];
    assert_eq!(
        functions(&files),
        ["documentation/python/functions/documented 12/13"]
    );
}

#[test]
fn jsdoc_stands_before_the_export() {
    let source: String = (0..7)
        .map(|n| format!("/** Does. */\nexport const f{n} = () => 1;\n"))
        .collect();
    let bare = "// Plain.\nexport function g() {}\n";
    let keys = found("documentation", &[("a.ts", &format!("{source}{bare}"))]);
    assert_eq!(keys, ["documentation/typescript/functions/documented 7/8"]);
}
