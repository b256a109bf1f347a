//! Rules of several languages, including invalid and hostile rules.

use super::super::language::Language;
use super::{RULE_CAP, RULE_PLACES, RuleFile, RuleReport, RuleSet, RuleTally};

fn file(text: &str) -> RuleFile {
    RuleFile {
        path: ".nyxcore/rules/a.yml".to_owned(),
        text: text.to_owned(),
    }
}

/// Matches rules on sources by path.
fn report(rules: &str, sources: &[(&str, &str)]) -> RuleReport {
    let (set, errors) = RuleSet::parse(&[file(rules)]).unwrap();
    let mut tally = RuleTally::new(&set);
    for (path, source) in sources {
        let hits = set
            .matches(Language::detect(path).unwrap(), source)
            .unwrap();
        tally.add(path, "blob", &hits);
    }
    tally.finish(errors)
}

fn lines(report: &RuleReport, id: &str) -> Vec<u32> {
    let rule = report.rules.iter().find(|rule| rule.id == id);
    let places = rule.into_iter().flat_map(|rule| &rule.places);
    places.map(|place| place.start_line).collect()
}

#[test]
fn every_language_has_rules_with_variables() {
    for (language, pattern, path, source, line) in [
        (
            "rust",
            "$A.unwrap()",
            "a.rs",
            "fn f() {\n    g().unwrap();\n}\n",
            2,
        ),
        (
            "Go",
            "x := $A",
            "a.go",
            "package a\n\nfunc f() {\n\tx := y()\n}\n",
            4,
        ),
        (
            "java",
            "System.out.println($A)",
            "A.java",
            "class A { void f() {\n System.out.println(1);\n} }\n",
            2,
        ),
        ("Python", "print($A)", "a.py", "def f():\n    print(1)\n", 2),
        (
            "ts",
            "console.log($$$A)",
            "a.ts",
            "const a: number = 1;\nconsole.log(a);\n",
            2,
        ),
        (
            "Tsx",
            "<b>$A</b>",
            "a.tsx",
            "const a =\n  <b>text</b>;\n",
            2,
        ),
        ("js", "console.log($A)", "a.jsx", "\nconsole.log(1);\n", 2),
        #[cfg(feature = "bash")]
        ("Bash", "rm $A", "a.sh", "#!/bin/sh\nrm file\n", 2),
        #[cfg(feature = "c")]
        (
            "C",
            "free($A);",
            "a.c",
            "void f(char *p) {\n  free(p);\n}\n",
            2,
        ),
        #[cfg(feature = "cpp")]
        (
            "Cpp",
            "new $A",
            "a.cpp",
            "int *f() {\n  return new int;\n}\n",
            2,
        ),
        #[cfg(feature = "csharp")]
        (
            "CSharp",
            "Console.WriteLine($A)",
            "a.cs",
            "class A { void F() {\n Console.WriteLine(1);\n} }\n",
            2,
        ),
        #[cfg(feature = "kotlin")]
        (
            "Kotlin",
            "println($A)",
            "a.kt",
            "fun f() {\n  println(1)\n}\n",
            2,
        ),
        #[cfg(feature = "php")]
        ("Php", "var_dump($A)", "a.php", "<?php\nvar_dump($x);\n", 2),
        #[cfg(feature = "ruby")]
        ("Ruby", "puts $A", "a.rb", "def f\n  puts 1\nend\n", 2),
        #[cfg(feature = "scala")]
        (
            "Scala",
            "println($A)",
            "a.scala",
            "object A {\n  println(1)\n}\n",
            2,
        ),
        #[cfg(feature = "swift")]
        (
            "Swift",
            "print($A)",
            "a.swift",
            "func f() {\n  print(1)\n}\n",
            2,
        ),
    ] {
        let rule = format!("id: r\nlanguage: {language}\nrule:\n  pattern: '{pattern}'\n");
        let report = report(&rule, &[(path, source)]);
        assert_eq!(report.errors, [], "{language}");
        assert_eq!(lines(&report, "r"), [line], "{language}");
    }
}

#[test]
fn constraints_utils_severities_and_several_documents() {
    let rules = "id: no-log\nlanguage: JavaScript\nmessage: Do not log $A\nnote: Use the logger.\nseverity: warning\n\
                 rule:\n  pattern: $L.log($A)\nconstraints:\n  L: { regex: '^console$' }\n\
                 ---\nid: in-loop\nlanguage: JavaScript\nutils:\n  loop: { any: [{ kind: for_statement }, { kind: while_statement }] }\n\
                 rule:\n  pattern: await $A\n  inside: { matches: loop, stopBy: end }\n\
                 ---\nid: silent\nlanguage: JavaScript\nseverity: off\nrule: { kind: identifier }\n";
    let source = "console.log(1);\nother.log(2);\nasync function f() {\n  await a();\n  while (true) {\n    await b();\n  }\n}\n";
    let report = report(rules, &[("a.js", source)]);
    assert_eq!(report.errors, []);
    let ids: Vec<&str> = report.rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["in-loop", "no-log"], "what is off is not there");
    assert_eq!(lines(&report, "no-log"), [1]);
    assert_eq!(lines(&report, "in-loop"), [6]);
    let rule = &report.rules[1];
    assert_eq!(
        (rule.title.as_str(), rule.statement.as_str()),
        ("Do not log $A", "Use the logger.")
    );
    assert_eq!(
        (rule.severity, rule.line),
        (super::RuleSeverity::Warning, 1)
    );
    assert_eq!(report.rules[0].line, 10);
}

#[test]
fn a_counter_rule_counts_what_is_done_otherwise() {
    let rules = "id: through-client\nlanguage: TypeScript\nmetadata: { counter: direct }\nrule: { pattern: client.get($$$) }\n\
                 ---\nid: direct\nlanguage: TypeScript\nrule: { pattern: fetch($$$) }\n";
    let report = report(
        rules,
        &[(
            "a.ts",
            "client.get('a');\nclient.get('b', 1);\nfetch('c');\n",
        )],
    );
    assert_eq!(report.rules.len(), 1);
    assert_eq!(
        (report.rules[0].matches, report.rules[0].counter_matches),
        (2, 1)
    );
    assert_eq!(report.rules[0].counter_places[0].start_line, 3);
}

#[test]
fn files_and_ignores_say_where_a_rule_holds() {
    let rules = "id: r\nlanguage: Python\nfiles: ['src/**']\nignores: ['src/gen/**']\nrule: { pattern: print($A) }\n";
    let found = report(
        rules,
        &[
            ("src/a.py", "print(1)\n"),
            ("src/gen/b.py", "print(1)\n"),
            ("c.py", "print(1)\n"),
        ],
    );
    assert_eq!((found.rules[0].matches, found.rules[0].files), (1, 1));
}

#[test]
fn comments_tell_rules_to_leave_a_line_alone() {
    let rules = "id: r\nlanguage: Python\nrule: { pattern: print($A) }\n";
    let source = "x = 1\nprint(1)\n# ast-grep-ignore\nprint(2)\nprint(3)  # ast-grep-ignore: r\nprint(4)  # ast-grep-ignore: other\n";
    assert_eq!(lines(&report(rules, &[("a.py", source)]), "r"), [2, 6]);
    let whole = "# ast-grep-ignore\n\nprint(1)\n";
    assert_eq!(report(rules, &[("a.py", whole)]).rules[0].matches, 0);
}

#[test]
fn rules_that_cannot_be_read_are_named_and_stop_nothing() {
    let rules = "id: good\nlanguage: Python\nrule: { pattern: print($A) }\n\
                 ---\nid: [broken\n\
                 ---\nid: unknown-key\nlanguage: Python\nseverty: error\nrule: { pattern: a }\n\
                 ---\nid: cobol\nlanguage: Cobol\nrule: { pattern: a }\n\
                 ---\nid: kind\nlanguage: Python\nrule: { kind: no_such_kind }\n\
                 ---\nid: regex\nlanguage: Python\nrule: { kind: identifier, regex: '(' }\n\
                 ---\nid: any-node\nlanguage: Python\nrule: { regex: 'a' }\n\
                 ---\nid: good\nlanguage: Python\nrule: { pattern: again }\n\
                 ---\nlanguage: Python\nrule: { pattern: nameless }\n\
                 ---\nid: counter\nlanguage: Python\nmetadata: { counter: nobody }\nrule: { pattern: a() }\n\
                 ---\nid: circle\nlanguage: Python\nutils: { u: { matches: u } }\nrule: { matches: u, kind: identifier }\n";
    let report = report(rules, &[("a.py", "print(1)\na()\n")]);
    assert_eq!(lines(&report, "good"), [1]);
    let ids: Vec<&str> = report.rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["counter", "good"]);
    let named: Vec<(Option<u32>, &str)> = report
        .errors
        .iter()
        .map(|error| (error.line, error.reason.as_str()))
        .collect();
    insta::assert_debug_snapshot!(named);
}

#[test]
fn ten_thousand_matches_are_counted_and_the_first_listed() {
    let rules = "id: r\nlanguage: Python\nrule: { pattern: print($A) }\n";
    let source = "print(1)\n".repeat(10_000);
    let found = report(rules, &[("b.py", &source), ("a.py", &source)]);
    let rule = &found.rules[0];
    assert_eq!((rule.matches, rule.files, rule.given_up), (20_000, 2, 0));
    assert_eq!(rule.places.len(), RULE_PLACES);
    assert!(rule.places.iter().all(|place| place.path == "a.py"));
}

#[test]
fn an_endless_rule_times_out_without_stopping_the_others() {
    // For each statement, the rule visits all that follow, and for each of those again: cubic in the length of the
    // file.
    let rules = "id: cube\nlanguage: Python\nrule:\n  kind: expression_statement\n  precedes:\n    stopBy: end\n    kind: expression_statement\n    precedes: { stopBy: end, pattern: nowhere() }\n\
                 ---\nid: plain\nlanguage: Python\nrule: { pattern: a() }\n";
    let found = report(rules, &[("a.py", &"a()\n".repeat(5_000))]);
    assert_eq!(found.rules[0].given_up, 1);
    assert_eq!(
        (found.rules[1].matches, found.rules[1].given_up),
        (5_000, 0)
    );
}

#[test]
fn rules_that_call_each_other_in_a_circle_come_to_an_end() {
    let rules = "id: r\nlanguage: Python\nutils:\n  down: { has: { inside: { matches: down, stopBy: end }, stopBy: end } }\n\
                 rule: { kind: module, matches: down }\n";
    let found = report(rules, &[("a.py", "a(b(c))\n")]);
    assert_eq!(found.errors, []);
    assert_eq!((found.rules[0].matches, found.rules[0].given_up), (0, 1));
}

#[test]
fn hostile_rules_are_refused_or_matched_and_never_crash() {
    let deep = format!(
        "id: r\nlanguage: Python\nrule:\n  pattern: {}1{}\n",
        "(".repeat(5_000),
        ")".repeat(5_000)
    );
    let nested = format!(
        "id: r\nlanguage: Python\nrule: {}kind: identifier{}\n",
        "{ not: ".repeat(5_000),
        "}".repeat(5_000)
    );
    let sum = format!(
        "id: r\nlanguage: Python\nrule:\n  pattern: {}\n",
        "a + ".repeat(10_000) + "a"
    );
    let ellipses = format!(
        "id: r\nlanguage: Python\nrule:\n  pattern: f({})\n",
        "$$$A, x, ".repeat(500)
    );
    let aliases = "a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c]\n";
    let large = "#".repeat(super::RULE_FILE_CAP + 1);
    let nul = "id: \"\u{0}\"\nlanguage: Python\nrule: { pattern: \"\u{0}\" }\n";
    for rules in [
        deep.as_str(),
        &nested,
        &sum,
        &ellipses,
        aliases,
        &large,
        nul,
        "\u{feff}---\n---",
        "- 1\n- 2\n",
    ] {
        let source = format!(
            "f({})\n{}\n",
            "x, ".repeat(5_000),
            "a + ".repeat(20_000) + "a"
        );
        let found = report(rules, &[("a.py", &source)]);
        assert!(
            found.rules.iter().all(|rule| rule.matches == 0)
                && found.rules.len() + found.errors.len() < 3
        );
    }
    let many: String = (0..RULE_CAP + 3)
        .map(|n| format!("---\nid: r{n}\nlanguage: Go\nrule: {{ pattern: a }}\n"))
        .collect();
    assert_eq!(RuleSet::parse(&[file(&many)]).unwrap().1.len(), 3);
}

#[test]
fn the_key_is_of_the_rules_and_not_of_their_order() {
    let other = RuleFile {
        path: ".nyxcore/rules/b.yaml".to_owned(),
        text: "# none\n".to_owned(),
    };
    let one = file("id: r\nlanguage: Go\nrule: { pattern: a }\n");
    let key = |files: &[RuleFile]| RuleSet::parse(files).unwrap().0.key().to_owned();
    assert_eq!(
        key(&[one.clone(), other.clone()]),
        key(&[other, one.clone()])
    );
    assert_ne!(
        key(std::slice::from_ref(&one)),
        key(&[file("id: s\nlanguage: Go\nrule: { pattern: a }\n")])
    );
    let (set, _) = RuleSet::parse(&[one]).unwrap();
    assert!(set.wants(Language::Go) && !set.wants(Language::Python));
    assert!(
        RuleFile::is_rule_file(".nyxcore/rules/team/a.yaml")
            && !RuleFile::is_rule_file("a/.nyxcore/rules/a.yml")
    );
}
