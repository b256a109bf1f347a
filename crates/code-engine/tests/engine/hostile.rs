//! Unusual and malicious input is analysed or refused with a reason, and never panics.

use nyxcore_code_engine::language::Language;
use nyxcore_code_engine::listing::{SIZE_CAP, Skip};
use nyxcore_code_engine::parse::file_analyze;
use proptest::prelude::*;

/// Every language with a parser, and a path that does not affect the result.
fn parsed() -> impl Iterator<Item = (&'static str, Language)> {
    Language::ALL
        .iter()
        .copied()
        .filter(|language| language.has_facts())
        .map(|language| ("a", language))
}

#[test]
fn bytes_that_are_no_text_are_skipped_in_every_language() {
    for (path, language) in parsed() {
        let analyse = |bytes: &[u8]| file_analyze(path, language, bytes).expect_err("a reason");
        assert_eq!(analyse(b"a\0b"), Skip::Binary.into());
        assert_eq!(analyse(b"# \xe9"), Skip::NotUtf8.into());
        assert_eq!(analyse(b"\xff\xfea\0"), Skip::Utf16.into());
        assert_eq!(analyse(&vec![b'\n'; SIZE_CAP + 1]), Skip::TooLarge.into());
        assert_eq!(
            analyse("a = b;".repeat(20_000).as_bytes()),
            Skip::Minified.into()
        );
        assert_eq!(
            analyse("{".repeat(100_000).as_bytes()),
            Skip::TooDeep.into()
        );
    }
}

#[test]
fn deep_nesting_over_many_lines_is_too_deep() {
    for (path, language) in parsed() {
        let text = format!("x = {}1{}\n", "(\n".repeat(100_000), ")\n".repeat(100_000));
        assert_eq!(
            file_analyze(path, language, text.as_bytes()).expect_err("a reason"),
            Skip::TooDeep.into(),
            "{language}"
        );
    }
}

#[test]
fn one_line_of_fifty_megabytes_is_too_large_in_every_language() {
    let line = vec![b'x'; 50 << 20];
    for language in Language::ALL {
        let found = file_analyze("a", *language, &line);
        assert_eq!(found, Err(Skip::TooLarge.into()), "{language}");
    }
}

#[test]
fn utf_16_is_named_by_its_mark_and_no_text_without_it() {
    let text = "def a(): pass\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let analyse = |bytes: &[u8]| file_analyze("a.py", Language::Python, bytes);
    assert_eq!(
        analyse(&[b"\xff\xfe".as_slice(), &little].concat()),
        Err(Skip::Utf16.into())
    );
    assert_eq!(
        analyse(&[b"\xfe\xff".as_slice(), &big].concat()),
        Err(Skip::Utf16.into())
    );
    // Without a byte order mark, every second byte is NUL, so the file is binary.
    assert_eq!(analyse(&little), Err(Skip::Binary.into()));
    assert_eq!(analyse(&big), Err(Skip::Binary.into()));
}

#[test]
fn twenty_thousand_documented_items_are_all_told() {
    for (path, language, item) in [
        (
            "a.rs",
            Language::Rust,
            "/// Doc.\n#[inline]\npub fn a() {}\n",
        ),
        ("a.go", Language::Go, "// A is.\nfunc A() {}\n"),
        ("a.java", Language::Java, "/** A. */\npublic void a() {}\n"),
        ("a.py", Language::Python, "def a():\n    \"\"\"A.\"\"\"\n"),
        (
            "a.ts",
            Language::TypeScript,
            "/** A. */\nexport function a() {}\n",
        ),
    ] {
        let body = item.repeat(20_000);
        let text = match language {
            Language::Java => format!("public class A {{\n{body}}}\n"),
            Language::Go => format!("package a\n\n{body}"),
            _ => body,
        };
        let facts = file_analyze(path, language, text.as_bytes()).expect("facts");
        let documented = facts.definitions.iter().filter(|one| {
            one.documented && matches!(one.name.as_str(), "a" | "A") && one.metrics.is_some()
        });
        assert_eq!(documented.count(), 20_000, "{language}");
    }
}

#[test]
fn half_a_merge_conflict_still_has_the_definitions_around_it() {
    let python =
        "def a():\n    pass\n\n<<<<<<< HEAD\nx = 1\n=======\nx = 2\n\ndef b():\n    pass\n";
    let facts = file_analyze("a.py", Language::Python, python.as_bytes()).expect("facts");
    assert!(facts.syntax_errors > 0);
    assert!(
        facts
            .definitions
            .iter()
            .any(|definition| definition.name == "a")
    );
    let rust = "fn a() {}\n<<<<<<< HEAD\nfn b() {}\n=======\nfn c() {}\n>>>>>>> x\nfn d() {}\n";
    let facts = file_analyze("a.rs", Language::Rust, rust.as_bytes()).expect("facts");
    assert!(facts.syntax_errors > 0);
    assert!(
        facts
            .definitions
            .iter()
            .any(|definition| definition.name == "a")
    );
    for (path, language, before) in [
        ("a.go", Language::Go, "package p\n\nfunc a() {}\n"),
        ("a.java", Language::Java, "class a { void b() {} }\n"),
    ] {
        let text = format!("{before}<<<<<<< HEAD\n=======\n");
        let facts = file_analyze(path, language, text.as_bytes()).expect("facts");
        assert!(facts.syntax_errors > 0, "{language}");
        assert!(
            facts.definitions.iter().any(|one| one.name == "a"),
            "{language}"
        );
    }
    // oxc fails at a merge conflict: the file is skipped and reported.
    let text = "function a() {}\n<<<<<<< HEAD\nlet b = 1;\n=======\n";
    assert_eq!(
        file_analyze("a.ts", Language::TypeScript, text.as_bytes()),
        Err(Skip::DoesNotParse.into())
    );
}

#[test]
fn what_is_no_source_at_all_does_not_parse() {
    let prose = "The quick brown fox, it's said: jumps! over (the [lazy dog.\n".repeat(40);
    for (path, language) in [
        ("a.ts", Language::TypeScript),
        ("a.py", Language::Python),
        ("a.go", Language::Go),
    ] {
        assert_eq!(
            file_analyze(path, language, prose.as_bytes()),
            Err(Skip::DoesNotParse.into()),
            "{language}"
        );
    }
}

#[test]
fn empty_files_and_byte_order_marks_are_fine() {
    for (path, language) in parsed() {
        assert_eq!(
            file_analyze(path, language, b"")
                .expect("facts")
                .lines
                .total(),
            0
        );
        assert_eq!(
            file_analyze(path, language, "\u{feff}\n".as_bytes())
                .expect("facts")
                .lines
                .blank,
            1
        );
    }
}

/// Text that resembles source: brackets, quotes, keywords and line ends in any order.
fn soup() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "<",
        ">",
        "\"",
        "'",
        "`",
        "${",
        "/*",
        "*/",
        "//",
        "#",
        "\n",
        "\n    ",
        " ",
        "\\",
        "fn ",
        "def ",
        "class ",
        "function ",
        "func ",
        "impl ",
        "if ",
        "else ",
        "match ",
        "return ",
        "=>",
        "=",
        ":",
        ";",
        ",",
        ".",
        "?",
        "&&",
        "||",
        "x",
        "Y_Z",
        "1",
        "é",
        "\u{2028}",
        "import ",
        "from ",
        "export ",
        "default ",
        "async ",
        "except ",
        "try",
        "catch ",
        "#[cfg(test)]",
        "mod ",
        "use ",
        "type ",
        "package ",
        "@",
        "\t",
        "r#\"",
        "'a ",
        "f\"{",
        "\"\"\"",
        "<<<<<<< ",
        "/",
        "*",
        "static final ",
        "lambda ",
        "throw ",
        "err",
        "%w",
        "///",
        "/** */",
        "<?php ",
        "?>",
        "<<~EOS\n",
        "<<EOF\n",
        "end\n",
        "do |x|",
        "unless ",
        "rescue ",
        "case ",
        "in ",
        "esac",
        "fi\n",
        "$(",
        "[[ ",
        "guard ",
        "switch ",
        "->",
        "#if ",
    ]);
    prop::collection::vec(pieces, 0..120).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_analysed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for (path, language) in parsed() {
            let _ = file_analyze(path, language, &bytes);
        }
    }

    #[test]
    fn facts_are_deterministic_and_count_every_line_once(source in soup()) {
        for (path, language) in parsed() {
            let first = file_analyze(path, language, source.as_bytes());
            prop_assert_eq!(&first, &file_analyze(path, language, source.as_bytes()));
            if let Ok(facts) = first {
                prop_assert_eq!(facts.lines.total() as usize, source.split_inclusive('\n').count());
                let last = facts.lines.total();
                for definition in &facts.definitions {
                    prop_assert!(1 <= definition.start_line && definition.start_line <= definition.end_line);
                    prop_assert!(definition.end_line <= last);
                }
            }
        }
    }
}
